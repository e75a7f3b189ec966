"""People who upload file after file, in every way there is, and write down what they hear."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

from apps.core.tests.outbound.sources import Source, answer, serving
from apps.media.tests.flows.badline import BadLine
from apps.media.tests.flows.clients import Person, send
from apps.media.tests.flows.tus import BASE, Tus

MIB = 1024 * 1024
LARGEST = 3 * MIB
PATIENCE = 120.0  # seconds within which a client brings one file through
IMPORTING = 240.0  # seconds: workers die meanwhile, and wait longer after each failure
AGAIN = {400, 408, 409, 423, 429, 460, 502, 503, 504, 507}  # what a client tries again after
DIRECT, IMPORTS = "/api/v1/uploads/direct/", "/api/v1/uploads/imports/"


@dataclass
class History:
    """What clients were told, by file name; and what should never have happened."""

    acknowledged: dict[str, str] = field(default_factory=dict)  # SHA-256
    cancelled: set[str] = field(default_factory=set)
    unknown: dict[str, str] = field(default_factory=dict)  # no answer: there, or not
    violations: list[str] = field(default_factory=list)
    ways: Counter[str] = field(default_factory=Counter)


class GivenUpError(Exception):
    """No answer in time; whether the file is there is not known."""


class Shelf:
    """A source on the web: `put` a file there, and it can be fetched."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self.source = Source(0)

    def put(self, name: str, data: bytes) -> str:
        """Its address."""
        self._files[name] = data
        return self.source.url(f"/{name}")

    def serve(self, connection: socket.socket, request: bytes) -> None:
        name = request.split(b" ")[1].decode().strip("/")
        answer(self._files[name])(connection, request)


@contextlib.contextmanager
def serving_shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    with serving(shelf.serve) as shelf.source:
        yield shelf


def storage_takes_direct(person: Person) -> bool:
    """Whether uploads may go straight to the storage."""
    with person.client() as client:
        answered = client.post(DIRECT, json={"filename": "words.txt", "size": 5})
        if answered.status_code == 201:
            client.delete(f"{DIRECT}{answered.json()['id']}/")
    return answered.status_code == 201


