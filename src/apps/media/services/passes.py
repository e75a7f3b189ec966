"""Which tracks a film gets, and in which jobs: pure arithmetic over facts and options.

A film is made in passes: `copy` takes it as it is where players can, `low` makes the lowest rung so
that playing can start, `rest` all other rungs from one decode; `sound` is encoded once. The passes
with a picture that has to be encoded are cut into stretches when the film is long, so that any
number of workers shares it. A short film is one stretch, and nothing to join.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from apps.media.conf import options
from apps.media.models import Rendition
from apps.media.processing.ladder import plan_ladder, stretches
from apps.media.processing.streamtypes import Rung, StreamPlan
from apps.media.processing.types import Facts

COPY, SOUND, LOW, REST = "copy", "sound", "low", "rest"
# A shorter film is done before a pass of its own for the lowest rung has paid.
EARLY_PLAY_SECONDS = 30
# Above this share of a rung's bit rate the copied film is too much for lines that the rung is for.
HEAVY = 1.5
Stretch = tuple[float, float | None]  # start and duration in seconds; None: to the end


@dataclass(frozen=True)
class Pass:
    """Tracks that are made together: from one decode, or in one copy."""

    name: str
    plan: StreamPlan
    tracks: tuple[str, ...]
    stretches: tuple[Stretch, ...] = ((0.0, None),)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the tracks would."""
        return _digest({**asdict(self.plan), "out_dir": "", "ffmpeg": "", "threads": 0})

    @property
    def stretch_fingerprint(self) -> str:
        """The same for one stretch, which also depends on where the film is cut."""
        whole = len(self.stretches) == 1
        return self.fingerprint if whole else _digest([self.fingerprint, self.stretches])

    def subject(self, index: int) -> str:
        return f"{self.name}.{index:04}"

    def final_names(self) -> list[str]:
        """The names of the rows that its tracks end in."""
        return [final_name(track) for track in self.tracks]

    def row_name(self, track: str, index: int) -> str:
        """Where the track of one stretch goes: to its place at once when there is only one."""
        if len(self.stretches) == 1:
            return final_name(track)
        return f"{Rendition.PARTS}{self.subject(index)}/{track}.mp4"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def final_name(track: str) -> str:
    return f"{Rendition.TRACKS}{track}.mp4"


def passes(facts: Facts) -> list[Pass]:
    """What has to be made of a film of these facts; nothing of anything else."""
    if facts.video is None or not facts.duration:
        return []
    ladder = plan_ladder(facts)
    base = StreamPlan(
        Path(),
        "",
        "encode",
        frame_rate=ladder.frame_rate,
        tone_map=ladder.tone_map,
        deinterlace=ladder.deinterlace,
        threads=options().encoder_threads,
    )
    made = [_copied(facts, base)] if ladder.copy else []
    if facts.audio and not ladder.copy:
        made.append(Pass(SOUND, replace(base, way="sound"), (SOUND,)))
    cuts = _cuts(facts.duration, ladder.frame_rate)
    groups = _grouped(_wanted(ladder.rungs, facts, copied=ladder.copy), facts, ladder.copy)
    return made + [
        Pass(name, replace(base, rungs=rungs), tuple(rung.name for rung in rungs), cuts)
        for name, rungs in groups
        if rungs
    ]


def _copied(facts: Facts, base: StreamPlan) -> Pass:
    return Pass(COPY, replace(base, way="copy"), (COPY, SOUND) if facts.audio else (COPY,))


def _wanted(rungs: tuple[Rung, ...], facts: Facts, *, copied: bool) -> tuple[Rung, ...]:
    """All rungs, but for the one that the copied film already is."""
    if not copied or facts.video is None:
        return rungs
    side = min(facts.width, facts.height)
    light = [rung for rung in rungs if facts.video.bit_rate <= rung.bit_rate * HEAVY]
    return tuple(rung for rung in rungs if rung not in light or min(rung.width, rung.height) < side)


def _grouped(
    rungs: tuple[Rung, ...], facts: Facts, copied: bool
) -> list[tuple[str, tuple[Rung, ...]]]:
    early = not copied and len(rungs) > 1 and (facts.duration or 0) > EARLY_PLAY_SECONDS
    if not early:
        return [(REST, rungs)]
    lowest = min(rungs, key=lambda rung: rung.width * rung.height)
    return [(LOW, (lowest,)), (REST, tuple(rung for rung in rungs if rung != lowest))]


def _cuts(duration: float, frame_rate: str) -> tuple[Stretch, ...]:
    seconds = options().stretch_seconds
    if duration <= 2 * seconds:
        return ((0.0, None),)
    return tuple(stretches(duration, frame_rate, seconds))
