"""From stored bytes to a ready media file: inspect, then render.

    inspect: hash → probe → facts → render, or ready when nothing can be rendered
    render:  rows for the wanted renditions → engine → objects → rows ready → media ready

Slow work holds neither lock nor transaction. Results are saved only under the job's own lease;
otherwise what was made is removed.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from apps.media import signals
from apps.media.conf import options
from apps.media.exceptions import LostLeaseError
from apps.media.models import Job, MediaFile, MediaVersion, Rendition, Status
from apps.media.processing import sandbox
from apps.media.processing.engines import engine_for
from apps.media.processing.recipes import RecipeSet, recipes_for
from apps.media.processing.types import Facts, Limits, Output, Plan, Recipe, Rendered
from apps.media.services import jobs
from apps.media.services.deletion import raise_tombstone
from apps.media.services.jobs import Claim, Handler, enqueue_job
from apps.media.services.workplaces import workplace
from apps.media.storage import current_alias, rendition_key, store_of

HASH_CHUNK = 1024 * 1024


def run_job(job_id: uuid.UUID | str) -> bool:
    """Do one job by its id; return whether there was something to do."""
    return jobs.run_job(job_id, handlers=HANDLERS)


def inspect(claim: Claim) -> None:
    """Hash and probe the version; save the facts; go on to rendering or be ready."""
    version = _version_of(claim)
    _set_processing(claim)
    sha256 = _hash(version, claim)
    facts = _probe(version, claim) if engine_for(version.mime_type) else None
    with claim.saving() as media:
        _save_facts(media, version, sha256=sha256, facts=facts)
        if facts is None:
            _publish(media)
        else:
            enqueue_job(media=media, kind=Job.Kind.RENDER, version=version.number)
        claim.finish()


def render(claim: Claim) -> None:
    """Make every rendition that is missing or of a changed recipe."""
    version = _version_of(claim)
    planned = _plan_renditions(claim, version)
    with _private_copy(version) as (source, out_dir):
        recipes = tuple(recipe for recipe, _ in planned)
        plan = Plan(out_dir, recipes, focal=(claim.job.media.focal_x, claim.job.media.focal_y))
        rendered = sandbox.run_render(
            source,
            version.mime_type,
            plan=plan,
            limits=limits(),
            on_progress=claim.keep,
            on_idle=claim.keep,
        )
        _store(claim, version, rendered, planned)


def limits() -> Limits:
    """The engines' limits from the options in force."""
    chosen = options()
    return Limits(
        max_pixels=chosen.max_pixels,
        max_total_pixels=chosen.max_total_pixels,
        max_frames=chosen.max_frames,
        max_pages=chosen.max_pages,
        memory_bytes=chosen.process_memory,
        cpu_seconds=chosen.process_cpu_seconds,
        wall_seconds=chosen.process_wall_seconds,
    )


def _version_of(claim: Claim) -> MediaVersion:
    job = claim.job
    version = MediaVersion.objects.filter(media_id=job.media_id, number=job.version).first()
    if version is None:
        raise LostLeaseError(job.pk)
    return version


def _set_processing(claim: Claim) -> None:
    MediaFile.objects.filter(pk=claim.job.media_id, status=Status.PENDING).update(
        status=Status.PROCESSING
    )


def _hash(version: MediaVersion, claim: Claim) -> str:
    digest = hashlib.sha256()
    with store_of(version.storage).open_object(version.key) as file:
        while chunk := file.read(HASH_CHUNK):
            digest.update(chunk)
            claim.keep()
    return digest.hexdigest()


def _probe(version: MediaVersion, claim: Claim) -> Facts:
    with _private_copy(version) as (source, _):
        return sandbox.run_probe(source, version.mime_type, limits(), on_idle=claim.keep)


