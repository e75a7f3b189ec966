"""Fetching from real sockets: who is connected to, what is asked, and when it ends. SECURITY §3."""

from __future__ import annotations

import gzip
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from apps.core.errors import (
    AppError,
    SourceChangedError,
    SourceRefusedError,
    SourceTooLargeError,
    SourceTooSlowError,
    SourceUnavailableError,
    UrlNotAllowedError,
)
from apps.core.outbound import Limits, Reach, Response, Target, open_url
from apps.core.tests.outbound.sources import (
    HERE,
    Script,
    Source,
    answer,
    reach_of,
    redirect,
    serving,
)
from apps.core.tests.outbound.test_addresses import HIDDEN
from apps.core.tests.outbound.test_targets import S1, S3, S6

MIB = 1024**2
QUICK = Limits(
    max_bytes=MIB,
    connect_seconds=2,
    head_seconds=1,
    silence_seconds=1,
    total_seconds=5,
    rate_seconds=0.5,
)
WHOLE = b"0123456789" * 100
NOW = "Date: Tue, 01 Sep 2026 10:00:05 GMT"
TAG = 'ETag: "one"'


@contextmanager
def opened(source: Source, path: str = "/photo.jpg", **fields: object) -> Iterator[Response]:
    fields.setdefault("limits", QUICK)
    fields.setdefault("reach", reach_of(source))
    with open_url(source.url(path, host="files.example"), **fields) as response:  # type: ignore[arg-type]
        yield response


def fetched(source: Source, path: str = "/photo.jpg", **fields: object) -> bytes:
    with opened(source, path, **fields) as response:
        return b"".join(response.pieces)


def failure_of(script: Script, **fields: object) -> AppError:
    with serving(script) as source, pytest.raises(AppError) as failed:
        fetched(source, **fields)
    return failed.value


