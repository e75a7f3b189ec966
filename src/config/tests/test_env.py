"""Production refuses to start unsafe; development needs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.core.storage import storage_from_url
from config.env import DEVELOPMENT_SECRET, ROOT, read_environment
from config.mail import mail_settings

LONG = "k" * 50


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "DEBUG HTTPS SECRET_KEY SECRET_KEY_FALLBACKS ALLOWED_HOSTS CSRF_TRUSTED_ORIGINS PORT "
        "DATABASE_URL CELERY_BROKER_URL MEDIA_STORAGE_URL CACHE_URL CORS_ORIGINS MEDIA_ORIGIN "
        "MEDIA_STORAGE_OTHER_URL NUM_PROXIES CLAMD_URL FFMPEG_BINARY SOFFICE_BINARY"
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


@pytest.mark.parametrize("name", ["MEDIA_STORAGE_URL", "MEDIA_STORAGE_OTHER_URL"])
def test_objects_in_memory_are_for_tests(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "memory://")
    with pytest.raises(ImproperlyConfigured, match="would not meet"):
        read_environment()


def test_production_is_over_tls_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "false")
    monkeypatch.setenv("SECRET_KEY", LONG)
    assert read_environment().https
    monkeypatch.setenv("HTTPS", "false")
    assert not read_environment().https


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "http"),
        ("NUM_PROXIES", ""),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "db.example.org/media"),
        ("DATABASE_URL", "postgres://media:hush/hush@db/media"),
        ("MEDIA_STORAGE_URL", "ftp://bucket"),
        ("MEDIA_STORAGE_OTHER_URL", "s3://"),
    ],
)
@pytest.mark.filterwarnings("ignore:Engine not recognized")
def test_what_cannot_be_read_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ImproperlyConfigured, match=f"^{name}") as refused:
        read_environment()
    assert "hush" not in str(refused.value)


def test_a_text_is_taken_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that begins with a dollar is no name of another variable."""
    secret = r"$ecret$HOME\$" + LONG
    monkeypatch.setenv("SECRET_KEY", secret)
    monkeypatch.setenv("DATABASE_URL", "postgres://media:$a%2Fb%40c@db/media")
    found = read_environment()
    assert found.secret_key == secret
    assert found.database["PASSWORD"] == "$a/b@c"


def test_spaces_between_names_are_not_part_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example.org, b.example.org ,")
    assert read_environment().allowed_hosts == ("a.example.org", "b.example.org")


def test_a_database_may_be_behind_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://media@%2Fvar%2Frun%2Fpostgresql/media")
    assert read_environment().database["HOST"] == "/var/run/postgresql"


def test_no_directory_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """And never the one that a process happens to be in."""
    monkeypatch.setenv("DATA_DIR", "")
    assert read_environment().data_dir == ROOT / "var"


def test_a_directory_may_have_any_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "c++ #1 50%41?"
    monkeypatch.setenv("DATA_DIR", str(folder))
    found = read_environment()
    assert found.database["NAME"] == str(folder / "db.sqlite3")
    stored = storage_from_url(found.media_storage_url)
    assert stored["OPTIONS"] == {"location": str(folder / "media")}
    assert mail_settings(found.email_url)["EMAIL_FILE_PATH"] == str(folder / "mail")


def test_mail_goes_to_a_port_that_is_one() -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        mail_settings("smtp://mail.example.org:smtp")
