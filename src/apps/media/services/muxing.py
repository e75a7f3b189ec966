"""A film in one MP4, for players that know no playlists. Nothing is encoded again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from django.db.models import Q

from apps.media.conf import options
from apps.media.models import Job, MediaFile, MediaVersion, Rendition
from apps.media.processing import sandbox
from apps.media.processing.ladder import plan_ladder
from apps.media.processing.streamtypes import MuxPlan
from apps.media.services.allowances import long_limits, programs
from apps.media.services.facts import facts_of, version_of
from apps.media.services.jobs import Claim, Work, enqueue_job
from apps.media.services.passes import COPY, SOUND, final_name, passes
from apps.media.services.publication import ACTIVE, conclude
from apps.media.services.renditions import (
    adopt,
    is_current,
    removed_when_lost,
    reserve,
    rows_of,
    write,
)
from apps.media.services.workplaces import lend, workplace

FALLBACK_SIDE = 720  # pixels: the shorter side of the film for players without playlists
SOON = 7  # priority: it takes a second


def enqueue_mux(media: MediaFile, version: MediaVersion, *, needed: bool) -> None:
    """Have it made, or made anew, as soon as what it is made of is there."""
    picture, sound = _mux_sources(version)
    if picture is None or (sound is None and _awaits_sound(media, version)):
        return
    if is_current(rows_of(version).get(Rendition.FALLBACK), picture.fingerprint):
        return
    work = Work(Job.Kind.MUX, queue=Job.SLOW, priority=SOON, needed=needed)
    enqueue_job(media=media, version=version.number, work=work)


def _awaits_sound(media: MediaFile, version: MediaVersion) -> bool:
    """Whether a job is left that makes the sound; one that was announced may never come."""
    streams = Job.objects.filter(
        media=media, version=version.number, kind=Job.Kind.STREAM, state__in=ACTIVE
    )
    makers = Q(subject__startswith=f"{COPY}.") | Q(subject__startswith=f"{SOUND}.")
    return streams.filter(makers).exists()


def _mux_sources(version: MediaVersion) -> tuple[Rendition | None, Rendition | None]:
    """The rows of picture and sound, as soon as they are there."""
    rows = rows_of(version)
    tracks = [track for one in passes(facts_of(version)) for track in one.tracks]
    wanted = _best_for_all([track for track in tracks if track != SOUND], version)
    found = [rows.get(final_name(track)) for track in (wanted, SOUND)]
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
    with removed_when_lost([row]):
        _make(claim, version, row, (picture, sound))


def _make(
    claim: Claim,
    version: MediaVersion,
    row: Rendition,
    sources: tuple[Rendition, Rendition | None],
) -> None:
    picture, sound = sources
    with workplace(options().work_dir) as directory:
        out_dir = directory / "out"
        out_dir.mkdir(mode=0o700)
        plan = MuxPlan(
            out_dir, programs().ffmpeg, Rendition.FALLBACK, _fetched(claim, sound, directory)
        )
        source = _fetched(claim, picture, directory)
        assert source is not None
        limits = long_limits(version.duration)
        made = sandbox.run_mux(source, plan=plan, limits=limits, on_idle=claim.keep)
        claim.wait_for(partial(write, row, made))
    with claim.saving() as media:
        row.width, row.height = picture.width, picture.height
        adopt(row, fingerprint=picture.fingerprint, mime_type="video/mp4")
        claim.finish()
        conclude(media)


def _fetched(claim: Claim, row: Rendition | None, directory: Path) -> Path | None:
    if row is None:
        return None
    path = directory / row.name.rpartition("/")[2]
    lend(claim, row.storage, row.key, path)
    return path
