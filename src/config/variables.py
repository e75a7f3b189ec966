"""What the operator can set by environment variables: one table, which the reference is made of.

`env` reads them; nothing here does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent.parent
DEVELOPMENT_SECRET = "development-only-secret-key-never-use-it-in-production"


@dataclass(frozen=True)
class Variable:
    """One variable: its name, what it is without being set, and what the operator reads of it.

    A `default` that depends on others is a function of what was read before it, by field; `shown`
    is how it reads to people, where its value says too little.
    """

    name: str
    default: Any
    meaning: str
    shown: str = ""


def _url_of(name: str, before: str = "file://") -> Callable[[dict[str, Any]], str]:
    """The URL of `name` in `DATA_DIR`, whatever that is called."""
    return lambda read: before + quote(str(read["data_dir"] / name))


@dataclass(frozen=True)
class Environment:
    """Everything the operator can set. `make reference` writes it into `docs/settings.md`."""

    debug: Annotated[
        bool,
        Variable(
            "DEBUG", True, "development. `false` is production: it refuses unsafe values (below)"
        ),
    ]
    https: Annotated[
        bool,
        Variable(
            "HTTPS",
            lambda read: not read["debug"],
            "visitors reach us over TLS: redirect, HSTS, `__Host-` cookies, trust in "
            "`X-Forwarded-Proto`",
            shown="the opposite of `DEBUG`",
        ),
    ]
    static_from_source: Annotated[
        bool,
        Variable(
            "STATIC_FROM_SOURCE",
            lambda read: read["debug"],
            "style sheets and scripts come from where the apps keep them, without `collectstatic`",
            shown="as `DEBUG`",
        ),
    ]
    secret_key: Annotated[
        str,
        Variable(
            "SECRET_KEY",
            DEVELOPMENT_SECRET,
            "signs sessions and forms. Production needs one of at least 40 characters. `make run` "
            "makes one and keeps it in `DATA_DIR`",
            shown="a development key",
        ),
    ]
    secret_key_fallbacks: Annotated[
        tuple[str, ...],
        Variable(
            "SECRET_KEY_FALLBACKS",
            (),
            "old keys, comma-separated, that still verify while you rotate",
        ),
    ]
    allowed_hosts: Annotated[
        tuple[str, ...],
        Variable(
            "ALLOWED_HOSTS",
            ("127.0.0.1", "localhost", "[::1]"),
            "host names, comma-separated; `*` is refused in production",
        ),
    ]
    trusted_origins: Annotated[
        tuple[str, ...],
        Variable(
            "CSRF_TRUSTED_ORIGINS",
            (),
            "further origins that may post forms, `https://…`, comma-separated",
        ),
    ]
    cors_origins: Annotated[
        tuple[str, ...],
        Variable(
            "CORS_ORIGINS",
            (),
            "other sites whose pages may use the API, resumable uploads and bytes, `https://…`, "
            "comma-separated; with tokens, never with cookies. `*` is every site",
            shown="empty: none",
        ),
    ]
    data_dir: Annotated[
        Path,
        Variable(
            "DATA_DIR",
            ROOT / "var",
            "every file that the project writes",
            shown="`var/` in the checkout",
        ),
    ]
    static_dir: Annotated[
        str,
        Variable(
            "STATIC_DIR",
            lambda read: str(read["data_dir"] / "static"),
            "where `collectstatic` puts style sheets and scripts, and where they are served from",
            shown="`static` in `DATA_DIR`",
        ),
    ]
    port: Annotated[int, Variable("PORT", 8000, "where `make run` serves")]
    database: Annotated[
        dict[str, object],
        Variable(
            "DATABASE_URL",
            _url_of("db.sqlite3", "sqlite:///"),
            "`postgres://user:password@host:5432/name`",
            shown="SQLite in `DATA_DIR`",
        ),
    ]
    broker_url: Annotated[
        str,
        Variable(
            "CELERY_BROKER_URL",
            "",
            "`redis://host:6379/0`, `rediss://…`, `amqp://…`, `amqps://…`. Certificates are "
            "looked at unless `?ssl_cert_reqs=none` says otherwise. Empty: `make run` starts its "
            "own broker; anything else you start has none",
        ),
    ]
    cache_url: Annotated[
        str,
        Variable(
            "CACHE_URL",
            "",
            "`redis://host:6379/1`, `rediss://…`, `unix:///path`: where rates are counted. With "
            "several machines they need one",
            shown="empty: a file in `DATA_DIR` that all processes of one machine share",
        ),
    ]
    proxies: Annotated[
        int,
        Variable(
            "NUM_PROXIES",
            0,
            "how many proxies in front write to `X-Forwarded-For`; what is counted by address is "
            "counted by the visitor's",
        ),
    ]
    web_threads: Annotated[
        int,
        Variable(
            "WEB_THREADS",
            128,
            "threads of each process of gunicorn; of which it starts as many as said in "
            "[operations](operations.md#the-proxy-in-front)",
        ),
    ]
    live_streams: Annotated[
        int,
        Variable(
            "LIVE_STREAMS",
            # Each holds a thread; half of them stay for all else.
            lambda read: read["web_threads"] // 2,
            "how many readers of live notifications one web process takes, each with a thread; `0` "
            "is none, see [operations](operations.md#live-notifications)",
            shown="half of `WEB_THREADS`",
        ),
    ]
    clamd_url: Annotated[
        str,
        Variable(
            "CLAMD_URL",
            "",
            "`tcp://host:port`, `unix:///path` of clamd",
            shown="empty: the embedded scanner",
        ),
    ]
    ffmpeg: Annotated[
        str,
        Variable(
            "FFMPEG_BINARY",
            "",
            "path of another ffmpeg",
            shown="empty: the one that came with the application",
        ),
    ]
    soffice: Annotated[
        str,
        Variable(
            "SOFFICE_BINARY",
            "",
            "path of LibreOffice",
            shown="empty: the system's, if there is one",
        ),
    ]
    accel: Annotated[
        str,
        Variable(
            "MEDIA_ACCEL",
            "",
            "who sends the bytes: `nginx` in front of the app, or `redirect` to the storage by "
            "short-lived addresses; see [operations](operations.md#who-sends-the-bytes)",
            shown="empty: the app",
        ),
    ]
    cdn_url: Annotated[
        str,
        Variable(
            "MEDIA_CDN_URL",
            "",
            "`https://cdn.example.org`: stands before the addresses of public renditions and "
            "streams, which the CDN fetches from this site. `cloudfront+https://…` and "
            "`google+https://…` sign each address for Amazon CloudFront and Google Cloud CDN",
        ),
    ]
    cdn_key_id: Annotated[
        str,
        Variable(
            "MEDIA_CDN_KEY_ID", "", "the id of a key, for a CDN that asks for signed addresses"
        ),
    ]
    cdn_key_file: Annotated[str, Variable("MEDIA_CDN_KEY_FILE", "", "the file that holds that key")]
    body_dir: Annotated[
        str,
        Variable(
            "MEDIA_BODY_DIR",
            "",
            "where nginx leaves the bodies of uploads for the app to move, see "
            "[operations](operations.md#the-proxy-in-front)",
        ),
    ]
    media_origin: Annotated[
        str,
        Variable(
            "MEDIA_ORIGIN",
            "",
            "`https://files.example.org`: a host that gives out public bytes and nothing else, see "
            "[operations](operations.md#a-host-for-bytes)",
            shown="empty: the host of the pages",
        ),
    ]
    media_storage_url: Annotated[
        str,
        Variable(
            "MEDIA_STORAGE_URL",
            _url_of("media"),
            "where objects live, see [below](#storage-urls)",
            shown="`file://` in `DATA_DIR`",
        ),
    ]
    media_storage_other_url: Annotated[
        str,
        Variable(
            "MEDIA_STORAGE_OTHER_URL",
            "",
            "a second storage in which files lie, too, while they "
            "[move](operations.md#moving-to-another-storage)",
            shown="none",
        ),
    ]
    email_url: Annotated[
        str,
        Variable(
            "EMAIL_URL",
            _url_of("mail"),
            "where mails go: `smtp://user:password@host:port`, `smtp+tls://…` (STARTTLS), "
            "`smtps://…`, or "
            "files in a folder",
            shown="`file://` in `DATA_DIR/mail`",
        ),
    ]
    email_from: Annotated[
        str, Variable("EMAIL_FROM", "Media App <media-app@localhost>", "whom mails are from")
    ]
    site_name: Annotated[
        str,
        Variable(
            "SITE_NAME",
            "Media App",
            "what the site is called: in the titles of pages, beside the sign at the top, in mails",
        ),
    ]
    site_contact: Annotated[
        str,
        Variable(
            "SITE_CONTACT",
            "",
            "a mail address that people are told where only staff can help, such as with the end "
            "of an account under `DELETION`",
        ),
    ]
    given_site_url: Annotated[
        str,
        Variable(
            "SITE_URL",
            "",
            "what addresses in mails begin with; set it where people come by another name",
            shown="the first of the hosts",
        ),
    ]
    log_format: Annotated[
        str,
        Variable(
            "LOG_FORMAT",
            "text",
            "or `json`: one object a line, see [operations](operations.md#logs-traces-reports)",
        ),
    ]
    metrics_token: Annotated[
        str,
        Variable(
            "METRICS_TOKEN",
            "",
            "opens [the figures](operations.md#figures) for Prometheus; at least 20 characters",
            shown="empty: nobody has it",
        ),
    ]
    metrics_open: Annotated[
        bool,
        Variable(
            "METRICS_OPEN",
            lambda read: read["debug"],
            "without a token, everybody who reaches the site gets the figures; `make run` says so, "
            "whose site this machine alone reaches",
            shown="as `DEBUG`",
        ),
    ]
    metrics_dir: Annotated[
        str,
        Variable(
            "METRICS_DIR",
            lambda read: str(read["data_dir"] / "metrics") if read["metrics_token"] else "",
            "where the processes of this machine count, each into a file; else each tells its own",
            shown="with a token: `metrics` in `DATA_DIR`",
        ),
    ]
    tracing: Annotated[
        bool,
        Variable(
            "TRACING", False, "traces by OpenTelemetry; where to say its own variables `OTEL_…`"
        ),
    ]
    sentry_dsn: Annotated[str, Variable("SENTRY_DSN", "", "where errors are reported to")]

    @cached_property
    def cdn_key(self) -> str:
        """What stands in the file of `MEDIA_CDN_KEY_FILE`; nothing where none is named."""
        return _text_of(self.cdn_key_file)

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


def variables() -> dict[str, tuple[Any, Variable]]:
    """Return the type and the variable of each field, in their order."""
    hints = get_type_hints(Environment, include_extras=True)
    return {name: get_args(hint) for name, hint in hints.items()}


def _text_of(path: str) -> str:
    """What stands in a file that the operator names; nothing where none is named."""
    if not path:
        return ""
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"MEDIA_CDN_KEY_FILE cannot be read: {error}") from error
