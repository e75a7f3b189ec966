"""Files that the server fetches: begun by their owner, carried on by workers until they are here.

An import is an upload whose bytes come from an address. Its row tells how far it is and, when it
failed, why; what a worker that died has left, the sweep hands to another.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.errors import (
    AppError,
    ObjectMissingError,
    SourceChangedError,
    SourceRefusedError,
    SourceTooSlowError,
    SourceUnavailableError,
    StorageFullError,
    StorageUnavailableError,
    UrlNotAllowedError,
)
from apps.core.outbound import PUBLIC, Reach, parse_url, suggested_name
from apps.media import dispatch
from apps.media.conf import options
from apps.media.exceptions import (
    ForbiddenError,
    NotVisibleError,
    ProcessingCrashedError,
    ServiceStoppingError,
    UploadLockedError,
    UploadTakenError,
)
from apps.media.models import MediaFile, Upload
from apps.media.policies import Visitor
from apps.media.services import quotas
from apps.media.services.deletion import raise_tombstone
from apps.media.services.fetching import Line, begin_anew, fetch_upload, remember, remembered
from apps.media.services.finalizing import finalize_upload
from apps.media.services.holding import Hold, hold_upload
from apps.media.services.resending import resend_after
from apps.media.services.sessions import Announcement, begin_upload, drop_upload, expiry

logger = logging.getLogger(__name__)

BATCH = 500
LONGEST_WAIT = timedelta(minutes=15)
ENOUGH_PROGRESS = 16 * 1024 * 1024  # bytes after which a source has earned all its attempts again
LET_GO = (UploadTakenError, ServiceStoppingError)
STALE = (SourceChangedError, ObjectMissingError)  # what is here cannot be continued
RETRIED = (SourceUnavailableError, SourceTooSlowError, StorageUnavailableError, StorageFullError)


def begin_import(
    *,
    user: Visitor,
    url: str,
    name: str = "",
    sha256: str = "",
    on_duplicate: str = Upload.OnDuplicate.KEEP,
    **fields: Any,
) -> Upload:
    """Have a worker fetch `url` into `user`'s library; `fields` are those of `upload_media`.

    An address that no worker may fetch gives an import that has failed already. Raises
    `ForbiddenError`, `ValidationError`.
    """
    said = {"name": name, "sha256": sha256, "on_duplicate": on_duplicate, "fields": fields}
    try:
        parse_url(url)
    except UrlNotAllowedError as error:
        return _begin(user, url, said, state=Upload.State.FAILED, **_told(error))
    with transaction.atomic():
        upload = _begin(user, url, said, due_at=Now() + resend_after())
        dispatch.run_import_later(upload)
    return upload


def import_media_from_url(
    *, user: Visitor, url: str, reach: Reach = PUBLIC, **fields: Any
) -> MediaFile:
    """Fetch `url` into `user`'s library now; `fields` are those of `upload_media`.

    Raises those of `open_url`, `RejectedError`, `ForbiddenError`, `ValidationError`, after which
    nothing is left. `reach` is for tests.
    """
    parse_url(url)
    upload = _begin(user, url, {"fields": fields})
    line = Line()
    try:
        with hold_upload(upload, interrupt=line.cut) as hold:
            return _fetch_and_finish(upload, hold, line, reach)
    except BaseException:
        drop_upload(upload=upload)
        raise


def run_import(*, upload_id: uuid.UUID | str, reach: Reach = PUBLIC) -> bool:
    """Try to finish an import, unless somebody is at it; return whether it was tried.

    How it ended stands in the row. `reach` is for tests.
    """
    upload = _unattended().filter(pk=upload_id).select_related("owner").first()
    if upload is None:
        return False
    line = Line()
    try:
        with hold_upload(upload, interrupt=line.cut, patience=0) as hold:
            if upload.state == Upload.State.RECEIVING:
                _attempt(upload, hold, line, reach)
    except (UploadLockedError, UploadTakenError, NotVisibleError):
        logger.info("import %s was taken over, or is gone", upload_id)
        return False
    return True


def sweep_imports(*, limit: int = BATCH) -> int:
    """Send again what is due: waited for its next attempt, or was lost; return how many."""
    due = _unattended().filter(due_at__lte=Now()).order_by("due_at")
    return sum(_send_again(upload) for upload in due[:limit])


def _begin(user: Visitor, url: str, said: Mapping[str, Any], **values: Any) -> Upload:
    """The row. A name that its owner gave stays; else the source may have a better one."""
    name = said.get("name", "")
    announced = Announcement(
        **{**said, "name": name or _name_in(url)},
        source=Upload.Source.URL,
        metadata=json.dumps({"named": bool(name)}),
    )
    return begin_upload(user=user, announced=announced, url=url, **values)


def _name_in(url: str) -> str:
    try:
        return suggested_name({}, path=parse_url(url).path)
    except UrlNotAllowedError:
        return ""


def _unattended() -> Any:
    """Unfinished imports that no worker holds."""
    waiting = Upload.objects.filter(source=Upload.Source.URL, state=Upload.State.RECEIVING)
    return waiting.exclude(lock_until__gt=Now())


def _send_again(upload: Upload) -> bool:
    due = Upload.objects.filter(pk=upload.pk, due_at__lte=Now())
    if not due.update(due_at=Now() + resend_after(timezone.now() - upload.created_at)):
        return False
    return dispatch.send(dispatch.RUN_IMPORT, str(upload.pk), queue=dispatch.TRANSFER)


def _attempt(upload: Upload, hold: Hold, line: Line, reach: Reach) -> None:
    _note_progress(upload, hold)  # of an attempt whose worker died
    if upload.attempts >= options().import_attempts:
        logger.error("import %s given up: its workers died each time", upload.pk)
        _fail(upload, hold, ProcessingCrashedError())
        return
    upload.attempts += 1
    hold.save(attempts=upload.attempts, due_at=Now() + resend_after())
    try:
        _fetch_and_finish(upload, hold, line, reach)
    except LET_GO as reason:
        logger.info("import %s goes on elsewhere: %s", upload.pk, reason.code)
        hold.save(attempts=upload.attempts - 1, due_at=Now())
    except Exception as error:  # the outermost edge of work: nothing may kill the worker
        _note_progress(upload, hold)
        _end_attempt(upload, hold, error)


def _fetch_and_finish(upload: Upload, hold: Hold, line: Line, reach: Reach) -> MediaFile:
    if not upload.owner.is_active:
        raise ForbiddenError(upload.pk)
    if not (upload.is_whole and upload.offset):
        fetch_upload(upload=upload, hold=hold, line=line, reach=reach)
    media = finalize_upload(upload=upload)
    hold.save(due_at=None, failure_code="", failure_message="", expires_at=expiry())
    return media


def _note_progress(upload: Upload, hold: Hold) -> None:
    """Bytes beyond all that ever came: those that come again after a new beginning are none."""
    farthest = remembered(upload).get("farthest", 0)
    if upload.offset - farthest >= ENOUGH_PROGRESS:
        upload.attempts = 0
    if upload.offset > farthest:
        upload.metadata = remember(upload, farthest=upload.offset)
        hold.save(metadata=upload.metadata)


def _end_attempt(upload: Upload, hold: Hold, error: Exception) -> None:
    if _is_final(error) or upload.attempts >= options().import_attempts:
        _fail(upload, hold, error)
        return
    if isinstance(error, STALE):
        begin_anew(upload, hold)
    delay = timedelta(seconds=options().job_retry_delay) * 2**upload.attempts
    hold.save(attempts=upload.attempts, due_at=Now() + min(delay, LONGEST_WAIT), **_told(error))


def _is_final(error: Exception) -> bool:
    """Whatever was designed to be told is, except where a later try may find things better."""
    if isinstance(error, SourceRefusedError):
        return True
    if not isinstance(error, AppError):
        logger.error("an import failed unexpectedly", exc_info=error)
        return False
    return not isinstance(error, RETRIED + STALE)


@transaction.atomic
def _fail(upload: Upload, hold: Hold, error: Exception) -> None:
    """For good: the row stays for its owner to read, everything else goes."""
    logger.info("import %s failed: %s", upload.pk, getattr(error, "code", "unexpected"))
    upload.refresh_from_db(fields=["reserved", "key", "final_key", "storage_state"])
    hold.save(
        state=Upload.State.FAILED,
        reserved=0,
        offset=0,
        storage_state={},
        due_at=None,
        expires_at=expiry(),
        **_told(error),
    )
    quotas.release_reservation(upload)
    raise_tombstone(storage=upload.storage, key=upload.key, storage_state=upload.storage_state)
    raise_tombstone(storage=upload.storage, key=upload.final_key)
    dispatch.bury_later()


def _told(error: Exception) -> dict[str, str]:
    """What the owner may read of it; an error that nobody designed has nothing to say."""
    code, detail = getattr(error, "code", "unexpected"), getattr(error, "written", AppError.message)
    return {"failure_code": code, "failure_message": detail}
