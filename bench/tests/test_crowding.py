"""The people of the crowd: what they count as a stall, as a failure and as an upload."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from apps.media.tests.flows.waiting import eventually
from bench import crowding
from bench.crowding import Order

FILM = bytes(range(256)) * 4
MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",URI="sound.m3u8?v=1"
#EXT-X-STREAM-INF:BANDWIDTH=1
picture.m3u8?v=1
"""
TRACK = """#EXTM3U
#EXT-X-MAP:URI="{name}.mp4?v=1",BYTERANGE="24@0"
#EXTINF:{seconds},
#EXT-X-BYTERANGE:400@24
{name}.mp4?v=1
#EXTINF:{seconds},
#EXT-X-BYTERANGE:600@424
{name}.mp4?v=1
#EXT-X-ENDLIST
"""


def test_a_playlist_is_read_as_ranges_of_one_file() -> None:
    text = TRACK.format(name="720p", seconds="4.000000")
    head, segments = crowding.read_playlist("/media/1/hls/720p.m3u8?v=1", text)
    address = "/media/1/hls/720p.mp4?v=1"
    assert head == crowding.Segment(address, 0, 24)
    assert segments == [
        crowding.Segment(address, 24, 400, 4.0),
        crowding.Segment(address, 424, 600, 4.0),
    ]


def test_what_is_no_playlist_is_refused() -> None:
    with pytest.raises(ValueError, match="no playlist"):
        crowding.read_playlist("/media/1/hls/720p.m3u8", "<html>")


@dataclass
class Behaviour:
    """What the small site does otherwise than it should, and what it was sent."""

    seconds: float = 0.01  # that a segment plays
    delay: float = 0.0  # seconds before a later segment comes
    broken: bool = False
    changing: bool = False
    uploads: dict[str, bytes] = field(default_factory=dict)
    answered: int = 0


@contextmanager
def small_site(behaviour: Behaviour) -> Iterator[int]:
    """The port of a site that has one film and takes uploads."""

    class Site(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2].partition("?")[0]
            if name == "master.m3u8":
                return self.answer(200, MASTER.encode())
            if name.endswith(".m3u8"):
                text = TRACK.format(name=name[:-5], seconds=behaviour.seconds)
                return self.answer(200, text.encode())
            start, end = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
            if start == 424 and behaviour.broken:
                return self.answer(500, b"")
            if start == 424:
                threading.Event().wait(behaviour.delay)
            content = FILM[start : end + 1]
            behaviour.answered += 1
            if behaviour.changing:
                content = behaviour.answered.to_bytes(4, "big") + content[4:]
            return self.answer(206, content)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "tus" in self.path:
                name = str(len(behaviour.uploads))
                behaviour.uploads[name] = b""
                return self.answer(201, b"", {"Location": f"http://site/uploads/tus/{name}"})
            content = body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
            behaviour.uploads["form"] = content
            return self.answer(201, json.dumps({"id": "form"}).encode())

        def do_PATCH(self) -> None:
            name = self.path.rpartition("/")[2]
            assert int(self.headers["Upload-Offset"]) == len(behaviour.uploads[name])
            behaviour.uploads[name] += self.rfile.read(int(self.headers["Content-Length"]))
            place = f"http://site{crowding.FORM}{name}/"
            return self.answer(204, b"", {"Content-Location": place})

        def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for header, value in (headers or {}).items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def one_viewer(crowd: crowding.Crowd) -> None:
    """From the master playlist to the end of the film, once."""
    viewer = crowding.Viewer(crowd, 0)
    viewer.random.uniform = lambda *_: 0.0  # type: ignore[method-assign]
    viewer.visit()


def watched(behaviour: Behaviour) -> crowding.Met:
    with small_site(behaviour) as port:
        crowd = crowding.Crowd(Order(port, 1, films=["/media/1/hls/master.m3u8"], viewers=1))
        one_viewer(crowd)
    return crowd.met


def test_a_viewer_gets_the_film_as_it_plays() -> None:
    met = watched(Behaviour(seconds=5))
    assert (len(met.first), len(met.segments), met.stalls) == (1, 1, 0)
    assert met.requests == 9  # three playlists, two heads, two segments of two tracks
    assert met.sent == 2 * len(FILM)


def test_a_segment_that_takes_longer_than_the_one_before_plays_is_a_stall() -> None:
    assert watched(Behaviour(seconds=0.05, delay=0.2)).stalls == 1


def test_an_error_is_no_film() -> None:
    with pytest.raises(ValueError, match="500"):
        watched(Behaviour(broken=True))


def test_other_bytes_of_the_same_segment_are_no_film() -> None:
    behaviour = Behaviour(changing=True)
    with small_site(behaviour) as port:
        crowd = crowding.Crowd(Order(port, 1, films=["/media/1/hls/master.m3u8"], viewers=1))
        one_viewer(crowd)
        with pytest.raises(ValueError, match="other bytes"):
            one_viewer(crowd)


def test_a_failure_is_told_and_the_viewer_comes_back() -> None:
    with small_site(Behaviour(broken=True, seconds=0.01)) as port:
        crowd = crowding.Crowd(Order(port, 1, films=["/media/1/hls/master.m3u8"], viewers=1))
        viewer = crowding.Viewer(crowd, 0)
        viewer.random.uniform = lambda *_: 0.0  # type: ignore[method-assign]
        viewer.start()
        eventually(lambda: len(crowd.met.first) == 2)
        crowd.over.set()
        viewer.join()
    assert "500" in crowd.met.failures[0]


def test_what_is_uploaded_is_told_by_its_hash(tmp_path: Path) -> None:
    photograph, small = tmp_path / "photograph", tmp_path / "small"
    photograph.write_bytes(b"p" * (crowding.PIECE + 7))
    small.write_bytes(b"small\r\n")
    behaviour = Behaviour()
    with small_site(behaviour) as port:
        files = {"photographs": [str(photograph)], "small": str(small)}
        order = Order(port, 9, tokens=["t"], rate=1 << 30, **files)  # type: ignore[arg-type]
        crowd = crowding.Crowd(order)
        crowding.Uploader(crowd, 0).visit()
    sent = {name: hashlib.sha256(data).hexdigest() for name, data in behaviour.uploads.items()}
    assert {name: told for name, (told, _) in crowd.met.uploads.items()} == sent
    assert len(crowd.met.answers) == 4  # announced, two pieces, the form


def test_a_slow_line_takes_its_time() -> None:
    body = crowding.SlowBody(b"x" * 4 * crowding.STEP, rate=20 * crowding.STEP)
    began = body.ended
    assert b"".join(body) == b"x" * 4 * crowding.STEP
    assert body.ended - began >= 3 / 20
