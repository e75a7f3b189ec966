"""Benchmark of a crowd: `bench/run crowd`.

A whole site behind nginx by the shipped configuration, on PostgreSQL, with a broker, a fast and a
slow worker, and a film that is ready. 200 people watch it at the speed at which it was made, half
of them by its public address, half by a signed one, in all its qualities; then 50 upload on slow
lines, photographs by tus and small files by form; then all of them are there at once. No request
may fail, no picture may stand still, and every upload has to be there as it was sent. It needs
PostgreSQL (DATABASE_URL) and nginx; all of it stays on this machine.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import benchmark
import crowding
import project
import psycopg
from benchmark import Found
from crowding import KIB, Met, Order
from figures import Figure
from report import Table, Verdict

HEADING = "A crowd: people who upload while others watch a film"
PUBLIC, SIGNED = "viewers, public address", "viewers, signed address"
SENDING, ALL = "uploaders", "all at once"
PROGRAMS = ("broker", "web", "worker", "worker-slow", "beat")
# As a site for films streams 720 lines, so that the best quality is copied and two are made.
CODED = ("-s", "1280x720", "-c:v", "libx264", "-preset", "veryfast", "-b:v", "4M", "-g", "60")
PIXELS, QUALITIES = (4000, 3000), (90, 96, 98, 99)  # 2 to 7 MiB, as phones write them
MIB = 1024 * 1024
READY_WITHIN = 1200  # seconds
# nginx holds slow lines, so few requests are under way; and PostgreSQL has places for them all.
THREADS = 32
TARGET_MEMORY = 250  # MiB
PERCENTILES = (50, 95, 99)
TIMES = tuple(f"p{share} ms" for share in PERCENTILES)


@dataclass(frozen=True)
class Phase:
    """Who was there, what they met, and what it cost: seconds of processors, bytes at the most."""

    order: Order
    met: Met
    cpu: dict[str, float]
    memory: int

    @property
    def played(self) -> int:
        """Segments, with picture and sound."""
        return len(self.met.segments) + len(self.met.first)


def main() -> int:
    chosen = _options()
    address = project.postgresql()
    versions = [project.postgresql_version(address), *_versions()]
    line = benchmark.circumstances("django", "gunicorn", others=versions)
    os.environ.pop("MEDIA_STORAGE_URL", None)
    with tempfile.TemporaryDirectory(prefix="media-bench-") as folder:
        phases, wrong = _measure(Path(folder), chosen)
    found = Found(_tables(phases), _verdicts(phases, wrong), _figures(phases))
    return benchmark.conclude("crowd", f"{HEADING}\n\n{_words(phases[ALL])} {line}", found, chosen)


def _options() -> argparse.Namespace:
    parser = benchmark.options(__doc__)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--uploaders", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=120, help="with all; half of it with each")
    parser.add_argument("--film", type=int, default=60, help="seconds of the film")
    return parser.parse_args()


def _versions() -> list[str]:
    sys.path.insert(0, str(benchmark.SOURCE))
    nginx = importlib.import_module("launch.nginx").nginx_program()
    if nginx is None:
        sys.stderr.write("bench/run crowd needs nginx\n")
        raise SystemExit(2)
    broker = importlib.import_module("launch.broker").find_program()
    told = subprocess.run([nginx, "-v"], check=True, stderr=subprocess.PIPE, text=True).stderr
    server = subprocess.run([broker, "--version"], check=True, stdout=subprocess.PIPE, text=True)
    return [told.strip().removeprefix("nginx version: "), " ".join(server.stdout.split()[:3])]


# -- the site ------------------------------------------------------------------------------------


def _measure(folder: Path, chosen: argparse.Namespace) -> tuple[dict[str, Phase], int]:
    """What each phase came to, and how many uploads are not there as they were sent."""
    photographs, small, film = _make_files(folder, chosen.film)
    with _running(folder) as (site, port):
        films = _film_addresses(site.person(), port, film)
        uploaders = {
            "tokens": [site.person().token for _ in range(chosen.uploaders)],
            "photographs": [str(path) for path in photographs],
            "small": str(small),
        }
        orders = {
            PUBLIC: Order(port, chosen.seconds / 2, films[:1], chosen.viewers),
            SIGNED: Order(port, chosen.seconds / 2, films[1:], chosen.viewers),
            SENDING: Order(port, chosen.seconds / 2, **uploaders),
            ALL: Order(port, chosen.seconds, films, chosen.viewers, **uploaders),
        }
        stage = Stage(site, port)
        phases = {name: stage.play(name, order) for name, order in orders.items()}
        return phases, _count_wrong(site, phases.values())


@contextmanager
def _running(folder: Path) -> Iterator[tuple[Any, int]]:
    """The site, and the port of nginx in front of it."""
    flows = "apps.media.tests.flows"
    servers, nginx = (importlib.import_module(f"{flows}.{name}") for name in ("servers", "nginx"))
    place, front = folder / "site", folder / "nginx"
    settings = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STATIC_FROM_SOURCE": "true",
        "MEDIA_ACCEL": "nginx",
        "MEDIA_BODY_DIR": str(place / "bodies"),
        "WEB_THREADS": str(THREADS),
    }
    front.mkdir()
    with servers.running_site(place, programs=PROGRAMS, change=lambda env: env | settings) as site:
        behind = urlsplit(site.address).netloc
        paths = {"bodies": site.body_dir, "files": site.storage_dir}
        with nginx.running_nginx(front, application=behind, **paths) as address:
            yield site, int(address.rpartition(":")[2])


def _make_files(folder: Path, seconds: int) -> tuple[list[Path], Path, Path]:
    """Photographs, a small one, and the film."""
    filming = importlib.import_module("filming")
    samples = importlib.import_module("apps.media.tests.samples")
    picture, photographs = samples.photo(*PIXELS), []
    for quality in QUALITIES:
        photographs.append(folder / f"photograph-{quality}.jpg")
        picture.save(photographs[-1], "JPEG", quality=quality)
    small, film = folder / "small.jpg", folder / "film.mp4"
    small.write_bytes(samples.photo_jpeg(320, 240))
    filming.make_film(film, seconds, CODED)
    _say(
        "photographs: " + ", ".join(f"{each.stat().st_size / MIB:.1f} MiB" for each in photographs)
    )
    return photographs, small, film


def _film_addresses(person: Any, port: int, film: Path) -> list[str]:
    """The master playlist of the film, once it is ready: by its public and by a signed address."""
    clients, waiting = (
        importlib.import_module(f"apps.media.tests.flows.{name}") for name in ("clients", "waiting")
    )
    with clients.anybody(f"http://127.0.0.1:{port}", headers=person.headers) as client:
        size, fields = film.stat().st_size, {"visibility": "public"}
        answer = clients.send(client, film.name, [film.read_bytes()], size=size, fields=fields)
        media = f"{clients.API}{answer.raise_for_status().json()['id']}/"
        waiting.eventually(
            lambda: client.get(media).json()["status"] not in {"pending", "processing"},
            within=READY_WITHIN,
        )
        told = client.get(media).json()
        if told["status"] != "ready":
            raise RuntimeError(f"the film is {told['status']}: {told['failure']}")
        signed = client.post(f"{media}signed-urls/", json={"rendition": "hls"}).json()["url"]
        return [urlsplit(each).path for each in (told["urls"]["hls"], signed)]


class Stage:
    """The processes that are watched while people come and go."""

    def __init__(self, site: Any, port: int) -> None:
        receivers = importlib.import_module("receivers")
        self._watch = receivers.Watch
        web = receivers.Server(port, [site.process("web")], ())
        front = receivers.Server(port, [receivers.program_at(port)], ())
        workers = [site.process(name) for name in ("worker", "worker-slow")]
        self._servers = {"web": web, "nginx": front, "workers": receivers.Server(port, workers, ())}

    def play(self, name: str, order: Order) -> Phase:
        before = self._cpu()
        with self._watch(self._servers["web"]) as watch:
            met = crowding.gather(order)
        cpu = {part: spent - before[part] for part, spent in self._cpu().items()}
        phase = Phase(order, met, cpu, watch.peak)
        _say(
            f"{name}: {met.requests} requests, {len(met.failures)} failed, {met.stalls} stalls, "
            f"{watch.peak / MIB:.0f} MiB"
        )
        for line in met.failures[:10]:
            _say(line)
        return phase

    def _cpu(self) -> dict[str, float]:
        return {part: server.cpu_seconds() for part, server in self._servers.items()}


def _count_wrong(site: Any, phases: Any) -> int:
    """How many acknowledged uploads have no object, or one of other bytes."""
    with psycopg.connect(site.database_url) as server:
        rows = server.execute("SELECT media_id, key FROM media_mediaversion").fetchall()
    keys = {str(media): key for media, key in rows}
    return sum(
        media not in keys or _sha256(site.storage_dir / keys[media]) != told
        for phase in phases
        for media, (told, _) in phase.met.uploads.items()
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


# -- what is told --------------------------------------------------------------------------------


def percentile(values: Sequence[float], share: int) -> float:
    """The least value that `share` % of them do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else 0.0


