"""The project's settings for real processes under test: what waits there for minutes waits seconds.

Named by DJANGO_SETTINGS_MODULE only, as any project's settings are.
"""

from __future__ import annotations

import json
import os
from importlib import import_module

# By name, as Django itself does: apps import nothing of the composition root.
_project = import_module("config.settings")
globals().update({name: getattr(_project, name) for name in dir(_project) if name.isupper()})

MEDIA_APP = {
    **_project.MEDIA_APP,
    "JOB_LEASE": 5,
    "JOB_RESEND_AFTER": 3,
    "JOB_RETRY_DELAY": 1,
    "JOB_ATTEMPTS": 10,
    "IMPORT_ATTEMPTS": 3,
    # Films of seconds are cut as those of hours are; one thread each, as where workers are many.
    "STRETCH_SECONDS": 4,
    "ENCODER_THREADS": 1,
    **json.loads(os.environ.get("TEST_MEDIA_APP", "{}")),
}
# Sources of these tests are on this machine, where no import may go otherwise.
CELERY_IMPORTS = ["apps.media.tests.flows.nearby"]
if os.environ.get("TEST_OLDER"):
    CELERY_IMPORTS += ["apps.media.tests.flows.older"]
# As often as tests want to wait, no oftener: each of them takes time from all tests there are.
CELERY_BEAT_SCHEDULE = {
    name: {**entry, "schedule": min(max(entry["schedule"] / 30, 1.0), 5.0)}
    for name, entry in _project.CELERY_BEAT_SCHEDULE.items()
}
# No collected files: these tests look at the API and at delivered bytes.
STORAGES = {
    **_project.STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if seconds := os.environ.get("TEST_DATABASE_PATIENCE"):
    _database = _project.DATABASES["default"]
    _key = "timeout" if _database["ENGINE"].endswith("sqlite3") else "connect_timeout"
    _options = {**_database.get("OPTIONS", {}), _key: int(seconds)}
    DATABASES = {"default": {**_database, "OPTIONS": _options}}
if seconds := os.environ.get("TEST_STORAGE_PATIENCE"):
    # Two attempts of a few seconds instead of four of half a minute.
    _media = {**STORAGES["media"]}
    _media["OPTIONS"] = {
        **_media["OPTIONS"],
        "read_timeout": int(seconds),
        "attempts": 2,
    }
    STORAGES = {**STORAGES, "media": _media}
