"""The environment, read once and typed. Nothing else in the project reads environment variables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from apps.core.storage.urls import storage_from_url
from config.variables import DEVELOPMENT_SECRET, ROOT, Environment, variables

__all__ = ["DEVELOPMENT_SECRET", "ROOT", "Environment", "read_environment"]

MIN_SECRET_LENGTH = 40
MIN_TOKEN_LENGTH = 20

# How the text of a variable becomes the type of its field.
_READERS: dict[Any, Callable[[environ.Env, str, Any], Any]] = {
    bool: lambda env, name, default: env.bool(name, default=default),
    int: lambda env, name, default: env.int(name, default=default),
    str: lambda env, name, default: env.str(name, default=default),
    Path: lambda env, name, default: Path(env.str(name, default="") or default).resolve(),
    tuple[str, ...]: lambda env, name, default: _listed(env.list(name, default=list(default))),
    dict[str, object]: lambda env, name, default: _database(env.db_url(name, default=default)),
}


def read_environment() -> Environment:
    """Return the typed environment; raise `ImproperlyConfigured` where it is unsafe."""
    env = _Literal()
    read: dict[str, Any] = {}
    for field, (kind, variable) in variables().items():
        default = variable.default(read) if callable(variable.default) else variable.default
        read[field] = _read(env, kind, variable.name, default)
    result = Environment(**read)
    _ = result.cdn_key  # a file that cannot be read is told now
    _refuse_odd_storages(result)
    _refuse_odd_origin(result)
    _refuse_odd_log(result)
    _refuse_unsafe(result)
    return result


class _Literal(environ.Env):  # type: ignore[misc]  # has no types
    """Takes every text as it stands: to the library one that begins with `$` names another
    variable, so that such a secret would silently be the default."""

    def __init__(self) -> None:
        super().__init__()
        self.escape_proxy = True
        self.ENVIRON = {name: text.replace("$", r"\$") for name, text in self.ENVIRON.items()}


def _read(env: environ.Env, kind: Any, name: str, default: Any) -> Any:
    try:
        return _READERS[kind](env, name, default)
    except ValueError:  # whose words may hold a part of a password
        raise ImproperlyConfigured(f"{name} is {_WANTED[kind]}.") from None


_WANTED: dict[Any, str] = {
    int: "a whole number",
    dict[str, object]: (
        "postgres://user:password@host:5432/name; write what is special in a password as %2F for /,"
        " %3F for ?, %23 for #, %40 for @"
    ),
}


def _listed(items: list[str]) -> tuple[str, ...]:
    return tuple(item.strip() for item in items if item.strip())


def _database(named: dict[str, Any]) -> dict[str, Any]:
    """What a URL named, if it named anything. Raises `ValueError`."""
    if not named.get("ENGINE"):
        raise ValueError
    # A directory of sockets is a host, too: %2Fvar%2Frun%2Fpostgresql.
    return {**named, "HOST": unquote(named.get("HOST") or "")}


def _refuse_odd_storages(environment: Environment) -> None:
    for name, url in (
        ("MEDIA_STORAGE_URL", environment.media_storage_url),
        ("MEDIA_STORAGE_OTHER_URL", environment.media_storage_other_url),
    ):
        try:
            _ = url and storage_from_url(url)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}") from error
        if url.startswith("memory:"):
            told = "memory:// is for tests: worker and web server would not meet."
            raise ImproperlyConfigured(told)


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