def _words(phase: Phase) -> str:
    order = phase.order
    return (
        "Written by `bench/run crowd --markdown FILE`. Clients, nginx, web, workers and database "
        f"share the machine; the web has two processes of {THREADS} threads. "
        f"{order.viewers} viewers and {len(order.tokens)} uploaders, each of whom has a line of "
        f"{order.rate // KIB} KiB/s; {order.seconds:.0f} s with all."
    )


def _tables(phases: dict[str, Phase]) -> list[Table]:
    viewing = {name: phases[name] for name in (PUBLIC, SIGNED, ALL)}
    sending = {name: phases[name] for name in (SENDING, ALL)}
    return [
        _segments(viewing),
        _beginnings(viewing),
        _uploads(sending),
        _costs(phases),
        _each(phases),
    ]


def _segments(viewing: dict[str, Phase]) -> Table:
    rows = tuple(
        (
            name,
            str(len(each.met.segments)),
            *_times(each.met.segments),
            str(each.met.stalls),
            f"{each.met.sent * 8 / 1e6 / each.order.seconds:.0f}",
        )
        for name, each in viewing.items()
    )
    return Table(
        "Segments, picture and sound",
        ("with", "segments", *TIMES, "stalls", "Mbit/s in all"),
        rows,
        "Of 4 s, each asked for when the one before begins to play; a stall is one that comes "
        "after that has ended.",
    )


