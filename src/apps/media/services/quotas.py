"""The owner's storage account: reserved while bytes arrive, charged when they are kept.

Every change is one conditional update, so that parallel uploads can never pass the limit.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest

from apps.media.conf import options
from apps.media.exceptions import QuotaExceededError, UploadInterruptedError
from apps.media.models import Quota, Upload


def reserve(*, upload: Upload, size: int) -> None:
    """Set `size` more bytes aside for `upload`.

    Raises `QuotaExceededError`, and `UploadInterruptedError` when the upload was dropped meanwhile.
    """
    if size <= 0:
        return
    Quota.objects.get_or_create(owner_id=upload.owner_id)
    limit = Coalesce(F("bytes_limit"), Value(options().quota_bytes))
    files = Coalesce(F("files_limit"), Value(options().quota_files))
    taken = _account(upload.owner_id).filter(
        bytes_used__lte=limit - F("bytes_reserved") - Value(size), files_used__lt=files
    )
    with transaction.atomic():
        if not taken.update(bytes_reserved=F("bytes_reserved") + size):
            raise QuotaExceededError(upload.pk, size)
        if not Upload.objects.filter(pk=upload.pk).update(reserved=F("reserved") + size):
            raise UploadInterruptedError(upload.pk)
    upload.reserved += size


def charge(*, upload: Upload, size: int) -> None:
    """Turn the reservation of `upload` into `size` used bytes and one used file."""
    files = Coalesce(F("files_limit"), Value(options().quota_files))
    charged = _account(upload.owner_id).filter(files_used__lt=files)
    if not charged.update(
        bytes_reserved=_less("bytes_reserved", upload.reserved),
        bytes_used=F("bytes_used") + size,
        files_used=F("files_used") + 1,
    ):
        raise QuotaExceededError(upload.pk, size)
    upload.reserved = 0


def limit_quota(*, quota: Quota, **limits: int | None) -> None:
    """Set `bytes_limit` or `files_limit`; None means the default. What is used stays as it is."""
    _account(quota.pk).update(**limits)


def release_reservation(*, owner_id: Any, size: int) -> None:
    _account(owner_id).update(bytes_reserved=_less("bytes_reserved", size))


def release_used(*, owner_id: Any, size: int) -> None:
    """Give back one kept file of `size` bytes."""
    _account(owner_id).update(
        bytes_used=_less("bytes_used", size), files_used=_less("files_used", 1)
    )


def _account(owner_id: Any) -> Any:
    return Quota.objects.filter(owner_id=owner_id)


def _less(field: str, amount: int) -> Greatest:
    return Greatest(F(field) - amount, Value(0))
