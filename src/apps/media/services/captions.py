"""Captions that people add to films and sounds, stored as WebVTT whatever they were.

Before the bytes are written a tombstone names their key, so that a crash leaves nothing that no row
explains; it is taken back in the transaction that makes the caption.
"""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext

from apps.core.words import gettext_noop as _
from apps.media import dispatch
from apps.media.exceptions import FileTooLargeError, ForbiddenError, WrongStateError
from apps.media.models import AuditEvent, Caption, MediaFile, Tombstone
from apps.media.models.media_file import MediaType
from apps.media.policies import Action, Visitor, can_access
from apps.media.processing.captions import MAX_BYTES, convert
from apps.media.services.auditing import note
from apps.media.services.deletion import raise_tombstone
from apps.media.services.locks import lock_media
from apps.media.storage import current_alias, rendition_key, store_of

MAX_CAPTIONS = 100  # of one file
# RFC 5646 §2.1: language, script, region, variants, extensions, private use. Its irregular names
# of old are left out; each has a regular one.
_LANGUAGE = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|\d{3}))?"
    r"(?P<rest>(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*"
    r"(?:-[a-wy-z\d](?:-[a-z\d]{2,8})+)*(?:-x(?:-[a-z\d]{1,8})+)?)",
    re.IGNORECASE | re.ASCII,
)


def add_caption(
    *,
    user: Visitor,
    media: MediaFile,
    file: File[Any],
    language: str,
    kind: str = Caption.Kind.SUBTITLES,
    label: str = "",
    default: bool = False,
) -> Caption:
    """Give `media` a text track out of a WebVTT or SubRip file.

    `language` is a BCP 47 tag; there is one caption for each language and kind, and one default.
    Raises `ForbiddenError`, `WrongStateError` where there can be no such caption,
    `UnreadableCaptionError`, `FileTooLargeError`, `ValidationError`.
    """
    if not can_access(user, media, Action.EDIT):
        raise ForbiddenError(media.pk)
    caption = Caption(media=media, kind=kind, label=label.strip(), default=default)
    caption.language = normalise_language(language)
    caption.clean_fields(exclude={"id", "media", "storage", "key", "size"})
    _check_room(caption)
    data = convert(_read(file))
    caption.storage, caption.key, caption.size = current_alias(), rendition_key("vtt"), len(data)
    raise_tombstone(storage=caption.storage, key=caption.key, still_written=True)
    with store_of(caption.storage).writer(caption.key) as writer:
        writer.write(data)
    return _record(user, caption)


@transaction.atomic
def remove_caption(*, user: Visitor, caption: Caption) -> None:
    """Take a caption away, with its bytes. Raises `ForbiddenError`."""
    if not can_access(user, caption.media, Action.EDIT):
        raise ForbiddenError(caption.pk)
    media = lock_media(caption.media)
    caption.delete()
    note(AuditEvent.Act.EDITED, user=user, media=media, fields=["captions"])
    dispatch.bury_later()


def normalise_language(tag: str) -> str:
    """A BCP 47 tag as it is usually written (RFC 5646 §2.1.1); raises `ValidationError`."""
    found = _LANGUAGE.fullmatch(tag.strip().replace("_", "-"))
    if found is None:
        raise ValidationError(
            {"language": gettext("Use a language tag such as en, pt-BR or zh-Hant.")}
        )
    parts = [found["language"].lower()]
    if found["script"]:
        parts.append(found["script"].title())
    if found["region"]:
        parts.append(found["region"].upper())
    return "-".join(parts) + found["rest"].lower()


def _read(file: File[Any]) -> bytes:
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FileTooLargeError(len(data), detail=_("Captions are at most 2 MiB."))
    return data.encode() if isinstance(data, str) else bytes(data)


@transaction.atomic
def _record(user: Visitor, caption: Caption) -> Caption:
    media = lock_media(caption.media)
    _check_room(caption)
    written = Tombstone.objects.filter(storage=caption.storage, key=caption.key)
    if not written.delete()[0]:
        raise WrongStateError(caption.key, detail=_("Saving the captions took too long."))
    if caption.default:
        media.captions.update(default=False)
    caption.save(force_insert=True)
    note(AuditEvent.Act.EDITED, user=user, media=media, fields=["captions"])
    return caption


def _check_room(caption: Caption) -> None:
    """Raise `WrongStateError` unless the file can have this caption."""
    media = caption.media
    if media.media_type not in {MediaType.VIDEO, MediaType.AUDIO}:
        raise WrongStateError(media.pk, detail=_("Only films and sounds can have captions."))
    there = media.captions.all()
    if there.filter(language=caption.language, kind=caption.kind).exists():
        raise WrongStateError(
            media.pk,
            detail=_("There are such captions in this language already; remove them first."),
        )
    if there.count() >= MAX_CAPTIONS:
        raise WrongStateError(
            media.pk,
            detail=_("At most %(most)s captions for a file."),
            values={"most": MAX_CAPTIONS},
        )
