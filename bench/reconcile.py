"""Benchmark of `manage.py media_reconcile`: `bench/run reconcile`.

So many rows and so many objects, a few of them wrong, are compared by the command as an operator
runs it: its peak of memory must not grow with their number. Then it is stopped on the way, by
Ctrl-C and by SIGTERM, goes on from its bookmark, and must find the same. It needs PostgreSQL
(DATABASE_URL), where it makes and drops a database of its own, and an inode for each object.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import benchmark
import project
import report
from benchmark import Found
from databases import copied
from figures import Figure

HEADING = "Rows against objects: `media_reconcile`"
WRONG = 5  # objects without a row, and as many rows without their object
GROWTH = 24.0  # MiB by which the peak may be higher with the most
MIB = 1024 * 1024
ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT
STOPS = (signal.SIGINT, signal.SIGTERM)

FILES = """
INSERT INTO media_mediafile ({files})
SELECT {files_of} FROM media_mediafile t, generate_series({first}, {last}) g WHERE t.id = %(media)s
"""
VERSIONS = """
INSERT INTO media_mediaversion ({versions})
SELECT {versions_of} FROM media_mediaversion t, generate_series({first}, {last}) g
WHERE t.media_id = %(media)s
"""
KEY = "'original/' || substr(md5(g::text), 1, 2) || '/' || md5(g::text)"
ID = "md5('file ' || g)::uuid"


@dataclass(frozen=True)
class Run:
    """One run of the command, or several that went on from one another."""

    seconds: float
    peak: float  # MiB, the highest of all processes
    found: int
    stops: int = 0


def main() -> int:
    chosen = _options()
    address = project.postgresql()
    line = benchmark.circumstances("django", others=[project.postgresql_version(address)])
    with project.own_project("reconcile", address) as place:
        found = measure(place, sorted(chosen.rows))
    return benchmark.conclude("reconcile", f"{HEADING}\n\n{line}", found, chosen)


def _options() -> argparse.Namespace:
    parser = benchmark.options(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    return parser.parse_args()


def measure(place: Path, sizes: Sequence[int]) -> Found:
    media_id = _begin()
    runs: dict[int, Run] = {}
    made = 0
    for size in sizes:
        _fill(place / "media", media_id, first=made + 1, last=size)
        made = size
        runs[size] = _run(place)
        sys.stdout.write(f"{size}: {runs[size]}\n")
        sys.stdout.flush()
    resumed = _run(place, stops=STOPS)
    most = runs[max(runs)]
    figures = [
        Figure("peak of memory, MiB", (most.peak,)),
        Figure("rows and objects a second", (max(runs) / most.seconds,), "more"),
    ]
    return Found(_tables(runs, resumed), _verdicts(runs, resumed), figures)


# -- what is compared --------------------------------------------------------------------------


def _begin() -> str:
    """A database with one file, which all others are like."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415  # once Django is set up
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    owner = get_user_model().objects.create_user(username="owner")
    testing = importlib.import_module("apps.media.testing")
    return str(testing.make_media(owner=owner, content=b"x", renditions=()).pk)


def _fill(store: Path, media_id: str, *, first: int, last: int) -> None:
    from django.db import connection  # noqa: PLC0415

    models = importlib.import_module("apps.media.models")
    files = copied(models.MediaFile, id=ID)
    versions = copied(models.MediaVersion, id=None, media_id=ID, key=KEY)
    columns = {
        "files": ", ".join(files),
        "files_of": ", ".join(files.values()),
        "versions": ", ".join(versions),
        "versions_of": ", ".join(versions.values()),
    }
    with connection.cursor() as cursor:
        for statement in (FILES, VERSIONS):
            text = statement.format(**columns, first=first, last=last)
            cursor.execute(text, {"media": media_id})
        cursor.execute(
            "UPDATE media_quota SET bytes_used = n, files_used = n "
            "FROM (SELECT count(*) AS n FROM media_mediafile) AS counted"
        )
        cursor.execute("ANALYZE")
    _write_objects(store, first, last)


