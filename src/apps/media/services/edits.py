"""Pictures turned and cut: a new version of the file, made by a worker; the old one is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.db import transaction

from apps.core.filenames import extension_of
from apps.core.filetypes import FILE_TYPES
from apps.core.words import gettext_noop as _
from apps.media import selectors
from apps.media.exceptions import (
    AnimatedPictureError,
    BadRequestError,
    ForbiddenError,
    NotEditableError,
    ProcessingCancelledError,
    QuotaExceededError,
    VersionChangedError,
    WrongStateError,
)
from apps.media.models import AuditEvent, Job, MediaFile, MediaVersion, Status, Upload
from apps.media.models.media_file import MediaType
from apps.media.policies import Action, Visitor, can_access
from apps.media.processing import sandbox
from apps.media.processing.crops import crop_from
from apps.media.processing.edits import RESULTS, Edit, Edited, EditPlan, edit_from_text
from apps.media.processing.types import MIB
from apps.media.services.allowances import long_limits
from apps.media.services.auditing import note
from apps.media.services.facts import version_of
from apps.media.services.finalizing import finalize_upload
from apps.media.services.jobs import Claim, Work, enqueue_job
from apps.media.services.locks import lock_media
from apps.media.services.publication import begin_again, conclude
from apps.media.services.receiving import Receipt, receive_upload
from apps.media.services.rendering import URGENT
from apps.media.services.workplaces import private_copy

CHUNK = 1024 * 1024
GROWTH = 8  # a small file of few colours may become many times as large


def edit_picture(
    *,
    user: Visitor,
    media: MediaFile,
    rotate: int = 0,
    crop: Any = None,
    version: int | None = None,
) -> MediaFile:
    """Have a picture turned by `rotate` degrees clockwise and then cut to `crop` (see
    `processing.crops`, of the picture as it is seen after the turn): the result is a new version.

    `version` is the one that was seen, if known. Raises `ForbiddenError`, `BadRequestError`,
    `NotEditableError`, `AnimatedPictureError`, `VersionChangedError`, `WrongStateError` for what is
    not ready, `QuotaExceededError` where there is no room for another version.
    """
    if not can_access(user, media, Action.EDIT):
        raise ForbiddenError(media.pk)
    edit = _read(rotate, crop)
    with transaction.atomic():
        media = lock_media(media)
        _ensure_editable(media, version)
        _ensure_room(media)
        begin_again(media)
        work = Work(Job.Kind.EDIT, str(edit), priority=URGENT)
        enqueue_job(media=media, version=media.version, work=work)
        note(AuditEvent.Act.SHAPED, user=user, media=media, version=media.version)
    return media


def is_editable(media: MediaFile) -> bool:
    """Whether `media` is a picture that can be turned and cut."""
    return media.mime_type in RESULTS and not media.duration


def becomes_another_type(media: MediaFile) -> bool:
    """Whether an edit of `media` is written in another format, as nothing here writes its own."""
    return RESULTS.get(media.mime_type, media.mime_type) != media.mime_type


def _read(rotate: Any, crop: Any) -> Edit:
    try:
        edit = Edit(int(rotate), crop_from(crop))
    except (TypeError, ValueError) as error:
        raise BadRequestError(
            error, detail=_("Turn by 0, 90, 180 or 270 degrees, and cut inside of the picture.")
        ) from error
    if not edit:
        raise BadRequestError(detail=_("This would change nothing."))
    return edit


def _ensure_editable(media: MediaFile, version: int | None) -> None:
    if media.deleted_at is not None:
        raise WrongStateError(media.pk, detail=_("This file is in the trash."))
    if version not in {None, media.version}:
        raise VersionChangedError(media.pk, version)
    if media.media_type == MediaType.IMAGE and media.duration:
        raise AnimatedPictureError(media.pk)
    if not is_editable(media):
        raise NotEditableError(media.pk, media.mime_type)
    if media.status != Status.READY:
        raise WrongStateError(media.pk, detail=_("This file is being processed."))


def _ensure_room(media: MediaFile) -> None:
    """What is sure to fail is refused at once; the bytes themselves are counted when they come."""
    usage = selectors.get_storage_usage(user=media.owner)
    if usage.used + usage.reserved + media.size > usage.quota:
        raise QuotaExceededError(media.pk, media.size)


# -- the work ----------------------------------------------------------------------------------


class _OvertakenError(Exception):
    """Another version has come, or the file has gone to the trash: the edit is of no use."""


def make_edit(claim: Claim) -> None:
    """Edit the version in the sandbox; the result comes in as every upload does."""
    version = version_of(claim)
    edit = edit_from_text(claim.job.subject)
    try:
        with private_copy(version, claim) as (source, out_dir):
            edited = _run(claim, version, edit, source, out_dir)
            _take(claim, version, edit, edited)
    except _OvertakenError:
        with claim.saving() as media:
            claim.finish()
            conclude(media)
    except (
        ForbiddenError,
        WrongStateError,
    ) as error:  # the owner is gone, or the file in the trash
        raise ProcessingCancelledError(error.code) from error


def _run(claim: Claim, version: MediaVersion, edit: Edit, source: Path, out_dir: Path) -> Edited:
    limits = long_limits(None)
    return sandbox.run_edit(
        source,
        version.mime_type,
        plan=EditPlan.of(edit, out_dir),
        limits=replace(limits, output_bytes=max(limits.output_bytes, GROWTH * version.size + MIB)),
        on_progress=claim.keep,
        on_idle=claim.keep,
    )


def _take(claim: Claim, version: MediaVersion, edit: Edit, edited: Edited) -> None:
    media = MediaFile.objects.select_related("owner").get(pk=claim.job.media_id)
    receipt = _receive(claim, media, version, edited)
    told = {
        "of": version.number,
        "rotate": edit.turn,
        "crop": edit.crop.as_dict() if edit.crop else None,
        "lossless": edited.is_lossless,
    }
    try:
        receipt.close()
        finalize_upload(upload=receipt.upload, within=lambda: _kept(claim, told))
    except BaseException:
        receipt.discard()
        raise


def _receive(claim: Claim, media: MediaFile, version: MediaVersion, edited: Edited) -> Receipt:
    with (
        edited.path.open("rb") as file,
        receive_upload(
            user=media.owner,
            name=_name_of(version, edited),
            declared_size=edited.path.stat().st_size,
            source=Upload.Source.PYTHON,
            replaces=media,
        ) as receipt,
    ):
        while data := file.read(CHUNK):
            receipt.write(data)
            claim.keep()
    return receipt


def _name_of(version: MediaVersion, edited: Edited) -> str:
    """What is written in another format ends as files of that do."""
    name = version.original_name
    if edited.mime_type == version.mime_type:
        return name
    stem = name[: len(name) - len(extension_of(name))].rstrip(".")
    return f"{stem}.{FILE_TYPES[edited.mime_type].extension}"


@contextmanager
def _kept(claim: Claim, told: dict[str, Any]) -> Iterator[None]:
    """Around the birth of the new version: the file is locked, and still what was edited."""
    with claim.saving() as media:
        if media.version != claim.job.version or media.deleted_at is not None:
            raise _OvertakenError
        yield
        MediaVersion.objects.filter(media=media, number=media.latest_version + 1).update(edit=told)
        claim.finish()
