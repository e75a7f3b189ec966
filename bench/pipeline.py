"""How long a person waits for a film: `bench/run pipeline`, and a table of `bench/run films`.

The whole project is started as `make run` starts it, with nothing else to do; a film is uploaded
over HTTP and its state is asked for until it can be played, and until it is ready.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filming  # first: it sets the path to our own packages
import httpx
import report
from report import Table
from rich.console import Console

from launch.carry import log_in
from launch.session import read_settings, serving

POLL_SECONDS = 0.05
FILMS = {
    "H.264: copied, then less heavy qualities": ("film.mp4", filming.PHONE),
    "MPEG-4 part 2: encoded": ("film.avi", filming.CAMCORDER),
}


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds of the upload, and from its answer to each event."""

    upload: float
    pictures: float
    playable: float
    ready: float
    first_rung: str


def measure(seconds: int) -> Table:
    """Each film alone, one after the other, through a site of its own."""
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for name, (file, coded) in FILMS.items():
            film = Path(folder) / file
            filming.make_film(film, seconds, coded)
            with running(Path(folder) / "data") as client:
                found[name] = carry(client, film)
    rows = tuple(
        (name, f"{one.upload:.1f}", f"{one.pictures:.1f}", f"{one.playable:.1f}", one.first_rung,
         f"{one.ready:.1f}")
        for name, one in found.items()
    )  # fmt: skip
    headings = ("film", "upload s", "first pictures s", "first playable s", "by", "ready s")
    return Table(
        "From the upload to the player",
        headings,
        rows,
        f"{seconds} s of 1080p through the running project (web, worker, broker and database of "
        "`make run`, all on this machine), each film alone. Seconds count from the answer to the "
        "upload to the moment in which the API says so.",
    )


@contextmanager
def running(data: Path) -> Any:
    """A client of the whole project, which keeps its files in `data`."""
    os.environ["DATA_DIR"] = str(data)
    console = Console(stderr=True)
    with (
        serving(read_settings(), console, any_port=True, with_samples=False) as site,
        log_in(site.address) as client,
    ):
        yield client


def carry(client: httpx.Client, film: Path) -> Waits:
    """Raises `RuntimeError` when the film does not become ready."""
    started = time.perf_counter()
    with film.open("rb") as content:
        answer = client.post("media/", files={"file": (film.name, content)})
    media = answer.raise_for_status().json()
    taken = time.perf_counter()
    seen: dict[str, float] = {}
    first = ""
    while media["status"] in {"pending", "processing"}:
        time.sleep(POLL_SECONDS)
        media = client.get(f"media/{media['id']}/").raise_for_status().json()
        for event, has_come in EVENTS.items():
            if event not in seen and has_come(media):
                seen[event] = time.perf_counter() - taken
                first = first or (rungs(client, media) if event == "playable" else "")
    if media["status"] != "ready":
        raise RuntimeError(f"{film.name}: {media['status']}, {media['failure']}")
    return Waits(taken - started, **seen, first_rung=first)


EVENTS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "pictures": lambda media: bool(media["urls"]["poster"]),
    "playable": lambda media: bool(media["urls"]["hls"]),
    "ready": lambda media: media["status"] == "ready",
}


def rungs(client: httpx.Client, media: dict[str, Any]) -> str:
    """What the stream offers at that moment, by its height in pixels."""
    playlist = client.get(media["urls"]["hls"]).raise_for_status().text
    found = [part for line in playlist.splitlines() for part in line.split(",")]
    sizes = [part.partition("x")[2] for part in found if part.startswith("RESOLUTION=")]
    return " ".join(f"{size}p" for size in sizes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="length of the films")
    report.show([measure(parser.parse_args().seconds)], [])
    return 0


if __name__ == "__main__":
    sys.exit(main())
