"""What a file is: its hash and facts; and from them, what has to be made of it."""

from __future__ import annotations

import hashlib

from apps.media.models import Job, MediaFile, MediaVersion, Status
from apps.media.processing import sandbox
from apps.media.processing.engines import engine_for
from apps.media.processing.types import Facts
from apps.media.services import rendering, streaming
from apps.media.services.allowances import limits
from apps.media.services.duplicates import check_declared, mark_duplicates
from apps.media.services.facts import keep_facts, version_of
from apps.media.services.jobs import Claim, Work, enqueue_first_jobs, enqueue_job
from apps.media.services.publication import conclude
from apps.media.services.words import refresh_search_text
from apps.media.services.workplaces import private_copy
from apps.media.storage import store_of

HASH_CHUNK = 1024 * 1024
# Facts that only the owner may find the file by.
OWNERS_FACTS = ("camera_make", "camera", "lens", "taken_at")
INSPECTION = (Work(Job.Kind.INSPECT), Work(Job.Kind.SCAN))
COPIED = ("sha256", "width", "height", "duration")


def enqueue_inspection(media: MediaFile) -> None:
    """Have the current version looked at and scanned, side by side; only publication needs both."""
    for work in INSPECTION:
        enqueue_job(media=media, version=media.version, work=work)


def enqueue_first_inspection(media: MediaFile) -> None:
    """The same for a version that the present transaction has made."""
    enqueue_first_jobs(media=media, version=media.version, works=INSPECTION)


def inspect(claim: Claim) -> None:
    """Hash and probe the version; save the facts; have made what can be made of such a file."""
    version = version_of(claim)
    MediaFile.objects.filter(pk=claim.job.media_id, status=Status.PENDING).update(
        status=Status.PROCESSING
    )
    sha256 = _hash(version, claim)
    with claim.saving() as media:  # apart from the facts, so that copies that come at once meet
        _save_hash(media, version, sha256)
    facts = _probe(version, claim) if engine_for(version.mime_type) else None
    with claim.saving() as media:
        _save(media, version, facts)
        if facts:
            priority, needed = claim.job.priority, claim.job.needed  # as those of what follows
            for enqueue in (rendering.enqueue_renderings, streaming.enqueue_streams):
                enqueue(media, version, facts, priority=priority, needed=needed)
        claim.finish()
        conclude(media)


def _hash(version: MediaVersion, claim: Claim) -> str:
    digest = hashlib.sha256()
    with store_of(version.storage).open_object(version.key) as file:
        while chunk := file.read(HASH_CHUNK):
            digest.update(chunk)
            claim.keep()
    return digest.hexdigest()


def _probe(version: MediaVersion, claim: Claim) -> Facts:
    with private_copy(version, claim) as (source, _):
        return sandbox.run_probe(source, version.mime_type, limits(), on_idle=claim.keep)


def _save_hash(media: MediaFile, version: MediaVersion, sha256: str) -> None:
    check_declared(media, version, sha256=sha256)
    version.sha256 = sha256
    version.save(update_fields=["sha256"])
    if media.version == version.number:
        media.sha256 = sha256
        media.save(update_fields=["sha256", "updated_at"])


def _save(media: MediaFile, version: MediaVersion, facts: Facts | None) -> None:
    version.refresh_from_db(fields=["metadata"])  # another job of the file may have added to it
    if facts:
        keep_facts(version, facts)
    version.save(update_fields=["width", "height", "duration", "metadata"])
    if media.version != version.number:
        return
    for name in COPIED:
        setattr(media, name, getattr(version, name))
    media.owner_text = owner_words(version)
    mark_duplicates(media)
    media.save(update_fields=[*COPIED, "owner_text", "duplicate_of", "updated_at"])
    refresh_search_text(media)


def owner_words(version: MediaVersion) -> str:
    """The facts of its making, by which only the owner may find the file."""
    known = (str(version.metadata[name]) for name in OWNERS_FACTS if name in version.metadata)
    return " ".join(known).casefold()