@contextmanager
def _private_copy(version: MediaVersion) -> Iterator[tuple[Path, Path]]:
    """The version's bytes as a local file, and an empty directory; both vanish afterwards."""
    with workplace(options().work_dir) as directory:
        source, out_dir = directory / "source", directory / "out"
        out_dir.mkdir(mode=0o700)
        store_of(version.storage).fetch(version.key, source)
        yield source, out_dir


def _save_facts(
    media: MediaFile, version: MediaVersion, *, sha256: str, facts: Facts | None
) -> None:
    version.sha256 = sha256
    if facts is not None:
        version.width, version.height = facts.width, facts.height
        version.duration = facts.duration
        version.metadata = {**facts.metadata, "frames": facts.frames, "pages": facts.pages}
    version.save(update_fields=["sha256", "width", "height", "duration", "metadata"])
    if media.version == version.number:
        for name in ("sha256", "width", "height", "duration"):
            setattr(media, name, getattr(version, name))
        media.save(update_fields=["sha256", "width", "height", "duration", "updated_at"])


def _recipes(version: MediaVersion) -> tuple[Recipe, ...]:
    facts = Facts(
        width=version.width or 0,
        height=version.height or 0,
        frames=version.metadata.get("frames", 1),
        pages=version.metadata.get("pages", 0),
    )
    own = options().recipes
    recipe_set = RecipeSet(images=own) if own else RecipeSet()
    return recipes_for(version.mime_type, facts, recipe_set)


def _plan_renditions(claim: Claim, version: MediaVersion) -> list[tuple[Recipe, Rendition]]:
    """Write a row with the key of every object before the first of them is written."""
    planned = []
    with claim.saving() as media:
        for recipe in _recipes(version):
            row, _ = Rendition.objects.get_or_create(
                media=media,
                version=version.number,
                name=recipe.name,
                defaults={"storage": current_alias()},
            )
            # An earlier attempt may have written there, or may still be writing.
            raise_tombstone(storage=row.storage, key=row.next_key, still_written=True)
            row.next_key = rendition_key(recipe.name.rpartition(".")[2])
            row.save(update_fields=["next_key", "updated_at"])
            planned.append((recipe, row))
    return planned


def _store(
    claim: Claim,
    version: MediaVersion,
    rendered: Rendered,
    planned: list[tuple[Recipe, Rendition]],
) -> None:
    """Write the objects to the keys of this attempt, then serve them all at once."""
    outputs = {output.name: output for output in rendered.outputs}
    for _, row in planned:
        claim.keep()
        store_of(row.storage).put_file(row.next_key, outputs[row.name].path)
    with claim.saving() as media:
        for recipe, row in planned:
            _adopt(row, outputs[row.name], fingerprint=recipe.fingerprint)
        _rows(version).exclude(name__in=outputs).delete()
        if media.version == version.number:
            media.placeholder, media.color = rendered.placeholder, rendered.color
            _publish(media)
        claim.finish()


def _rows(version: MediaVersion) -> QuerySet[Rendition]:
    return Rendition.objects.filter(media_id=version.media_id, version=version.number)


def _adopt(row: Rendition, output: Output, *, fingerprint: str) -> None:
    """Serve the new object; the old one goes."""
    raise_tombstone(storage=row.storage, key=row.key)
    row.key, row.next_key = row.next_key, ""
    row.state, row.fingerprint = Rendition.State.READY, fingerprint
    row.mime_type, row.size = output.mime_type, output.size
    row.width, row.height = output.width, output.height
    row.save()


def _publish(media: MediaFile) -> None:
    media.status, media.progress = Status.READY, 100
    media.failure_code = media.failure_message = ""
    media.save(
        update_fields=[
            "status",
            "progress",
            "placeholder",
            "color",
            "failure_code",
            "failure_message",
            "updated_at",
        ]
    )
    transaction.on_commit(
        lambda: signals.media_ready.send_robust(sender=MediaFile, media=media), robust=True
    )


HANDLERS: Mapping[str, Handler] = {Job.Kind.INSPECT: inspect, Job.Kind.RENDER: render}
