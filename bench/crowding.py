"""The people of `bench/run crowd`, in a process of their own: some watch a film, others upload.

`gather` starts it; run as a program it reads an order in JSON from standard input and prints what
the people have met. Each is a thread that waits most of the time: for the next segment to be due,
or for a slow line.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from itertools import pairwise
from pathlib import Path
from urllib.parse import urljoin, urlsplit

KIB = 1024
PIECE = 1024 * KIB  # bytes of one PATCH
STEP = 16 * KIB  # bytes that a slow line gives at once
PATIENCE = 60  # seconds
BOUNDARY = "boundary-of-the-crowd"
TUS, FORM = "/api/v1/uploads/tus/", "/api/v1/media/"
RANGE = re.compile(r"(\d+)@(\d+)")


@dataclass(frozen=True)
class Order:
    """Who comes to the server at `port`, and for how long.

    `films` are the addresses of master playlists, dealt out to `viewers`. Each of `tokens` is of
    somebody who uploads one of `photographs` after the other, at `rate` bytes a second, and a
    small file by form after each.
    """

    port: int
    seconds: float
    films: list[str] = field(default_factory=list)
    viewers: int = 0
    tokens: list[str] = field(default_factory=list)
    photographs: list[str] = field(default_factory=list)
    small: str = ""
    rate: int = 256 * KIB


@dataclass
class Met:
    """What people have met: seconds, and failures in words."""

    requests: int = 0
    first: list[float] = field(
        default_factory=list
    )  # from the master playlist to the first picture
    segments: list[float] = field(default_factory=list)
    stalls: int = 0
    sent: int = 0  # bytes to viewers
    answers: list[float] = field(
        default_factory=list
    )  # from the last byte of a request that uploads
    uploads: dict[str, list[str | int]] = field(default_factory=dict)  # id: SHA-256, bytes
    failures: list[str] = field(default_factory=list)


def gather(order: Order) -> Met:
    """Have them come, and return when all have gone."""
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(asdict(order)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=order.seconds + 10 * PATIENCE,
    )
    return Met(**json.loads(done.stdout))


@dataclass(frozen=True)
class Segment:
    """A piece of a track: a range of a file, and how long it plays."""

    address: str
    start: int
    size: int
    seconds: float = 0.0


class Crowd:
    """What all of them share."""

    def __init__(self, order: Order) -> None:
        self.order, self.met = order, Met()
        self.lock, self.over = threading.Lock(), threading.Event()
        self._sums: dict[tuple[str, int], int] = {}

    def is_as_before(self, segment: Segment, content: bytes) -> bool:
        """Whether everybody gets the same bytes of a segment."""
        told = zlib.crc32(content)
        # The same file under each of its addresses: what stands after its folder names the range.
        key = (segment.address.rpartition("/hls/")[2], segment.start)
        with self.lock:
            return self._sums.setdefault(key, told) == told


class Person(threading.Thread):
    """One connection that is kept open, as long as nothing fails."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        super().__init__()
        self.crowd, self.number = crowd, number
        self.random = random.Random(number)
        self._line: HTTPConnection | None = None

    def run(self) -> None:
        while not self.crowd.over.is_set():
            try:
                self.visit()
            except (OSError, HTTPException, ValueError) as error:
                self._fail(repr(error))

    def visit(self) -> None:
        raise NotImplementedError

    def _fail(self, problem: str) -> None:
        with self.crowd.lock:
            self.crowd.met.failures.append(f"{type(self).__name__}: {problem}")
        self._line = None
        self.crowd.over.wait(1)

    def ask(self, method: str, path: str, wanted: int, **options: object) -> HTTPResponse:
        """The answer, whose body is to be read; `ValueError` for any other status than `wanted`."""
        with self.crowd.lock:
            self.crowd.met.requests += 1
        if self._line is None:
            self._line = HTTPConnection("127.0.0.1", self.crowd.order.port, timeout=PATIENCE)
        self._line.request(method, path, **options)  # type: ignore[arg-type]
        answer = self._line.getresponse()
        if answer.status != wanted:
            raise ValueError(f"{method} {path}: {answer.status} {answer.read(500)!r}")
        return answer


