"""Side-by-side benchmark of receiving bytes: `bench/run uploads`.

One large file by tus and by form into this application, with and without nginx in front, beside the
official tus server for Node, a plain Django view and nginx's own PUT; then many small files into
this application and into plain Django; then the memory of the web while much goes in. Rounds are
interleaved, medians are shown. With `--strict` it ends with 1 when a target is missed.
"""

# ruff: noqa: E402 - the path to our own packages is set first

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import benchmark
from benchmark import Found
from figures import Figure
from report import Table, Verdict
from sending import Order, send

SOURCE = Path(__file__).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))

import receivers
from receivers import Server, Watch

from launch.node import node_command
from launch.parts import nginx_program

MIB = 1024 * 1024
PIECE = 64 * MIB
SMALL, SMALL_TIMES, LINES = 100 * 1024, 500, 2
# RFC 1952 §2.3: a member that is deflated, and nothing else said of it.
ARCHIVE = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
TARGET_TUS, TARGET_NGINX, TARGET_FORM, TARGET_SMALL, TARGET_MEMORY = 2.0, 0.8, 2.0, 1.2, 250

PUT, PUT_SYNCED = "nginx, PUT", "nginx, PUT, then synced"
FRONT, FRONT_PIECES = "ours behind nginx, one PATCH", "ours behind nginx, PATCHes of 64 MiB"
ONE, PIECES, FORM = "ours, one PATCH", "ours, PATCHes of 64 MiB", "ours, form"
NODE_ONE, NODE = "@tus/server, one PATCH", "@tus/server, PATCHes of 64 MiB"
PLAIN = "plain Django, form"
SMALL_OURS, SMALL_PLAIN = "ours, form, all of the API", "plain Django"
SMALL_WAL = "plain Django, SQLite set up as ours"
TUS, MEDIA = "/api/v1/uploads/tus/", "/api/v1/media/"


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of the clock and of the server's processors; bytes of memory at the most."""

    wall: float
    cpu: float
    peak: int


@dataclass(frozen=True)
class Contender:
    """A server and an order; `{round}` in its path and the token of the round are filled in."""

    server: Server
    how: str
    path: str
    piece: int = 0
    times: int = 1
    synced: bool = False  # count the time until the disk has the files, too

    def order(self, file: Path, number: int) -> Order:
        headers = {"Tus-Resumable": "1.0.0"} if self.how == "tus" else {}
        if self.server.tokens:
            headers["Authorization"] = f"Token {self.server.tokens[number]}"
        lines = LINES if self.times > 1 else 1
        where = self.path.format(round=number)
        return Order(
            self.how, self.server.port, where, str(file), self.piece, self.times, lines, headers
        )


def make_file(path: Path, size: int) -> Path:
    """An archive by its first bytes: nothing of it is read before the worker comes."""
    noise = os.urandom(MIB)
    with path.open("wb") as file:
        file.write(ARCHIVE)
        while (left := size - file.tell()) > 0:
            file.write(noise[:left])
    return path


# -- contenders ------------------------------------------------------------------------------------


@contextmanager
def all_servers(folder: Path, rounds: int) -> Iterator[tuple[dict[str, Contender], ...]]:
    """The contenders for the large file and for the small ones."""
    with ExitStack() as stack:
        enter = stack.enter_context
        ours = enter(receivers.ours(folder / "ours", people=rounds + 1))
        front = enter(receivers.accelerated(folder / "front", ours, receive_all=True))
        shipped = enter(receivers.accelerated(folder / "shipped", ours, receive_all=False))
        node = enter(receivers.tus_node(folder / "node"))
        plain = enter(receivers.plain(folder / "plain"))
        wal = enter(receivers.plain(folder / "wal", wal=True))
        dav = enter(receivers.dav(folder / "dav"))
        large = {
            PUT: Contender(dav, "put", "/large-{round}"),
            PUT_SYNCED: Contender(dav, "put", "/large-{round}", synced=True),
            FRONT: Contender(front, "tus", TUS),
            FRONT_PIECES: Contender(shipped, "tus", TUS, PIECE),
            ONE: Contender(ours, "tus", TUS),
            PIECES: Contender(ours, "tus", TUS, PIECE),
            NODE_ONE: Contender(node, "tus", "/files"),
            NODE: Contender(node, "tus", "/files", PIECE),
            FORM: Contender(ours, "form", MEDIA),
            PLAIN: Contender(plain, "form", "/upload/"),
        }
        small = {
            SMALL_OURS: Contender(ours, "form", MEDIA, times=SMALL_TIMES),
            SMALL_PLAIN: Contender(plain, "form", "/upload/", times=SMALL_TIMES),
            SMALL_WAL: Contender(wal, "form", "/upload/", times=SMALL_TIMES),
        }
        yield large, small


