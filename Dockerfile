# Readiness, for web, worker, scheduler and migrate alike: the command decides. BASE is any image with Python 3.11-3.13.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS packages
COPY requirements.lock /requirements.lock
# pip stays in this stage: nothing is installed in the image that runs.
RUN python3 -m venv /pip \
    && python3 -m venv --without-pip /opt/venv \
    && /pip/bin/pip --python /opt/venv/bin/python install --no-cache-dir --require-hashes --only-binary :all: \
        -r /requirements.lock

FROM ${BASE}
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    READINESS_STATIC_ROOT=/app/staticfiles
RUN groupadd --gid 10001 readiness \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin readiness
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . .
# Any command compiles the catalogues of words too, which nobody may write later. None needs a secret: the key below
# signs nothing, and without DATABASE_URL no database is looked for.
RUN READINESS_SECRET_KEY=only-while-building READINESS_DATA=/tmp/data READINESS_LOG_LEVEL=WARNING \
        python manage.py collectstatic --noinput \
    && rm -rf /tmp/data \
    && python -m compileall -q checks config deploy readiness
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["python", "/app/deploy/entrypoint.py"]
CMD ["uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--timeout-graceful-shutdown", "2", "--lifespan", "off", "--proxy-headers"]
