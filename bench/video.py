"""Side-by-side benchmark of films: `bench/run films`.

A ladder of four rungs from one film of 1080p at 30 frames per second: our engine in its sandbox,
the same ffmpeg by hand in one process, and one process per rung, as most do it. Then what copying
costs beside encoding, what stretches gain from a second worker, what the small things cost, and how
long a person waits for a film (see `pipeline`).
Rounds are interleaved, medians are shown. With `--strict` it ends with 1 when a target is missed.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import benchmark
import pipeline
from benchmark import Found
from figures import Figure
from filming import FFMPEG, PHONE, hand, make_film
from report import Table, Verdict

from apps.media.processing import sandbox
from apps.media.processing.ladder import segment_frames, stretches
from apps.media.processing.recipes import DEFAULT_FILM_RECIPES
from apps.media.processing.streams import CRF, PRESET
from apps.media.processing.streamtypes import Rung, StreamPlan, Way
from apps.media.processing.types import Limits, Plan, Programs

MIB = 1024 * 1024
MIME, RATE = "video/mp4", "30/1"
LIMITS = Limits(memory_bytes=6144 * MIB, cpu_seconds=7200, wall_seconds=7200, output_bytes=2**31)
RUNGS = (
    Rung("1080p", 1920, 1080, 5_000_000),
    Rung("720p", 1280, 720, 2_720_000),
    Rung("480p", 854, 480, 1_480_000),
    Rung("360p", 640, 360, 960_000),
)
STRETCH = 4.0  # seconds
TARGET_LEAN, TARGET_PER_RUNG, TARGET_COPY, TARGET_WORKERS = 1.05, 0.75, 100, 1.5

LEAN, OURS, PER_RUNG = "one ffmpeg by hand", "ours", "one ffmpeg per rung"
COPY, HAND_COPY = "ours, copied", "ffmpeg by hand, copied"
ONE, TWO = "stretches, one worker", "stretches, two workers"


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds, and bytes that were made."""

    cpu: float
    wall: float
    made: int


# -- contenders ------------------------------------------------------------------------------------


def encoder(rung: Rung, path: Path) -> list[str | Path]:
    frames = str(segment_frames(RATE))
    flags = "+empty_moov+default_base_moof+frag_keyframe+frag_discont+negative_cts_offsets"
    return [
        *("-c:v", "libx264", "-preset", PRESET, "-crf", str(CRF), "-g", frames),
        *("-maxrate", str(rung.bit_rate), "-bufsize", str(2 * rung.bit_rate)),
        *("-keyint_min", frames, "-sc_threshold", "0", "-movflags", flags, "-f", "mp4", path),
    ]


def lean(film: Path, out: Path) -> None:
    names = "".join(f"[s{number}]" for number in range(len(RUNGS)))
    graph = [f"[0:v]split={len(RUNGS)}{names}"]
    outputs: list[str | Path] = []
    for number, rung in enumerate(RUNGS):
        graph.append(f"[s{number}]scale={rung.width}:{rung.height}[v{number}]")
        outputs += ["-map", f"[v{number}]", *encoder(rung, out / f"{rung.name}.mp4")]
    hand(out, "-i", film, "-filter_complex", ";".join(graph), *outputs)


def per_rung(film: Path, out: Path) -> None:
    for rung in RUNGS:
        scale = f"scale={rung.width}:{rung.height}"
        hand(out, "-i", film, "-an", "-vf", scale, *encoder(rung, out / f"{rung.name}.mp4"))


def hand_copy(film: Path, out: Path) -> None:
    kind = ["-f", "hls", "-hls_segment_type", "fmp4", "-hls_flags", "single_file"]
    hand(out, "-i", film, "-c", "copy", *kind, "-hls_playlist_type", "vod", out / "film.m3u8")


def ours(film: Path, out: Path, way: Way = "encode") -> float:
    """CPU seconds, counted by the sandbox."""
    plan = StreamPlan(out, FFMPEG, way, rungs=RUNGS, frame_rate=RATE)
    return sandbox.run_stream(film, MIME, plan=plan, limits=LIMITS).cpu_seconds


