"""Django's settings, composed from the typed environment (`config.env`)."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from corsheaders.defaults import default_headers
from csp.constants import NONE, SELF

from apps.core.caches import cache_from_url
from apps.core.storage.urls import alias_of, browser_origins, storage_from_url
from apps.core.tus import ANSWER_HEADERS, REQUEST_HEADERS
from apps.media.schedule import BEAT_SCHEDULE
from apps.notifications.schedule import BEAT_SCHEDULE as NOTIFICATIONS_SCHEDULE
from apps.users.schedule import BEAT_SCHEDULE as USERS_SCHEDULE
from config.brokers import broker_settings
from config.databases import database_settings
from config.env import ROOT, read_environment
from config.mail import mail_settings
from config.reporting import start_reporting

ENV = read_environment()

DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key
SECRET_KEY_FALLBACKS = list(ENV.secret_key_fallbacks)
ALLOWED_HOSTS = list(ENV.allowed_hosts)
# What users upload, on a host of its own.
BYTES_ORIGIN, BYTES_PATHS = ENV.media_origin, r"^/media/"
if BYTES_ORIGIN:
    ALLOWED_HOSTS.append(urlsplit(BYTES_ORIGIN).hostname)
CSRF_TRUSTED_ORIGINS = list(ENV.trusted_origins)
DATA_DIR = ENV.data_dir

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "users.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "apps.core",
    "apps.notifications",  # before media, whose place for a bell it fills
    "apps.users",  # likewise, for the picture of whoever is signed in
    "apps.media",
    "apps.events",
    "apps.posts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "corsheaders",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
]

MIDDLEWARE = [
    "apps.core.observing.ObservedMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "apps.core.middleware.SafeHeadersMiddleware",
    "apps.core.hosts.BytesHostMiddleware",  # before all that looks at cookies
    "apps.core.middleware.LanguageMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "src/config/templates"],  # the frame, with links to every app
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# -- database ---------------------------------------------------------------------------------

DATABASES = {"default": database_settings(ENV.database, DATA_DIR)}

# -- storage ----------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(ENV.static_dir)
# While files move there are two storages, and rows name each by what always means it.
STORAGE_URLS = [url for url in (ENV.media_storage_url, ENV.media_storage_other_url) if url]
STORAGES = {
    "media": storage_from_url(ENV.media_storage_url),
    "default": storage_from_url(ENV.media_storage_url),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ENV.static_from_source
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
    **{alias_of(url): storage_from_url(url) for url in STORAGE_URLS},
}
WHITENOISE_USE_FINDERS = ENV.static_from_source
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["map", "png", "jpg", "webp", "woff2", "gz", "br"]

MEDIA_APP = {
    "STORAGE_ALIAS": alias_of(ENV.media_storage_url) if ENV.media_storage_other_url else "media",
    "WORK_DIR": str(DATA_DIR / "work"),
    "CLAMD_URL": ENV.clamd_url,
    "FFMPEG": ENV.ffmpeg,
    "SOFFICE": ENV.soffice,
    "BODY_DIR": ENV.body_dir,
    "ACCEL": ENV.accel,
    "CDN_URL": ENV.cdn_url,
    "CDN_KEY_ID": ENV.cdn_key_id,
    "CDN_KEY": ENV.cdn_key,
    "BYTES_ORIGIN": ENV.media_origin,
}

# Views that take files ask for the handler that streams them (apps.media.uploadhandlers).
FILE_UPLOAD_HANDLERS = ["apps.core.uploadhandlers.IgnoreFiles"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 100

# -- background work --------------------------------------------------------------------------

globals().update(broker_settings(ENV.broker_url))
CELERY_RESULT_BACKEND = None
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "media.fast"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BEAT_SCHEDULE = {**BEAT_SCHEDULE, **NOTIFICATIONS_SCHEDULE, **USERS_SCHEDULE}
# Each must have a worker for /readyz to be content: pictures, films and waiting for other servers
# are different workers' work.
HEALTH_QUEUES = ["media.fast", "media.slow", "media.transfer"]

SILENCED_SYSTEM_CHECKS = ["media.I001"]  # commands by hand have no broker; `make run` starts one

# -- people -----------------------------------------------------------------------------------

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/library/"
LOGOUT_REDIRECT_URL = "/"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_RESET_TIMEOUT = 3600  # seconds that a link to another password is good for
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HTTP_RESPONSE_CODE = 429
AXES_LOCKOUT_CALLABLE = "apps.users.lockout.answer_lockout"
AXES_CLIENT_IP_CALLABLE = "apps.core.rates.client_address"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

# -- mail -------------------------------------------------------------------------------------

SITE_NAME = ENV.site_name  # what pages and mails call this site
SITE_CONTACT = ENV.site_contact
SITE_URL = ENV.site_url  # what addresses in mails begin with
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.email_from
EMAIL_TIMEOUT = 20
globals().update(mail_settings(ENV.email_url))

LIVE_STREAMS = ENV.live_streams

# -- API --------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.core.authentication.HeaderTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "apps.core.problems.answer_problem",
    "DEFAULT_THROTTLE_RATES": {
        # By address, behind which a whole office may sit; guesses of one account end after ten.
        "token": "120/min",
        "signin": "60/min",
        "signup": "60/hour",
        "email": "20/hour",
    },
    "NUM_PROXIES": ENV.proxies,
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=30),
    "AUTO_REFRESH": True,
    "AUTH_HEADER_PREFIX": "Token",
}
SPECTACULAR_SETTINGS = {
    "TITLE": ENV.site_name,
    "DESCRIPTION": "Upload, find, process and deliver the files of a project.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "VisibilityEnum": "apps.media.models.Visibility.choices",
        "EventVisibilityEnum": "apps.events.models.Visibility.choices",
        "CaptionKindEnum": [("subtitles", "Subtitles"), ("captions", "Captions")],
        "NotificationKindEnum": "apps.notifications.kinds.Kind.choices",
        "DeliveryStateEnum": "apps.media.models.webhook.DeliveryState.choices",
    },
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.core.schema.document_problems",
    ],
}

# -- safety -----------------------------------------------------------------------------------

# Where the pages meet bytes that come from the storage itself, a CDN, or a host of their own.
STORAGE_ORIGINS = [origin for url in STORAGE_URLS for origin in browser_origins(url)]
_CDN = urlsplit(ENV.cdn_url)
CDN_ORIGINS = [f"{_CDN.scheme.rpartition('+')[2]}://{_CDN.netloc}"] if ENV.cdn_url else []
BYTES_ORIGINS = [BYTES_ORIGIN] if BYTES_ORIGIN else []
SHOWN_ORIGINS = [
    *CDN_ORIGINS,
    *BYTES_ORIGINS,
    *(STORAGE_ORIGINS if ENV.accel == "redirect" else []),
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:", *SHOWN_ORIGINS],
        "media-src": [SELF, "blob:", *SHOWN_ORIGINS],
        "style-src": [SELF],
        "script-src": [SELF],
        "connect-src": [SELF, *STORAGE_ORIGINS, *CDN_ORIGINS, *BYTES_ORIGINS],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
# Programs in pages of other sites, if any are listed: with tokens, and never with our cookies.
CORS_ALLOWED_ORIGINS = [origin for origin in ENV.cors_origins if origin != "*"]
CORS_URLS_REGEX = r"^/(api/v1|media)/" if ENV.cors_origins else r"^(?!)"  # no address
if BYTES_ORIGIN:  # our own pages read playlists and the like there
    CORS_ALLOWED_ORIGINS += ENV.page_origins
    CORS_URLS_REGEX = r"^/(api/v1|media)/" if ENV.cors_origins else r"^/media/"
CORS_ALLOW_ALL_ORIGINS = "*" in ENV.cors_origins
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = [*default_headers, *REQUEST_HEADERS, "range", "if-range", "if-none-match"]
CORS_EXPOSE_HEADERS = [
    *ANSWER_HEADERS,
    *("Content-Disposition", "Content-Length", "Content-Location", "Content-Range"),
    *("Accept-Ranges", "ETag", "Retry-After"),
]
CORS_PREFLIGHT_MAX_AGE = 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "apps.core.error_pages.csrf_failure"
if ENV.https:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# -- observability ----------------------------------------------------------------------------

METRICS_TOKEN, METRICS_OPEN = ENV.metrics_token, ENV.metrics_open
METRICS_DIR = ENV.metrics_dir if METRICS_TOKEN or METRICS_OPEN else ""
if METRICS_DIR:
    # The library decides when it is imported, which is later, where counts are kept.
    Path(METRICS_DIR).mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = METRICS_DIR
TRACING = ENV.tracing
if ENV.sentry_dsn:
    start_reporting(ENV.sentry_dsn)

# -- language, time, logs ---------------------------------------------------------------------

LANGUAGE_CODE = "en"  # of whoever asks for none of these
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [ROOT / "src/config/locale"]  # the frame; apps have their own
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600  # what somebody chose
LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = True, "Lax"
LANGUAGE_COOKIE_SECURE = ENV.https
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "config.formats"

# Counts of rates are in it, and nothing that would be missed.
CACHES = {"default": {**cache_from_url(ENV.cache_url, folder=DATA_DIR), "KEY_PREFIX": "media-app"}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "safe": {"()": "apps.core.logs.SafeLines"},
        "origin": {"()": "apps.core.logs.WithOrigin"},
    },
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name} {message}{about}", "style": "{"},
        "json": {"()": "apps.core.logs.JsonLines"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": ENV.log_format,
            "filters": ["safe", "origin"],
        },
    },
    # Azure's library tells every request.
    "loggers": {"axes": {"level": "WARNING"}, "azure": {"level": "WARNING"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
BASE_DIR = ROOT
