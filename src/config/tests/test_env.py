"""Production refuses to start unsafe; development needs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import DEVELOPMENT_SECRET, read_environment

LONG = "k" * 50


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "DEBUG HTTPS SECRET_KEY SECRET_KEY_FALLBACKS ALLOWED_HOSTS CSRF_TRUSTED_ORIGINS PORT "
        "DATABASE_URL CELERY_BROKER_URL MEDIA_STORAGE_URL CACHE_URL CORS_ORIGINS MEDIA_ORIGIN "
        "NUM_PROXIES CLAMD_URL FFMPEG_BINARY SOFFICE_BINARY"
    ).split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


def test_development_needs_nothing(tmp_path: Path) -> None:
    found = read_environment()
    assert found.debug
    assert not found.https
    assert found.database["ENGINE"] == "django.db.backends.sqlite3"
    assert found.media_storage_url == f"file://{tmp_path / 'media'}"


@pytest.mark.parametrize(
    ("secret", "hosts"),
    [(None, "example.org"), (DEVELOPMENT_SECRET, "example.org"), ("short", "a"), (LONG, "*")],
)
def test_production_refuses_what_is_unsafe(
    monkeypatch: pytest.MonkeyPatch, secret: str | None, hosts: str
) -> None:
    monkeypatch.setenv("DEBUG", "false")
    monkeypatch.setenv("ALLOWED_HOSTS", hosts)
    if secret:
        monkeypatch.setenv("SECRET_KEY", secret)
    with pytest.raises(ImproperlyConfigured):
        read_environment()


def test_objects_in_memory_are_for_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_STORAGE_URL", "memory://")
    with pytest.raises(ImproperlyConfigured, match="would not meet"):
        read_environment()


def test_production_is_over_tls_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "false")
    monkeypatch.setenv("SECRET_KEY", LONG)
    assert read_environment().https
    monkeypatch.setenv("HTTPS", "false")
    assert not read_environment().https