def _write_objects(store: Path, first: int, last: int) -> None:
    """Of the very first few there is none; as many others no row knows."""
    for number in range(256):
        (store / "original" / f"{number:02x}").mkdir(parents=True, exist_ok=True)
    for number in range(first, last + 1):
        if number > WRONG:
            _write(store, hashlib.md5(str(number).encode()).hexdigest())
    if first == 1:
        for number in range(WRONG):
            _write(store, hashlib.md5(f"stray {number}".encode()).hexdigest())


def _write(store: Path, name: str) -> None:
    path = f"{store}/original/{name[:2]}/{name}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, b"x")
    os.close(descriptor)
    os.utime(path, (0, 0))  # long ago: what is young is left out


# -- the command -------------------------------------------------------------------------------


def _run(place: Path, stops: Sequence[signal.Signals] = ()) -> Run:
    """Run it to its end; each of `stops` ends it on the way, and it is started again."""
    state, started, peak, out = place / "state.json", time.monotonic(), 0.0, ""
    for stop in (*stops, None):
        code, out, used = _process(state, stop)
        peak = max(peak, used)
        expected = 128 + stop if stop else 1  # 1: there are violations
        if code != expected:
            raise RuntimeError(f"media_reconcile ended with {code} instead of {expected}: {out}")
    found = re.search(r"Found (\d+) violations", out)
    return Run(time.monotonic() - started, peak, int(found[1]) if found else -1, len(stops))


def _process(state: Path, stop: signal.Signals | None) -> tuple[int, str, float]:
    """Its exit code, its output, and the most MiB it had in memory."""
    command = [sys.executable, "-m", "django", "media_reconcile", "--strict", "--state", str(state)]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        peak = _watch(process, state, stop)
        process.wait()
        output.seek(0)
        return process.returncode, output.read(), peak


def _watch(process: subprocess.Popen[bytes], state: Path, stop: signal.Signals | None) -> float:
    """Until it ends: the most MiB it had in memory. `stop` is sent when its bookmark moves on.

    The kernel's figure of the program alone: that of `wait4` begins with the memory of whoever
    started it.
    """
    before, peak, pause = _bookmark(state), 0, threading.Event()
    status = Path(f"/proc/{process.pid}/status")
    while not os.waitid(os.P_PID, process.pid, ENDED):
        found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
        peak = int(found[1]) if found else peak
        if stop and _bookmark(state) != before:
            process.send_signal(stop)
            stop = None
        pause.wait(0.05)
    return peak / 1024


def _bookmark(state: Path) -> str:
    return json.loads(state.read_text())["after"] if state.exists() else ""


# -- what is told ------------------------------------------------------------------------------


def _tables(runs: dict[int, Run], resumed: Run) -> list[report.Table]:
    rows = [_row(f"{size:,}".replace(",", " "), size, run) for size, run in runs.items()]
    most = max(runs)
    rows.append(_row("the same, stopped twice", most, resumed))
    note = (
        "Rows on PostgreSQL, each with an object of one byte in a directory; "
        f"{WRONG} objects have no row and {WRONG} rows no object. The peak is the resident memory "
        "of the command, Python and Django included. Stopped once by SIGINT and once by SIGTERM, "
        "it went on from `--state` each time."
    )
    headings = ("rows and objects", "seconds", "per second", "peak MiB", "found")
    return [report.Table("media_reconcile --strict", headings, tuple(rows), note)]


def _row(words: str, size: int, run: Run) -> tuple[str, ...]:
    rate = f"{size / run.seconds:.0f}"
    return (words, f"{run.seconds:.1f}", rate, f"{run.peak:.1f}", str(run.found))


def _verdicts(runs: dict[int, Run], resumed: Run) -> list[report.Verdict]:
    least, most = runs[min(runs)], runs[max(runs)]
    grown = most.peak - least.peak
    exact = {run.found for run in (*runs.values(), resumed)} == {2 * WRONG}
    return [
        report.Verdict(f"the peak grows by at most {GROWTH:.0f} MiB: {grown:.1f}", grown <= GROWTH),
        report.Verdict("each run finds what is wrong and nothing else", exact),
    ]


if __name__ == "__main__":
    sys.exit(main())