class Viewer(Person):
    """Plays the film from its beginning at the speed at which it was made, again and again.

    A segment is asked for when the one before begins to play, so it has as long as that plays; one
    that takes longer is a stall.
    """

    def visit(self) -> None:
        order = self.crowd.order
        if self.crowd.over.wait(self.random.uniform(0, 4)):  # not all in one moment
            return
        began = time.perf_counter()
        master = order.films[self.number % len(order.films)]
        tracks = [self._track(address) for address in self._choose(master)]
        for head, _ in tracks:
            self._fetch(head)
        first, *rest = zip(*(segments for _, segments in tracks), strict=False)
        self._fetch_all(first)
        plays = time.perf_counter()
        with self.crowd.lock:
            self.crowd.met.first.append(plays - began)
        for before, pair in pairwise((first, *rest)):
            if self.crowd.over.wait(max(0.0, plays - time.perf_counter())):
                return
            self._play(pair, within=before[0].seconds)
            plays += before[0].seconds

    def _choose(self, master: str) -> list[str]:
        """The playlists of one of the qualities, and of the sound."""
        text = self._text(master)
        pictures = [line for line in text.splitlines() if line and not line.startswith("#")]
        chosen = pictures[self.number // len(self.crowd.order.films) % len(pictures)]
        sounds = re.findall(r'TYPE=AUDIO.*URI="([^"]+)"', text)
        return [urljoin(master, address) for address in (chosen, *sounds)]

    def _track(self, address: str) -> tuple[Segment, list[Segment]]:
        return read_playlist(address, self._text(address))

    def _text(self, path: str) -> str:
        return self.ask("GET", path, 200).read(PIECE).decode()

    def _play(self, pair: tuple[Segment, ...], *, within: float) -> None:
        """Picture and sound of one segment, which have `within` seconds to come."""
        asked = time.perf_counter()
        self._fetch_all(pair)
        took = time.perf_counter() - asked
        with self.crowd.lock:
            self.crowd.met.segments.append(took)
            self.crowd.met.stalls += took > within

    def _fetch_all(self, pair: tuple[Segment, ...]) -> None:
        for segment in pair:
            self._fetch(segment)

    def _fetch(self, segment: Segment) -> None:
        last = segment.start + segment.size - 1
        answer = self.ask(
            "GET", segment.address, 206, headers={"Range": f"bytes={segment.start}-{last}"}
        )
        content = answer.read(segment.size + 1)
        if len(content) != segment.size or not self.crowd.is_as_before(segment, content):
            raise ValueError(f"{segment}: other bytes, {len(content)}")
        with self.crowd.lock:
            self.crowd.met.sent += len(content)


def read_playlist(address: str, text: str) -> tuple[Segment, list[Segment]]:
    """The head and the segments of a track (RFC 8216 §4.3.2)."""
    head, seconds, size, start = None, 0.0, 0, 0
    segments = []
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if found := RANGE.search(value):
            size, start = int(found[1]), int(found[2])
        if name == "#EXT-X-MAP" and (uri := re.search(r'URI="([^"]+)"', value)):
            head = Segment(urljoin(address, uri[1]), start, size)
        elif name == "#EXTINF":
            seconds = float(value.partition(",")[0])
        elif line and not line.startswith("#"):
            segments.append(Segment(urljoin(address, line), start, size, seconds))
    if head is None or not segments:
        raise ValueError(f"{address} is no playlist of a track")
    return head, segments


class Uploader(Person):
    """Puts in a photograph by tus and a small file by form, again and again, on a slow line."""

    def visit(self) -> None:
        order = self.crowd.order
        path = Path(order.photographs[self.random.randrange(len(order.photographs))])
        self._tus(self._unlike(path))
        if not self.crowd.over.is_set():
            self._form(self._unlike(Path(order.small)))

    def _unlike(self, path: Path) -> bytes:
        """The file, with an end that no other has."""
        return path.read_bytes() + self.random.randbytes(16)

    def _tus(self, data: bytes) -> None:
        name = base64.b64encode(b"photo.jpg").decode()
        said = {"Upload-Length": str(len(data)), "Upload-Metadata": f"filename {name}"}
        created = self._ask_slowly("POST", TUS, 201, b"", said)
        place = urlsplit(created.headers["Location"]).path
        for start in range(0, len(data), PIECE):
            said = {"Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}
            answer = self._ask_slowly("PATCH", place, 204, data[start : start + PIECE], said)
        address = urlsplit(answer.headers["Content-Location"]).path
        self._keep(address.rstrip("/").rpartition("/")[2], data)

    def _form(self, data: bytes) -> None:
        said = 'Content-Disposition: form-data; name="file"; filename="small.jpg"'
        head = f"--{BOUNDARY}\r\n{said}\r\nContent-Type: image/jpeg\r\n\r\n".encode()
        body = head + data + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        answer = self._ask_slowly("POST", FORM, 201, body, kind)
        self._keep(json.loads(answer.content)["id"], data)

    def _ask_slowly(
        self, method: str, path: str, wanted: int, body: bytes, said: dict[str, str]
    ) -> Answer:
        token = self.crowd.order.tokens[self.number]
        headers = {"Authorization": f"Token {token}", "Content-Length": str(len(body)), **said}
        if path != FORM:
            headers["Tus-Resumable"] = "1.0.0"
        line = SlowBody(body, self.crowd.order.rate)
        answer = self.ask(method, path, wanted, body=line, headers=headers)
        content = answer.read(PIECE)
        with self.crowd.lock:
            self.crowd.met.answers.append(time.perf_counter() - line.ended)
        return Answer(dict(answer.getheaders()), content)

    def _keep(self, media: str, data: bytes) -> None:
        with self.crowd.lock:
            self.crowd.met.uploads[media] = [hashlib.sha256(data).hexdigest(), len(data)]


@dataclass(frozen=True)
class Answer:
    headers: dict[str, str]
    content: bytes


class SlowBody:
    """A body that comes at `rate` bytes a second; `ended` is when its last byte was given away."""

    def __init__(self, data: bytes, rate: int) -> None:
        self._data, self._rate = data, rate
        self.ended = time.perf_counter()

    def __iter__(self) -> Iterator[bytes]:
        began, pause = time.perf_counter(), threading.Event()
        for start in range(0, len(self._data), STEP):
            pause.wait(max(0.0, began + start / self._rate - time.perf_counter()))
            yield self._data[start : start + STEP]
        self.ended = time.perf_counter()


def carry_out(order: Order) -> Met:
    crowd = Crowd(order)
    people: list[Person] = [Viewer(crowd, number) for number in range(order.viewers)]
    people += [Uploader(crowd, number) for number in range(len(order.tokens))]
    for person in people:
        person.start()
    crowd.over.wait(order.seconds)
    crowd.over.set()
    for person in people:
        person.join()
    return crowd.met


if __name__ == "__main__":
    print(json.dumps(asdict(carry_out(Order(**json.load(sys.stdin))))))
