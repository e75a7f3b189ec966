"""A plain Django project that takes files: one model with a `FileField`, one view, all defaults.

What a tutorial would show, on SQLite as `startproject` sets it up; with `PLAIN_WAL=1` on SQLite
with the settings that our project gives it. `python plainsite.py` makes its table; gunicorn serves
`plainsite:application`, from and to the directory `PLAIN_DIR`.
"""

from __future__ import annotations

import os
from pathlib import Path

import django
from django.conf import settings

PLACE = Path(os.environ["PLAIN_DIR"])
WAL = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}

settings.configure(
    SECRET_KEY="only-for-this-benchmark",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="plainsite",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": PLACE / "db.sqlite3",
            "OPTIONS": WAL if os.environ.get("PLAIN_WAL") else {},
        }
    },
    MEDIA_ROOT=PLACE / "media",
    # Larger than the default of memory goes to a temporary file on the file system of the media.
    FILE_UPLOAD_TEMP_DIR=PLACE,
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


class Kept(models.Model):
    file = models.FileField(upload_to="%Y")
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()

    class Meta:
        app_label = "plainsite"

    def __str__(self) -> str:
        return self.name


def take(request: HttpRequest) -> HttpResponse:
    file = request.FILES["file"]
    kept = Kept.objects.create(file=file, name=file.name, size=file.size)
    return HttpResponse(str(kept.pk), status=201)


urlpatterns = [path("upload/", take)]
application = get_wsgi_application()

if __name__ == "__main__":
    with connection.schema_editor() as editor:
        editor.create_model(Kept)
