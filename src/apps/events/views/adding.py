"""What comes into the gallery of an event, and what is said of it there."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from apps.core.errors import AppError
from apps.core.pages import PersonalView
from apps.core.rates import check_rate
from apps.events import selectors, services
from apps.events.exceptions import BadRequestError, ForbiddenError
from apps.events.forms import AddPhotosForm, WordsForm
from apps.events.models import Event
from apps.events.policies import Action
from apps.events.views.gallery import back_to, read_ids
from apps.events.views.pages import show_event
from apps.media.rates import UploadRate
from apps.media.uploadhandlers import discard_unclaimed, stream_uploads

MOST_DESCRIBED = 60  # photos on one page


@method_decorator(csrf_exempt, name="dispatch")  # checked in `_take`, once uploads can stream
class AddPhotosPage(PersonalView):
    """Takes photos for the gallery: uploaded, or chosen from the library."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        event = selectors.get_shown_event(user=request.user, event_id=event_id)
        if Action.ADD_PHOTOS not in event.rights:
            raise ForbiddenError(event_id)
        check_rate(UploadRate, request)
        stream_uploads(request, user=request.user, collect_refusals=True)
        try:
            return self._take(request, event)
        finally:
            discard_unclaimed(request)

    @method_decorator(csrf_protect)
    def _take(self, request: HttpRequest, event: Event) -> HttpResponse:
        form = AddPhotosForm(request.POST, request.FILES, user=request.user)
        if form.is_valid():
            try:
                added = services.add_described_photos(
                    user=request.user, event=event, items=form.cleaned_data["photos"]
                )
            except (AppError, ValidationError) as error:
                form.add_error(None, error if isinstance(error, ValidationError) else error.detail)
            else:
                messages.success(request, _told(added))
                return back_to(event, "gallery")
        return show_event(request, event, status=422, add_form=form)


class WordsPage(PersonalView):
    """The form for what some photos of the gallery, `ids`, show: alternative text and caption."""

    def get(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        event, forms = self._read(request, event_id, request.GET.getlist("ids"))
        return self._show(request, event, forms)

    def post(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        event, forms = self._read(request, event_id, request.POST.getlist("ids"))
        if not all(form.is_valid() for form in forms):
            return self._show(request, event, forms, status=422)
        words = {form.instance.media_id: services.PhotoWords(**form.cleaned_data) for form in forms}
        services.describe_photos(user=request.user, event=event, words=words)
        messages.success(request, _("Changes saved."))
        return back_to(event, "gallery")

    def _read(
        self, request: HttpRequest, event_id: UUID, named: list[str]
    ) -> tuple[Event, list[WordsForm]]:
        if not 0 < len(named) <= MOST_DESCRIBED:
            raise BadRequestError(
                detail=gettext_noop("Select photos first, at most %(most)s."),
                values={"most": MOST_DESCRIBED},
            )
        event = selectors.get_shown_event(user=request.user, event_id=event_id)
        photos = selectors.find_own_photos(
            user=request.user, event=event, media_ids=read_ids(named)
        )
        shown = selectors.photos_shown(request.user, event, photos)
        data = request.POST if request.method == "POST" else None
        return event, [WordsForm(data, photo=photo) for photo in shown]

    def _show(
        self, request: HttpRequest, event: Event, forms: list[WordsForm], *, status: int = 200
    ) -> HttpResponse:
        context = {"event": event, "forms": forms}
        return render(request, "events/words.html", context, status=status)


def _told(added: int) -> str:
    words = ngettext("%(count)s photo added.", "%(count)s photos added.", added)
    return words % {"count": added}
