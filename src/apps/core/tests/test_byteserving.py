"""The protocol table of ranges and conditional requests, through real requests on a real store."""

from __future__ import annotations

import json
import os
import time
import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.test import RequestFactory
from django.utils.http import http_date

from apps.core.byteserving import LOCKED_HEADERS, ByteSource, Way, disposition_of, serve_bytes
from apps.core.errors import ObjectMissingError, StorageUnavailableError
from apps.core.storage.base import BoundedReader
from apps.core.storage.local import LocalStore

# The end of every request looks at the database connections.
pytestmark = pytest.mark.django_db

DATA = bytes(n % 251 for n in range(1000))
N = len(DATA)
HUGE = "9" * 20
ETAG = '"v1-strong"'
MODIFIED = datetime(2026, 5, 4, 3, 2, 1, 500_000, tzinfo=UTC)
LAST_MODIFIED = http_date(MODIFIED.timestamp())
EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"
KEY = "original/aa/bb/object"
CORPUS = Path(os.environ.get("MEDIA_CORPUS", Path(__file__).parents[5] / "shared" / "corpus"))


@pytest.fixture
def source(tmp_path: Path) -> ByteSource:
    store = LocalStore(location=tmp_path)
    for key, data in ((KEY, DATA), ("empty", b"")):
        with store.writer(key) as writer:
            writer.write(data)
    return ByteSource(
        store=store,
        key=KEY,
        size=N,
        content_type="image/png",
        etag=ETAG,
        last_modified=MODIFIED,
        filename="photo.png",
        inline=True,
        cache_control="private, no-cache",
        extra_headers={"Vary": "Cookie"},
    )


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(source: ByteSource, *, method: str = "GET", **headers: str) -> Answer:
    """Send a request through the middleware that meddles with bodies and lengths."""
    request = RequestFactory().generic(
        method, "/", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    response = CommonMiddleware(lambda r: serve_bytes(r, source))(request)
    try:
        return Answer(response.status_code, dict(response.headers), body_of(response))
    finally:
        response.close()


def body_of(response: HttpResponseBase) -> bytes:
    return b"".join(response)  # type: ignore[call-overload,no-any-return]


def expect_part(answer: Answer, start: int, stop: int) -> None:
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{N}"
    assert answer.headers["Content-Length"] == str(stop - start)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.body == DATA[start:stop]


def expect_whole(answer: Answer) -> None:
    assert answer.status == 200
    assert "Content-Range" not in answer.headers
    assert answer.headers["Content-Length"] == str(N)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.body == DATA


def expect_unsatisfiable(answer: Answer) -> None:
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{N}"
    assert answer.headers["Content-Length"] == "0"
    assert answer.body == b""


def expect_not_modified(answer: Answer) -> None:
    assert answer.status == 304
    assert answer.body == b""
    assert answer.headers["ETag"] == ETAG
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "Cookie"
    assert not {"Content-Type", "Content-Length", "Content-Disposition"} & set(answer.headers)


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        pytest.param("bytes=0-4", 0, 5, id="R-02"),
        pytest.param("bytes=0-0", 0, 1, id="R-03"),
        pytest.param("bytes=2-", 2, N, id="R-04"),
        pytest.param("bytes=-5", N - 5, N, id="R-05"),
        pytest.param("bytes=-1", N - 1, N, id="R-06"),
        pytest.param(f"bytes=0-{N - 1}", 0, N, id="R-07"),
        pytest.param(f"bytes=5-{N + 1000}", 5, N, id="R-08"),
        pytest.param(f"bytes=-{N + 10}", 0, N, id="R-09"),
        pytest.param(f"bytes={N - 1}-", N - 1, N, id="R-10"),
        pytest.param(f"bytes=0-{HUGE}", 0, N, id="R-15"),
        pytest.param("BYTES=0-4", 0, 5, id="R-31"),
    ],
)
def test_parts(source: ByteSource, header: str, start: int, stop: int) -> None:
    expect_part(ask(source, Range=header), start, stop)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(f"bytes={N}-", id="R-11"),
        pytest.param(f"bytes={N}-{N + 10}", id="R-12"),
        pytest.param(f"bytes={HUGE}-", id="R-13"),
        pytest.param("bytes=-0", id="R-14"),
        pytest.param(f"bytes={N}-{N + 1},{N + 5}-", id="R-36"),
    ],
)
def test_unsatisfiable(source: ByteSource, header: str) -> None:
    expect_unsatisfiable(ask(source, Range=header))


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("bytes=5-4", id="R-2a"),
        pytest.param("bytes=", id="R-2b"),
        pytest.param("bytes=7", id="R-2c"),
        pytest.param("bytes=A-", id="R-2d"),
        pytest.param("bytes=A-Z", id="R-2e"),
        pytest.param("bytes=--5", id="R-2f"),
        pytest.param("bytes=0x01-0x02", id="R-2g"),
        pytest.param("bytes=10-11 12-", id="R-2h"),
        pytest.param("bytes= , , ,", id="R-2i"),
        pytest.param("bytes=1-2-3", id="R-2j"),
        pytest.param("bytes=²-", id="R-2k"),
        pytest.param("bytes=-", id="R-2l"),
        pytest.param("bytes", id="R-2m"),
        pytest.param("=0-4", id="R-2n"),
        pytest.param("seconds=1-2", id="R-30"),
        pytest.param("bytes=0-0,-2", id="R-32"),
        pytest.param("bytes=0-1,5-8", id="R-33"),
        pytest.param(f"bytes=0-9,-10,{N + 5}-,10-19", id="R-34"),
        pytest.param(f"bytes=0-9,{N + 5}-", id="R-35"),
        pytest.param("bytes=" + ",".join(["0-"] * 1300), id="R-40"),
        pytest.param("bytes=" + ",".join(f"{n}-{n}" for n in range(999, -1, -1)), id="R-41"),
        pytest.param("bytes=" + "9" * 7000, id="R-42"),
    ],
)
def test_ignored_ranges(source: ByteSource, header: str) -> None:
    start = time.perf_counter()
    expect_whole(ask(source, Range=header))
    assert time.perf_counter() - start < 1


