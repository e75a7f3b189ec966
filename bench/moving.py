"""Benchmark of moving to another storage while people are there: `bench/run moving`.

A whole site on PostgreSQL, web, worker and clock, moves all its objects from one directory to
another, or to a bucket (`--to s3://…`), as docs/operations.md says: the new storage made known,
`media_migrate_storage`, killed twice on the way by SIGKILL and begun again, the two storages
exchanged with a second web server taking over from the first, and the command until nothing is
elsewhere. Meanwhile people fetch files, whose every byte is looked at, and upload new ones: no
request may fail. It needs PostgreSQL (DATABASE_URL) and two inodes for each object.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import benchmark
import project
import psycopg
import report
from benchmark import ROOT, Found
from databases import copied
from figures import Figure

HEADING = "Moving to another storage under load"
TO_BUCKET = "Moving to a bucket under load"
PEOPLE = 3
KILLS = (1 / 3, 2 / 3)  # of the objects
MOST_PEAK = 192.0  # MiB
SETTLES = 5.0  # seconds within which visitors have ended what they ask the first web server for
TABLES = ("media_mediaversion", "media_rendition", "media_caption")
ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT

FILES = """
INSERT INTO media_mediafile ({columns})
SELECT {values} FROM media_mediafile t, generate_series(1, {last}) g WHERE t.id = %(media)s
"""
PARTS = """
INSERT INTO {table} ({columns})
SELECT {values} FROM {table} t, generate_series(1, {last}) g WHERE t.media_id = %(media)s
"""
ID = "md5('file ' || g)::uuid"
SHA256 = "encode(sha256(repeat('original' || lpad(g::text, 8, '0'), 64)::bytea), 'hex')"
KEYS = {
    "original": "'original/' || substr(md5(g::text), 1, 2) || '/' || md5(g::text)",
    "rendition": "'rendition/' || substr(md5(g::text), 1, 2) || '/' || md5(g::text) || '.webp'",
}


@dataclass
class Run:
    """What the runs of the command came to, one after the other."""

    seconds: float = 0.0
    peak: float = 0.0  # MiB, the highest
    killed: int = 0


def main() -> int:
    chosen = _options()
    address = project.postgresql()
    line = benchmark.circumstances("django", others=[project.postgresql_version(address)])
    os.environ.pop("MEDIA_STORAGE_URL", None)
    sys.path.insert(0, str(benchmark.SOURCE))
    with tempfile.TemporaryDirectory(prefix="media-bench-") as folder:
        found = _measure(Path(folder), chosen.objects, chosen.to)
    name, heading = ("moving-bucket", TO_BUCKET) if chosen.to else ("moving", HEADING)
    return benchmark.conclude(name, f"{heading}\n\n{line}", found, chosen)


def _options() -> argparse.Namespace:
    parser = benchmark.options(__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    help_to = "an empty storage to move to, such as s3://…, instead of a directory; it is left full"
    parser.add_argument("--to", metavar="URL", help=help_to)
    return parser.parse_args()


def _measure(folder: Path, objects: int, to: str | None) -> Found:
    servers = importlib.import_module("apps.media.tests.flows.servers")
    programs = ("broker", "web", "worker", "beat")
    place = folder / "site"
    old, new = place / "media", to or f"file://{place / 'other'}"
    settings = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STATIC_FROM_SOURCE": "true",
        "MEDIA_STORAGE_URL": f"file://{old}",
        "MEDIA_STORAGE_OTHER_URL": new,
    }
    with servers.running_site(place, programs=programs, change=lambda env: env | settings) as site:
        own = {"DATABASE_URL": site.database_url, "SECRET_KEY": site.secret_key}
        project.set_up(**settings, **own, DATA_DIR=str(place))
        logging.getLogger("httpx").setLevel(logging.WARNING)
        people = [site.person() for _ in range(PEOPLE)]
        _fill(old, people[0].id, objects // 2)
        move = Move(site, old, new, objects)
        move.go(people)
        found = move.look()
        shutil.rmtree(place / "other", ignore_errors=True)  # sooner than one by one
    figures = [
        Figure("objects a second", (move.objects / move.run.seconds,), "more"),
        Figure("peak of memory of the command, MiB", (max(move.run.peak, move.after.peak),)),
    ]
    return Found(_tables(move), _verdicts(move, found), figures)


# -- what is moved -----------------------------------------------------------------------------


def _fill(store: Path, owner_id: int, files: int) -> None:
    """So many files, each with an original and a rendition."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415  # once Django is set up
    from django.db import connection  # noqa: PLC0415

    models = importlib.import_module("apps.media.models")
    testing, visitors = (importlib.import_module(n) for n in ("apps.media.testing", "visitors"))
    owner = get_user_model().objects.get(pk=owner_id)
    content = visitors.known_content(visitors.ORIGINAL, 0)
    media = testing.make_media(owner=owner, content=content)
    part = {"id": None, "media_id": ID}
    copies = (
        (FILES, copied(models.MediaFile, id=ID, sha256=SHA256)),
        (PARTS, copied(models.MediaVersion, **part, key=KEYS["original"], sha256=SHA256)),
        (PARTS, copied(models.Rendition, **part, key=KEYS["rendition"])),
    )
    with connection.cursor() as cursor:
        for (statement, columns), table in zip(copies, ("", *TABLES), strict=False):
            names, values = ", ".join(columns), ", ".join(columns.values())
            text = statement.format(table=table, columns=names, values=values, last=files)
            cursor.execute(text, {"media": media.pk})
        counted = f"{files + 1}, bytes_used = {(files + 1) * len(content)}"
        cursor.execute(f"UPDATE media_quota SET files_used = {counted} WHERE owner_id = {owner_id}")
        cursor.execute("ANALYZE")
    connection.close()
    for number in range(1, files + 1):
        for key, content in _known(number):
            path = store / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _known(number: int) -> list[tuple[str, bytes]]:
    """The keys of the original and the rendition of a file, with what is in them."""
    visitors = importlib.import_module("visitors")
    name = hashlib.md5(str(number).encode()).hexdigest()
    original, rendition = (
        visitors.known_content(kind, number) for kind in (visitors.ORIGINAL, visitors.RENDITION)
    )
    return [
        (f"original/{name[:2]}/{name}", original),
        (f"rendition/{name[:2]}/{name}.webp", rendition),
    ]


