"""Where programs of this machine or another listen, as an operator writes it."""

from __future__ import annotations

from urllib.parse import urlsplit


def daemon_address(url: str) -> str | tuple[str, int]:
    """The path of a socket for `unix:///path`, host and port for `tcp://host:port`.

    Raises ValueError for anything else.
    """
    parts = urlsplit(url)
    if parts.scheme == "unix" and not parts.netloc and parts.path:
        return parts.path
    if parts.scheme == "tcp" and parts.hostname and _port(url):
        return parts.hostname, _port(url)
    raise ValueError(f"a daemon is at tcp://host:port or unix:///path, not at {url!r}")


def _port(url: str) -> int:
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return 0
