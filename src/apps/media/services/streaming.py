"""Films as adaptive streams: one stretch of some tracks per job, and their joining.

Each stretch is retried on its own, and the last one that ends has them joined (see `passes`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from django.db.models import Q

from apps.media.conf import options
from apps.media.models import Job, MediaFile, MediaVersion, Rendition
from apps.media.processing import sandbox
from apps.media.processing.joining import join_tracks
from apps.media.processing.streamtypes import Segment, StreamPlan, Track
from apps.media.processing.types import Facts
from apps.media.services.allowances import long_limits, programs
from apps.media.services.facts import facts_of, forget_sound, version_of
from apps.media.services.jobs import Claim, Work, enqueue_job
from apps.media.services.muxing import enqueue_mux
from apps.media.services.passes import COPY, LOW, REST, SOUND, Pass, passes
from apps.media.services.publication import conclude
from apps.media.services.renditions import (
    adopt,
    is_current,
    removed_when_lost,
    reserve,
    rows_of,
    write,
)
from apps.media.services.workplaces import private_copy, workplace
from apps.media.storage import store_of

PRIORITIES = {COPY: 6, SOUND: 5, LOW: 4, REST: 0}
JOIN_FIRST = 7


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


def _is_made(one: Pass, version: MediaVersion) -> bool:
    rows = rows_of(version)
    return all(is_current(rows.get(name), one.fingerprint) for name in one.final_names())


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
    with removed_when_lost(rows.values()):
        with private_copy(version, claim) as (source, out_dir):
            tracks = _run(claim, version, _stretch_plan(one, index, out_dir), source)
            for track in tracks:
                claim.wait_for(partial(write, rows[track.name], track.path))
        with claim.saving():
            for track in tracks:
                _adopt_track(rows.pop(track.name), track, one.stretch_fingerprint)
            for unused in rows.values():  # a sound that was announced and is not there
                unused.delete()
                forget_sound(version)
    _finish(claim, version, one)


def _has_stretch(one: Pass, index: int, version: MediaVersion) -> bool:
    if index >= len(one.stretches):  # of an older plan
        return True
    rows = rows_of(version)
    names = [one.row_name(track, index) for track in one.tracks]
    return all(is_current(rows.get(name), one.stretch_fingerprint) for name in names)


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


def _adopt_track(row: Rendition, track: Track, fingerprint: str) -> None:
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
    adopt(row, fingerprint=fingerprint, mime_type=mime_type)


def _finish(claim: Claim, version: MediaVersion, one: Pass | None) -> None:
    """End the job; have joined what can be joined now, and muxed what can be muxed."""
    with claim.saving() as media:
        claim.finish()  # first: what is left is asked for below
        if one and len(one.stretches) > 1 and _all_stretches(one, version):
            work = Work(
                Job.Kind.JOIN,
                one.name,
                queue=Job.SLOW,
                priority=JOIN_FIRST,
                needed=claim.job.needed,
            )
            enqueue_job(media=media, version=version.number, work=work)
        enqueue_mux(media, version, needed=claim.job.needed)
        _drop_unknown(media, version)
        conclude(media)


def _all_stretches(one: Pass, version: MediaVersion) -> bool:
    rows = rows_of(version)
    return all(
        is_current(rows.get(one.row_name(track, index)), one.stretch_fingerprint)
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
            enqueue_streams(media, version, facts_of(version), needed=claim.job.needed)
            claim.finish()
        return
    with claim.saving() as media:
        rows = dict(zip(one.tracks, reserve(media, version, one.final_names()), strict=True))
    for name, row in rows.items():
        with removed_when_lost([row]):
            with workplace(options().work_dir) as directory:
                track = _joined(claim, version, one, name, directory)
                claim.wait_for(partial(write, row, track.path))
            with claim.saving():
                _adopt_track(row, track, one.fingerprint)
    _finish_join(claim, version, one)


def _joined(claim: Claim, version: MediaVersion, one: Pass, name: str, directory: Path) -> Track:
    rows, parts = rows_of(version), []
    for index in range(len(one.stretches)):
        row = rows[one.row_name(name, index)]
        path = directory / f"{index:04}.mp4"
        claim.wait_for(partial(store_of(row.storage).fetch, row.key, path))
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
        claim.finish()
        prefix = f"{Rendition.PARTS}{claim.job.subject}."
        for part in media.renditions.filter(version=version.number, name__startswith=prefix):
            part.delete()
        enqueue_mux(media, version, needed=claim.job.needed)
        _drop_unknown(media, version)
        conclude(media)


def _drop_unknown(media: MediaFile, version: MediaVersion) -> None:
    """Once all that the plan wants is there, tracks and parts of older plans go."""
    planned = passes(facts_of(version))
    if not planned or not all(_is_made(one, version) for one in planned):
        return
    known = [name for one in planned for name in one.final_names()]
    older = media.renditions.filter(
        Q(name__startswith=Rendition.TRACKS) | Q(name__startswith=Rendition.PARTS),
        version=version.number,
    )
    for row in older.exclude(name__in=known):
        row.delete()