def test_r01_r60_whole_file_with_validators(source: ByteSource) -> None:
    answer = ask(source)
    expect_whole(answer)
    assert answer.headers["ETag"] == ETAG
    assert answer.headers["Last-Modified"] == LAST_MODIFIED


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="R-50"),
        pytest.param({"Range": "bytes=0-4"}, id="R-51"),
        pytest.param({"Range": f"bytes={N}-"}, id="R-51 unsatisfiable"),
    ],
)
def test_head(source: ByteSource, headers: dict[str, str]) -> None:
    whole, head = ask(source), ask(source, method="HEAD", **headers)
    assert head.status == 200
    assert head.body == b""
    assert head.headers == whole.headers


def test_head_never_opens_the_object(source: ByteSource) -> None:
    source.store.remove(source.key)
    assert ask(source, method="HEAD").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"If_None_Match": ETAG}, id="C-01"),
        pytest.param({"If_None_Match": f"W/{ETAG}"}, id="C-02"),
        pytest.param({"If_None_Match": f'"a", {ETAG}'}, id="C-03"),
        pytest.param({"If_None_Match": "*"}, id="C-04"),
        pytest.param({"If_None_Match": ETAG, "Range": "bytes=0-4"}, id="C-12"),
        pytest.param({"If_None_Match": ETAG, "Range": f"bytes={N}-"}, id="C-12 unsatisfiable"),
        pytest.param({"If_None_Match": ETAG, "If_Match": ETAG}, id="both tags match"),
        pytest.param({"If_Modified_Since": LAST_MODIFIED}, id="C-20"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_not_modified(source: ByteSource, method: str, headers: dict[str, str]) -> None:
    expect_not_modified(ask(source, method=method, **headers))  # C-13 is part of it


EARLIER = http_date((MODIFIED - timedelta(seconds=1)).timestamp())


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"If_None_Match": '"other"'}, id="C-05"),
        pytest.param({"If_None_Match": '"other"', "If_Modified_Since": LAST_MODIFIED}, id="C-06"),
        pytest.param({"If_Range": '"other"', "Range": "bytes=0-4"}, id="C-09"),
        pytest.param({"If_Range": f"W/{ETAG}", "Range": "bytes=0-4"}, id="C-10"),
        pytest.param({"If_Range": '"other"', "Range": f"bytes={N}-"}, id="C-11"),
        pytest.param({"If_Modified_Since": EARLIER}, id="C-21"),
        pytest.param({"If_Modified_Since": "garbage"}, id="C-22"),
        pytest.param({"If_Range": EPOCH, "Range": "bytes=0-4"}, id="C-24"),
        pytest.param({"If_Match": ETAG}, id="If-Match holds"),
        pytest.param({"If_Match": "*"}, id="If-Match star"),
        pytest.param({"If_Unmodified_Since": LAST_MODIFIED}, id="If-Unmodified-Since holds"),
        pytest.param({"If_Unmodified_Since": "garbage"}, id="If-Unmodified-Since garbage"),
        pytest.param({"If_Match": ETAG, "If_Unmodified_Since": EPOCH}, id="If-Match wins"),
        pytest.param({"If_Range": ETAG}, id="If-Range without Range"),
    ],
)
def test_whole_file_after_all(source: ByteSource, headers: dict[str, str]) -> None:
    expect_whole(ask(source, **headers))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"If_Match": '"other"'}, id="C-07"),
        pytest.param({"If_Match": f"W/{ETAG}"}, id="C-07 weak"),
        pytest.param({"If_Match": '"other"', "Range": f"bytes={N}-"}, id="C-07 before Range"),
        pytest.param({"If_Unmodified_Since": EPOCH}, id="C-23"),
        pytest.param({"If_Unmodified_Since": EARLIER}, id="C-23 a second before"),
        pytest.param({"If_Unmodified_Since": EPOCH, "If_None_Match": ETAG}, id="C-23 before 304"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_precondition_failed(source: ByteSource, method: str, headers: dict[str, str]) -> None:
    answer = ask(source, method=method, **headers)
    assert answer.status == 412
    assert answer.body == b""
    assert answer.headers["Content-Length"] == "0"


@pytest.mark.parametrize("tag", [ETAG, LAST_MODIFIED], ids=["C-08", "C-25"])
def test_if_range_holds(source: ByteSource, tag: str) -> None:
    expect_part(ask(source, If_Range=tag, Range="bytes=0-4"), 0, 5)


STATUS_REQUESTS = {
    200: {},
    206: {"Range": "bytes=0-4"},
    304: {"If_None_Match": ETAG},
    412: {"If_Match": '"other"'},
    416: {"Range": f"bytes={N}-"},
}


@pytest.mark.parametrize("status", STATUS_REQUESTS)
def test_s01_every_answer_is_locked(source: ByteSource, status: int) -> None:
    answer = ask(source, **STATUS_REQUESTS[status])
    assert answer.status == status
    assert LOCKED_HEADERS.items() <= answer.headers.items()
    assert answer.headers["Vary"] == "Cookie"
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("status", [412, 416])
def test_a_refusal_is_never_cached(source: ByteSource, status: int) -> None:
    public = replace(source, cache_control="public, max-age=31536000, immutable")
    answer = ask(public, **STATUS_REQUESTS[status])
    assert (answer.status, answer.headers["Cache-Control"]) == (status, "no-store")


def test_s02_ranges_reassemble(source: ByteSource) -> None:
    step = N // 7 + 1
    parts = [ask(source, Range=f"bytes={at}-{at + step - 1}") for at in range(0, N, step)]
    assert len(parts) == 7
    assert b"".join(part.body for part in parts) == DATA


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=5-"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_empty_file(source: ByteSource, method: str, header: str) -> None:
    answer = ask(replace(source, key="empty", size=0), method=method, Range=header)
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, "0", b"")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/plain; charset=latin-1", "text/plain; charset=latin-1"),
        ("image/png", "image/png"),
    ],
)
def test_texts_name_their_charset(source: ByteSource, given: str, sent: str) -> None:
    assert ask(replace(source, content_type=given)).headers["Content-Type"] == sent


