"""The Celery application. The broker carries nudges only; see ``checks.tasks``."""

import os

from celery import Celery

from config.pulse import Pulse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Celery's command line takes our BROKER_URL for its own --broker and lets it win over the settings, which know the
# password that came apart from it.
os.environ.pop("CELERY_BROKER_URL", None)

app = Celery("readiness")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(Pulse)