# -- moving ------------------------------------------------------------------------------------


class Move:
    """The steps of docs/operations.md, with people at the site all the while."""

    def __init__(self, site: Any, old: Path, new: str, objects: int) -> None:
        self._site, self._old, self._new = site, old, new
        self.objects = objects
        self.is_local = new.startswith("file:")
        self.run, self.after = Run(), Run()
        self.told = importlib.import_module("visitors").Told()
        self._alias = importlib.import_module("apps.core.storage").alias_of(new)

    def go(self, people: list[Any]) -> None:
        visitors, receivers = (importlib.import_module(n) for n in ("visitors", "receivers"))
        place = visitors.Site(self._site.address, self.objects // 2, people[0])
        with ExitStack() as second, visitors.visited(place, people, self.told):
            for share in KILLS:
                self._command(self.run, until=self._reaching(share))
            self._command(self.run)
            _say(f"moved: {self.run}")
            port = self._exchange()
            command = receivers.gunicorn("config.wsgi:application", self._place())
            environment = self._site.environment
            second.enter_context(receivers.started(command, port, env=environment, cwd=ROOT))
            place.address = f"http://127.0.0.1:{port}"
            time.sleep(SETTLES)
            self._site.terminate("web")
            while self._left():
                self._command(self.after)
            _say(f"the rest: {self.after}")

    def _reaching(self, share: float) -> Callable[[], bool]:
        return lambda: self._moved() > share * self.objects

    def _exchange(self) -> int:
        """New processes write to the new storage; the worker is one of them. The web's port."""
        port = importlib.import_module("launch.readiness").free_port()
        self._site.change(
            MEDIA_STORAGE_URL=self._new,
            MEDIA_STORAGE_OTHER_URL=f"file://{self._old}",
            PORT=str(port),
        )
        for name in ("worker", "beat"):
            self._site.terminate(name)
            self._site.start(name)
        return int(port)

    def _place(self) -> Any:
        return importlib.import_module("launch.place").Place(self._old.parent)

    def _command(self, run: Run, until: Callable[[], bool] = lambda: False) -> None:
        """To its end, or until it is killed."""
        began = time.monotonic()
        process = self._site.begin("media_migrate_storage", "--to", self._new)
        status = Path(f"/proc/{process.pid}/status")
        while not os.waitid(os.P_PID, process.pid, ENDED):
            found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
            run.peak = max(run.peak, int(found[1]) / 1024 if found else 0)
            if until():
                process.kill()
                run.killed += 1
                break
            time.sleep(0.5)
        code = process.wait()
        run.seconds += time.monotonic() - began
        if code not in (0, -9):
            raise RuntimeError(f"media_migrate_storage ended with {code}")

    # -- what has become of it -----------------------------------------------------------------

    def _count(self, condition: str) -> int:
        counts = " + ".join(
            f"(SELECT count(*) FROM {table} WHERE key <> '' AND storage {condition} %(alias)s)"
            for table in TABLES
        )
        with psycopg.connect(self._site.database_url) as server:
            row = server.execute(f"SELECT {counts}", {"alias": self._alias}).fetchone()
        return int(row[0]) if row else 0

    def _moved(self) -> int:
        return self._count("=")

    def _left(self) -> int:
        return self._count("<>")

    def look(self) -> dict[str, int]:
        """What is not as it should be, by what it is."""
        known = (each for number in range(1, self.objects // 2 + 1) for each in _known(number))
        wrong = sum(self._stored(key) != content for key, content in known)
        with psycopg.connect(self._site.database_url) as server:
            rows = server.execute("SELECT media_id, key, sha256 FROM media_mediaversion").fetchall()
        hashes = {str(media): _sha256(self._stored(key)) for media, key, _ in rows}
        # A worker that is behind has not taken every hash yet; such uploads are looked at below.
        wrong += sum(hashes[str(media)] != told for media, _, told in rows if told)
        lost = sum(hashes.get(media) != sent for media, sent in self.told.uploads.items())
        try:
            _say(self._site.manage("media_reconcile", "--strict")[-500:])
            violations = 0
        except subprocess.CalledProcessError as error:
            _say(error.stdout)
            violations = 1
        return {"left": self._left(), "wrong": wrong, "lost": lost, "violations": violations}

    def _stored(self, key: str) -> bytes:
        store = importlib.import_module("apps.media.services").place_of(self._new).store
        with store.open_object(key) as content:
            return bytes(content.read(store.size_of(key)))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


# -- what is told ------------------------------------------------------------------------------


def _tables(move: Move) -> list[report.Table]:
    count, run, told = move.objects, move.run, move.told
    rate = f"{count / run.seconds:.0f}"
    moved = (f"{count:,}".replace(",", " "), f"{run.seconds:.0f}", rate, f"{run.peak:.1f}")
    where = "another" if move.is_local else "a bucket of an S3 server on the same machine"
    note = (
        f"From one directory to {where}, an original and a rendition of 1 KiB for each file, four "
        "objects at a time, each made durable and read again. The command was killed by SIGKILL "
        f"{run.killed} times and begun again; the seconds are those of all its runs together, "
        "starts included. Web, worker, database and visitors share the machine's cores. "
        "The peak is the resident memory "
        f"of the command, Python and Django included. {os.cpu_count()} cores."
    )
    people = (
        f"{PEOPLE} visitors, each with a request every 100 ms at most. Every download was "
        "compared byte by byte. Each upload is a new photograph, of which the worker makes "
        "renditions meanwhile. Then the two storages were exchanged, a second web server took "
        "over, and the command went once more after what had come in between."
    )
    requests = tuple(
        (what, str(number), str(sum(line.startswith(what) for line in told.failures)))
        for what, number in sorted(told.requests.items())
    )
    return [
        report.Table(
            "media_migrate_storage",
            ("objects", "seconds", "per second", "peak MiB"),
            (moved,),
            note,
        ),
        report.Table("Requests meanwhile", ("what", "requests", "failed"), requests, people),
    ]


def _verdicts(move: Move, found: dict[str, int]) -> list[report.Verdict]:
    failures = move.told.failures
    for line in failures[:10]:
        _say(line)
    peak = max(move.run.peak, move.after.peak)
    killed = move.run.killed == len(KILLS)
    return [
        report.Verdict(f"no request failed: {len(failures)} did", not failures),
        report.Verdict("the command was killed twice, and went on", killed),
        report.Verdict("every row names the new storage", found["left"] == 0),
        report.Verdict("every hash is right", found["wrong"] == 0),
        report.Verdict("every upload that was acknowledged is there", found["lost"] == 0),
        report.Verdict("`media_reconcile --strict` finds nothing", found["violations"] == 0),
        report.Verdict(f"at most {MOST_PEAK:.0f} MiB of memory: {peak:.0f}", peak <= MOST_PEAK),
    ]


if __name__ == "__main__":
    sys.exit(main())
