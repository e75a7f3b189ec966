"""New bytes for a file that keeps its id, address, texts and rights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.files import File
from django.db import transaction

from apps.core.words import gettext_noop as _
from apps.media.exceptions import BadRequestError
from apps.media.models import AuditEvent, MediaFile, Upload
from apps.media.policies import Visitor
from apps.media.services.auditing import note
from apps.media.services.locks import lock_media
from apps.media.services.receiving import ensure_replaceable
from apps.media.services.uploads import keep_received, receive_file


def replace_media(*, user: Visitor, media: MediaFile, file: File[Any]) -> MediaFile:
    """Make `file` a new version of `media`; processing starts after commit.

    Others get the version before it until the new one is known to be good. Raises as `upload_media`
    does, and `WrongStateError` for what is in the trash, also since the bytes began to come, or
    `NotVisibleError` for what is gone.
    """
    ensure_replaceable(user=user, media=media)
    receipt = receive_file(user=user, file=file, source=Upload.Source.PYTHON, replaces=media)
    if receipt.upload.replaces_id != media.pk:
        receipt.discard()
        raise BadRequestError(
            receipt.upload.pk, detail=_("This upload was begun for another file.")
        )
    return keep_received(receipt, within=lambda: _noted(user, media))


@contextmanager
def _noted(user: Visitor, media: MediaFile) -> Iterator[None]:
    """Around the birth of the new version: who made it still may, and is written down with it."""
    with transaction.atomic():
        ensure_replaceable(user=user, media=lock_media(media))
        yield
        number = MediaFile.objects.values_list("latest_version", flat=True).get(pk=media.pk)
        note(AuditEvent.Act.REPLACED, user=user, media=media, version=number)
