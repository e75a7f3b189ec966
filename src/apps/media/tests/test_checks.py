"""What a project is told at its start: nothing where all is well, else what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from apps.core.storage import storage_from_url
from apps.media import checks, dispatch


def told() -> set[str]:
    """The ids of what the media app has to say."""
    return {found.id for found in run_checks(tags=["media"]) if found.id} - {"media.I001"}


def test_this_project_is_told_nothing() -> None:
    assert told() == set()


def store(url: str) -> Callable[[Any], None]:
    def choose(settings: Any) -> None:
        settings.STORAGES = {**settings.STORAGES, "media": storage_from_url(url)}

    return choose


def no_storage(settings: Any) -> None:
    settings.STORAGES = {name: settings.STORAGES[name] for name in ("default", "staticfiles")}


def plain_storage(settings: Any) -> None:
    plain = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = {**settings.STORAGES, "media": plain}


def public_storage(settings: Any) -> None:
    settings.MEDIA_ROOT = str(Path("/srv/public"))
    store("file:///srv/public/objects")(settings)


def no_middleware(settings: Any) -> None:
    settings.MIDDLEWARE = []


def bare_templates(settings: Any) -> None:
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {}}]


def other_addresses(settings: Any) -> None:
    settings.ROOT_URLCONF = "django.contrib.auth.urls"


def no_sign_in(settings: Any) -> None:
    settings.LOGIN_URL = "/nowhere/"


@pytest.mark.parametrize(
    ("spoil", "wanted"),
    [
        (no_storage, "media.E001"),
        (plain_storage, "media.E002"),
        (public_storage, "media.W003"),
        (no_middleware, "media.E004"),
        (bare_templates, "media.E005"),
        (other_addresses, "media.E006"),
        (no_sign_in, "media.W001"),
    ],
)
def test_what_is_missing_in_the_settings(
    spoil: Callable[[Any], None], wanted: str, settings: Any
) -> None:
    spoil(settings)
    assert told() == {wanted}


def test_a_missing_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "NEEDED_APPS", ("apps.core", "not_there"))
    (found,) = checks.check_apps(None)
    assert (found.id, found.hint) == ("media.E003", "INSTALLED_APPS += ['not_there']")


def test_a_bundle_that_was_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "BUNDLE", "media/dist/not-built.js")
    assert told() == {"media.W002"}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite")
def test_sqlite_that_locks_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})
    assert told() == {"media.W004"}


@pytest.mark.parametrize(
    ("named", "wanted"), [("memory://", "media.I001"), ("redis://somewhere", "media.W005")]
)
def test_nobody_works_by_itself(
    named: str, wanted: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CELERY_BROKER_URL = named
    monkeypatch.setattr(dispatch, "has_broker", lambda: False)
    assert [found.id for found in checks.check_worker(None)] == [wanted]


def test_nothing_is_said_of_proxies(settings: Any) -> None:
    assert checks.check_proxies(None) == []
    rest = {name: said for name, said in settings.REST_FRAMEWORK.items() if name != "NUM_PROXIES"}
    settings.REST_FRAMEWORK = rest
    assert [found.id for found in checks.check_proxies(None)] == ["media.W007"]


def decoders() -> list[str]:
    found = checks.check_decoders(None)
    assert all(one.id == "media.W006" and one.hint for one in found)
    return [one.msg.partition(" ")[0] for one in found]


def test_decoders_of_this_machine_are_new_enough() -> None:
    assert decoders() == []


def test_old_decoders_are_told(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each says its version in its own way; what says no number is not judged."""

    def program(name: str, said: str) -> str:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\necho '{said}'\n")
        path.chmod(0o755)
        return str(path)

    monkeypatch.setattr(
        checks.installed, "library_versions", lambda: {"libvips": (8, 18, 2), "libheif": (1, 22, 0)}
    )
    settings.MEDIA_APP = {
        "FFMPEG": program("ffmpeg", "ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright"),
        "SOFFICE": program("soffice", "LibreOffice 6.0.7.3 00m0(Build:3)"),
    }
    assert decoders() == ["libvips", "ffmpeg", "LibreOffice"]
    settings.MEDIA_APP = {
        "FFMPEG": program("ffmpeg", "ffmpeg version n9.0.2-17-g2a571b6068 Copyright"),
        "SOFFICE": program("soffice", "no number"),
    }
    assert decoders() == ["libvips"]
    settings.MEDIA_APP = {"FFMPEG": str(tmp_path / "away"), "SOFFICE": str(tmp_path / "away")}
    assert decoders() == ["libvips"]


LIBRARIES = ["libvips", "libheif", "libwebp", "Pillow"]


def test_every_library_that_reads_pictures_says_its_version() -> None:
    found = checks.installed.library_versions()
    assert sorted(found) == sorted(LIBRARIES)
    assert all(len(version) == 3 for version in found.values())


def test_the_last_number_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Holes are mended by small releases."""
    oldest = checks.installed.OLDEST
    before = {name: (*oldest[name][:2], oldest[name][2] - 1) for name in LIBRARIES}
    for found, told in ((before, LIBRARIES), ({name: oldest[name] for name in LIBRARIES}, [])):
        monkeypatch.setattr(checks.installed, "library_versions", lambda found=found: found)
        assert [name for name in decoders() if name in LIBRARIES] == told


def test_every_minimum_comes_with_its_mend() -> None:
    assert set(checks.UPDATES) == set(checks.installed.OLDEST)
