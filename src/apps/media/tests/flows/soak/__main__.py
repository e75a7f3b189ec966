"""`python -m apps.media.tests.flows.soak --minutes 5 --clients 12 --seed 7`, which is `make soak`.

Not a test of the suite. The seed is printed, and the order of faults follows from it. Every client
writes down what it was told; at the end everything is healed, sweeps have their time, and the
history is compared with the state: acknowledged files are there with their hashes, cancelled ones
are gone, nothing else exists, and rows, objects and accounts agree.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from apps.media.tests.flows.badline import BadLine
from apps.media.tests.flows.servers import Site, running_site
from apps.media.tests.flows.soak.clients import (
    Client,
    History,
    Shelf,
    serving_shelf,
    storage_takes_direct,
)
from apps.media.tests.flows.soak.trouble import Trouble
from apps.media.tests.flows.state import State, assert_accounts, assert_explained
from apps.media.tests.flows.waiting import eventually

SETTLING = 120.0  # seconds in which something has to go on
PATIENT = 50  # attempts of an import: each death of its worker is one


def soak(
    site: Site, line: BadLine, shelf: Shelf, *, seconds: float, clients: int, seed: int
) -> bool:
    """Whether everything is as the clients were told."""
    history, trouble = History(), Trouble(site, line, seed)
    people = [site.person() for _ in range(clients)]
    direct = storage_takes_direct(people[0])  # as long as all is well
    threads = [
        Client(person, line, history, shelf, seed=f"{seed}-{number}", direct=direct)
        for number, person in enumerate(people)
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
    """Work is done, and what is unfinished or on its way out has gone, however much there was."""
    state = look(site)
    while any(left(state)):
        state = eventually(partial(further, site, progress(state)), within=SETTLING)
    return state


def look(site: Site) -> State:
    for act in ("finish_uploads", "expire_uploads", "bury"):
        site.observer.ask(act)
    return site.state()


def left(state: State) -> tuple[int, int]:
    """How many jobs have not ended, and how much else is to come or to go."""
    working = [row for row in state.jobs if row["state"] in {"queued", "running"}]
    unfinished = [row for row in state.uploads if row["state"] != "completed"]
    return len(working), len(unfinished) + len(state.tombstones)


def progress(state: State) -> tuple[int, int]:
    """Grows while jobs end, and then while the rest goes."""
    working, rest = left(state)
    return len(state.jobs) - working, -rest


def further(site: Site, before: tuple[int, int]) -> State | None:
    state = look(site)
    return state if progress(state) > before else None


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
        running_site(Path(directory), IMPORT_ATTEMPTS=PATIENT) as site,
        BadLine(site.address) as line,
        serving_shelf() as shelf,
    ):
        seconds = said.minutes * 60
        good = soak(site, line, shelf, seconds=seconds, clients=said.clients, seed=said.seed)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
