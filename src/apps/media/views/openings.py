"""What the token of a share link opens to a visitor: every time anew, so that taking it back works
at once. What the session knows of links is which were unlocked and which are being downloaded."""

from __future__ import annotations

import re
import time
import uuid

from django.http import HttpRequest

from apps.core.rates import client_address
from apps.core.seals import is_sealed, seal
from apps.media import selectors, services
from apps.media.exceptions import NotVisibleError, PasswordRequiredError
from apps.media.models import ShareLink
from apps.media.views.guesses import (
    PASSWORDS_BY_ADDRESS,
    PASSWORDS_BY_LINK,
    TOKENS_BY_ADDRESS,
)

# A download that broke off may be gone on with for so long without being counted again.
GOING_ON = 3600  # seconds
UNLOCKED = "apps.media.share_link.unlocked"  # what proofs in sessions are sealed for
_REST = re.compile(r"bytes=[1-9][0-9]*-[0-9]*")


def open_link(request: HttpRequest, token: str) -> ShareLink:
    """The link of `token`, if it is in force and this visitor has unlocked it.

    Raises `NotVisibleError`, `PasswordRequiredError`, `TooManyGuessesError`.
    """
    link = find_link(request, token)
    if not is_unlocked(request, link):
        raise PasswordRequiredError(link.pk)
    return link


def find_link(request: HttpRequest, token: str) -> ShareLink:
    """The link of `token`, if it is in force, be it locked. One whose downloads are used up still
    is for whoever took one of them a short time ago.

    Raises `NotVisibleError`, and `TooManyGuessesError` to an address that knows too little.
    """
    address = client_address(request)
    TOKENS_BY_ADDRESS.ensure_left(address)
    link = selectors.find_open_link(token=token)
    if link is None or (link.is_used_up and not is_downloading(request, link)):
        TOKENS_BY_ADDRESS.take(address)
        raise NotVisibleError("share link")
    return link


# -- locked links ------------------------------------------------------------------------------


def is_unlocked(request: HttpRequest, link: ShareLink) -> bool:
    known = str(request.session.get(_unlocked(link), ""))
    proof = bytes.fromhex(known)
    return not link.has_password or is_sealed(_proved_by(link), proof, purpose=UNLOCKED)


def unlock(request: HttpRequest, link: ShareLink, password: str) -> bool:
    """Whether this is the password, which the visitor's session then knows.

    Only wrong ones count as guesses. Raises `TooManyGuessesError`.
    """
    by_address = PASSWORDS_BY_ADDRESS.take(client_address(request))
    by_link = PASSWORDS_BY_LINK.take(link.pk)
    if not link.accepts(password):
        return False
    PASSWORDS_BY_ADDRESS.give_back(by_address)
    PASSWORDS_BY_LINK.give_back(by_link)
    request.session[_unlocked(link)] = seal(_proved_by(link), purpose=UNLOCKED).hex()
    return True


def _unlocked(link: ShareLink) -> str:
    return f"share-unlocked-{link.pk}"


def _proved_by(link: ShareLink) -> bytes:
    """What a proof seals: worth nothing for another link, or once the password is another one."""
    return f"{link.pk} {link.password}".encode()


# -- downloads ---------------------------------------------------------------------------------


def count_download(
    request: HttpRequest, link: ShareLink, media_id: uuid.UUID, *, is_part: bool
) -> None:
    """Count that this request takes the file away, unless it goes on with what was counted.

    Where nothing is limited, the rest of a file is believed to be one. `is_part` says that the
    answer is not the whole, whatever was asked for. Raises `NotVisibleError` when no download is
    left.
    """
    is_limited = link.max_downloads is not None
    is_rest = is_part and bool(_REST.fullmatch(request.headers.get("Range", "")))
    if is_rest and (not is_limited or media_id.hex in _under_way(request, link)):
        return
    services.count_download(link=link)
    if is_limited:
        begun = {**_under_way(request, link), media_id.hex: int(time.time())}
        request.session[_downloading(link)] = begun


def is_downloading(request: HttpRequest, link: ShareLink) -> bool:
    return bool(_under_way(request, link))


def _under_way(request: HttpRequest, link: ShareLink) -> dict[str, int]:
    """The files that may be gone on with, and when each was counted."""
    begun: dict[str, int] = request.session.get(_downloading(link), {})
    return {name: since for name, since in begun.items() if time.time() - since < GOING_ON}


def _downloading(link: ShareLink) -> str:
    return f"share-downloading-{link.pk}"
