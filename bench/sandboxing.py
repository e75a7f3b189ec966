"""What the sandbox costs: `bench/run sandbox`.

The same engine makes the same pictures in a process that is warm and open, and through the sandbox:
in turns, after a warm-up. The wait is what a job takes longer; the work is the CPU time of all
processes, the child that gets ready for the next job included.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import benchmark
from benchmark import Found
from figures import Figure
from report import Table, Verdict

sys.path.insert(0, str(benchmark.SOURCE))

from apps.media.processing import engines, sandbox
from apps.media.processing.recipes import DEFAULT_IMAGE_RECIPES
from apps.media.processing.types import Limits, Plan, Recipe
from apps.media.tests.samples import photo

SIZES = ((2000, 1500), (4000, 3000), (6000, 4000))  # pixels
SET, THUMBNAIL = "rendition set", "thumbnail"
THUMBNAILS = tuple(each for each in DEFAULT_IMAGE_RECIPES if each.name.startswith("thumb"))
RECIPES: dict[str, tuple[Recipe, ...]] = {THUMBNAIL: THUMBNAILS, SET: DEFAULT_IMAGE_RECIPES}
WARM_UP = 3
MOST_SHARE, MOST_WAIT = 10, 15  # % of a set; milliseconds of a thumbnail
HEADING = """What the sandbox costs

Written by `bench/run sandbox --markdown FILE`. The same engine in a warm process without the
sandbox, and as every job runs, in turns."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds: on the clock, and of CPU."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One job in each of the rounds, without and with the sandbox."""

    job: str
    megapixels: float
    bare: list[Spent]
    boxed: list[Spent]

    @property
    def name(self) -> str:
        return f"{self.job}, {self.megapixels:.0f} Mpx"

    @property
    def waits(self) -> list[float]:
        """Seconds that each round took longer."""
        return [boxed.wall - bare.wall for bare, boxed in zip(self.bare, self.boxed, strict=True)]

    @property
    def work(self) -> float:
        """Seconds of CPU more."""
        pairs = zip(self.bare, self.boxed, strict=True)
        return statistics.median(boxed.cpu - bare.cpu for bare, boxed in pairs)

    @property
    def figure(self) -> Figure:
        if self.job == THUMBNAIL:
            return Figure(f"{self.name}: ms longer", tuple(1000 * wait for wait in self.waits))
        open_ = _wall(self.bare)
        return Figure(f"{self.name}: % longer", tuple(100 * wait / open_ for wait in self.waits))

    @property
    def verdict(self) -> Verdict:
        most = MOST_WAIT if self.job == THUMBNAIL else MOST_SHARE
        found = self.figure
        return Verdict(f"{found.name}: {found.median:.1f} (at most {most})", found.median <= most)

    @property
    def row(self) -> tuple[str, ...]:
        wait, open_ = statistics.median(self.waits), _wall(self.bare)
        cpu = statistics.median(each.cpu for each in self.bare)
        return (
            self.name,
            f"{open_ * 1000:.0f}",
            f"{_wall(self.boxed) * 1000:.0f}",
            f"{wait * 1000:+.1f}",
            f"{wait / open_:+.1%}",
            f"{self.work * 1000:+.1f}",
            f"{self.work / cpu:+.1%}",
        )


def main() -> int:
    chosen = _options()
    if chosen.bare:
        return _serve()
    line = benchmark.circumstances("pyvips", "pyvips-binary")
    with tempfile.TemporaryDirectory() as folder:
        compared = _measure(Path(folder), chosen.rounds)
    table = Table(
        f"One photograph at a time, medians of {chosen.rounds} rounds",
        ("job", "open ms", "sandbox ms", "longer, ms", "longer", "more CPU, ms", "more CPU"),
        tuple(each.row for each in compared),
        "Longer: the median of the differences round by round. CPU counts the sandbox's server and "
        "the child that gets ready for the next job, too.",
    )
    found = Found([table], [each.verdict for each in compared], [each.figure for each in compared])
    return benchmark.conclude("sandbox", f"{HEADING}\n\n{line}", found, chosen)


def _measure(folder: Path, rounds: int) -> list[Compared]:
    command = [sys.executable, __file__, "--bare"]
    environment = {"MALLOC_ARENA_MAX": "2", "VIPS_CONCURRENCY": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as bare:
        try:
            return [
                _compare(bare, _photograph(folder, size), job, rounds)
                for size in SIZES
                for job in RECIPES
            ]
        finally:
            assert bare.stdin
            bare.stdin.close()
            sandbox.stop()


def _photograph(folder: Path, size: tuple[int, int]) -> Path:
    path = folder / f"{size[0]}x{size[1]}.jpg"
    if not path.exists():
        photo(*size).save(path, "JPEG", quality=92)
    return path


def _compare(process: subprocess.Popen[str], path: Path, job: str, rounds: int) -> Compared:
    pairs = [(_bare(process, path, job), _boxed(path, job)) for _ in range(rounds + WARM_UP)]
    del pairs[:WARM_UP]
    width, height = (int(side) for side in path.stem.split("x"))
    bare, boxed = (list(each) for each in zip(*pairs, strict=True))
    return Compared(job, width * height / 1e6, bare, boxed)


def _wall(spent: list[Spent]) -> float:
    return statistics.median(each.wall for each in spent)


# -- without the sandbox: a process that does one job after the other --------------------------


def _bare(process: subprocess.Popen[str], path: Path, job: str) -> Spent:
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps([str(path), job]) + "\n")
    process.stdin.flush()
    return Spent(*json.loads(process.stdout.readline()))


def _serve() -> int:
    engines.load_all()
    for line in sys.stdin:
        path, job = json.loads(line)
        made = Path(tempfile.mkdtemp(dir=Path(path).parent))
        cpu, wall = time.process_time(), time.perf_counter()
        engines.load_engine("image/jpeg").render(
            Path(path),
            "image/jpeg",
            plan=Plan(made, RECIPES[job]),
            limits=Limits(),
            progress=lambda _: None,
        )
        spent = time.perf_counter() - wall, time.process_time() - cpu
        shutil.rmtree(made)
        print(json.dumps(spent), flush=True)
    return 0


# -- through it --------------------------------------------------------------------------------


def _boxed(path: Path, job: str) -> Spent:
    made = Path(tempfile.mkdtemp(dir=path.parent))
    servers, own, wall = _servers_cpu(), time.process_time(), time.perf_counter()
    rendered = sandbox.run_render(path, "image/jpeg", plan=Plan(made, RECIPES[job]))
    wall = time.perf_counter() - wall
    cpu = rendered.cpu_seconds + time.process_time() - own + _servers_cpu() - servers
    shutil.rmtree(made)
    return Spent(wall, cpu)


def _servers_cpu() -> float:
    """Seconds so far, of the fork server alone."""
    pid = sandbox.server_pid()
    if pid is None:
        return 0.0
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _options() -> argparse.Namespace:
    parser = benchmark.options(__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
