"""A plain Django project that sends files by session: with django-sendfile2, and with
django-private-storage, each of which leaves the sending to nginx.

Both as their documentation says, with Django's defaults. `python peersite.py` makes the tables and
prints the key of a session; gunicorn serves `peersite:application`. `PEER_DIR` is where its
database lies, `PEER_FILES` where the files do.
"""

from __future__ import annotations

import os
from pathlib import Path

import django
from django.conf import settings

PLACE, FILES = Path(os.environ["PEER_DIR"]), Path(os.environ["PEER_FILES"])

settings.configure(
    SECRET_KEY="only-for-this-benchmark",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="peersite",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "private_storage",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": PLACE / "db.sqlite3",
            "CONN_MAX_AGE": 60,
        }
    },
    SENDFILE_BACKEND="django_sendfile.backends.nginx",
    SENDFILE_ROOT=str(FILES),
    SENDFILE_URL="/protected",
    PRIVATE_STORAGE_ROOT=str(FILES),
    PRIVATE_STORAGE_SERVER="nginx",
    PRIVATE_STORAGE_INTERNAL_URL="/protected/",
    PRIVATE_STORAGE_AUTH_FUNCTION="private_storage.permissions.allow_authenticated",
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402
from django_sendfile import sendfile  # noqa: E402
from private_storage.views import PrivateStorageView  # noqa: E402


@login_required
def send(request: HttpRequest, name: str) -> HttpResponse:
    return sendfile(request, str(FILES / name))


urlpatterns = [
    path("sendfile/<path:name>", send),
    path("private/<path:path>", PrivateStorageView.as_view()),
]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    client = Client()
    client.force_login(get_user_model().objects.create_user("visitor"))
    print(client.cookies["sessionid"].value)
