"""Signed addresses: the right to fetch, in an address, for a time."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import NamedTuple

from apps.core.words import gettext_noop as _
from apps.media import links, selectors
from apps.media.exceptions import (
    BadRequestError,
    ForbiddenError,
    NotVisibleError,
    WrongStateError,
)
from apps.media.models import AuditEvent, MediaFile, Rendition
from apps.media.policies import Action, Visitor, can_access
from apps.media.processing.recipes import CLEAN
from apps.media.services.auditing import note
from apps.media.services.rendering import find_recipe
from apps.media.signatures import Claim, Scope, write_token

AN_HOUR = 3600
LONGEST = 7 * 24 * AN_HOUR  # seconds: nobody can take an address back before its time
ORIGINAL = "original"  # as a name: the same as none
STREAM = "hls"  # as a name: the adaptive stream, with all that it names


class SignedAddress(NamedTuple):
    """A path of this site, and until when it opens anything."""

    url: str
    expires_at: datetime


def create_signed_url(
    *,
    user: Visitor,
    media: MediaFile,
    rendition: str | None = None,
    expires_in: int = AN_HOUR,
    download: bool = False,
) -> str:
    """The path of an address for whoever has it: see `sign_address`."""
    signed = sign_address(
        user=user, media=media, rendition=rendition, expires_in=expires_in, download=download
    )
    return signed.url


def sign_address(
    *,
    user: Visitor,
    media: MediaFile,
    rendition: str | None = None,
    expires_in: int = AN_HOUR,
    download: bool = False,
) -> SignedAddress:
    """An address by which anybody gets what `user` may read, for `expires_in` seconds: a week at
    most.

    Without `rendition`, or by "original", it is that of the original, and its token opens the whole
    tree of the file; "hls" is the stream alone, any other name one rendition. With `download` all
    comes as attachments. It opens the version that others get now, and ends with it.

    It needs the right to share: the address outlives whatever else lets somebody see the file.

    Raises `NotVisibleError`, `ForbiddenError`, `QuarantinedError`, `BadRequestError` for a time
    that is none, and `WrongStateError` for a file that others get nothing of.
    """
    if not 0 < expires_in <= LONGEST:
        raise BadRequestError(
            expires_in,
            detail=_("expires_in must be from 1 to %(most)s seconds."),
            values={"most": LONGEST},
        )
    selectors.get_readable_media(user=user, media_id=media.pk)
    if not can_access(user, media, Action.SHARE):
        raise ForbiddenError(media.pk)
    shown = _shown_to_all(media)
    scope, place = _place(shown, rendition)
    claim = Claim(
        media_id=shown.pk,
        version=shown.version,
        expires_at=math.ceil(time.time()) + expires_in,
        scope=scope,
        name=rendition or "" if scope is Scope.RENDITION else "",
        download=download,
    )
    expires_at = datetime.fromtimestamp(claim.expires_at, tz=UTC)
    note(
        AuditEvent.Act.SIGNED,
        user=user,
        media=shown,
        what=place,
        version=shown.version,
        expires_at=expires_at.isoformat(),
    )
    return SignedAddress(links.signed_url(shown, write_token(claim), place), expires_at)


def _shown_to_all(media: MediaFile) -> MediaFile:
    try:
        return selectors.get_signed_media(media_id=media.pk)
    except NotVisibleError as error:
        detail = _("Only what is ready and not in the trash can be signed.")
        raise WrongStateError(media.pk, detail=detail) from error


def _place(media: MediaFile, name: str | None) -> tuple[Scope, str]:
    """What is signed, and where it is below the file's address."""
    if name is None or name == ORIGINAL:
        return Scope.WHOLE, ORIGINAL
    if name == STREAM:
        if not selectors.list_tracks(media=media):
            raise NotVisibleError(media.pk, name)
        return Scope.STREAM, "hls/master.m3u8"
    if not _is_possible(media, name):
        raise NotVisibleError(media.pk, name)
    return Scope.RENDITION, f"r/{name}"


def _is_possible(media: MediaFile, name: str) -> bool:
    """Whether such a file has a rendition of that name, or can have one."""
    if name == CLEAN.name or name.startswith((Rendition.TRACKS, Rendition.PARTS)):
        return False
    if selectors.find_rendition(media=media, name=name) is not None:
        return True
    if selectors.list_alternatives(media=media, stem=name):
        return True
    return find_recipe(media.current, name) is not None
