"""By what right somebody asks for the tree of a file: as a visitor, or by a token in the address.

The views of the tree are the same for all of them: each asks its `Right` for the file and for what
belongs to it, and gives its `terms` on.
"""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.core.byteserving import carries_part
from apps.core.pacing import drop_body
from apps.core.shortmemory import ShortMemory
from apps.media import selectors, services, signatures
from apps.media.delivery import Terms
from apps.media.exceptions import InvalidSignatureError, NotVisibleError
from apps.media.models import MediaFile
from apps.media.policies import Visitor
from apps.media.signatures import Claim
from apps.media.views.openings import count_download, open_link

Found = TypeVar("Found")
CARRYING = {200, 206, 302}  # answers that give the bytes, or say where they are
NOBODY = AnonymousUser()
# How long a process goes by what it knew of a version when a signed address is asked for.
SIGNED_SECONDS = 5
_SIGNED = ShortMemory(seconds=SIGNED_SECONDS, size=4096)


class Right(ABC):
    """What one request may have of one file."""

    visitor: Visitor
    terms: Terms

    @abstractmethod
    def media(self) -> MediaFile:
        """The file, if its bytes may be had; else the error that says no."""

    def recall(self, what: str, find: Callable[[], Found]) -> Found:
        """Something that belongs to the file: `what` names it, `find` looks it up."""
        return find()

    def hand_over(self, answer: HttpResponseBase) -> HttpResponseBase:
        """The answer with the original, at the last moment at which that can still be refused."""
        return answer


class VisitorsRight(Right):
    """That of whoever is signed in, or of everybody."""

    def __init__(self, request: HttpRequest, media_id: uuid.UUID) -> None:
        self._media_id = media_id
        self.visitor = visitor_of(request)
        self.terms = Terms(download="download" in request.GET, tag=request.GET.get("v", ""))

    def media(self) -> MediaFile:
        media = selectors.get_readable_media(user=self.visitor, media_id=self._media_id)
        services.maybe_note_look(user=self.visitor, media=media)
        return media


class SignedRight(Right):
    """That of whoever has a token, which is checked without a query.

    Whether its version may still be had is asked each time, in one short row; the rest is
    remembered for `SIGNED_SECONDS`.
    """

    visitor = NOBODY

    def __init__(self, claim: Claim, *, tag: str, now: float) -> None:
        self._claim = claim
        left = int(claim.expires_at - now)
        self.terms = Terms(download=claim.download, tag=tag, seconds=left)

    def media(self) -> MediaFile:
        claim, stamp = self._claim, selectors.get_stamp(media_id=self._claim.media_id)
        return _SIGNED.recall(
            (claim.media_id, claim.version, stamp),
            lambda: selectors.get_signed_media(media_id=claim.media_id, version=claim.version),
        )

    def recall(self, what: str, find: Callable[[], Found]) -> Found:
        return _SIGNED.recall((self._claim.media_id, self._claim.version, what), find)


class LinkRight(Right):
    """That of whoever has a share link. Its row is asked each time."""

    visitor = NOBODY  # also where the owner looks at what others get

    def __init__(self, request: HttpRequest, media_id: uuid.UUID, token: str) -> None:
        self._request, self._media_id = request, media_id
        self._link = open_link(request, token)
        tag = request.GET.get("v", "")
        self.terms = Terms(download="download" in request.GET, tag=tag, seconds=0)

    def media(self) -> MediaFile:
        return selectors.get_shared_media(link=self._link, media_id=self._media_id)

    def hand_over(self, answer: HttpResponseBase) -> HttpResponseBase:
        if self._request.method == "GET" and answer.status_code in CARRYING:
            try:
                is_part = carries_part(self._request, answer)
                count_download(self._request, self._link, self._media_id, is_part=is_part)
            except NotVisibleError:
                if isinstance(answer, StreamingHttpResponse):
                    drop_body(answer)
                raise
            services.maybe_note_opening(user=self._request.user, link=self._link)
        return answer


def right_to(
    request: HttpRequest,
    media_id: uuid.UUID,
    place: str,
    *,
    token: str | None = None,
    link: str | None = None,
) -> Right:
    """The right by which `request` asks for `place`: the address below the file's. `token` is that
    of a signed address, `link` that of a share link.

    Raises `InvalidSignatureError` for a token that does not open it, whether or not there is such
    a file, and what `open_link` raises.
    """
    if link is not None:
        return LinkRight(request, media_id, link)
    if token is None:
        return VisitorsRight(request, media_id)
    now = time.time()
    claim = signatures.read_token(token, media_id=media_id, place=place, now=now)
    if claim is None or not _is_plain(request):
        raise InvalidSignatureError(media_id)
    return SignedRight(claim, tag=request.GET.get("v", ""), now=now)


def forget_signed() -> None:
    """As after `SIGNED_SECONDS`."""
    _SIGNED.forget()


def visitor_of(request: HttpRequest) -> Visitor:
    """The user of the session or, for programs, of the API token; nobody for a wrong token."""
    if request.user.is_authenticated or "Authorization" not in request.headers:
        return request.user
    try:
        visitor: Visitor = Request(request, authenticators=APIView().get_authenticators()).user
    except AuthenticationFailed:
        return request.user
    return visitor


def _is_plain(request: HttpRequest) -> bool:
    """Whether a signed address is as we gave it: the only parameter there is names bytes, which
    playlists do, and can only refuse others. More would be addresses that caches keep apart."""
    return not set(request.GET) - {"v"} and len(request.GET.getlist("v")) <= 1
