"""Asks one address: checked, bounded, without proxies, cookies, unpacking or other helpfulness.

Redirects of a fetch are followed by hand, each as if it were the first address. What is posted
follows none: it is meant for the one who was named.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import httpcore

from apps.core.errors import (
    SourceRefusedError,
    SourceTooLargeError,
    SourceTooSlowError,
    SourceUnavailableError,
    UrlNotAllowedError,
)
from apps.core.outbound.addresses import PUBLIC, Reach
from apps.core.outbound.answers import (
    REDIRECTS,
    Headers,
    check_status,
    read_headers,
    resumed_size,
    suggested_name,
    validator_of,
    whole_size,
)
from apps.core.outbound.connections import CheckedBackend, Limits, Watch
from apps.core.outbound.targets import Target, parse_url
from apps.core.words import gettext_noop as _

MAX_REDIRECTS = 3
AGENT = "media-app"

__all__ = ["AGENT", "MAX_REDIRECTS", "Limits", "Response", "open_url", "post_to_url"]


@dataclass(frozen=True)
class Response:
    """A file on its way. `pieces` begin at byte `offset` of it and can be read once.

    `size` is that of the whole file in bytes, None where the source does not tell. `validator` is
    what a later `open_url` needs to go on in the middle; "" where that is not possible.
    """

    status: int
    headers: Headers
    offset: int
    size: int | None
    validator: str
    name: str
    pieces: Iterator[bytes]
    interrupt: Callable[[], None]  # from another thread: ends a wait for bytes


@dataclass(frozen=True)
class _Question:
    """One request, as it is asked of each address on the way."""

    watch: Watch
    reach: Reach
    offset: int = 0
    validator: str = ""
    method: str = "GET"
    content: bytes | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    def headers(self, target: Target) -> list[tuple[bytes, bytes]]:
        fields = {
            "Host": target.authority,
            "User-Agent": AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        if self.offset:
            fields |= {"Range": f"bytes={self.offset}-", "If-Range": self.validator}
        if self.content is not None:
            fields |= {"Content-Length": str(len(self.content)), **self.more}
        return [(name.encode("ascii"), value.encode("ascii")) for name, value in fields.items()]


@contextmanager
def open_url(
    url: str, *, limits: Limits, offset: int = 0, validator: str = "", reach: Reach = PUBLIC
) -> Iterator[Response]:
    """Fetch `url`, from byte `offset` on where the source still has what `validator` names.

    The answer's own `offset` says where it really begins: 0 when the source sends all again.
    Raises, now or while the pieces are read, `UrlNotAllowedError`, `SourceUnavailableError`,
    `SourceTooSlowError`, `SourceChangedError`, `SourceTooLargeError`.
    """
    offset = offset if validator else 0
    question = _Question(Watch(limits), reach, offset, validator)
    with ExitStack() as stack:
        target, answer = _final_answer(parse_url(url), question, stack)
        yield _understood(target, answer, question)


def post_to_url(
    url: str,
    *,
    content: bytes,
    headers: Mapping[str, str],
    limits: Limits,
    reach: Reach = PUBLIC,
) -> int:
    """Send `content` to `url` by POST; return the status of the answer, whatever it is.

    Of the answer's body at most `limits.max_bytes` are read, and none are given to anybody: what
    the other side says is no matter of ours. Raises `UrlNotAllowedError`, `SourceUnavailableError`,
    `SourceTooSlowError`.
    """
    watch = Watch(limits)
    question = _Question(watch, reach, method="POST", content=content, more=headers)
    with ExitStack() as stack:
        answer = _ask(parse_url(url), question, stack)
        _read_off(answer, limits.max_bytes)
        return answer.status


def _read_off(answer: httpcore.Response, most: int) -> None:
    """So that the other side can end what it is saying; how that goes changes nothing."""
    with suppress(SourceTooLargeError, SourceTooSlowError, SourceUnavailableError):
        for _ in _pieces(answer, most):
            pass


def _final_answer(
    target: Target, question: _Question, stack: ExitStack
) -> tuple[Target, httpcore.Response]:
    for _hop in range(MAX_REDIRECTS + 1):
        opened = stack.enter_context(ExitStack())
        answer = _ask(target, question, opened)
        if answer.status not in REDIRECTS:
            return target, answer
        target = target.follow(_location(answer))
        opened.close()
    raise UrlNotAllowedError("redirects", detail=_("The address leads on too many times."))


def _ask(target: Target, question: _Question, opened: ExitStack) -> httpcore.Response:
    """Send the request and read the header of the answer; `opened` closes the connection."""
    reach, watch = question.reach, question.watch
    backend = CheckedBackend(reach.addresses_of(target), watch)
    pool = opened.enter_context(
        httpcore.ConnectionPool(
            ssl_context=reach.ssl_context, max_connections=1, network_backend=backend
        )
    )
    watch.begin_head()
    with _translated():
        answer = opened.enter_context(
            pool.stream(
                question.method,
                _address_of(target),
                headers=question.headers(target),
                content=question.content,
            )
        )
    watch.end_head()
    return answer


def _address_of(target: Target) -> httpcore.URL:
    """In parts, so that nothing parses the address a second time."""
    return httpcore.URL(
        scheme=target.scheme.encode(),
        host=target.host.encode(),
        port=target.port,
        target=target.path.encode(),
    )


def _location(answer: httpcore.Response) -> str:
    found = [value for name, value in answer.headers if name.lower() == b"location"]
    try:
        return found[0].decode() if found else ""
    except UnicodeDecodeError:
        raise UrlNotAllowedError("characters of a redirect") from None


def _understood(target: Target, answer: httpcore.Response, question: _Question) -> Response:
    headers = read_headers(answer.headers)
    check_status(answer.status, headers, asked_from=question.offset)
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        offset = question.offset
        size = resumed_size(headers, asked_from=offset, validator=question.validator)
        validator = question.validator
    else:
        offset, size, validator = 0, whole_size(headers), validator_of(headers)
    most = question.watch.limits.max_bytes
    if size is not None and size > most:
        raise SourceTooLargeError("declared", size)
    return Response(
        status=answer.status,
        headers=headers,
        offset=offset,
        size=size,
        validator=validator,
        name=suggested_name(headers, path=target.path),
        pieces=_pieces(answer, most - offset),
        interrupt=lambda: _shut(answer),
    )


def _pieces(answer: httpcore.Response, most: int) -> Iterator[bytes]:
    left = most
    with _translated():
        for piece in answer.iter_stream():
            left -= len(piece)
            if left < 0:
                raise SourceTooLargeError("sent", most)
            yield piece


def _shut(answer: httpcore.Response) -> None:
    connection = answer.extensions["network_stream"].get_extra_info("socket")
    with suppress(OSError):
        # Of the plain socket: its own `shutdown` makes an encrypted one read as a plain one.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


@contextmanager
def _translated() -> Iterator[None]:
    """The library's errors as ours, without what they quote of the other side."""
    try:
        yield
    except (httpcore.ProtocolError, httpcore.NetworkError, httpcore.TimeoutException):
        raise SourceUnavailableError("broke off, or speaks no HTTP") from None
    except httpcore.UnsupportedProtocol:
        raise SourceRefusedError("protocol") from None
