"""`/media/{id}/…`: the bytes, to whoever may have them."""

from __future__ import annotations

import re
import uuid

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.methods import read_only
from apps.core.rates import check_rate
from apps.media import delivery, selectors, services
from apps.media.exceptions import NotVisibleError
from apps.media.models import MediaFile, Rendition
from apps.media.rates import RenderRate
from apps.media.views.rights import Right, SignedRight, VisitorsRight, right_to

_NUMBER = re.compile(r"[0-9]{1,9}")


@read_only
def original(request: HttpRequest, media_id: uuid.UUID, **claim: str) -> HttpResponseBase:
    if "version" in request.GET and not claim:
        return _old_version(request, media_id)
    right = right_to(request, media_id, "original", **claim)
    media = right.media()
    stored = selectors.get_original(user=right.visitor, media=media)
    return right.hand_over(delivery.deliver_original(request, media, stored, right.terms))


def _old_version(request: HttpRequest, media_id: uuid.UUID) -> HttpResponseBase:
    right, number = VisitorsRight(request, media_id), request.GET["version"]
    media = selectors.get_visible_media(user=right.visitor, media_id=media_id)
    if not _NUMBER.fullmatch(number):
        raise NotVisibleError(media_id, number)
    version = selectors.get_old_version(user=right.visitor, media=media, number=int(number))
    services.maybe_note_look(user=right.visitor, media=media)
    return delivery.deliver_version(request, version, right.terms)


@read_only
def rendition(
    request: HttpRequest, media_id: uuid.UUID, name: str, **claim: str
) -> HttpResponseBase:
    right = right_to(request, media_id, f"r/{name}", **claim)
    media = right.media()
    if "." not in name and (rows := _alternatives(right, media, name)):
        return delivery.deliver_alternative(request, media, rows, right.terms)
    found = right.recall(
        f"r/{name}",
        lambda: services.find_or_request_rendition(
            media=media, name=name, admit=lambda: check_rate(RenderRate, request)
        ),
    )
    if found is None:
        return delivery.answer_processing()
    if isinstance(right, SignedRight):
        return delivery.deliver_signed_rendition(request, media, found, right.terms)
    return delivery.deliver_rendition(request, media, found, right.terms)


def _alternatives(right: Right, media: MediaFile, stem: str) -> list[Rendition]:
    found = right.recall(
        f"alternatives/{stem}", lambda: selectors.list_alternatives(media=media, stem=stem) or None
    )
    return found or []
