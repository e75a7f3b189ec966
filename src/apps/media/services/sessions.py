"""The rows of uploads that outlive a request: begun, looked up in time, ended."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.errors import AppError
from apps.core.filenames import clean_display_name
from apps.core.storage import DirectStore
from apps.core.words import gettext_noop as _
from apps.media import dispatch
from apps.media.conf import options
from apps.media.exceptions import FileTooLargeError, ForbiddenError, UploadGoneError
from apps.media.models import Tombstone, Upload
from apps.media.policies import Visitor
from apps.media.services import quotas
from apps.media.services.duplicates import settle_duplicate
from apps.media.services.editing import check_texts
from apps.media.services.releasing import claim_again
from apps.media.storage import current_alias, incoming_key, store_of


@dataclass(frozen=True)
class Announcement:
    """What a client says of a file before its bytes come. `length` is bytes, None if unknown yet.

    `fields` are those of `upload_media`, `tags` included; `metadata` is given back as it came.
    """

    name: str = "file"
    length: int | None = None
    source: str = Upload.Source.TUS
    role: str = Upload.Role.WHOLE
    fields: Mapping[str, Any] = field(default_factory=dict)
    metadata: str = ""
    sha256: str = ""
    on_duplicate: str = Upload.OnDuplicate.KEEP


@transaction.atomic  # a file that is given instead stays until the row names it
def begin_upload(*, user: Visitor, announced: Announcement, **values: Any) -> Upload:
    """The row of a new upload, its declared bytes set aside; `values` are further ones of the row.

    Where the owner has the declared bytes already and wants no second copy, the row is that of a
    complete upload of the file that is there, or `DuplicateFileError` is raised. Raises also
    `ForbiddenError`, `FileTooLargeError`, `QuotaExceededError`, `ValidationError`, and those of
    `claim_again`.
    """
    if not (user.is_authenticated and user.is_active):
        raise ForbiddenError(detail=_("Sign in to upload files."))
    if (announced.length or 0) > options().largest_size:
        raise FileTooLargeError(announced.length)
    texts = {name: value for name, value in announced.fields.items() if name != "tags"}
    check_texts(fields=texts, tags=announced.fields.get("tags", ()))
    present = settle_duplicate(
        owner_id=user.pk, sha256=announced.sha256, wish=announced.on_duplicate
    )
    if present is not None and announced.length in {None, present.size}:
        claim_again(present, for_use=bool(announced.fields.get("for_use")))
        values |= {"media": present, "state": Upload.State.COMPLETED, "offset": present.size}
        announced = replace(announced, length=present.size)
    upload = Upload(
        owner_id=user.pk,
        source=announced.source,
        role=announced.role,
        original_name=clean_display_name(announced.name),
        length=announced.length,
        fields=dict(announced.fields),
        metadata=announced.metadata,
        sha256=announced.sha256,
        on_duplicate=announced.on_duplicate,
        storage=current_alias(),
        key=incoming_key(),
        expires_at=expiry(),
        **values,
    )
    is_here = upload.state == Upload.State.COMPLETED
    quotas.begin(upload=upload, size=0 if is_here else announced.length or 0)
    return upload


def expiry() -> datetime:
    """Until when an upload lives that nothing more is heard of from now on."""
    return timezone.now() + timedelta(seconds=options().upload_lifetime)


def refuse_expired(upload: Upload) -> None:
    """Raises `UploadGoneError` when the time of an unfinished upload is over."""
    if upload.state != Upload.State.COMPLETED and upload.expires_at <= timezone.now():
        raise UploadGoneError(upload.pk)


def drop_upload(*, upload: Upload) -> None:
    """Leave nothing: no row, no reservation, and no object as soon as the store has done it.

    The parts of a final upload go with it: what they had set aside is the whole's. For whoever
    knows that nobody writes to it any more.
    """
    with transaction.atomic():
        rows = _lock_with_parts(upload)
        if upload.pk not in rows:
            return
        Upload.objects.filter(pk__in=rows).delete()  # receivers raise the tombstones
        if upload.source != Upload.Source.DIRECT:
            keys = [key for row in rows.values() for key in (row.key, row.final_key) if key]
            Tombstone.objects.filter(key__in=keys).update(due_at=Now())
        dispatch.bury_later()
    if upload.source == Upload.Source.DIRECT:
        _discard_parts(upload)


def _lock_with_parts(upload: Upload) -> dict[uuid.UUID, Upload]:
    """What has not become a file yet of `upload` and its parts, by id; the parts first, as whoever
    joins them does."""
    parts = Q(owner_id=upload.owner_id, token__in=upload.parts.split())
    unfinished = Upload.objects.filter(Q(pk=upload.pk) | parts, media=None)
    return {row.pk: row for row in unfinished.select_for_update().order_by("pk")}


def _discard_parts(upload: Upload) -> None:
    """Room is made now; the tombstone waits for the last signed address to expire."""
    store = store_of(upload.storage)
    if isinstance(store, DirectStore) and upload.storage_state:
        with contextlib.suppress(AppError):
            store.discard(upload.key, state=upload.storage_state)
