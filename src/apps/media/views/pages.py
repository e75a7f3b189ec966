"""The pages for people. Each works without script; partial answers only make it smoother.

A view makes one call of a service or a selector per thing it shows, and never touches bytes.
Designed errors become pages in the middleware, except where a form can show them.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from apps.core.errors import AppError
from apps.core.pages import PageView, PersonalView
from apps.core.rates import check_rate
from apps.media import selectors, services
from apps.media.conf import options
from apps.media.forms import UploadForm
from apps.media.models import MediaFile
from apps.media.policies import may_empty_trash
from apps.media.rates import UploadRate
from apps.media.uploadhandlers import discard_unclaimed, stream_uploads
from apps.media.views.listing import read_shown

SHOWCASE_SIZE = 24
PLACES = 100  # collections to choose from
DAY = 24 * 3600


class HomeView(PageView):
    """The front door: the library for those who are in, what is public for those who are not."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect("media:library")
        rows = selectors.with_details(selectors.list_visible_media(user=request.user))
        items = selectors.shown_to(request.user, list(rows[:SHOWCASE_SIZE]))
        return render(request, "media/home.html", {"items": items})


# -- uploading --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of one file of a form: a media file, or the reason why not."""

    name: str
    media: MediaFile | None = None
    reason: str = ""


@method_decorator(csrf_exempt, name="dispatch")  # checked in `_take`, once uploads can stream
class UploadView(PersonalView):
    """The form for several files. Each is judged alone: one refusal does not stop the others."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request, form=UploadForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        check_rate(UploadRate, request)
        stream_uploads(request, user=request.user, collect_refusals=True)
        try:
            return self._take(request)
        finally:
            discard_unclaimed(request)

    @method_decorator(csrf_protect)
    def _take(self, request: HttpRequest) -> HttpResponse:
        form = UploadForm(request.POST)
        files = request.FILES.getlist("files")
        if not files:
            form.add_error(None, gettext("Choose at least one file."))
        if not form.is_valid():
            return self._show(request, form=form, status=422)
        outcomes = [_upload_one(request, file, form.cleaned_data) for file in files]
        if any(outcome.reason for outcome in outcomes):
            return self._show(request, form=form, status=422, outcomes=outcomes)
        done = len(outcomes)
        words = ngettext("%(count)s file uploaded.", "%(count)s files uploaded.", done)
        messages.success(request, words % {"count": done})
        return redirect("media:library")

    def _show(self, request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
        context["usage"] = selectors.get_storage_usage(user=request.user)
        return render(request, "media/upload.html", context, status=status)


def _upload_one(request: HttpRequest, file: UploadedFile[Any], fields: dict[str, Any]) -> Outcome:
    name = file.name or gettext("file")
    try:
        media = services.upload_media(user=request.user, file=file, **fields)
    except AppError as error:
        return Outcome(name=name, reason=error.detail)
    except ValidationError as error:
        return Outcome(name=name, reason=" ".join(error.messages))
    return Outcome(name=name, media=media)


class StorageView(PersonalView):
    """What takes the visitor's room, and what would give some of it back."""

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"report": selectors.get_room_report(user=request.user)}
        return render(request, "media/storage.html", context)


class CopiesView(PersonalView):
    """Files of the visitor with the same bytes as an older one, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = selectors.with_details(selectors.list_copies(user=request.user))
        page = read_shown(rows, ordering="-pk", cursor=request.GET.get("cursor"))
        return render(request, "media/copies.html", {"page": page})


class UnusedView(PersonalView):
    """Large files of the visitor that nothing and nobody seems to need, the largest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = selectors.with_details(selectors.list_large_unused(user=request.user))
        page = read_shown(rows, ordering="-size", cursor=request.GET.get("cursor"))
        places = selectors.list_editable_collections(user=request.user)[:PLACES]
        return render(request, "media/unused.html", {"page": page, "places": places})


# -- the trash --------------------------------------------------------------------------------


class TrashView(PersonalView):
    """What the visitor has thrown away, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = selectors.with_details(selectors.list_trash(user=request.user))
        page = read_shown(rows, ordering="-pk", cursor=request.GET.get("cursor"))
        for media in page.items:
            media.goes_at = selectors.leaves_trash_at(media)  # type: ignore[attr-defined]
        context = {
            "page": page,
            "days": options().trash_lifetime // DAY,
            "may_empty": may_empty_trash(request.user),
        }
        return render(request, "media/trash.html", context)


class EmptyTrashView(PersonalView):
    """Removes all that is in the trash for good."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        done = services.empty_own_trash(user=request.user)
        whole = gettext("The trash is empty.")
        part = gettext("The trash is empty. Deleting all those files goes on for a while.")
        messages.success(request, whole if done else part)
        return redirect("media:trash")


class DeleteView(PersonalView):
    """Moves a file to the trash and offers to take that back."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        services.delete_media(user=request.user, media=media)
        # The message's extra tag is the address that undoes what it tells of.
        undo = reverse("media:restore", args=[media.pk])
        words = gettext("“%(name)s” is in the trash.") % {"name": media}
        messages.success(request, words, extra_tags=undo)
        return _back(request, "media:library")


class RestoreView(PersonalView):
    """Takes a file out of the trash."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        services.restore_media(user=request.user, media=media)
        messages.success(request, gettext("“%(name)s” is back in your library.") % {"name": media})
        return _back(request, "media:trash")


class PurgeView(PersonalView):
    """Removes a file for good."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        services.delete_media(user=request.user, media=media, permanent=True)
        messages.success(request, gettext("“%(name)s” is deleted.") % {"name": media})
        return _back(request, "media:trash")


def _back(request: HttpRequest, name: str) -> HttpResponseRedirect:
    return back_to(request, reverse(name))


def back_to(request: HttpRequest, path: str, *, anchor: str = "") -> HttpResponseRedirect:
    """To the page of this site that the form names in `next`, else to `path`; there to `anchor`."""
    asked = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    place = f"#{anchor}" if anchor else ""
    return HttpResponseRedirect((asked if safe else path) + place)