def ours_copy(film: Path, out: Path) -> float:
    return ours(film, out, "copy")


CONTENDERS: dict[str, Callable[[Path, Path], float | None]] = {
    LEAN: lean,
    OURS: ours,
    PER_RUNG: per_rung,
    HAND_COPY: hand_copy,
    COPY: ours_copy,
}


def spend(work: Callable[[Path, Path], float | None], film: Path) -> Spent:
    """The sandbox is warm, as it is in a worker."""
    sandbox.run_probe(film, MIME, LIMITS)
    with tempfile.TemporaryDirectory(dir=film.parent) as folder:
        before, started = _children(), time.perf_counter()
        elsewhere = work(film, Path(folder)) or 0.0
        wall, cpu = time.perf_counter() - started, _children() - before + elsewhere
        made = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        return Spent(cpu, wall, made)


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


# -- stretches -------------------------------------------------------------------------------------


def compare_workers(film: Path, seconds: int) -> dict[str, float]:
    """Each twice, in an order that favours neither when the machine gets busier or idler."""
    walls = {ONE: 0.0, TWO: 0.0}
    for name, workers in ((ONE, 1), (TWO, 2), (TWO, 2), (ONE, 1)):
        walls[name] += share_stretches(film, seconds, workers) / 2
    return walls


def share_stretches(film: Path, seconds: int, workers: int) -> float:
    """Wall seconds of all stretches on so many workers, each bound to a core of its own."""
    context = multiprocessing.get_context("fork")
    waiting = context.JoinableQueue()
    for cut in stretches(seconds, RATE, STRETCH):
        waiting.put(cut)
    started = time.perf_counter()
    cores = sorted(os.sched_getaffinity(0))[:workers]
    team = [context.Process(target=_work, args=(film, waiting, core)) for core in cores]
    for worker in team:
        worker.start()
    waiting.join()
    spent = time.perf_counter() - started
    for worker in team:
        worker.terminate()
        worker.join()
    return spent


def _work(film: Path, waiting: multiprocessing.JoinableQueue, core: int) -> None:  # type: ignore[type-arg]
    os.sched_setaffinity(0, {core})
    while True:
        start, duration = waiting.get()
        with tempfile.TemporaryDirectory(dir=film.parent) as folder:
            plan = StreamPlan(
                Path(folder), FFMPEG, "encode", RUNGS, RATE, start, duration, threads=1
            )
            sandbox.run_stream(film, MIME, plan=plan, limits=LIMITS)
        waiting.task_done()


# -- tables ----------------------------------------------------------------------------------------


def small_things(film: Path) -> list[tuple[str, float, float]]:
    """CPU and wall seconds of what is made beside the ladder."""
    started = time.perf_counter()
    sandbox.run_probe(film, MIME, LIMITS)
    rows = [("probe", 0.0, time.perf_counter() - started)]
    for product in ("picture", "storyboard", "clip"):
        recipes = tuple(one for one in DEFAULT_FILM_RECIPES if one.product == product)
        with tempfile.TemporaryDirectory(dir=film.parent) as folder:
            plan = Plan(Path(folder), recipes, programs=Programs(FFMPEG))
            started = time.perf_counter()
            made = sandbox.run_render(film, MIME, plan=plan, limits=LIMITS)
            names = ", ".join(recipe.name for recipe in recipes)
            rows.append((names, made.cpu_seconds, time.perf_counter() - started))
    return rows


def tables(
    found: dict[str, Spent], walls: dict[str, float], small: list[tuple[str, float, float]]
) -> list[Table]:
    costs = tuple(
        (name, f"{one.cpu:.2f}", f"{one.cpu / found[LEAN].cpu:.3f}", f"{one.wall:.2f}",
         f"{one.made / 1e6:.1f}")
        for name, one in found.items()
    )  # fmt: skip
    shares = tuple(
        (name, f"{wall:.1f}", f"{walls[ONE] / wall:.2f}") for name, wall in walls.items()
    )
    rest = tuple((name, f"{cpu:.2f}" if cpu else "-", f"{wall:.2f}") for name, cpu, wall in small)
    return [
        Table("Four rungs, or a copy", ("how", "CPU s", "× by hand", "wall s", "MB made"), costs,
              "Picture only, but for the copies, which have the sound as well."),
        Table("The same ladder in stretches", ("how", "wall s", "times faster"),
              shares,
              "Each worker is bound to one core, as if it were a machine of its own."),
        Table("Beside the ladder", ("what", "CPU s", "wall s"),
              rest),
    ]  # fmt: skip


