"""The connection of one request: to checked addresses only, watched for time, pace and size.

Every byte that comes in passes here, before anything parses it.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore

from apps.core.errors import (
    SourceRefusedError,
    SourceTooSlowError,
    SourceUnavailableError,
    UrlNotAllowedError,
)
from apps.core.words import gettext_noop as _


@dataclass(frozen=True)
class Limits:
    """What one fetch may take. Sizes in bytes, times in seconds.

    `max_bytes` is for the whole object, what was fetched before included.
    """

    max_bytes: int
    connect_seconds: float = 10
    head_seconds: float = 30  # from the request to the end of the header
    silence_seconds: float = 30  # between two pieces
    total_seconds: float = 6 * 3600  # redirects included
    head_bytes: int = 64 * 1024
    min_rate: int = 1024  # bytes per second, averaged over `rate_seconds` of waiting
    rate_seconds: float = 30


class Watch:
    """Time, pace and size of one fetch, over all its redirects."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._end = time.monotonic() + limits.total_seconds
        self._head_left: int | None = limits.head_bytes
        self._head_end = self._end
        self._waited = 0.0
        self._came = 0

    def begin_head(self) -> None:
        """A request is about to be sent."""
        self._head_left = self.limits.head_bytes
        self._head_end = min(self._end, time.monotonic() + self.limits.head_seconds)

    def end_head(self) -> None:
        """The header is here; from now on the pace counts."""
        self._head_left = None
        self._waited, self._came = 0.0, 0

    def patience(self, most: float) -> float:
        """For how many seconds the next step may wait. Raises `SourceTooSlowError`."""
        end = self._end if self._head_left is None else self._head_end
        left = end - time.monotonic()
        if left <= 0:
            raise SourceTooSlowError("time is up")
        return min(most, left)

    def note(self, *, seconds: float, count: int) -> None:
        """`count` bytes came after `seconds` of waiting. The time that we take does not count."""
        if self._head_left is not None:
            self._note_head(count)
            return
        self._waited += seconds
        self._came += count
        if self._waited < self.limits.rate_seconds:
            return
        if self._came < self.limits.min_rate * self._waited:
            raise SourceTooSlowError("below the least rate")
        self._waited, self._came = 0.0, 0

    def _note_head(self, count: int) -> None:
        # The last read may bring the first bytes of the body along: never refuse for these.
        if self._head_left is None or self._head_left <= 0:
            raise SourceUnavailableError("header too long")
        self._head_left -= count


class CheckedBackend(httpcore.NetworkBackend):
    """Connects to the addresses that were checked, whatever it is asked for."""

    def __init__(self, addresses: Sequence[str], watch: Watch) -> None:
        self._addresses = addresses
        self._watch = watch
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        end = time.monotonic() + self._watch.patience(self._watch.limits.connect_seconds)
        for tried, address in enumerate(self._addresses):
            share = (end - time.monotonic()) / (len(self._addresses) - tried)
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                stream = self._sockets.connect_tcp(address, port, timeout=max(share, 0.1))
                return WatchedStream(stream, self._watch)
        raise SourceUnavailableError("no connection", host)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        raise UrlNotAllowedError("socket")


class WatchedStream(httpcore.NetworkStream):
    """A stream whose every step is bounded by its `Watch`."""

    def __init__(self, stream: httpcore.NetworkStream, watch: Watch) -> None:
        self._stream = stream
        self._watch = watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        patience = self._watch.patience(self._watch.limits.silence_seconds)
        started = time.monotonic()
        try:
            data = self._stream.read(max_bytes, timeout=patience)
        except httpcore.ReadTimeout:
            raise SourceTooSlowError("silence") from None
        except httpcore.ReadError:
            raise SourceUnavailableError("connection lost") from None
        self._watch.note(seconds=time.monotonic() - started, count=len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._watch.patience(self._watch.limits.head_seconds))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        patience = self._watch.patience(self._watch.limits.connect_seconds)
        try:
            inner = self._stream.start_tls(ssl_context, server_hostname, timeout=patience)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise _handshake_error(error) from None
        return WatchedStream(inner, self._watch)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _handshake_error(error: Exception) -> SourceUnavailableError:
    if isinstance(error.__cause__, ssl.SSLCertVerificationError):
        return SourceRefusedError(
            "certificate", detail=_("The certificate of the source is not valid for its name.")
        )
    return SourceUnavailableError("no encrypted connection")
