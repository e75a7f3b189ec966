"""System checks: what would hurt later is said at the start, in plain words and with its mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core import checks
from django.core.checks import CheckMessage, register
from django.core.files.storage import storages
from django.db import connection
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from rest_framework.settings import api_settings

from apps.core.storage import Capability, ObjectStore
from apps.media import dispatch
from apps.media.conf import options
from apps.media.processing import installed
from apps.media.services.allowances import programs

NEEDED_APPS = (
    "apps.core",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_filters",
    "rest_framework",
)
MIDDLEWARE = "apps.core.middleware.SafeHeadersMiddleware"
PROCESSORS = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)
BUNDLE = "media/dist/main.js"
PAGE = "docs/integrate.md"
UPDATES = {
    "libvips": "Install the newest pyvips[binary]; it brings its own library.",
    "libheif": "Install the newest pillow-heif; it brings its own library.",
    "libwebp": "Install the newest Pillow from its wheel; it brings its own library.",
    "Pillow": "Install the newest Pillow.",
    "ffmpeg": "Leave FFMPEG out for the one of imageio-ffmpeg, or update that of the system.",
    "LibreOffice": "Update it, or set SOFFICE to a newer one's path.",
}


@register("media")
def check_storage(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The media storage must offer the interface that objects are kept through."""
    alias = options().storage_alias
    hint = f'STORAGES["{alias}"] = storage_from_url("file:///…"), of apps.core.storage.'
    if alias not in storages.backends:
        return [checks.Error(f"STORAGES has no alias {alias!r}.", hint=hint, id="media.E001")]
    storage = storages[alias]
    if not isinstance(storage, ObjectStore):
        message = f"The storage {alias!r} cannot keep media objects."
        return [checks.Error(message, hint=hint, id="media.E002")]
    return _check_place(storage)


def _check_place(storage: ObjectStore) -> list[CheckMessage]:
    """Web servers give out these directories to everybody."""
    if Capability.LOCAL not in storage.capabilities:
        return []
    place = Path(storage.location)  # type: ignore[attr-defined]  # what is local has one
    public = (settings.MEDIA_ROOT, settings.STATIC_ROOT)
    if not any(place.is_relative_to(Path(root).resolve()) for root in public if root):
        return []
    message = "Media objects lie below MEDIA_ROOT or STATIC_ROOT, where anybody may fetch them."
    return [checks.Warning(message, hint="Give them a directory of their own.", id="media.W003")]


@register("media")
def check_apps(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Templates, tags and pages come from other apps, too."""
    missing = [name for name in NEEDED_APPS if not apps.is_installed(name)]
    if not missing:
        return []
    hint = f"INSTALLED_APPS += {missing}"
    message = f"The media app needs {', '.join(missing)}."
    return [checks.Error(message, hint=hint, id="media.E003")]


@register("media")
def check_middleware(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without it a refused file is an error of the server."""
    if MIDDLEWARE in settings.MIDDLEWARE:
        return []
    message = "Nothing turns the media app's refusals into answers: they would be errors 500."
    return [checks.Error(message, hint=f'MIDDLEWARE += ["{MIDDLEWARE}"]', id="media.E004")]


@register("media")
def check_templates(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Pages look at who asks."""
    engines: list[dict[str, Any]] = settings.TEMPLATES
    given = [
        name
        for engine in engines
        for name in engine.get("OPTIONS", {}).get("context_processors", ())
    ]
    missing = [name for name in PROCESSORS if name not in given]
    if not missing:
        return []
    message = f"The pages of the media app need the context processors {', '.join(missing)}."
    hint = 'Add them to TEMPLATES[0]["OPTIONS"]["context_processors"].'
    return [checks.Error(message, hint=hint, id="media.E005")]


@register(checks.Tags.urls, "media")
def check_addresses(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Everything is found by name, and who is not signed in is sent to do so."""
    try:
        reverse("media:library")
    except NoReverseMatch:
        message = "The addresses of the media app are not in ROOT_URLCONF."
        hint = 'urlpatterns += [path("", include("apps.media.urls"))]'
        return [checks.Error(message, hint=hint, id="media.E006")]
    return _check_sign_in()


def _check_sign_in() -> list[CheckMessage]:
    try:
        address = resolve_url(settings.LOGIN_URL)
        if address.startswith("/"):  # else it is on another site
            resolve(address.partition("?")[0])
    except (NoReverseMatch, Resolver404):
        message = f"LOGIN_URL ({settings.LOGIN_URL!r}) leads nowhere: nobody could sign in."
        hint = 'path("accounts/", include("django.contrib.auth.urls")), or a LOGIN_URL of yours.'
        return [checks.Warning(message, hint=hint, id="media.W001")]
    return []


@register("media")
def check_bundle(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A wheel carries it; a source tree has it once it was built."""
    if not apps.is_installed("django.contrib.staticfiles") or finders.find(BUNDLE):
        return []
    message = "The styles and scripts of the media app are not built."
    hint = "Run `make setup` in its source tree before the wheel is made."
    return [checks.Warning(message, hint=hint, id="media.W002")]


@register("media")
def check_sqlite(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Web server and worker write at the same time (SQLite docs, "Isolation")."""
    given = connection.settings_dict.get("OPTIONS", {})
    if connection.vendor != "sqlite" or given.get("transaction_mode") == "IMMEDIATE":
        return []
    message = "SQLite will refuse work (“database is locked”) when web server and worker write."
    hint = 'DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 30}'
    return [checks.Warning(message, hint=hint, id="media.W004")]


@register("media", deploy=True)
def check_decoders(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Old decoders have known holes, and strangers choose what they read."""
    chosen = programs()
    found = installed.library_versions()
    for name, program, option in (
        ("ffmpeg", chosen.ffmpeg, "-version"),
        ("LibreOffice", chosen.soffice, "--version"),
    ):
        # What is not there, or says no number, is not judged.
        if program and (version := installed.version_of(program, option)):
            found[name] = version
    return [_too_old(name, of) for name, of in found.items() if of < installed.OLDEST[name]]


def _too_old(name: str, found: tuple[int, ...]) -> CheckMessage:
    said, oldest = (".".join(map(str, each)) for each in (found, installed.OLDEST[name]))
    message = f"{name} is {said}, which is older than {oldest}: files of strangers are read by it."
    return checks.Warning(message, hint=UPDATES[name], id="media.W006")


@register("media", deploy=True)
def check_proxies(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Unasked, nobody's word is taken for the address that they come from."""
    if api_settings.NUM_PROXIES is not None:
        return []
    message = "Behind a proxy all visitors who are not signed in would share one rate."
    hint = 'REST_FRAMEWORK["NUM_PROXIES"] = 1, or how many there are; 0 for none.'
    return [checks.Warning(message, hint=hint, id="media.W007")]


@register("media")
def check_worker(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Files stay pending for as long as nobody works."""
    if dispatch.has_broker():
        return []
    if dispatch.has_unread_setting():
        message = "CELERY_BROKER_URL is set, but no Celery application of the project reads it."
        hint = f"Make one, and import it in the project's __init__.py: {PAGE}, “Celery”."
        return [checks.Warning(message, hint=hint, id="media.W005")]
    message = "No message broker is configured: files are processed while `media_worker` runs."
    hint = "Run `python manage.py media_worker` beside the web server, or set up Celery."
    return [checks.Info(message, hint=hint, id="media.I001")]
