"""Films as adaptive streams: which tracks to make, in which jobs, and how stretches become one.

A film is made in passes: `copy` takes it as it is where players can, `low` makes the lowest rung so
that playing can start, `rest` all other rungs from one decode; `sound` is encoded once. The passes
with a picture that has to be encoded are cut into stretches when the film is long, so that any
number of workers shares it: each stretch is a job of its own, retried on its own, and the last one
that ends has them joined. A short film is one stretch, and nothing to join.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from apps.media.conf import options
from apps.media.models import Job, MediaFile, MediaVersion, Rendition
from apps.media.processing import sandbox
from apps.media.processing.joining import join_tracks
from apps.media.processing.ladder import plan_ladder, stretches
from apps.media.processing.streamtypes import MuxPlan, Rung, Segment, StreamPlan, Track
from apps.media.processing.types import Facts
from apps.media.services.allowances import long_limits, programs
from apps.media.services.facts import facts_of, version_of
from apps.media.services.jobs import Claim, Work, enqueue_job
from apps.media.services.publication import conclude
from apps.media.services.renditions import adopt, is_current, reserve, rows_of, write
from apps.media.services.workplaces import private_copy, workplace
from apps.media.storage import store_of

COPY, SOUND, LOW, REST = "copy", "sound", "low", "rest"
PRIORITIES = {COPY: 6, SOUND: 5, LOW: 4, REST: 0}
JOIN_FIRST = 7
# A shorter film is done before a pass of its own for the lowest rung has paid.
EARLY_PLAY_SECONDS = 30
# Above this share of a rung's bit rate the copied film is too much for lines that the rung is for.
HEAVY = 1.5
FALLBACK_SIDE = 720  # pixels: the shorter side of the film for players without playlists
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
        values = {**asdict(self.plan), "out_dir": "", "ffmpeg": "", "threads": 0}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]

    def subject(self, index: int) -> str:
        return f"{self.name}.{index:04}"

    def row_name(self, track: str, index: int) -> str:
        """Where the track of one stretch goes: to its place at once when there is only one."""
        if len(self.stretches) == 1:
            return f"{Rendition.TRACKS}{track}.mp4"
        return f"{Rendition.PARTS}{self.subject(index)}/{track}.mp4"


def enqueue_streams(
    media: MediaFile,
    version: MediaVersion,
    facts: Facts,
    *,
    priority: int = 0,
    needed: bool = True,
) -> int:
    """Have every track made that is missing or of a changed plan; return how many jobs it takes.

    `priority` is that of the last pass; the others come before it.
    """
    jobs = [
        Work(
            Job.Kind.STREAM,
            one.subject(index),
            queue=Job.SLOW,
            priority=PRIORITIES[one.name] + priority,
            needed=needed,
        )
        for one in passes(facts)
        if not _is_made(one, version)
        for index in range(len(one.stretches))
    ]
    for work in jobs:
        enqueue_job(media=media, version=version.number, work=work)
    return len(jobs)


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


def _is_made(one: Pass, version: MediaVersion) -> bool:
    rows = rows_of(version)
    names = [f"{Rendition.TRACKS}{track}.mp4" for track in one.tracks]
    return all(is_current(rows.get(name), one.fingerprint) for name in names)


def _find_pass(version: MediaVersion, name: str) -> Pass | None:
    found = (one for one in passes(facts_of(version)) if one.name == name)
    return next(found, None)


# -- one stretch -------------------------------------------------------------------------------


def stream(claim: Claim) -> None:
    """Make the tracks of one stretch of one pass."""
    version = version_of(claim)
    name, _, number = claim.job.subject.partition(".")
    one, index = _find_pass(version, name), int(number)
    if one is None or _is_made(one, version) or _has_stretch(one, index, version):
        _finish(claim, version, one)
        return
    with claim.saving() as media:
        names = [one.row_name(track, index) for track in one.tracks]
        rows = dict(zip(one.tracks, reserve(media, version, names), strict=True))
    with private_copy(version) as (source, out_dir):
        tracks = _run(claim, version, _stretch_plan(one, index, out_dir), source)
        for track in tracks:
            claim.keep()
            write(rows[track.name], track.path)
    with claim.saving():
        for track in tracks:
            _adopt_track(rows.pop(track.name), track, one)
        for unused in rows.values():  # a sound that was announced and is not there
            unused.delete()
    _finish(claim, version, one)


def _has_stretch(one: Pass, index: int, version: MediaVersion) -> bool:
    if index >= len(one.stretches):  # of an older plan
        return True
    rows = rows_of(version)
    names = [one.row_name(track, index) for track in one.tracks]
    return all(is_current(rows.get(name), one.fingerprint) for name in names)


def _stretch_plan(one: Pass, index: int, out_dir: Path) -> StreamPlan:
    start, duration = one.stretches[index]
    return replace(
        one.plan, out_dir=out_dir, ffmpeg=programs().ffmpeg, start=start, duration=duration
    )


def _run(claim: Claim, version: MediaVersion, plan: StreamPlan, source: Path) -> tuple[Track, ...]:
    return sandbox.run_stream(
        source,
        version.mime_type,
        plan=plan,
        limits=long_limits(plan.duration or version.duration),
        on_progress=claim.keep,
        on_idle=claim.keep,
    ).tracks


def _adopt_track(row: Rendition, track: Track, one: Pass) -> None:
    row.width, row.height = track.width or None, track.height or None
    row.details = {
        "codecs": track.codecs,
        "frame_rate": track.frame_rate,
        "head": track.head,
        "peak": track.peak_bit_rate,
        "average": track.average_bit_rate,
        "segments": [[segment.duration, segment.size] for segment in track.segments],
    }
    mime_type = "video/mp4" if track.width else "audio/mp4"
    adopt(row, fingerprint=one.fingerprint, mime_type=mime_type)


def _finish(claim: Claim, version: MediaVersion, one: Pass | None) -> None:
    """End the job; have joined what can be joined now, and muxed what can be muxed."""
    with claim.saving() as media:
        if one and len(one.stretches) > 1 and _all_stretches(one, version):
            work = Work(Job.Kind.JOIN, one.name, queue=Job.SLOW, priority=JOIN_FIRST)
            enqueue_job(media=media, version=version.number, work=work)
        _enqueue_mux(media, version)
        claim.finish()
        conclude(media)


def _all_stretches(one: Pass, version: MediaVersion) -> bool:
    rows = rows_of(version)
    return all(
        is_current(rows.get(one.row_name(track, index)), one.fingerprint)
        for track in one.tracks
        for index in range(len(one.stretches))
    )


# -- joining -----------------------------------------------------------------------------------


def join(claim: Claim) -> None:
    """Make one track of all stretches of each track of a pass; the parts go."""
    version = version_of(claim)
    one = _find_pass(version, claim.job.subject)
    if one is None or _is_made(one, version):
        _finish_join(claim, version, one)
        return
    if not _all_stretches(one, version):  # the plan has changed meanwhile
        with claim.saving() as media:
            enqueue_streams(media, version, facts_of(version))
            claim.finish()
        return
    with claim.saving() as media:
        names = [f"{Rendition.TRACKS}{track}.mp4" for track in one.tracks]
        rows = dict(zip(one.tracks, reserve(media, version, names), strict=True))
    for name, row in rows.items():
        with workplace(options().work_dir) as directory:
            track = _joined(claim, version, one, name, directory)
            write(row, track.path)
        with claim.saving():
            _adopt_track(row, track, one)
    _finish_join(claim, version, one)


def _joined(claim: Claim, version: MediaVersion, one: Pass, name: str, directory: Path) -> Track:
    rows, parts = rows_of(version), []
    for index in range(len(one.stretches)):
        claim.keep()
        row = rows[one.row_name(name, index)]
        path = directory / f"{index:04}.mp4"
        store_of(row.storage).fetch(row.key, path)
        parts.append(track_of(row, path))
    return join_tracks(parts, directory / f"{name}.mp4")


def track_of(row: Rendition, path: Path) -> Track:
    """A track as it was when its row was written, its bytes now at `path`."""
    kept = row.details
    return Track(
        name=row.name.rpartition("/")[2].removesuffix(".mp4"),
        path=path,
        codecs=kept["codecs"],
        head=kept["head"],
        segments=tuple(Segment(duration, size) for duration, size in kept["segments"]),
        width=row.width or 0,
        height=row.height or 0,
        frame_rate=kept["frame_rate"],
    )


def _finish_join(claim: Claim, version: MediaVersion, one: Pass | None) -> None:
    with claim.saving() as media:
        prefix = f"{Rendition.PARTS}{claim.job.subject}."
        for part in media.renditions.filter(version=version.number, name__startswith=prefix):
            part.delete()
        _enqueue_mux(media, version)
        claim.finish()
        conclude(media)


# -- one file for simple players ---------------------------------------------------------------


def _enqueue_mux(media: MediaFile, version: MediaVersion) -> None:
    picture, sound = _mux_sources(version)
    if picture is None or (sound is None and facts_of(version).audio):
        return
    if is_current(rows_of(version).get(Rendition.FALLBACK), picture.fingerprint):
        return
    work = Work(Job.Kind.MUX, queue=Job.SLOW, priority=JOIN_FIRST)
    enqueue_job(media=media, version=version.number, work=work)


def _mux_sources(version: MediaVersion) -> tuple[Rendition | None, Rendition | None]:
    """The rows of picture and sound, as soon as they are there."""
    rows = rows_of(version)
    tracks = [track for one in passes(facts_of(version)) for track in one.tracks]
    wanted = _best_for_all([track for track in tracks if track != SOUND], version)
    found = [rows.get(f"{Rendition.TRACKS}{track}.mp4") for track in (wanted, SOUND)]
    picture, sound = (row if row and row.key else None for row in found)
    return picture, sound


def _best_for_all(tracks: list[str], version: MediaVersion) -> str:
    """The largest rung that is no larger than what every device plays; else the only track."""
    facts = facts_of(version)
    rungs = plan_ladder(facts).rungs if facts.video else ()
    fitting = [
        rung
        for rung in rungs
        if rung.name in tracks and min(rung.width, rung.height) <= FALLBACK_SIDE
    ]
    if fitting:
        return max(fitting, key=lambda rung: rung.width * rung.height).name
    return tracks[0] if tracks else ""


def mux(claim: Claim) -> None:
    """Put picture and sound into one MP4 that plays while it loads."""
    version = version_of(claim)
    picture, sound = _mux_sources(version)
    if picture is None:
        with claim.saving() as media:
            claim.finish()
            conclude(media)
        return
    with claim.saving() as media:
        (row,) = reserve(media, version, [Rendition.FALLBACK])
    with workplace(options().work_dir) as directory:
        out_dir = directory / "out"
        out_dir.mkdir(mode=0o700)
        plan = MuxPlan(out_dir, programs().ffmpeg, Rendition.FALLBACK, _fetched(sound, directory))
        source = _fetched(picture, directory)
        assert source is not None
        limits = long_limits(version.duration)
        write(row, sandbox.run_mux(source, plan=plan, limits=limits, on_idle=claim.keep))
    with claim.saving() as media:
        row.width, row.height = picture.width, picture.height
        adopt(row, fingerprint=picture.fingerprint, mime_type="video/mp4")
        claim.finish()
        conclude(media)


def _fetched(row: Rendition | None, directory: Path) -> Path | None:
    if row is None:
        return None
    path = directory / row.name.rpartition("/")[2]
    store_of(row.storage).fetch(row.key, path)
    return path