def _beginnings(viewing: dict[str, Phase]) -> Table:
    rows = tuple(
        (name, str(len(each.met.first)), *_times(each.met.first)) for name, each in viewing.items()
    )
    return Table(
        "From the press of the button to the first segment",
        ("with", "films begun", *TIMES),
        rows,
        "Seven requests: three playlists, the heads of picture and sound, and their first "
        "segments.",
    )


def _uploads(sending: dict[str, Phase]) -> Table:
    rows = tuple(
        (name, str(len(each.met.uploads)), f"{_mib(each):.0f}", *_times(each.met.answers))
        for name, each in sending.items()
    )
    return Table(
        "Uploads",
        ("with", "files", "MiB", *TIMES),
        rows,
        "Photographs by tus in pieces of 1 MiB, and a small file by form after each. The times "
        "are from the last byte of a request to its answer.",
    )


def _costs(phases: dict[str, Phase]) -> Table:
    rows = tuple(
        (
            name,
            str(each.met.requests),
            str(len(each.met.failures)),
            *(f"{each.cpu[part]:.1f}" for part in ("web", "nginx", "workers")),
            f"{each.memory / MIB:.0f}",
        )
        for name, each in phases.items()
    )
    return Table(
        "Seconds of processors, and memory",
        ("with", "requests", "failed", "web", "nginx", "workers", "web, peak MiB"),
        rows,
        f"In {phases[SENDING].order.seconds:.0f} s each and {phases[ALL].order.seconds:.0f} s "
        "with all, and until the last upload has ended. The memory of the web is that of all "
        "its processes.",
    )


def _each(phases: dict[str, Phase]) -> Table:
    return Table(
        "What one costs",
        ("what", ""),
        tuple((each.name, f"{each.median:.1f}") for each in _figures(phases)),
        "A segment with its picture, its sound and its share of the playlists: 15 are a "
        "minute. An upload is every second time a photograph, else a small file. Without the "
        "database.",
    )


def _times(values: Sequence[float]) -> tuple[str, ...]:
    return tuple(f"{percentile(values, share) * 1000:.0f}" for share in PERCENTILES)


def _mib(phase: Phase) -> float:
    return sum(int(size) for _, size in phase.met.uploads.values()) / MIB


def _figures(phases: dict[str, Phase]) -> list[Figure]:
    sending = phases[SENDING]
    files = max(1, len(sending.met.uploads))
    of_segments = [
        Figure(f"{part}, CPU ms of a segment: {name}", (1000 * each.cpu[part] / each.played,))
        for name, each in phases.items()
        for part in ("web", "nginx")
        if name in {PUBLIC, SIGNED} and each.played
    ]
    return [
        *of_segments,
        Figure("web, CPU ms of an upload", (1000 * sending.cpu["web"] / files,)),
        Figure("nginx, CPU ms of an upload", (1000 * sending.cpu["nginx"] / files,)),
        Figure("web, peak of memory, MiB", (max(each.memory for each in phases.values()) / MIB,)),
    ]


def _verdicts(phases: dict[str, Phase], wrong: int) -> list[Verdict]:
    every = phases.values()
    failed = sum(len(each.met.failures) for each in every)
    stalls = sum(each.met.stalls for each in every)
    uploads = sum(len(each.met.uploads) for each in every)
    memory = max(each.memory for each in every) / MIB
    return [
        Verdict(f"no request failed: {failed} of {sum(each.met.requests for each in every)}",
                failed == 0),
        Verdict(f"no picture stood still: {stalls} stalls", stalls == 0),
        Verdict(f"every upload is there as it was sent: {wrong} of {uploads} are not",
                wrong == 0 and uploads > 0),
        Verdict(f"{memory:.0f} MiB of memory of the web (less than {TARGET_MEMORY})",
                memory < TARGET_MEMORY),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
