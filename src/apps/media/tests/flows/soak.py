"""Minutes of uploads while things break at random: what was acknowledged must be there at the end.

    python -m apps.media.tests.flows.soak --minutes 5 --clients 12 --seed 7     (bench/run soak)

Not a test of the suite. The seed is printed, and the order of faults follows from it. Every client
writes down what it was told; at the end everything is healed, sweeps have their time, and the
history is compared with the state: acknowledged files are there with their hashes, cancelled ones
are gone, nothing else exists, and rows, objects and accounts agree.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from apps.media.tests.flows.badline import BadLine, Fault
from apps.media.tests.flows.clients import Person, send
from apps.media.tests.flows.servers import PROGRAMS, Site, running_site
from apps.media.tests.flows.state import State, assert_accounts, assert_explained
from apps.media.tests.flows.tus import BASE, Tus
from apps.media.tests.flows.waiting import eventually

MIB = 1024 * 1024
LARGEST = 3 * MIB
PATIENCE = 120.0  # seconds within which a client brings one file through
AGAIN = {400, 408, 409, 423, 429, 460, 502, 503, 504, 507}  # what a client tries again after
SETTLING = 300.0


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


class Client(threading.Thread):
    """One person who uploads one file after another, each in a way of its own."""

    def __init__(self, person: Person, line: BadLine, history: History, seed: str) -> None:
        super().__init__(name=person.name)
        self._tus = Tus(person, line.address)
        self._history = history
        self._random = random.Random(seed)
        self._ended = threading.Event()

    def run(self) -> None:
        ways = (self._form, self._whole, self._chunked, self._joined, self._cancelled)
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


class Trouble:
    """One fault after the other, as the seed has it."""

    def __init__(self, site: Site, line: BadLine, seed: int) -> None:
        self._site = site
        self._line = line
        self._random = random.Random(seed)
        self.seen: Counter[str] = Counter()

    def strike(self) -> None:
        processes = [self._kill_child, self._kill_web, self._stop_web, self._kill_worker]
        happen = self._random.choice([*[self._bad_line] * 4, self._hang_up, *processes])
        happen()

    def heal(self) -> None:
        self._line.heal()
        self._site.ensure_running(*PROGRAMS)

    def _bad_line(self) -> None:
        fault = self._random.choice(
            [
                Fault("cut", "^(PATCH|POST)", at=self._random.randint(1, LARGEST)),
                Fault("reset", "^(PATCH|POST)", at=self._random.randint(1, LARGEST)),
                Fault("lost_reply", self._random.choice(["^PATCH", "^POST", "^DELETE", ""])),
                Fault("cut_reply", "", at=self._random.randint(1, 200)),
                Fault("delay", seconds=self._random.random()),
                Fault("throttle", rate=self._random.randint(100_000, 1_000_000)),
                Fault("black_hole", "^(PATCH|HEAD)", times=4),
                Fault("status", status=502, times=20),
            ]
        )
        self._line.suffer(fault)
        self._tell(fault.kind)

    def _kill_child(self) -> None:
        self._random.choice(self._site.children("web")).kill()
        self._tell("kill -9 a web process")

    def _kill_web(self) -> None:
        self._site.kill_family("web")
        self._site.ensure_running("web")
        self._tell("kill -9 the web")

    def _stop_web(self) -> None:
        self._site.terminate("web")
        self._site.ensure_running("web")
        self._tell("restart the web")

    def _kill_worker(self) -> None:
        self._site.kill_family("worker")
        self._site.ensure_running("worker")
        self._tell("kill -9 the worker")

    def _hang_up(self) -> None:
        self._line.hang_up()
        self._tell("every line breaks")

    def _tell(self, what: str) -> None:
        self.seen[what] += 1
        sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {what}\n")
        sys.stdout.flush()


def soak(site: Site, line: BadLine, *, seconds: float, clients: int, seed: int) -> bool:
    """Whether everything is as the clients were told."""
    history, trouble = History(), Trouble(site, line, seed)
    people = [site.person() for _ in range(clients)]
    threads = [
        Client(person, line, history, f"{seed}-{number}") for number, person in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    ends, pause = time.monotonic() + seconds, random.Random(seed + 1)
    waiting = threading.Event()
    while time.monotonic() < ends:
        trouble.strike()
        waiting.wait(pause.uniform(2, 8))
    for thread in threads:
        thread.end()
    trouble.heal()
    for thread in threads:
        thread.join()
    found = [*history.violations, *compare(history, settle(site))]
    found += site.observer.ask("violations")
    report(history, trouble, found)
    return not found


def settle(site: Site) -> State:
    """Work is done, and what is unfinished or on its way out has gone."""

    def quiet() -> State | None:
        site.observer.ask("finish_uploads")
        site.observer.ask("expire_uploads")
        site.observer.ask("bury")
        state = site.state()
        working = [row for row in state.jobs if row["state"] in {"queued", "running"}]
        unfinished = [row for row in state.uploads if row["state"] != "completed"]
        return None if working or unfinished or state.tombstones else state

    state = eventually(quiet, within=SETTLING)
    assert state is not None
    return state


def compare(history: History, state: State) -> Iterator[str]:
    """What is not as it was told."""
    stored = Counter(row["original_name"] for row in state.media)
    digests = {row["original_name"]: row["sha256"] for row in state.media}
    for name, digest in history.acknowledged.items():
        if stored[name] != 1 or digests[name] != digest:
            yield f"acknowledged {name}: {stored[name]} files, hash {digests.get(name)}"
    for name in history.cancelled & set(stored):
        yield f"cancelled {name} is there"
    for name in set(stored) - set(history.acknowledged):
        if digests[name] != history.unknown.get(name):
            yield f"nobody was told of {name}"
    yield from (f"{row['original_name']} is {row['status']}" for row in state.media if is_bad(row))
    for check in (assert_explained, assert_accounts):
        try:
            check(state)
        except AssertionError as error:
            yield f"{check.__name__}: {error}"


def is_bad(row: dict[str, object]) -> bool:
    return row["status"] != "ready"


def report(history: History, trouble: Trouble, found: list[str]) -> None:
    lines = [
        f"files by way: {dict(history.ways)}",
        f"faults: {dict(trouble.seen)}",
        f"acknowledged {len(history.acknowledged)}, cancelled {len(history.cancelled)}, "
        f"without an answer {len(history.unknown)}",
        *found,
        f"{len(found)} violations",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    said = parser.parse_args()
    sys.stdout.write(f"seed {said.seed}\n")
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as directory,
        running_site(Path(directory)) as site,
        BadLine(site.address) as line,
    ):
        seconds = said.minutes * 60
        good = soak(site, line, seconds=seconds, clients=said.clients, seed=said.seed)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