def verdicts(found: dict[str, Spent], walls: dict[str, float]) -> list[Verdict]:
    by_hand = found[OURS].cpu / found[LEAN].cpu
    rung = found[OURS].cpu / found[PER_RUNG].cpu
    copied = found[OURS].cpu / found[COPY].cpu
    workers = walls[ONE] / walls[TWO]
    return [
        Verdict(f"{by_hand:.2f} × one ffmpeg by hand (at most {TARGET_LEAN})",
                by_hand <= TARGET_LEAN),
        Verdict(f"{rung:.2f} × one ffmpeg per rung (at most {TARGET_PER_RUNG})",
                rung <= TARGET_PER_RUNG),
        Verdict(f"copying takes {copied:.0f} × less CPU (at least {TARGET_COPY})",
                copied >= TARGET_COPY),
        Verdict(f"two workers are {workers:.2f} × as fast as one (at least {TARGET_WORKERS})",
                workers >= TARGET_WORKERS),
    ]  # fmt: skip


# -- the whole -------------------------------------------------------------------------------------


def measure(film: Path, rounds: int) -> dict[str, list[Spent]]:
    runs: dict[str, list[Spent]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, work in CONTENDERS.items():
            runs[name].append(spend(work, film))
    return runs


def medians(runs: dict[str, list[Spent]]) -> dict[str, Spent]:
    return {
        name: Spent(
            statistics.median(one.cpu for one in found),
            statistics.median(one.wall for one in found),
            found[0].made,
        )
        for name, found in runs.items()
    }


def figures(runs: dict[str, list[Spent]]) -> list[Figure]:
    """CPU beside the others, round by round."""

    def beside(name: str, other: str) -> tuple[float, ...]:
        return tuple(one.cpu / two.cpu for one, two in zip(runs[name], runs[other], strict=True))

    return [
        Figure(f"CPU, {OURS} ÷ {LEAN}", beside(OURS, LEAN)),
        Figure(f"CPU, {OURS} ÷ {PER_RUNG}", beside(OURS, PER_RUNG)),
        Figure(f"CPU, {OURS} ÷ {COPY}", beside(OURS, COPY), "more"),
        Figure(f"MB made, {OURS}", tuple(one.made / 1e6 for one in runs[OURS])),
    ]


def heading(seconds: int, rounds: int) -> str:
    banner = subprocess.run([FFMPEG, "-version"], capture_output=True, text=True, check=True).stdout
    line = benchmark.circumstances(others=[f"ffmpeg {banner.split()[2]}"])
    return (
        "Films: the ladder, the copy, the stretches\n\n"
        "Written by `bench/run films --markdown FILE`. CPU is user plus system time of all "
        "processes that work for a contender. Read ratios, not seconds: the machine was shared "
        f"with other work.\n\n{line} {seconds} s of 1080p at 30 frames per second, medians of "
        f"{rounds} rounds."
    )


def main() -> int:
    parser = benchmark.options(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20, help="length of the film")
    chosen = parser.parse_args()
    title = heading(chosen.seconds, chosen.rounds)
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        make_film(film, chosen.seconds, PHONE)
        runs = measure(film, chosen.rounds)
        walls = compare_workers(film, chosen.seconds)
        found = medians(runs)
        shown, checks = tables(found, walls, small_things(film)), verdicts(found, walls)
    sandbox.stop()
    shown.append(pipeline.measure(chosen.seconds))
    return benchmark.conclude("videos", title, Found(shown, checks, figures(runs)), chosen)


if __name__ == "__main__":
    sys.exit(main())
