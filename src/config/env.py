"""The environment, read once and typed. Nothing else in the project reads environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent.parent
DEVELOPMENT_SECRET = "development-only-secret-key-never-use-it-in-production"
MIN_SECRET_LENGTH = 40


@dataclass(frozen=True)
class Environment:
    """Everything the operator can set.

    `https` says whether visitors reach us over TLS; `static_from_source`, that style sheets and
    scripts are served from where the apps keep them, without `collectstatic`. Empty `clamd_url`,
    `ffmpeg` and `soffice` leave the choice to the app.
    """

    debug: bool
    https: bool
    static_from_source: bool
    secret_key: str
    secret_key_fallbacks: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    data_dir: Path
    port: int
    database: dict[str, object]
    broker_url: str
    media_storage_url: str
    clamd_url: str
    ffmpeg: str
    soffice: str


def read_environment() -> Environment:
    """Return the typed environment; raise `ImproperlyConfigured` where it is unsafe."""
    env = environ.Env()
    debug = env.bool("DEBUG", default=True)
    data_dir = Path(env.str("DATA_DIR", default=str(ROOT / "var"))).resolve()
    result = Environment(
        debug=debug,
        https=env.bool("HTTPS", default=not debug),
        static_from_source=env.bool("STATIC_FROM_SOURCE", default=debug),
        secret_key=env.str("SECRET_KEY", default=DEVELOPMENT_SECRET),
        secret_key_fallbacks=tuple(env.list("SECRET_KEY_FALLBACKS", default=[])),
        allowed_hosts=tuple(env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])),
        trusted_origins=tuple(env.list("CSRF_TRUSTED_ORIGINS", default=[])),
        data_dir=data_dir,
        port=env.int("PORT", default=8000),
        database=env.db_url("DATABASE_URL", default=f"sqlite:///{data_dir / 'db.sqlite3'}"),
        broker_url=env.str("CELERY_BROKER_URL", default=""),
        media_storage_url=env.str("MEDIA_STORAGE_URL", default=f"file://{data_dir / 'media'}"),
        clamd_url=env.str("CLAMD_URL", default=""),
        ffmpeg=env.str("FFMPEG_BINARY", default=""),
        soffice=env.str("SOFFICE_BINARY", default=""),
    )
    _refuse_unsafe(result)
    return result


def _refuse_unsafe(environment: Environment) -> None:
    if environment.debug:
        return
    if environment.secret_key == DEVELOPMENT_SECRET:
        raise ImproperlyConfigured("Set SECRET_KEY: production never runs on the development key.")
    if len(environment.secret_key) < MIN_SECRET_LENGTH:
        raise ImproperlyConfigured(f"SECRET_KEY needs at least {MIN_SECRET_LENGTH} characters.")
    if "*" in environment.allowed_hosts:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts; '*' trusts every visitor.")