class TestAnswer:
    def test_is_the_bytes(self) -> None:
        with serving(answer(WHOLE, headers=TAG)) as source, opened(source) as response:
            assert (response.status, response.offset, response.size) == (200, 0, len(WHOLE))
            assert (response.validator, response.name) == ('"one"', "photo.jpg")
            assert b"".join(response.pieces) == WHOLE
            assert source.connects == 1

    def test_asks_as_the_address_says(self) -> None:
        with serving(answer(WHOLE)) as source:
            fetched(source, "/a%20b?c=d")
            assert source.requests[0].startswith(b"GET /a%20b?c=d HTTP/1.1\r\n")
            assert source.header("Host") == f"files.example:{source.port}"
            assert source.header("Accept-Encoding") == "identity"
            for private in ("Cookie", "Authorization", "Referer", "Range"):
                assert source.header(private) == ""

    @pytest.mark.parametrize(
        "headers",
        ["Transfer-Encoding: chunked", "Connection: close\nTransfer-Encoding: chunked"],
    )
    def test_of_unknown_size(self, headers: str) -> None:
        body = b"5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"
        with serving(answer(body, headers=headers)) as source, opened(source) as response:
            assert response.size is None
            assert b"".join(response.pieces) == b"0123456789"

    @pytest.mark.parametrize(
        ("host", "path", "asked"),
        [
            ("FILES.example.", "/a", "files.example"),
            ("bücher.example", "/ä?q=ö#x@y", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "?a@b", "xn--bcher-kva.example"),
            ("files.example", "//other.example/@c", "files.example"),
        ],
    )
    def test_v1_5_3_one_host_is_looked_up_connected_and_asked(
        self, host: str, path: str, asked: str
    ) -> None:
        names: list[str] = []

        def resolve(name: str, port: int) -> list[str]:
            names.append(name)
            return ["127.0.0.1"]

        with serving(answer(WHOLE)) as source:
            url = source.url(path, host=host)
            with open_url(url, limits=QUICK, reach=reach_of(source, resolve=resolve)):
                pass
            assert names == [asked]
            assert source.header("Host") == f"{asked}:{source.port}"

    @pytest.mark.parametrize("encrypted", [False, True])
    def test_can_be_ended_from_another_thread(
        self, encrypted: bool, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
    ) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst")
            connection.recv(1)  # until the client hangs up

        scheme = "https" if encrypted else "http"
        with serving(script, tls=server_tls if encrypted else None) as source:
            url = source.url(host="files.example", scheme=scheme)
            reach = reach_of(source, ssl_context=client_tls)
            limits = Limits(max_bytes=MIB)
            with open_url(url, limits=limits, reach=reach) as response:
                assert next(response.pieces) == b"first"
                threading.Timer(0.1, response.interrupt).start()
                started = time.monotonic()
                with pytest.raises(SourceUnavailableError):
                    next(response.pieces)
                assert time.monotonic() - started < 10

    def test_over_tls_is_of_the_name(
        self, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
    ) -> None:
        with serving(answer(WHOLE), tls=server_tls) as source:
            reach = reach_of(source, ssl_context=client_tls)
            url = source.url(scheme="https", host="files.example")
            with open_url(url, limits=QUICK, reach=reach) as response:
                assert b"".join(response.pieces) == WHOLE
            other = source.url(scheme="https", host="other.example")
            with (
                pytest.raises(SourceRefusedError, match="certificate"),
                open_url(other, limits=QUICK, reach=reach),
            ):
                pass
            assert len(source.requests) == 1

    def test_an_unknown_certificate_is_refused(self, server_tls: ssl.SSLContext) -> None:
        with serving(answer(WHOLE), tls=server_tls) as source:
            url = source.url(scheme="https", host="files.example")
            with (
                pytest.raises(SourceRefusedError),
                open_url(url, limits=QUICK, reach=reach_of(source)),
            ):
                pass
            assert source.requests == []

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            ("404 Not Found", SourceRefusedError),
            ("403 Forbidden", SourceRefusedError),
            ("204 No Content", SourceRefusedError),
            ("206 Partial Content", SourceRefusedError),
            ("429 Too Many Requests", SourceUnavailableError),
            ("503 Service Unavailable", SourceUnavailableError),
        ],
    )
    def test_other_statuses(self, status: str, error: type[AppError]) -> None:
        found = failure_of(answer(status=status))
        assert type(found) is error

    def test_nobody_there(self) -> None:
        with serving(answer()) as source:
            pass
        with pytest.raises(SourceUnavailableError):
            fetched(source)


class TestGoingOn:
    def test_asks_for_the_rest_of_the_same(self) -> None:
        rest = answer(
            WHOLE[400:], status="206 Partial Content", headers="Content-Range: bytes 400-999/1000"
        )
        with (
            serving(rest) as source,
            opened(source, offset=400, validator='"one"') as response,
        ):
            assert (response.offset, response.size) == (400, 1000)
            assert response.validator == '"one"'
            assert b"".join(response.pieces) == WHOLE[400:]
            assert source.header("Range") == "bytes=400-"
            assert source.header("If-Range") == '"one"'

    def test_gets_the_whole_where_it_changed(self) -> None:
        with (
            serving(answer(WHOLE, headers='ETag: "two"')) as source,
            opened(source, offset=400, validator='"one"') as response,
        ):
            assert (response.offset, response.size, response.validator) == (0, 1000, '"two"')

    def test_asks_for_the_whole_where_nothing_tells_it_apart(self) -> None:
        with serving(answer(WHOLE)) as source, opened(source, offset=400) as response:
            assert response.offset == 0
            assert source.header("Range") == ""

    @pytest.mark.parametrize(
        "headers",
        [
            "Content-Range: bytes 0-999/1000",
            "Content-Range: bytes 400-500/1000",
            'Content-Range: bytes 400-999/1000\nETag: "two"',
            "Content-Range: pages 400-999/1000",
            "Content-Type: multipart/byteranges; boundary=x",
        ],
    )
    def test_refuses_another_part(self, headers: str) -> None:
        rest = answer(WHOLE[400:], status="206 Partial Content", headers=headers)
        found = failure_of(rest, offset=400, validator='"one"')
        assert isinstance(found, SourceChangedError)

    def test_that_there_is_no_rest_is_a_change(self) -> None:
        script = answer(status="416 Range Not Satisfiable")
        assert isinstance(failure_of(script, offset=400, validator='"one"'), SourceChangedError)

    @pytest.mark.parametrize(
        ("headers", "validator"),
        [
            ('ETag: W/"weak"', ""),
            ('ETag: "a\\b"', '"a\\b"'),
            ("ETag: bare", ""),
            (
                "Last-Modified: Tue, 01 Sep 2026 10:00:00 GMT\nDate: Tue, 01 Sep 2026 10:00:05 GMT",
                "Tue, 01 Sep 2026 10:00:00 GMT",
            ),
            (
                "Last-Modified: Tue, 01 Sep 2026 10:00:00 GMT\nDate: Tue, 01 Sep 2026 10:00:00 GMT",
                "",
            ),
            ("Last-Modified: yesterday\nDate: Tue, 01 Sep 2026 10:00:00 GMT", ""),
            (f"Last-Modified: Mon, 01 Jan 2024 00:00:00 +{'9' * 14}\n{NOW}", ""),
            (f"Last-Modified: Mön, 01 Jan 2024 00:00:00 GMT\n{NOW}", ""),
        ],
    )
    def test_only_strong_validators_count(self, headers: str, validator: str) -> None:
        with serving(answer(WHOLE, headers=headers)) as source, opened(source) as response:
            assert response.validator == validator


