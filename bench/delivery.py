"""Side-by-side benchmark of sending bytes: `bench/run delivery`.

One large file through nginx by the configuration of this project beside nginx alone; then a small
rendition by a signed address, by a session, by nginx alone, and by two other Django libraries that
leave the sending to nginx. Rounds are interleaved, medians are shown. With `--strict` it ends with
1 when a target is missed. Needs nginx and wrk.
"""

# ruff: noqa: E402 - the path to our own packages is set first

from __future__ import annotations

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import benchmark
from benchmark import Found
from figures import Figure
from report import Table, Verdict

SOURCE = Path(__file__).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))

import senders
from uploads import MIB, make_file

from launch.parts import nginx_program

SMALL = 20 * 1024  # bytes, as a thumbnail has
LINES = 16
TARGET_LARGE, TARGET_SMALL, TARGET_PEERS = 0.95, 0.5, 3.0
BARE, SIGNED, SESSION = "nginx alone", "ours, signed address", "ours, session"
SENDFILE, PRIVATE = "django-sendfile2, session", "django-private-storage, session"
READ = 1024 * 1024


@dataclass(frozen=True)
class Contender:
    port: int
    path: str
    session: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"


def download(contender: Contender, size: int) -> float:
    """Seconds from the connection to the last byte; RuntimeError unless all came."""
    with socket.create_connection(("127.0.0.1", contender.port)) as line:
        began = time.perf_counter()
        host = f"Host: 127.0.0.1:{contender.port}"
        line.sendall(f"GET {contender.path} HTTP/1.1\r\n{host}\r\n\r\n".encode())
        came = b""
        while b"\r\n\r\n" not in came:
            came += line.recv(4096)
        head, _, rest = came.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(head.decode())
        left, room = size - len(rest), bytearray(READ)
        while left > 0:
            if not (got := line.recv_into(room)):
                raise RuntimeError("The server has hung up")
            left -= got
        return time.perf_counter() - began