def test_extra_headers_win(source: ByteSource) -> None:
    open_to_all = {"Cross-Origin-Resource-Policy": "cross-origin"}
    answer = ask(replace(source, extra_headers=open_to_all))
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


class TestStreaming:
    def test_a_missing_object_is_noticed_before_anything_is_sent(self, source: ByteSource) -> None:
        source.store.remove(source.key)
        with pytest.raises(ObjectMissingError):
            ask(source)

    def test_a_short_object_breaks_off(self, source: ByteSource) -> None:
        with pytest.raises(StorageUnavailableError):
            ask(replace(source, size=N + 1))

    def test_pieces_are_small(self, tmp_path: Path, source: ByteSource) -> None:
        with source.store.writer("large") as writer:
            writer.write(bytes(3 * 1024 * 1024))
        large = replace(source, key="large", size=3 * 1024 * 1024)
        response = serve_bytes(RequestFactory().get("/", headers={"Range": "bytes=0-"}), large)
        sizes = [len(piece) for piece in response]  # type: ignore[attr-defined]
        response.close()
        assert max(sizes) <= 256 * 1024
        assert sum(sizes) == 3 * 1024 * 1024

    @pytest.mark.parametrize("started", [False, True])
    def test_a_client_that_leaves_frees_the_object(
        self, source: ByteSource, monkeypatch: pytest.MonkeyPatch, started: bool
    ) -> None:
        closed = []
        close = BoundedReader.close
        monkeypatch.setattr(BoundedReader, "close", lambda r: (close(r), closed.append(r)))
        request = HttpRequest()
        request.method = "GET"
        response: Any = serve_bytes(request, source)
        if started:
            next(iter(response))
        response.close()
        assert len(closed) == 1
        assert list(response) == []


