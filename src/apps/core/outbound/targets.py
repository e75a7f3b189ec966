"""Parses an address once. What comes out is what is resolved, connected to and asked for.

Stricter than browsers: whatever two parsers might read differently (backslashes, blanks, user
names, numbers that stand for an address) is refused instead of mended. RFC 3986; UTS #46 for names
outside ASCII.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import idna

from apps.core.errors import UrlNotAllowedError
from apps.core.words import gettext_noop as _

MAX_LENGTH = 4096  # characters
DEFAULT_PORTS = {"http": 80, "https": 443}

# What RFC 3986 §2 allows, and letters outside ASCII, which are encoded below. No blank, control,
# backslash, quote, angle bracket or brace.
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2}|[^\x00-\xa0])+")
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:@%]+)(?::(?P<port>[0-9]{1,5}))?")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE)
_MAX_NAME = 253
_SAFE_IN_PATH = "-._~:/?[]@!$&'()*+,;=%"


@dataclass(frozen=True)
class Target:
    """Where a request goes. `host` is a name in ASCII or a bare address; `path` has the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """For the Host header (RFC 9110 §7.2): the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if DEFAULT_PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    def follow(self, location: str) -> Target:
        """The target of a redirect. Raises `UrlNotAllowedError`.

        From https only to https: a redirect must not take away what the address promised.
        """
        target = parse_url(urljoin(self.url, _checked(location)))
        if self.scheme == "https" and target.scheme != "https":
            raise UrlNotAllowedError("redirect from https to http")
        return target


def parse_url(url: str) -> Target:
    """Take an http or https address apart. Raises `UrlNotAllowedError`.

    The port is not judged here: that is the matter of `Reach`.
    """
    parts = _split(_checked(url))
    if parts.scheme not in DEFAULT_PORTS:
        raise UrlNotAllowedError(
            "scheme", detail=_("Only http and https addresses can be fetched.")
        )
    authority = _AUTHORITY.fullmatch(parts.netloc)
    if authority is None:
        raise UrlNotAllowedError("authority")
    host, port = authority["host"], authority["port"]
    query = f"?{parts.query}" if parts.query else ""
    return Target(
        scheme=parts.scheme,
        host=_address(host[1:-1]) if host.startswith("[") else _host(host),
        port=int(port) if port else DEFAULT_PORTS[parts.scheme],
        path=quote((parts.path or "/") + query, safe=_SAFE_IN_PATH),
    )


def _checked(url: str) -> str:
    if len(url) > MAX_LENGTH or not _CHARACTERS.fullmatch(url):
        raise UrlNotAllowedError("characters")
    return url


def _split(url: str):  # type: ignore[no-untyped-def]  # SplitResult, private name in the stubs
    try:
        return urlsplit(url)
    except ValueError as error:
        raise UrlNotAllowedError("unreadable") from error


def _host(host: str) -> str:
    """A name in ASCII, lower case, without the root's dot; or an IPv4 address in its one form."""
    name = host if host.isascii() else _ascii(host)
    name = name.lower().removesuffix(".")
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        raise UrlNotAllowedError("host name")
    # A last label that is a number makes an address of the whole (WHATWG URL §3.5, "ends in a
    # number"): systems read 127.1, 0x7f.1, 0177.0.0.1 and 2130706433 as 127.0.0.1.
    return _address(name) if _NUMBER.fullmatch(name.rpartition(".")[2]) else name


def _ascii(host: str) -> str:
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise UrlNotAllowedError("international name") from error


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise UrlNotAllowedError("address") from error
