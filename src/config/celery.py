"""The Celery application. It carries job ids; the truth about work is in the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("media")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