ODD_NAMES = [
    "photo.png",
    'a"b\\c.png',
    "a\r\nSet-Cookie: a=b",
    "a\x00b\x1f\x7f\x85\u2028c",
    "../../etc/passwd",
    "Ünïcödé 日本語 🎉.jpg",
    "\ud800.png",
    "%41;filename=evil.exe",
    "a; filename=evil.exe",
    "'",
    " ",
]


def expect_sane_disposition(value: str | None, name: str) -> None:
    printable = "".join(c for c in name if unicodedata.category(c) != "Cc")
    wanted = printable.encode("utf-8", "replace").decode()
    assert value is not None
    assert value.isascii()
    assert value.isprintable()
    kind, _, parameter = value.partition("; ")
    assert kind == "attachment"
    if parameter.startswith("filename*="):
        assert unquote(parameter.removeprefix("filename*=utf-8''"), errors="strict") == wanted
    elif wanted:
        message = Message()
        message["Content-Disposition"] = value
        assert message.get_content_disposition() == "attachment"
        # The parser that knows the words, not the quoting; quoting is undone here.
        quoted = parameter.removeprefix('filename="').removesuffix('"')
        assert quoted.replace('\\"', '"').replace("\\\\", "\\") == wanted
    else:
        assert value == "attachment"


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_names(source: ByteSource, name: str) -> None:
    expect_sane_disposition(disposition_of(name, inline=False), name)
    answer = ask(replace(source, filename=name, inline=False))
    assert answer.status == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_no_name() -> None:
    assert disposition_of("", inline=True) is None
    assert disposition_of("\n", inline=True) is None
    assert disposition_of("", inline=False) == "attachment"


