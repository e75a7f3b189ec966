"""The environment, read once and typed. Nothing else in the project reads environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent.parent
DEVELOPMENT_SECRET = "development-only-secret-key-never-use-it-in-production"
MIN_SECRET_LENGTH = 40
MIN_TOKEN_LENGTH = 20


@dataclass(frozen=True)
class Environment:
    """Everything the operator can set.

    `https` says whether visitors reach us over TLS; `static_from_source`, that style sheets and
    scripts are served from where the apps keep them, without `collectstatic`. Empty `clamd_url`,
    `ffmpeg` and `soffice` leave the choice to the app. `body_dir` is where nginx leaves bodies of
    uploads, empty if it passes them on. `accel` says who sends the bytes, empty for the app;
    `cdn_url` is what stands before addresses of public bytes, `cdn_key` what signs them;
    `media_origin` is the scheme and host that give out bytes alone, empty for that of the pages.
    `cors_origins` are the other sites whose pages may use the API, `*` all of them. `email_url` is
    where mails go, `site_url` what addresses in them begin with, `site_name` what the site is
    called, `site_contact` where those who look after it are reached. `proxies` is how many stand in
    front and add to `X-Forwarded-For`; `live_streams`, how many readers of streams one web process
    takes. `metrics_token` opens `/metrics`, empty for nobody;
    `metrics_dir` is where processes of this machine count. `log_format` is `text` or `json`.
    """

    debug: bool
    https: bool
    proxies: int
    static_from_source: bool
    secret_key: str
    secret_key_fallbacks: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    cors_origins: tuple[str, ...]
    data_dir: Path
    static_dir: str
    port: int
    database: dict[str, object]
    cache_url: str
    broker_url: str
    media_storage_url: str
    media_storage_other_url: str  # where files lie, too, while they move
    media_origin: str
    clamd_url: str
    ffmpeg: str
    soffice: str
    body_dir: str
    accel: str
    cdn_url: str
    cdn_key_id: str
    cdn_key: str
    email_url: str
    email_from: str
    site_name: str
    site_contact: str
    given_site_url: str
    live_streams: int
    log_format: str
    metrics_token: str
    metrics_dir: str
    tracing: bool
    sentry_dsn: str

    @property
    def site_url(self) -> str:
        """Where people find this site: what they are sent begins with it."""
        here = f"http://127.0.0.1:{self.port}"
        return (self.given_site_url or next(iter(self.page_origins), here)).rstrip("/")

    @property
    def page_origins(self) -> list[str]:
        """Where our own pages are, as browsers say it."""
        before, behind = ("https://", "") if self.https else ("http://", f":{self.port}")
        names = [host for host in self.allowed_hosts if not host.startswith((".", "*"))]
        return [f"{before}{name}{behind}" for name in names] + list(self.trusted_origins)


def read_environment() -> Environment:
    """Return the typed environment; raise `ImproperlyConfigured` where it is unsafe."""
    env = environ.Env()
    debug = env.bool("DEBUG", default=True)
    data_dir = Path(env.str("DATA_DIR", default=str(ROOT / "var"))).resolve()
    result = Environment(
        debug=debug,
        https=env.bool("HTTPS", default=not debug),
        proxies=env.int("NUM_PROXIES", default=0),
        static_from_source=env.bool("STATIC_FROM_SOURCE", default=debug),
        secret_key=env.str("SECRET_KEY", default=DEVELOPMENT_SECRET),
        secret_key_fallbacks=tuple(env.list("SECRET_KEY_FALLBACKS", default=[])),
        allowed_hosts=tuple(env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])),
        trusted_origins=tuple(env.list("CSRF_TRUSTED_ORIGINS", default=[])),
        cors_origins=tuple(env.list("CORS_ORIGINS", default=[])),
        data_dir=data_dir,
        static_dir=env.str("STATIC_DIR", default=str(data_dir / "static")),
        port=env.int("PORT", default=8000),
        database=env.db_url("DATABASE_URL", default=f"sqlite:///{data_dir / 'db.sqlite3'}"),
        cache_url=env.str("CACHE_URL", default=""),
        broker_url=env.str("CELERY_BROKER_URL", default=""),
        media_storage_url=env.str("MEDIA_STORAGE_URL", default=f"file://{data_dir / 'media'}"),
        media_storage_other_url=env.str("MEDIA_STORAGE_OTHER_URL", default=""),
        media_origin=env.str("MEDIA_ORIGIN", default=""),
        clamd_url=env.str("CLAMD_URL", default=""),
        ffmpeg=env.str("FFMPEG_BINARY", default=""),
        soffice=env.str("SOFFICE_BINARY", default=""),
        body_dir=env.str("MEDIA_BODY_DIR", default=""),
        accel=env.str("MEDIA_ACCEL", default=""),
        cdn_url=env.str("MEDIA_CDN_URL", default=""),
        cdn_key_id=env.str("MEDIA_CDN_KEY_ID", default=""),
        email_url=env.str("EMAIL_URL", default=f"file://{data_dir / 'mail'}"),
        email_from=env.str("EMAIL_FROM", default="Media App <media-app@localhost>"),
        site_name=env.str("SITE_NAME", default="Media App"),
        site_contact=env.str("SITE_CONTACT", default=""),
        given_site_url=env.str("SITE_URL", default=""),
        # Each holds a thread; half of them stay for all else.
        live_streams=env.int("LIVE_STREAMS", default=env.int("WEB_THREADS", default=128) // 2),
        log_format=env.str("LOG_FORMAT", default="text"),
        metrics_token=env.str("METRICS_TOKEN", default=""),
        metrics_dir=env.str("METRICS_DIR", default=str(data_dir / "metrics")),
        tracing=env.bool("TRACING", default=False),
        sentry_dsn=env.str("SENTRY_DSN", default=""),
        cdn_key=_text_of(env.str("MEDIA_CDN_KEY_FILE", default="")),
    )
    _refuse_memory(result)
    _refuse_odd_origin(result)
    _refuse_odd_log(result)
    _refuse_unsafe(result)
    return result


def _text_of(path: str) -> str:
    """What stands in a file that the operator names; nothing where none is named."""
    if not path:
        return ""
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"MEDIA_CDN_KEY_FILE cannot be read: {error}") from error


def _refuse_memory(environment: Environment) -> None:
    if environment.media_storage_url.startswith("memory:"):
        raise ImproperlyConfigured("memory:// is for tests: worker and web server would not meet.")


def _refuse_odd_origin(environment: Environment) -> None:
    origin = environment.media_origin
    parts = urlsplit(origin)
    if not origin:
        return
    if origin != f"{parts.scheme}://{parts.netloc}" or parts.scheme not in {"http", "https"}:
        raise ImproperlyConfigured("MEDIA_ORIGIN is a scheme and a host: https://files.example.org")
    if parts.hostname in environment.allowed_hosts:
        raise ImproperlyConfigured("MEDIA_ORIGIN must be another host than those of the pages.")


def _refuse_odd_log(environment: Environment) -> None:
    if environment.log_format not in {"text", "json"}:
        raise ImproperlyConfigured("LOG_FORMAT is text or json.")


def _refuse_unsafe(environment: Environment) -> None:
    if environment.debug:
        return
    if environment.secret_key == DEVELOPMENT_SECRET:
        raise ImproperlyConfigured("Set SECRET_KEY: production never runs on the development key.")
    if len(environment.secret_key) < MIN_SECRET_LENGTH:
        raise ImproperlyConfigured(f"SECRET_KEY needs at least {MIN_SECRET_LENGTH} characters.")
    if environment.metrics_token and len(environment.metrics_token) < MIN_TOKEN_LENGTH:
        raise ImproperlyConfigured(f"METRICS_TOKEN needs at least {MIN_TOKEN_LENGTH} characters.")
    if "*" in environment.allowed_hosts:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts; '*' trusts every visitor.")
