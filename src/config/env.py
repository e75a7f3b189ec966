"""The environment, read once and typed. Nothing else in the project reads environment variables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from config.variables import DEVELOPMENT_SECRET, ROOT, Environment, variables

__all__ = ["DEVELOPMENT_SECRET", "ROOT", "Environment", "read_environment"]

MIN_SECRET_LENGTH = 40
MIN_TOKEN_LENGTH = 20

# How the text of a variable becomes the type of its field.
_READERS: dict[Any, Callable[[environ.Env, str, Any], Any]] = {
    bool: lambda env, name, default: env.bool(name, default=default),
    int: lambda env, name, default: env.int(name, default=default),
    str: lambda env, name, default: env.str(name, default=default),
    Path: lambda env, name, default: Path(env.str(name, default=str(default))).resolve(),
    tuple[str, ...]: lambda env, name, default: tuple(env.list(name, default=list(default))),
    dict[str, object]: lambda env, name, default: env.db_url(name, default=default),
}


def read_environment() -> Environment:
    """Return the typed environment; raise `ImproperlyConfigured` where it is unsafe."""
    env = environ.Env()
    read: dict[str, Any] = {}
    for field, (kind, variable) in variables().items():
        default = variable.default(read) if callable(variable.default) else variable.default
        read[field] = _READERS[kind](env, variable.name, default)
    result = Environment(**read)
    _ = result.cdn_key  # a file that cannot be read is told now
    _refuse_memory(result)
    _refuse_odd_origin(result)
    _refuse_odd_log(result)
    _refuse_unsafe(result)
    return result


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