class TestNames:
    @pytest.mark.parametrize(
        ("path", "headers", "name"),
        [
            ("/a/photo.jpg?size=1", "", "photo.jpg"),
            ("/a/f%C3%B6to.jpg", "", "föto.jpg"),
            ("/download.php?id=5", "", "download"),
            ("/", "", "file"),
            ("/a%2Fb%5Cc.jpg", "", "c.jpg"),
            ("/x", 'Content-Disposition: attachment; filename="a.png"', "a.png"),
            ("/x", "Content-Disposition: attachment; filename*=UTF-8''f%C3%B6.png", "fö.png"),
            ("/x.jpg", 'Content-Disposition: inline; filename="../../etc/passwd"', "passwd"),
            ("/x.jpg", "Content-Disposition: attachment", "x.jpg"),
            ("/x.jpg", "Content-Disposition: attachment; filename*=no-such''a.png", "a.png"),
            ("/x.jpg", "Content-Disposition: attachment; filename*0=a; filename*=b", "x.jpg"),
        ],
    )
    def test_comes_from_header_or_address(self, path: str, headers: str, name: str) -> None:
        with serving(answer(WHOLE, headers=headers)) as source, opened(source, path) as response:
            assert response.name == name


@dataclass(frozen=True)
class FirstHop(Reach):
    """Admits the first address, as if it were public; what follows meets the rules."""

    def addresses_of(self, target: Target) -> list[str]:
        if target.host == "files.example":
            return ["127.0.0.1"]
        return super().addresses_of(target)