def hammer(contender: Contender, seconds: int) -> float:
    """Requests per second; RuntimeError if any was not answered with the file."""
    command = ["wrk", "-t1", f"-c{LINES}", f"-d{seconds}s"]
    if contender.session:
        command += ["-H", f"Cookie: sessionid={contender.session}"]
    said = subprocess.run(
        [*command, contender.url], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    found = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    if found is None:
        raise RuntimeError(said)
    return float(found[1])


def measure(
    contenders: dict[str, Contender],
    one: Callable[[Contender], float],
    rounds: int,
    say: Callable[[str], None],
) -> dict[str, list[float]]:
    """What `one` comes to for each in each round."""
    runs: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        # Nobody is always first after a pause.
        names = (
            list(contenders)[number % len(contenders) :]
            + list(contenders)[: number % len(contenders)]
        )
        for name in names:
            runs[name].append(one(contenders[name]))
            say(f"round {number + 1}: {name}: {runs[name][-1]:.3f}")
    return runs


def medians(runs: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(found) for name, found in runs.items()}


def figures(large: dict[str, list[float]], small: dict[str, list[float]]) -> list[Figure]:
    """Beside the others, round by round."""

    def rate(ours: str, other: str) -> Figure:
        ratios = tuple(one / two for one, two in zip(small[ours], small[other], strict=True))
        return Figure(f"requests a second, {ours} ÷ {other}", ratios, "more")

    pairs = zip(large[BARE], large[SIGNED], strict=True)
    return [
        Figure(f"large file, time, {BARE} ÷ {SIGNED}", tuple(a / b for a, b in pairs), "more"),
        *(rate(SIGNED, other) for other in (BARE, SENDFILE, PRIVATE)),
        *(rate(SESSION, other) for other in (SENDFILE, PRIVATE)),
    ]


def tables(large: dict[str, float], small: dict[str, float], size: int) -> list[Table]:
    return [
        Table(
            f"One file of {size // MIB} MiB",
            ("how", "MiB/s", "× nginx"),
            tuple(
                (name, f"{size / MIB / spent:.0f}", f"{large[BARE] / spent:.2f}")
                for name, spent in large.items()
            ),
            "Over loopback, one connection. Ours asks the app for the right and for all headers, "
            "and nginx sends the file from the disk: both are the same `sendfile`, and what is "
            "above 1 is the noise of the machine.",
        ),
        Table(
            f"A rendition of {SMALL // 1024} KiB on {LINES} connections",
            ("how", "requests/s", "× nginx"),
            tuple(
                (name, f"{rate:.0f}", f"{rate / small[BARE]:.3f}") for name, rate in small.items()
            ),
            "The signed address is checked by the app every five seconds, without a query; in "
            "between nginx answers. A session costs the app its queries for each request, of ours "
            "and of the others: theirs look at the session, ours also at the file and the rule.",
        ),
    ]


def verdicts(large: dict[str, float], small: dict[str, float]) -> list[Verdict]:
    through = large[BARE] / large[SIGNED]
    rate = small[SIGNED] / small[BARE]
    beside = min(small[SIGNED] / small[name] for name in (SENDFILE, PRIVATE))
    return [
        Verdict(
            f"{through:.2f} × nginx alone, large file (at least {TARGET_LARGE})",
            through >= TARGET_LARGE,
        ),
        Verdict(
            f"{rate:.2f} × nginx alone, signed rendition (at least {TARGET_SMALL})",
            rate >= TARGET_SMALL,
        ),
        Verdict(
            f"{beside:.1f} × the faster of the libraries (at least {TARGET_PEERS})",
            beside >= TARGET_PEERS,
        ),
    ]


def run(size: int, rounds: int, seconds: int, folder: Path) -> tuple[dict[str, list[float]], ...]:
    def say(line: str) -> None:
        print(line, file=sys.stderr)

    large_file = make_file(folder / "large.gz", size)
    small_file = folder / "small.webp"
    small_file.write_bytes(os.urandom(SMALL))
    with ExitStack() as stack:
        enter = stack.enter_context
        port, told, files = enter(senders.ours(folder / "ours", large_file, small_file))
        large_file.unlink()
        bare = enter(senders.bare(folder / "bare", files))
        peers, session = enter(senders.peers(folder / "peers", files))
        large = {
            BARE: Contender(bare, f"/{told.large_key}"),
            SIGNED: Contender(port, told.large),
        }
        small = {
            BARE: Contender(bare, f"/{told.small_key}"),
            SIGNED: Contender(port, told.small),
            SESSION: Contender(port, told.plain, told.session),
            SENDFILE: Contender(peers, f"/sendfile/{told.small_key}", session),
            PRIVATE: Contender(peers, f"/private/{told.small_key}", session),
        }
        for each in large.values():
            download(each, size)  # from now on in the memory of the machine for everybody
        for each in small.values():
            hammer(each, 1)
        return (
            measure(large, lambda each: download(each, size), rounds, say),
            measure(small, lambda each: hammer(each, seconds), rounds, say),
        )


def versions() -> str:
    command = [nginx_program() or "", "-v"]
    nginx = subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True).stderr
    listed = subprocess.run(
        [
            senders.PEERS / "python",
            "-c",
            "from importlib.metadata import version as v\n"
            "for n in ('django-sendfile2', 'django-private-storage'): print(n, v(n))",
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    told = [*listed.splitlines(), nginx.strip().removeprefix("nginx version: ")]
    return benchmark.circumstances("django", "gunicorn", others=told)


def heading(size: int, rounds: int, seconds: int) -> str:
    return (
        "Sending: a large file, small renditions\n\n"
        "Written by `bench/run delivery --markdown FILE`. Over loopback; every nginx has one "
        "process, every Django two of gunicorn. Read ratios: the machine was shared with other "
        f"work.\n\n{versions()} {size // MIB} MiB, {seconds} s of wrk, medians of {rounds} rounds."
    )


def main() -> int:
    parser = benchmark.options(__doc__)
    parser.add_argument("--size", type=int, default=1024, help="MiB of the large file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each small measurement")
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("wrk is missing (on Debian: apt install wrk)")
    size = given.size * MIB
    words = heading(size, given.rounds, given.seconds)
    with tempfile.TemporaryDirectory(prefix="bench-delivery-", dir="/var/tmp") as folder:
        large, small = run(size, given.rounds, given.seconds, Path(folder))
    many, few = medians(large), medians(small)
    found = Found(tables(many, few, size), verdicts(many, few), figures(large, small))
    return benchmark.conclude("delivery", words, found, given)


if __name__ == "__main__":
    sys.exit(main())
