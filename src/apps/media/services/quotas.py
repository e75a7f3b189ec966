"""The owner's storage account: reserved while bytes arrive, charged when they are kept.

Bytes count for every version of a file, a file once. Every change is one conditional update, so
that parallel uploads can never pass the limit; what is given back is read under a lock, so that it
is given back once. File, upload, account: whoever needs several of them takes them in this order.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Greatest

from apps.media.conf import options
from apps.media.exceptions import ForbiddenError, QuotaExceededError, UploadInterruptedError
from apps.media.models import AuditEvent, MediaFile, MediaVersion, Quota, Upload
from apps.media.policies import Visitor, may_change_quotas
from apps.media.services.auditing import note
from apps.media.services.locks import lock_media


def begin(*, upload: Upload, size: int) -> None:
    """Save the new row `upload` with `size` bytes set aside for it.

    Raises `QuotaExceededError`, and `NotVisibleError` when the file that it replaces is gone.
    """
    upload.reserved = size
    with transaction.atomic():
        if upload.replaces is not None:
            lock_media(upload.replaces)  # else the reference would take it at the commit
        upload.save(force_insert=True)
        if size:
            _set_aside(upload, size)


def reserve(*, upload: Upload, size: int) -> None:
    """Set `size` more bytes aside for `upload`.

    Raises `QuotaExceededError`, and `UploadInterruptedError` when the upload was dropped meanwhile.
    """
    if size <= 0:
        return
    with transaction.atomic():
        if not Upload.objects.filter(pk=upload.pk).update(reserved=F("reserved") + size):
            raise UploadInterruptedError(upload.pk)
        _set_aside(upload, size)
    upload.reserved += size


def _set_aside(upload: Upload, size: int) -> None:
    """Where there is no account yet there is one afterwards."""
    roomy = _with_room(upload).filter(bytes_used__lte=_free_after(size))
    more = F("bytes_reserved") + size
    if roomy.update(bytes_reserved=more):
        return
    Quota.objects.get_or_create(owner_id=upload.owner_id)
    if not roomy.update(bytes_reserved=more):
        raise QuotaExceededError(upload.pk, size)


def charge(*, upload: Upload, size: int) -> None:
    """Turn the reservation of `upload` into `size` used bytes, and one used file if it makes one.

    Call it with the upload locked. What was reserved is sure to fit; more than that has to fit now.
    """
    roomy = _with_room(upload)
    if size > upload.reserved:
        Quota.objects.get_or_create(owner_id=upload.owner_id)
        roomy = roomy.filter(bytes_used__lte=_free_after(size - upload.reserved))
    if not roomy.update(
        bytes_reserved=_less("bytes_reserved", upload.reserved),
        bytes_used=F("bytes_used") + size,
        files_used=F("files_used") + _new_files(upload),
    ):
        raise QuotaExceededError(upload.pk, size)
    upload.reserved = 0


@transaction.atomic
def set_quota(*, user: Visitor | None, owner_id: Any, **limits: int | None) -> Quota:
    """Set `bytes_limit`, `files_limit` or both for an owner, who may have no account yet.

    None means the default; what is stored stays in any case. `user`, who is written down, has to
    be somebody who may change quotas, else `ForbiddenError`; None is the operator at the console.
    """
    if user is not None and not may_change_quotas(user):
        raise ForbiddenError
    Quota.objects.get_or_create(owner_id=owner_id)
    quota = Quota.objects.select_for_update().get(owner_id=owner_id)
    before = _limits_of(quota)
    for name, limit in limits.items():
        setattr(quota, name, limit)
    if (after := _limits_of(quota)) == before:
        return quota
    # By name: what is used may be changing at this moment.
    quota.save(update_fields=["bytes_limit", "files_limit"])
    note(AuditEvent.Act.QUOTA, user=user, owner=str(owner_id), before=before, after=after)
    return quota


def _limits_of(quota: Quota) -> dict[str, int | None]:
    return {"bytes": quota.bytes_limit, "files": quota.files_limit}


def release_reservation(upload: Upload) -> None:
    """Give back what `upload` has set aside, with the upload locked to be deleted."""
    _account(upload.owner_id).update(bytes_reserved=_less("bytes_reserved", upload.reserved))


def release_bytes(version: MediaVersion) -> None:
    """Give back the bytes of `version`, in the transaction that deletes it."""
    held = MediaVersion.objects.select_for_update().filter(pk=version.pk).values_list("size")
    for (size,) in held:
        account = Quota.objects.filter(owner__media_files=version.media_id)
        account.update(bytes_used=_less("bytes_used", size))


def release_file(media: MediaFile) -> None:
    """Give back the place of one file, in the transaction that deletes it."""
    held = MediaFile.objects.select_for_update().filter(pk=media.pk).values_list("owner")
    for (owner_id,) in held:
        _account(owner_id).update(files_used=_less("files_used", 1))


def _account(owner_id: Any) -> Any:
    return Quota.objects.filter(owner_id=owner_id)


def _with_room(upload: Upload) -> Any:
    """The account, if it has a place left for the file that `upload` makes."""
    account = _account(upload.owner_id)
    if not _new_files(upload):
        return account
    return account.filter(files_used__lt=Coalesce(F("files_limit"), Value(options().quota_files)))


def _new_files(upload: Upload) -> int:
    return 0 if upload.replaces_id else 1


def _free_after(size: int) -> CombinedExpression:
    """How many bytes may be used so that `size` more fit beside all reservations."""
    limit = Coalesce(F("bytes_limit"), Value(options().quota_bytes))
    return limit - F("bytes_reserved") - Value(size)


def _less(field: str, amount: int) -> Greatest:
    return Greatest(F(field) - amount, Value(0))
