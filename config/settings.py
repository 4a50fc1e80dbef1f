"""Settings, every one from the environment; a secret also from a file (``NAME_FILE``). ``docs/settings.md`` lists them.

Without any variable this is the embedded way to run: SQLite and a broker of files below the data folder, on loopback.
"""

import logging
from pathlib import Path

import django_stubs_ext

from config import catalogues, policies
from config.environment import Environment
from config.logs import logging_settings
from readiness.rules import sessions, throttling

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

DEMO = policies.demo_wanted(env)
DATA_DIR = policies.data_folder(env.str("READINESS_DATA", default=""), BASE_DIR, demo=DEMO)
DEBUG = env.bool("READINESS_DEBUG", default=False)

# --- who may reach us -------------------------------------------------------------------------------------------------
DEPLOYED = bool(env.str("DATABASE_URL", default=""))
SECRET_KEY = env.str("READINESS_SECRET_KEY", default="") or policies.embedded_secret_key(DATA_DIR, deployed=DEPLOYED)
ALLOWED_HOSTS = env.list("READINESS_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
LEDGER_KEY = policies.ledger_key(env)
CSRF_TRUSTED_ORIGINS = env.list("READINESS_ORIGINS", default=[])
HTTPS = env.bool("READINESS_HTTPS", default=DEPLOYED)
# With this prefix browsers take a cookie from this very host over HTTPS alone: no other sub-domain can plant one.
COOKIE_PREFIX = "__Host-" if HTTPS else ""
# Browsers send a cookie to every port of a host: a demo beside one's own data keeps a session of its own.
SESSION_COOKIE_NAME = COOKIE_PREFIX + ("readiness_demo" if DEMO else "readiness")
CSRF_COOKIE_NAME = COOKIE_PREFIX + "csrftoken"
KNOWN_BROWSER_COOKIE_NAME = COOKIE_PREFIX + ("readiness_demo_browser" if DEMO else "readiness_browser")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(sessions.IDLE.total_seconds())
SECURE_SSL_REDIRECT = HTTPS and env.bool("READINESS_HTTPS_REDIRECT", default=False)
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = env.int("READINESS_HSTS_SECONDS", default=policies.HSTS_S if HTTPS else 0)
# Whether sub-domains and browsers' own lists follow is for the owner of the domain to say, not for one service on it.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "worker-src": ["'none'"],
        "manifest-src": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- applications -----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    *(["demo"] if DEMO else []),
    *(["checks"] if env.bool("READINESS_CHECKS", default=True) else []),
    "readiness",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_structlog",
    "axes",
]
MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",
    "readiness.middleware.Headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "readiness.middleware.Private",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "readiness.sessions.Renewal",
    "readiness.languages.OfRequest",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "readiness.languages.OfPerson",
    "readiness.middleware.SignedIn",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "readiness.middleware.Refusals",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "readiness.context.frame",
                *(["demo.context.acting"] if DEMO else []),
            ],
        },
    }
]

# --- records ----------------------------------------------------------------------------------------------------------
# SQLite: platform measurements in docs/decisions/0003-two-ways-to-run.md show that WAL and IMMEDIATE are not optional.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-20000; "
        "PRAGMA mmap_size=134217728; PRAGMA journal_size_limit=67108864;"
    ),
}
DATABASES = {"default": policies.database(env, DATA_DIR, SQLITE_OPTIONS)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "readiness.User"
AUTHENTICATION_BACKENDS = [
    "readiness.throttle.Backend",
    "django.contrib.auth.backends.ModelBackend",
    "sesame.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "sign-in"
SESAME_MAX_AGE = 24 * 60 * 60
SESAME_ONE_TIME = True
# How often one may guess is in readiness/rules/throttling.py, and why in docs/deploying.md.
AXES_HANDLER = "readiness.throttle.Handler"
AXES_CLIENT_IP_CALLABLE = "readiness.throttle.address_of"
AXES_LOCKOUT_CALLABLE = "readiness.views.signing_in.wait"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address", "username"]
AXES_COOLOFF_TIME = throttling.WINDOW
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "wrong-links": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "wrong-links",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}

# --- language and time ------------------------------------------------------------------------------------------------
FRENCH = env.bool("READINESS_FRENCH", default=True)
LANGUAGE_CODE = "en-ca"
LANGUAGES = [("en-ca", "English"), *([("fr-ca", "Français")] if FRENCH else [])]
LANGUAGE_COOKIE_NAME = COOKIE_PREFIX + ("readiness_demo_language" if DEMO else "readiness_language")
LANGUAGE_COOKIE_AGE = policies.A_YEAR_S
LANGUAGE_COOKIE_SECURE = HTTPS
# Words are found for fr-ca in locale/fr, and Django's own in its fr: gettext looks there by itself.
LOCALE_PATHS = [catalogues.compiled(BASE_DIR / "locale", DATA_DIR)]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("READINESS_TIME_ZONE", default="UTC")

# --- files ------------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
# Where it is set, files are served from there under names that carry their hash; else from where they lie.
STATIC_ROOT = env.str("READINESS_STATIC_ROOT", default=None)
COLLECTED = STATIC_ROOT is not None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not COLLECTED
WHITENOISE_AUTOREFRESH = False

# --- live pages -------------------------------------------------------------------------------------------------------
LIVE_STREAMS = env.int("READINESS_LIVE_STREAMS", default=800)

# --- workers ----------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = policies.broker_url(env)
CELERY_BROKER_TRANSPORT_OPTIONS = policies.broker_options(CELERY_BROKER_URL, DATA_DIR)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "probes"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TIMEZONE = TIME_ZONE
WORKER_PULSE = env.str("READINESS_WORKER_PULSE", default="")

# --- probes -----------------------------------------------------------------------------------------------------------
KEY_REFERENCES = policies.references(env)
KEY_HOSTS = tuple(env.list("READINESS_KEY_HOSTS", default=[]))
ALLOWED_NETWORKS = policies.allowed_networks(env)
CA_FILE = env.str("READINESS_CA_FILE", default="")
PROBE_EVERY_SECONDS = policies.probe_intervals(env)
KEY_ASKED_AT_MOST_EVERY_SECONDS = env.int("READINESS_KEY_ASKED_AT_MOST_EVERY_SECONDS", default=3600)
SCHEDULER_INTERVAL_SECONDS = env.float("READINESS_SCHEDULER_INTERVAL_SECONDS", default=2.0)

# --- logs -------------------------------------------------------------------------------------------------------------
LOGGING = logging_settings(
    level=env.str("READINESS_LOG_LEVEL", default="INFO"), lines=env.str("READINESS_LOGS", default="json")
)
DJANGO_STRUCTLOG_CELERY_ENABLED = False
# Whoever leaves a page ends its stream: no fault of anybody's.
DJANGO_STRUCTLOG_REQUEST_CANCELLED_LOG_LEVEL = logging.INFO