class Client(threading.Thread):
    """One person who uploads one file after another, each in a way of its own."""

    def __init__(
        self,
        person: Person,
        line: BadLine,
        history: History,
        shelf: Shelf,
        *,
        seed: str,
        direct: bool,
    ) -> None:
        super().__init__(name=person.name)
        self._shelf = shelf
        self._may_go_direct = direct
        self._tus = Tus(person, line.address)
        self._history = history
        self._random = random.Random(seed)
        self._ended = threading.Event()

    def run(self) -> None:
        ways = [self._form, self._whole, self._chunked, self._joined, self._cancelled]
        ways += [self._imported, *([self._direct] if self._may_go_direct else [])]
        number = 0
        while not self._ended.is_set():
            number += 1
            way = self._random.choice(ways)
            name = f"{self.name}-{number}.txt"
            data = self._random.randbytes(self._random.randint(1, LARGEST) // 2 + 1).hex().encode()
            try:
                way(name, data)
                self._history.ways[way.__name__] += 1
            except GivenUpError:
                self._history.unknown[name] = _digest(data)
            except Exception as error:
                self._history.violations.append(f"{name} by {way.__name__}: {error!r}")

    def end(self) -> None:
        """After the file that is under way."""
        self._ended.set()

    def _form(self, name: str, data: bytes) -> None:
        """One request, which cannot be repeated without making a second file."""
        try:
            with self._tus.person_client() as client:
                answer = send(client, name, [data], size=len(data))
        except httpx.TransportError as error:
            raise GivenUpError from error
        if answer.status_code == 201:
            self._history.acknowledged[name] = _digest(data)
        elif answer.status_code not in AGAIN:
            raise AssertionError(f"a form was answered {answer.status_code} {answer.text[:200]}")

    def _whole(self, name: str, data: bytes) -> None:
        self._send(self._begin(len(data), name), data, step=len(data))
        self._history.acknowledged[name] = _digest(data)

    def _chunked(self, name: str, data: bytes) -> None:
        self._send(self._begin(len(data), name), data, step=len(data) // 3 + 1)
        self._history.acknowledged[name] = _digest(data)

    def _joined(self, name: str, data: bytes) -> None:
        half = len(data) // 2
        urls = []
        for piece in (data[:half], data[half:]):
            url = self._begin(len(piece), "part", **{"Upload-Concat": "partial"})
            self._send(url, piece, step=len(piece))
            urls.append(url)
        said = {"Upload-Concat": f"final;{' '.join(urls)}", "Upload-Metadata": _named(name)}
        self._insist(lambda client: client.post(BASE, headers=said), {201})
        self._history.acknowledged[name] = _digest(data)

    def _cancelled(self, name: str, data: bytes) -> None:
        url = self._begin(len(data), name)
        with contextlib.suppress(httpx.TransportError):
            self._tus.patch(url, data[: len(data) // 2], 0)
        self._insist(lambda client: client.delete(url), {204, 404})
        self._history.cancelled.add(name)

    def _imported(self, name: str, data: bytes) -> None:
        """Asked for once, as a form is; then the server does the rest, however often it dies."""
        said = {"url": self._shelf.put(name, data), "filename": name}
        try:
            with self._tus.person_client() as client:
                begun = client.post(IMPORTS, json=said)
        except httpx.TransportError as error:
            raise GivenUpError from error
        if begun.status_code != 202:
            if begun.status_code not in AGAIN:
                raise AssertionError(f"an import was answered {begun.status_code}")
            return
        self._await_import(begun.headers["Location"])
        self._history.acknowledged[name] = _digest(data)

    def _await_import(self, address: str) -> None:
        ends = time.monotonic() + IMPORTING
        while time.monotonic() < ends:
            shown = self._insist(lambda client: client.get(address), {200}).json()
            if shown["state"] == "completed":
                return
            if shown["state"] == "failed":
                raise AssertionError(f"an import failed: {shown['failure']}")
            self._ended.wait(0.5)
        raise GivenUpError

    def _direct(self, name: str, data: bytes) -> None:
        """Straight to the storage, where that takes it; only begin and end go over the line."""
        said = {"filename": name, "size": len(data)}
        begun = self._insist(lambda client: client.post(DIRECT, json=said), {201}).json()
        claimed = []
        for part in begun["parts"]:
            start = (part["number"] - 1) * begun["part_size"]
            piece = data[start : start + begun["part_size"]]
            with httpx.Client(trust_env=False, timeout=60) as storage:
                sent = storage.put(part["url"], content=piece, headers=part["headers"])
            claimed.append({"number": part["number"], "etag": sent.headers["ETag"]})
        complete = f"{DIRECT}{begun['id']}/complete/"
        self._insist(lambda client: client.post(complete, json={"parts": claimed}), {200, 201})
        self._history.acknowledged[name] = _digest(data)

    def _begin(self, length: int, name: str, **headers: str) -> str:
        said = {"Upload-Length": str(length), "Upload-Metadata": _named(name), **headers}
        answer = self._insist(lambda client: client.post(BASE, headers=said), {201})
        return answer.headers["Location"]

    def _send(self, url: str, data: bytes, *, step: int) -> None:
        """Until the server says that all is there; it never takes back what it has said."""
        known, ends = 0, time.monotonic() + PATIENCE
        while known < len(data):
            if time.monotonic() > ends:
                raise GivenUpError
            head = self._insist(lambda client: client.head(url), {200})
            offset = int(head.headers["Upload-Offset"])
            if offset < known:
                raise AssertionError(f"{known} bytes were acknowledged, {offset} are there")
            known = offset
            with contextlib.suppress(httpx.TransportError):
                if known < len(data):
                    answer = self._tus.patch(url, data[known : known + step], known)
                    known = int(answer.headers.get("Upload-Offset", known))

    def _insist(
        self, ask: Callable[[httpx.Client], httpx.Response], wanted: set[int]
    ) -> httpx.Response:
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            with contextlib.suppress(httpx.TransportError), self._tus.client(timeout=30) as client:
                answer = ask(client)
                if answer.status_code in wanted:
                    return answer
                if answer.status_code not in AGAIN:
                    raise AssertionError(f"{answer.request.method}: {answer.status_code}")
            self._ended.wait(self._random.uniform(0.1, 0.5))
        raise GivenUpError


def _named(name: str) -> str:
    return f"filename {base64.b64encode(name.encode()).decode()}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