@pytest.mark.corpus
def test_naughty_names(source: ByteSource) -> None:
    path = CORPUS / "names" / "blns.json"
    if not path.exists():
        pytest.skip(f"no corpus at {CORPUS}; set MEDIA_CORPUS")
    naughty = json.loads(path.read_text())
    assert len(naughty) > 400
    for name in naughty:
        expect_sane_disposition(disposition_of(name, inline=False), name)
        assert ask(replace(source, filename=name, inline=False), Range="bytes=0-0").status == 206


class TestWays:
    """Who sends is decided after everything else is."""

    @pytest.fixture
    def by_nginx(self, source: ByteSource) -> ByteSource:
        return replace(source, alias="media", way=Way.NGINX)

    @pytest.mark.parametrize(
        ("headers", "place"),
        [
            ({}, "whole"),
            ({"Range": "bytes=0-4"}, "part"),
            ({"Range": "bytes=-5"}, "part"),
            ({"Range": "bytes=2-"}, "part"),
            ({"Range": "bytes=0-1,3-4"}, "whole"),
            ({"Range": "bytes=5-4"}, "whole"),
            ({"Range": "seconds=1-2"}, "whole"),
            ({"Range": "bytes=0-4", "If_Range": ETAG}, "part"),
            ({"Range": "bytes=0-4", "If_Range": '"other"'}, "whole"),
            ({"If_None_Match": '"other"'}, "whole"),
        ],
    )
    def test_nginx_is_told_which_file_and_whether_a_part(
        self, by_nginx: ByteSource, headers: dict[str, str], place: str
    ) -> None:
        answer = ask(by_nginx, **headers)
        assert answer.status == 200
        assert answer.headers["X-Accel-Redirect"] == f"/_stored/{place}/media/{KEY}"
        assert answer.body == b""
        assert answer.headers["ETag"] == ETAG
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert not {"Accept-Ranges", "Content-Range"} & set(answer.headers)

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"If_None_Match": ETAG}, 304),
            ({"If_Match": '"other"'}, 412),
            ({"If_Match": ETAG}, 200),
            ({"If_Unmodified_Since": LAST_MODIFIED}, 200),
            ({"Range": f"bytes={N}-"}, 416),
            ({"Range": "bytes=0-4,"}, 206),  # nginx reads it otherwise
            ({"Range": "BYTES=0-4"}, 206),
        ],
    )
    @pytest.mark.parametrize("way", [Way.NGINX, Way.REDIRECT])
    def test_what_others_would_answer_otherwise_is_answered_here(
        self, source: ByteSource, way: Way, headers: dict[str, str], status: int
    ) -> None:
        answer = ask(replace(source, alias="media", way=way), **headers)
        assert answer.status == status
        assert not {"X-Accel-Redirect", "Location"} & set(answer.headers)

    @pytest.mark.parametrize("way", [Way.NGINX, Way.REDIRECT])
    def test_a_head_is_answered_here(self, source: ByteSource, way: Way) -> None:
        answer = ask(replace(source, alias="media", way=way), method="HEAD", Range="bytes=0-4")
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(N))
        assert not {"X-Accel-Redirect", "Location"} & set(answer.headers)

    @pytest.mark.parametrize("way", [Way.NGINX, Way.SELF])
    def test_an_empty_file_has_no_parts(self, source: ByteSource, way: Way) -> None:
        empty = replace(source, key="empty", size=0, alias="media", way=way)
        for headers in ({}, {"Range": "bytes=0-"}, {"Range": "bytes=-1"}):
            answer = ask(empty, **headers)
            assert (answer.status, answer.body) == (200, b"")
            place = answer.headers.get("X-Accel-Redirect", "/_stored/whole/media/empty")
            assert place == "/_stored/whole/media/empty"

    def test_nginx_is_sent_to_no_missing_file(self, by_nginx: ByteSource) -> None:
        with pytest.raises(ObjectMissingError):
            ask(replace(by_nginx, key="no/such"))