class TestNotAllowed:
    """Nothing of it ever connects."""

    @pytest.mark.parametrize("url", [*S1, *S3, *S6])
    def test_s1_s3_s6_what_is_no_plain_address(self, url: str, lonely: Source) -> None:
        with pytest.raises(UrlNotAllowedError), open_url(url, limits=QUICK):
            pass

    @pytest.mark.parametrize(
        "host",
        ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "①②⑦.0.0.1"],
    )
    def test_s2_s3_this_machine(self, host: str, lonely: Source) -> None:
        reach = Reach(ports=frozenset({lonely.port}))
        with (
            pytest.raises(UrlNotAllowedError),
            open_url(lonely.url(host=host), limits=QUICK, reach=reach),
        ):
            pass

    @pytest.mark.parametrize("answers", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"]])
    def test_s4_a_name_of_this_machine(self, answers: list[str], lonely: Source) -> None:
        reach = Reach(ports=frozenset({lonely.port}), resolve=lambda host, port: answers)
        with (
            pytest.raises(UrlNotAllowedError),
            open_url(lonely.url(host="inside.example"), limits=QUICK, reach=reach),
        ):
            pass

    def test_s4_a_name_that_changes_after_the_check(self, lonely: Source) -> None:
        """DNS rebinding: the second answer is never asked for, the first is what is connected."""
        answers = iter([["127.0.0.2"], ["127.0.0.1"]])
        asked: list[str] = []

        def resolve(host: str, port: int) -> list[str]:
            asked.append(host)
            return next(answers)

        only_first = reach_of(lonely, resolve=resolve, networks=(HERE,))
        with (
            pytest.raises(SourceUnavailableError),
            open_url(lonely.url(host="rebind.example"), limits=QUICK, reach=only_first),
        ):
            pass
        assert asked == ["rebind.example"]

    @pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
    @pytest.mark.parametrize("hidden", ["127.0.0.1", "[::1]", "169.254.169.254", "2130706433"])
    def test_s5_a_redirect_inside(self, status: str, hidden: str, lonely: Source) -> None:
        location = f"http://{hidden}:{lonely.port}/"
        with serving(redirect(location, status=status)) as source:
            ports = frozenset({source.port, lonely.port})
            with pytest.raises(UrlNotAllowedError):
                fetched(source, reach=FirstHop(ports=ports))
            assert source.connects == 1

    @pytest.mark.parametrize(
        "location",
        ["file:///etc/passwd", "ftp://files.example/", "/a b", "http://u@files.example/"],
    )
    def test_s5_a_redirect_elsewhere(self, location: str) -> None:
        assert isinstance(failure_of(redirect(location)), UrlNotAllowedError)

    def test_s5_three_redirects_and_no_more(self) -> None:
        with serving(redirect("/next")) as source:
            with pytest.raises(UrlNotAllowedError, match="redirects") as failed:
                fetched(source)
            assert source.connects == 4
            assert "too many" in failed.value.detail

    def test_s5_a_redirect_to_what_is_allowed(self) -> None:
        scripts: list[Script] = []

        def script(connection: socket.socket, request: bytes) -> None:
            scripts.pop(0)(connection, request)

        with serving(script) as source:
            elsewhere = f"//other.example:{source.port}/c.png"
            scripts += [redirect("/b"), redirect(elsewhere), answer(WHOLE)]
            with opened(source) as response:
                assert response.name == "c.png"
                assert b"".join(response.pieces) == WHOLE
            assert source.header("Host", request=1) == f"files.example:{source.port}"
            assert source.header("Host", request=2) == f"other.example:{source.port}"

    @pytest.mark.parametrize("address", HIDDEN)
    def test_s2_the_default_reach_connects_nowhere(
        self, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(socket.socket, "connect", _no_connection)
        host = f"[{address}]" if ":" in address else address
        with pytest.raises(UrlNotAllowedError), open_url(f"http://{host}/", limits=QUICK):
            pass


class TestHostileSource:
    """S7: each ends at a limit, with a code of its own."""

    def test_s7_an_endless_body(self) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(bytes(65536))

        assert isinstance(failure_of(script), SourceTooLargeError)

    def test_s7_endless_chunks(self) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.sendall(b"2000\r\n" + bytes(8192) + b"\r\n")

        assert isinstance(failure_of(script), SourceTooLargeError)

    def test_s7_more_than_allowed_is_refused_by_its_header(self) -> None:
        script = answer(b"x", headers=f"Content-Length: {MIB + 1}")
        assert isinstance(failure_of(script), SourceTooLargeError)

    def test_s7_one_byte_a_second(self) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            for _ in _slowly():
                connection.sendall(b"x")

        started = time.monotonic()
        assert isinstance(failure_of(script), SourceTooSlowError)
        assert time.monotonic() - started < 3

    def test_s7_silence(self) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            connection.recv(1)

        assert isinstance(failure_of(script), SourceTooSlowError)

    def test_s7_too_long_in_all(self) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in _slowly():
                connection.sendall(bytes(2000))

        limits = Limits(max_bytes=MIB, total_seconds=1)
        assert isinstance(failure_of(script, limits=limits), SourceTooSlowError)

    @pytest.mark.parametrize(
        "script",
        [
            answer(b"short", headers="Content-Length: 100"),
            answer(b"5\r\nshort\r\n", headers="Transfer-Encoding: chunked"),
            answer(b"x", headers="Content-Length: 1\nContent-Length: 2"),
            answer(b"x", headers="Content-Length: -1"),
            answer(b"zz\r\n", headers="Transfer-Encoding: chunked"),
            answer(b"x", headers="Transfer-Encoding: gzip"),
        ],
    )
    def test_s7_a_wrong_length_is_no_whole_file(self, script: Script) -> None:
        assert isinstance(failure_of(script), SourceUnavailableError)

    def test_s7_what_comes_behind_the_length_does_not_count(self) -> None:
        with serving(answer(b"0123456789", headers="Content-Length: 4")) as source:
            assert fetched(source) == b"0123"

    @pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip"])
    def test_s7_nothing_is_unpacked(self, encoding: str) -> None:
        bomb = gzip.compress(bytes(10 * MIB))
        found = failure_of(answer(bomb, headers=f"Content-Encoding: {encoding}"))
        assert isinstance(found, SourceRefusedError)
        assert "packed" in found.detail

    def test_s7_a_megabyte_of_header(self) -> None:
        script = answer(WHOLE, headers=f"X-Long: {'x' * MIB}")
        assert isinstance(failure_of(script), SourceUnavailableError)

    @pytest.mark.parametrize("line", [b"X-More: 1\r\n", b"HTTP/1.1 103 Early\r\n\r\n"])
    def test_s7_headers_that_never_end(self, line: bytes) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"" if line.startswith(b"HTTP") else b"HTTP/1.1 200 OK\r\n")
            while True:
                connection.sendall(line)

        assert isinstance(failure_of(script), SourceUnavailableError)

    def test_s7_headers_that_drip(self) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for _ in _slowly():
                connection.sendall(b"X-More: 1\r\n")

        assert isinstance(failure_of(script), SourceTooSlowError)

    def test_s7_a_peer_that_only_listens(self) -> None:
        assert isinstance(
            failure_of(lambda connection, request: _wait(connection)), SourceTooSlowError
        )

    def test_s8_what_the_bytes_name_is_never_fetched(self, lonely: Source) -> None:
        playlist = f"#EXTM3U\n#EXTINF:1,\n{lonely.url('/segment.ts')}\n".encode()
        with serving(answer(playlist)) as source:
            assert fetched(source, "/master.m3u8") == playlist
            assert source.connects == 1

    def test_s9_proxies_of_the_environment_are_ignored(
        self, lonely: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, lonely.url("/"))
            monkeypatch.setenv(name.upper(), lonely.url("/"))
        with serving(answer(WHOLE)) as source:
            assert fetched(source) == WHOLE

    @pytest.mark.parametrize(
        "script",
        [
            lambda connection, request: connection.sendall(b"SSH-2.0-secret_banner\r\n"),
            lambda connection, request: connection.sendall(b"220 secret ESMTP\r\n\r\n"),
            lambda connection, request: connection.sendall(b"-ERR secret\r\n\r\n"),
            answer(b"secret", status="500 secret"),
            answer(b"secret", status="404 secret", headers="X-Secret: secret"),
            answer(b"secret", headers="Content-Length: secret"),
            answer(b"secret", headers="Content-Encoding: secret"),
            redirect("http://secret.example:22/secret"),
        ],
    )
    def test_s10_nothing_of_the_other_side_is_repeated(self, script: Script) -> None:
        found = failure_of(script)
        shown = f"{found.detail} {found.code} {found!r}".lower()
        assert "secret" not in shown.replace("secret.example", "")
        assert found.__cause__ is None
        assert found.__suppress_context__ or found.__context__ is None


def _slowly() -> Iterator[int]:
    for count in itertools.count():
        time.sleep(0.1)  # the pace of a source under test, not a wait
        yield count


def _wait(connection: socket.socket) -> None:
    connection.recv(1)


def _no_connection(*args: object) -> None:
    raise AssertionError("connected")
