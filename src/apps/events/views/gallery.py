"""The gallery on the page of an event: its cards, what is added, the order, what is taken out."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext

from apps.core.keyset import Page
from apps.core.pages import PageView, PersonalView
from apps.events import selectors, services
from apps.events.exceptions import BadRequestError
from apps.events.models import Event, EventPhoto
from apps.events.policies import Action
from apps.events.views.listing import PHOTOS, read_shown


@dataclass(frozen=True)
class Gallery:
    """One page of a gallery and the addresses of its neighbours; `more_url` gives cards alone."""

    event: Event
    photos: list[EventPhoto]
    page: Page[EventPhoto]

    @property
    def more_url(self) -> str | None:
        return self._address("events:cards", self.page.next)

    @property
    def next_url(self) -> str | None:
        return self._address("events:event", self.page.next)

    @property
    def previous_url(self) -> str | None:
        return self._address("events:event", self.page.previous)

    @property
    def is_arrangeable(self) -> bool:
        return Action.EDIT in self.event.rights

    @property
    def may_remove_any(self) -> bool:
        return any(photo.may_remove for photo in self.photos)

    def _address(self, name: str, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        place = reverse(name, args=[self.event.pk])
        return f"{place}?{urlencode({'cursor': cursor})}"


def read_gallery(request: HttpRequest, event: Event) -> Gallery:
    """The page of the gallery of `event` (as shown to the visitor) that the request names."""
    rows = selectors.list_photos(user=request.user, event=event)
    cursor = request.GET.get("cursor")
    page = read_shown(rows, ordering="position", size=PHOTOS, cursor=cursor)
    photos = selectors.photos_shown(request.user, event, page.items)
    return Gallery(event=event, photos=photos, page=page)


class CardsPage(PageView):
    """The next page of a gallery, without the page around it."""

    def get(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        event = selectors.get_shown_event(user=request.user, event_id=event_id)
        context = {"gallery": read_gallery(request, event), "event": event, "appended": True}
        return render(request, "events/parts/cards.html", context)


class CardPage(PageView):
    """One card, for whoever waits until a picture is made; empty as long as nothing is new."""

    def get(self, request: HttpRequest, event_id: UUID, media_id: UUID) -> HttpResponse:
        event = selectors.get_shown_event(user=request.user, event_id=event_id)
        photo = selectors.get_photo(user=request.user, event=event, media_id=media_id)
        seen = f"{photo.media.status}-{photo.media.progress}"
        if request.GET.get("seen") == seen:
            return HttpResponse(status=204)
        gallery = Gallery(event=event, photos=[photo], page=Page([photo], None, None))
        context = {"photo": photo, "event": event, "gallery": gallery}
        return render(request, "events/parts/photo.html", context)


class ArrangePage(PersonalView):
    """What is done with photos on the page without script: `earlier` and `later` name one, `do`
    says what with all that are ticked: to `describe` them, or take them out."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        user = request.user
        event = selectors.get_shown_event(user=user, event_id=event_id)
        for act in ("earlier", "later"):
            if act in request.POST:
                [one] = read_ids([request.POST[act]])
                services.step_photo(user=user, event=event, media_id=one, later=act == "later")
                return back_to(event, f"{act}-{one}")
        ids = read_ids(request.POST.getlist("ids"))
        if request.POST.get("do") == "describe":
            return redirect(words_url(event, ids))
        removed = services.remove_photos(user=user, event=event, media_ids=ids)
        messages.success(request, _told(removed))
        return back_to(event, "gallery")


def words_url(event: Event, ids: list[UUID]) -> str:
    """The address of the form for what is said of these photos."""
    named = urlencode([("ids", str(one)) for one in ids])
    return f"{reverse('events:words', args=[event.pk])}?{named}"


def read_ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError as error:
        raise BadRequestError from error


def _told(removed: int) -> str:
    words = ngettext("%(count)s photo taken out.", "%(count)s photos taken out.", removed)
    return words % {"count": removed}


def back_to(event: Event, anchor: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{event.get_absolute_url()}#{anchor}")
