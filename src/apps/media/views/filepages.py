"""The page of one file: what it looks like, what is known of it, what may be done with it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from apps.core.pages import PageView, PersonalView
from apps.core.rates import check_rate
from apps.media import selectors, services
from apps.media.exceptions import NotVisibleError, RejectedError, WrongStateError
from apps.media.forms import CaptionForm, MediaEditForm
from apps.media.models import MediaFile, Status
from apps.media.policies import Action, can_access
from apps.media.rates import ReprocessRate, UploadRate
from apps.media.views import embedding, factsheet, sharesheet, shelving, trails


class StatusView(PageView):
    """One file's card, preview or state, for those who watch its processing.

    `seen` says what the asker already shows; an unchanged state is answered with 204. The state
    alone is for those who have a player open, which must not be taken away from them; those who
    wait for another poster ask for it as `poster`. Whoever waited for a file (and says what was
    `seen`) has the rest of its page brought anew, too, once it is finished.
    """

    parts = {
        "card": "media/parts/card.html",
        "preview": "media/parts/preview.html",
        "state": "media/parts/state.html",
        "poster": "media/parts/state.html",
    }

    def get(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = _read_detailed(request, media_id)
        part = request.GET.get("part", "")
        if part not in self.parts:
            part = "card"
        seen = f"{media.status}-{media.progress}" if part == "card" else _seen(media)
        if request.GET.get("seen") == seen:
            return HttpResponse(status=204)
        context: dict[str, Any] = {"media": media} if part == "card" else _looks(request, media)
        if part == "poster" and context["poster_state"] == "coming":
            return HttpResponse(status=204)
        trail = trails.read_trail(request)
        context |= {"is_polled": part in ("state", "poster"), "part": part, "trail": trail}
        context["is_news"] = media.is_finished and "seen" in request.GET
        return render(request, self.parts[part], context)


class DetailView(PageView):
    """One file, to whoever may view it; with the form for whoever may edit it."""

    def get(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = _read_detailed(request, media_id)
        services.maybe_note_look(user=request.user, media=media)
        return show_detail(request, media)


class EditView(PersonalView):
    """Takes the form of the detail page."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = _read_detailed(request, media_id)
        form = MediaEditForm(request.POST)
        if form.is_valid() and _save(request, media, form):
            messages.success(request, gettext("Changes saved."))
            return trails.redirect_along(request, media)
        return show_detail(request, media, status=422, form=form)


def _save(request: HttpRequest, media: MediaFile, form: MediaEditForm) -> bool:
    try:
        services.update_media(user=request.user, media=media, **form.changes())
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


def show_detail(
    request: HttpRequest, media: MediaFile, *, status: int = 200, **forms: Form
) -> HttpResponse:
    """The page of `media` (with details); `forms` are those that have to be filled in anew."""
    looks = _looks(request, media)
    facts = factsheet.describe(media.current, everything=looks["may_edit"])
    context = {
        **looks,
        **shelving.describe(request, media),
        **sharesheet.describe(request, media, rights=media.rights),
        "trail": trails.read_trail(request),
        "beside": trails.find_neighbours(request, media),
        "form": MediaEditForm.of(media),
        "caption_form": CaptionForm(),
        "is_editable": looks["may_edit"] and services.is_editable(media),
        "becomes_another_type": services.becomes_another_type(media),
        "may_delete": Action.DELETE in media.rights,
        "may_read": can_access(request.user, media, Action.READ),
        "social": embedding.describe_for_others(request, media),
        "facts": facts,
        "moment": factsheet.moment_of(media, everything=looks["may_edit"]),
        "chapters": media.current.metadata.get("chapters", []),
        "captions": selectors.list_captions(media=media),
        "versions": (
            selectors.list_versions(user=request.user, media=media) if looks["may_edit"] else ()
        ),
        "uses": (
            selectors.describe_usage(user=request.user, media=media) if looks["may_edit"] else ()
        ),
        **forms,
    }
    return render(request, "media/detail.html", context, status=status)


def _looks(request: HttpRequest, media: MediaFile) -> dict[str, Any]:
    """What the preview of one file and its state need."""
    metadata = media.current.metadata  # read first: whether a sound may come is known from it
    may_edit = Action.EDIT in media.rights
    told = bool(media.failure_code) and may_edit
    is_film = may_edit and bool(metadata.get("video")) and media.status == Status.READY
    return {
        "media": media,
        "may_edit": may_edit,
        "failed_edit": told and selectors.has_failed_edit(media=media),
        "poster_state": selectors.state_of_poster(media=media) if is_film else "",
        "pages": metadata.get("pages", 0),
        "seen": _seen(media),
    }


def _seen(media: MediaFile) -> str:
    """Changes whenever there is more to show."""
    return f"{media.status}-{media.progress}-{len(media.current_renditions)}"


def _read_detailed(request: HttpRequest, media_id: uuid.UUID) -> MediaFile:
    return selectors.get_detailed_media(user=request.user, media_id=media_id)


class KeepView(PersonalView):
    """Keeps a file that would go with its last use."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        services.keep_media(user=request.user, media=media)
        messages.success(
            request, gettext("“%(name)s” stays until you delete it.") % {"name": media}
        )
        return redirect(media)


class ReprocessView(PersonalView):
    """Has a file processed again, as after a failure that was not its own."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        check_rate(ReprocessRate, request)
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        services.reprocess_media(user=request.user, media=media)
        return redirect(media)


@method_decorator(csrf_exempt, name="dispatch")  # checked in `_take`, once files are let in
class AddCaptionView(PersonalView):
    """Takes captions for a film or a sound."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        check_rate(UploadRate, request)
        # Larger ones than fit into memory are not read; the form then says that there is none.
        request.upload_handlers = [MemoryFileUploadHandler(request)]
        return self._take(request, media_id)

    @method_decorator(csrf_protect)
    def _take(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = _read_detailed(request, media_id)
        form = CaptionForm(request.POST, request.FILES)
        if form.is_valid() and _add_caption(request, media, form):
            messages.success(request, gettext("Captions added."))
            return redirect(media)
        return show_detail(request, media, status=422, caption_form=form)


def _add_caption(request: HttpRequest, media: MediaFile, form: CaptionForm) -> bool:
    try:
        services.add_caption(user=request.user, media=media, **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, error)
    except (RejectedError, WrongStateError) as error:
        form.add_error("file", error.detail)
    else:
        return True
    return False


class RemoveCaptionView(PersonalView):
    """Takes captions away."""

    http_method_names = ["post"]

    def post(
        self, request: HttpRequest, media_id: uuid.UUID, caption_id: uuid.UUID
    ) -> HttpResponse:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        caption = selectors.list_captions(media=media).filter(pk=caption_id).first()
        if caption is None:
            raise NotVisibleError(caption_id)
        services.remove_caption(user=request.user, caption=caption)
        messages.success(request, gettext("Captions removed."))
        return redirect(media)
