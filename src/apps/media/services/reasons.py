"""Why something is there, and what will become of it: for operators, in lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.core.errors import ObjectMissingError, StorageUnavailableError
from apps.core.storage.keys import check_key, whole_of
from apps.media.conf import options
from apps.media.exceptions import NotVisibleError
from apps.media.models import (
    AuditEvent,
    Emptying,
    Erasure,
    Job,
    Lifetime,
    MediaFile,
    MediaVersion,
    Tombstone,
    Upload,
)
from apps.media.selectors import leaves_trash_at, list_media_usage, name_uses
from apps.media.services.explanations import (
    Explanation,
    aliases_in_use,
    aliases_left,
    rows_of_key,
)
from apps.media.services.reconciling import storages_to_reconcile
from apps.media.storage import known_aliases, store_of

MISSING = "is not there"


def explain(*, what: str) -> list[str]:
    """Every reference to the file or upload of that id, or to the object of that storage key
    (`alias:key` or `key`), and the rule that will remove it and when.

    Raises `NotVisibleError` for what never was or left no trace.
    """
    try:
        found = _explain_id(UUID(what))
    except ValueError:
        found = _explain_key(what)
    lines = list(found)
    if not lines:
        raise NotVisibleError(what)
    return lines


def _explain_id(pk: UUID) -> Iterator[str]:
    media = MediaFile.objects.select_related("owner").filter(pk=pk).first()
    if media is not None:
        yield from _explain_media(media)
        return
    upload = Upload.objects.select_related("owner").filter(pk=pk).first()
    if upload is not None:
        yield f"upload of {upload.owner.get_username()}, {upload.state}, {upload.offset} bytes"
        yield f"object {upload.storage}:{upload.key}"
        yield f"goes at {_moment(upload.expires_at)}: uploads past their time (media_cleanup)"
        return
    for event in AuditEvent.objects.filter(media_id=pk, act=AuditEvent.Act.DELETED):
        who = event.actor_name or "by a rule"
        yield f"is gone: deleted at {_moment(event.created_at)}, {who}"


# -- a file ------------------------------------------------------------------------------------


def _explain_media(media: MediaFile) -> Iterator[str]:
    yield f"file of {media.owner.get_username()}, {media.status}, {media.visibility}"
    uses = list_media_usage(media=media)
    # Named as for its owner: of what they may not see either, the key has to be enough.
    for use, named in zip(uses, name_uses(media.owner, uses), strict=True):
        words = f": {named.kind} “{named.name}”" if named.name else ""
        yield f"used by {use.host._meta.label_lower} {use.host.pk} ({use.field.label}){words}"
    yield from _kept_by(media)
    yield from _made_of(media)
    yield _fate(media, used=bool(uses) or _is_collected_by_owner(media))


def _kept_by(media: MediaFile) -> Iterator[str]:
    for item in media.collected.select_related("collection"):
        yield f"in collection {item.collection_id} at {item.position}"
    for collection in media.covers.all():
        yield f"cover of collection {collection.pk}"
    for grant in media.grants.all():
        to = f"user {grant.user_id}" if grant.user_id else f"group {grant.group_id}"
        yield f"grant {grant.pk}: {grant.permission} to {to}{_until(grant.expires_at)}"
    for link in media.share_links.all():
        yield f"share link {link.pk}{_until(link.expires_at)}"


def _made_of(media: MediaFile) -> Iterator[str]:
    for version in media.versions.defer("text").order_by("number"):
        mark = " (current)" if version.number == media.version else ""
        yield f"version {version.number}{mark}: {version.storage}:{version.key}"
    for rendition in media.renditions.order_by("version", "name"):
        at = f"{rendition.storage}:{rendition.key}"
        yield f"rendition {rendition.name} of version {rendition.version}: {at}"
    for caption in media.captions.all():
        yield f"caption {caption.language}: {caption.storage}:{caption.key}"
    active = (Job.State.QUEUED, Job.State.RUNNING)
    for job in media.jobs.filter(state__in=active):
        yield f"job {job.pk}: {job.kind}, {job.state}"
    for upload in Upload.objects.filter(replaces=media).exclude(state=Upload.State.COMPLETED):
        yield f"upload {upload.pk} is to become a new version"


def _is_collected_by_owner(media: MediaFile) -> bool:
    return media.collected.filter(added_by=media.owner_id).exists()


def _fate(media: MediaFile, *, used: bool) -> str:
    if Erasure.objects.filter(finished_at=None, subject=str(media.owner_id)).exists():
        return "goes now: its owner is being erased"
    if media.deleted_at is not None:
        return _fate_in_trash(media)
    if media.lifetime == Lifetime.KEPT:
        return "stays: it is in its owner's library"
    if used:
        return "stays for as long as something uses it"
    if media.expires_at is not None:
        return f"goes at {_moment(media.expires_at)}: nothing uses it, unless something does then"
    return f"goes {options().unused_grace} seconds after the next sweep: nothing uses it"


def _fate_in_trash(media: MediaFile) -> str:
    if Emptying.objects.filter(owner=media.owner_id, asked_at__gte=media.deleted_at).exists():
        return "goes now: its owner emptied the trash"
    at = _moment(leaves_trash_at(media))
    return f"goes at {at}: the trash (TRASH_LIFETIME), unless it is restored"


# -- an object ---------------------------------------------------------------------------------


def _explain_key(text: str) -> Iterator[str]:
    alias, _, key = text.rpartition(":")
    try:
        key = whole_of(check_key(key))
    except ValueError:
        return
    for storage in [alias] if alias else [*storages_to_reconcile(), *aliases_left()]:
        if storage in storages_to_reconcile() or storage in aliases_in_use():
            yield from _explain_object(storage, key)


def _explain_object(alias: str, key: str) -> Iterator[str]:
    found, rows = _look_for(alias, key), list(rows_of_key(alias, key))
    if not rows and (found == MISSING or alias not in known_aliases()):
        return
    yield f"object {alias}:{key}: {found}"
    for row in rows:
        yield _told(row)
    if not rows:
        yield "no row explains it: media_reconcile --fix removes it once it is a day old"


def _look_for(alias: str, key: str) -> str:
    if alias not in known_aliases():
        return "nobody can tell, the storage is not in STORAGES"
    try:
        return f"{store_of(alias).size_of(key)} bytes"
    except ObjectMissingError:
        return MISSING
    except StorageUnavailableError:
        return "nobody can tell, the storage is away"


def _told(found: Explanation) -> str:
    row: Any = found.model._base_manager.get(pk=found.pk)
    if isinstance(row, Tombstone) and row.storage not in known_aliases():
        return f"stays: its row is gone; media_cleanup --forget {row.storage} forgets it"
    if isinstance(row, Tombstone):
        trouble = f", {row.attempts} attempts, {row.last_error}" if row.attempts else ""
        return f"goes at {_moment(row.due_at)}: its row is gone{trouble}"
    if isinstance(row, Upload):
        return f"upload {row.pk}, until {_moment(row.expires_at)}"
    if isinstance(row, MediaVersion):
        return f"version {row.number} of file {row.media_id}"
    return f"{found.model._meta.verbose_name} {row} of file {row.media_id}"


def _until(moment: datetime | None) -> str:
    return f" until {_moment(moment)}" if moment else ""


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"
