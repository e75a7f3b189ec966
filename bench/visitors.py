"""People at a site that is worked on: they fetch known files and look at every byte, and put in new
ones. What is not as it should be is a failure."""

from __future__ import annotations

import contextlib
import hashlib
import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from apps.media.tests import samples
from apps.media.tests.flows.clients import Person, send

SIZE = 1024  # bytes of each known object
LINE = 16
PAUSE = 0.1  # seconds between requests of one: a site under load, not an overloaded one
UPLOAD_EVERY = 20  # requests
ORIGINAL, RENDITION = "original", "smaller."


def known_content(kind: str, number: int) -> bytes:
    return f"{kind}{number:08d}".encode() * (SIZE // LINE)


def known_id(number: int) -> uuid.UUID:
    return uuid.UUID(hashlib.md5(f"file {number}".encode()).hexdigest())


@dataclass
class Told:
    """What the visitors have seen."""

    requests: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    uploads: dict[str, str] = field(default_factory=dict)  # acknowledged: SHA-256 by id
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, problem: str = "") -> None:
        with self.lock:
            self.requests[what] += 1
            if problem:
                self.failures.append(f"{what}: {problem}")


@dataclass
class Site:
    """Where visitors go, which changes when another server takes over, and what is there."""

    address: str
    files: int
    owner: Person


class Visitor(threading.Thread):
    """`owner` reads; new files go to the account of `person`."""

    def __init__(self, site: Site, person: Person, told: Told, seed: int) -> None:
        super().__init__()
        self._site, self._person, self._told = site, person, told
        self._random, self._over = random.Random(seed), threading.Event()

    def run(self) -> None:
        count = 0
        while not self._over.wait(PAUSE):
            count += 1
            address = self._site.address
            with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
                while address == self._site.address and not self._over.wait(PAUSE):
                    count += 1
                    self._upload(client) if count % UPLOAD_EVERY == 0 else self._fetch(client)

    def end(self) -> None:
        self._over.set()

    def _fetch(self, client: httpx.Client) -> None:
        number = self._random.randint(1, self._site.files)
        kind, path = self._random.choice(((ORIGINAL, "original"), (RENDITION, "r/thumb.webp")))
        wanted = known_content(kind, number)
        url, headers = f"/media/{known_id(number)}/{path}", self._site.owner.headers
        try:
            answer = client.get(url, headers=headers, follow_redirects=True)
        except httpx.HTTPError as error:
            self._told.count("download", repr(error))
            return
        problem = (
            "" if answer.content == wanted else f"{answer.status_code} {answer.content[:80]!r}"
        )
        self._told.count("download", problem)

    def _upload(self, client: httpx.Client) -> None:
        width = self._random.randint(64, 256)
        data = samples.photo_jpeg(width, 64, quality=self._random.randint(60, 95))
        data += self._random.randbytes(8)  # none is like another
        client.headers = self._person.headers
        try:
            answer = send(client, "new.jpg", [data], size=len(data))
        except httpx.HTTPError as error:
            self._told.count("upload", repr(error))
            return
        finally:
            client.headers = {}
        if answer.status_code != 201:
            self._told.count("upload", f"{answer.status_code} {answer.text[:80]}")
            return
        self._told.count("upload")
        self._told.uploads[answer.json()["id"]] = hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def visited(site: Site, people: list[Person], told: Told) -> Iterator[None]:
    """Inside, one visitor for each of `people` is at `site`."""
    visitors = [Visitor(site, person, told, seed) for seed, person in enumerate(people)]
    for visitor in visitors:
        visitor.start()
    try:
        yield
    finally:
        for visitor in visitors:
            visitor.end()
        for visitor in visitors:
            visitor.join()