def measure(
    contenders: dict[str, Contender], file: Path, rounds: int, say: Callable[[str], None]
) -> dict[str, list[Spent]]:
    runs: dict[str, list[Spent]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, contender in contenders.items():
            spent = spend(contender, contender.order(file, number))
            runs[name].append(spent)
            say(f"round {number + 1}: {name}: {spent.wall:.2f} s")
    return runs


def medians(runs: dict[str, list[Spent]]) -> dict[str, Spent]:
    return {
        name: Spent(
            statistics.median(one.wall for one in found),
            statistics.median(one.cpu for one in found),
            max(one.peak for one in found),
        )
        for name, found in runs.items()
    }


def spend(contender: Contender, order: Order) -> Spent:
    server = contender.server
    server.forget()
    with Watch(server) as watch:
        before = server.cpu_seconds()
        wall = send(order) + (server.sync() if contender.synced else 0.0)
        cpu = server.cpu_seconds() - before
    server.forget()
    return Spent(wall, cpu, watch.peak)


def measure_memory(ours: Contender, file: Path, number: int) -> int:
    """Bytes at the most while four times `file` goes in, two uploads at a time."""
    tus = Contender(ours.server, "tus", TUS, PIECE, times=2).order(file, number)
    forms = Contender(ours.server, "form", MEDIA, times=2).order(file, number)
    with Watch(ours.server) as watch, ThreadPoolExecutor() as pool:
        list(pool.map(send, (tus, forms)))
    ours.server.forget()
    return watch.peak


# -- tables ----------------------------------------------------------------------------------------


def tables(large: dict[str, Spent], small: dict[str, Spent], size: int, memory: int) -> list[Table]:
    many = tuple(
        (name, f"{size / MIB / one.wall:.0f}", f"{large[PUT].wall / one.wall:.2f}",
         f"{one.cpu / size * 1024 * MIB:.2f}", f"{one.peak / MIB:.0f}")
        for name, one in large.items()
    )  # fmt: skip
    few = tuple(
        (name, f"{SMALL_TIMES / one.wall:.0f}", f"{small[SMALL_PLAIN].wall / one.wall:.2f}",
         f"{1000 * one.cpu / SMALL_TIMES:.1f}", f"{one.peak / MIB:.0f}")
        for name, one in small.items()
    )  # fmt: skip
    return [
        Table(f"One file of {size // MIB} MiB",
              ("how", "MiB/s", "× nginx", "CPU s per GiB", "peak MiB"), many,
              "Ours is on the disk when it is acknowledged, the others' may be in memory still "
              "(one row has nginx's PUT with the disk). "
              "With “one PATCH” behind nginx the configuration receives bodies of any size."),
        Table(f"{SMALL_TIMES} files of {SMALL // 1024} KiB on {LINES} connections",
              ("how", "files/s", "× plain", "CPU ms each", "peak MiB"), few,
              "Ours asks a token, a quota and the type, writes row, version and two jobs, and "
              "hands these to the broker; the others write the file and one row."),
        Table("Memory of the web", ("while", "peak MiB"),
              ((f"{4 * size // MIB} MiB go in by tus and by form", f"{memory / MIB:.0f}"),)),
    ]  # fmt: skip


def verdicts(large: dict[str, Spent], small: dict[str, Spent], memory: int) -> list[Verdict]:
    def faster(ours: Spent, other: Spent, words: str, target: float) -> Verdict:
        ratio = other.wall / ours.wall
        return Verdict(f"{ratio:.2f} × {words} (at least {target})", ratio >= target)

    return [
        faster(large[PIECES], large[NODE], "@tus/server by tus", TARGET_TUS),
        faster(large[FRONT], large[PUT], "nginx's PUT behind nginx", TARGET_NGINX),
        faster(large[FORM], large[PLAIN], "plain Django by form", TARGET_FORM),
        faster(small[SMALL_OURS], small[SMALL_PLAIN], "plain Django, small files", TARGET_SMALL),
        Verdict(f"{memory / MIB:.0f} MiB of memory in all (less than {TARGET_MEMORY})",
                memory < TARGET_MEMORY * MIB),
    ]  # fmt: skip


def figures(
    large: dict[str, list[Spent]], small: dict[str, list[Spent]], memory: int
) -> list[Figure]:
    """How many times as fast as others, round by round, and the memory."""

    def faster(runs: dict[str, list[Spent]], ours: str, other: str) -> Figure:
        pairs = zip(runs[other], runs[ours], strict=True)
        ratios = tuple(theirs.wall / mine.wall for theirs, mine in pairs)
        return Figure(f"time, {other} ÷ {ours}", ratios, "more")

    return [
        faster(large, PIECES, NODE),
        faster(large, FRONT, PUT),
        faster(large, FORM, PLAIN),
        faster(small, SMALL_OURS, SMALL_PLAIN),
        Figure("peak of memory of the web, MiB", (memory / MIB,)),
    ]


def heading(size: int, rounds: int, folder: Path | None) -> str:
    versions = []
    lock = json.loads((receivers.HERE / "node/package-lock.json").read_text())["packages"]
    for name in ("@tus/server", "@tus/file-store"):
        versions.append(f"{name} {lock[f'node_modules/{name}']['version']}")
    told = ([*node_command(), "--version"], [str(nginx_program()), "-v"])
    for command in told:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        versions.append((done.stdout + done.stderr).strip().replace("nginx version: ", ""))
    return (
        "Uploads: large files, small files, memory\n\n"
        "Written by `bench/run uploads --markdown FILE`. Over loopback, by a client of sockets and "
        "`sendfile` in a process of its own. CPU is that of the server's processes. No background "
        "workers run. Read ratios, not MiB/s: the machine was shared with other work.\n\n"
        f"{benchmark.circumstances('django', 'gunicorn', others=versions)} {size // MIB} MiB, "
        f"medians of {rounds} rounds." + (f" Received in {folder}." if folder else "")
    )


def main() -> int:
    parser = benchmark.options(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=1024, help="MiB of the large file")
    parser.add_argument("--folder", type=Path, help="where files are received (a temporary place)")
    parser.add_argument(
        "--only", choices=("large", "small"), help="leave the rest out, no verdicts"
    )
    chosen = parser.parse_args()
    size = chosen.size * MIB
    title = heading(size, chosen.rounds, chosen.folder)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        file, little = make_file(folder / "large.gz", size), make_file(folder / "small.gz", SMALL)
        with all_servers(folder, chosen.rounds) as (large, small):
            if chosen.only:
                many = chosen.only == "small"
                measure(small if many else large, little if many else file, chosen.rounds, say)
                return 0
            runs = measure(large, file, chosen.rounds, say)
            few_runs = measure(small, little, chosen.rounds, say)
            memory = measure_memory(large[ONE], file, chosen.rounds)
    many, few = medians(runs), medians(few_runs)
    shown, checks = tables(many, few, size, memory), verdicts(many, few, memory)
    found = Found(shown, checks, figures(runs, few_runs, memory))
    return benchmark.conclude("uploads", title, found, chosen)


if __name__ == "__main__":
    sys.exit(main())
