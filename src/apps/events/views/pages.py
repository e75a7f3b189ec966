"""The pages of events. Each works without script; partial answers only make it smoother."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from apps.core.errors import AppError
from apps.core.pages import PageView, PersonalView
from apps.core.rates import check_rate
from apps.events import selectors, services
from apps.events.exceptions import ForbiddenError, UnknownGuestError
from apps.events.forms import AddPhotosForm, AnswerForm, EventForm, InviteForm
from apps.events.models import Answer, Event
from apps.events.policies import Action
from apps.events.views.gallery import read_gallery
from apps.events.views.listing import EVENTS, read_shown
from apps.media.rates import SharingRate, UploadRate
from apps.media.uploadhandlers import discard_unclaimed, stream_uploads

SHOWN_GUESTS = 200  # at once


class EventsPage(PageView):
    """What is to come, or with `?when=past` what is over, as far as the visitor sees it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        is_past = request.GET.get("when") == "past"
        rows = selectors.list_past_events() if is_past else selectors.list_upcoming_events()
        page = read_shown(
            rows,
            ordering="-starts_at" if is_past else "starts_at",
            size=EVENTS,
            cursor=request.GET.get("cursor"),
            either=selectors.ways_to_visible_events(user=request.user),
        )
        events = selectors.events_shown_to(request.user, page.items)
        context = {"events": events, "page": page, "is_past": is_past}
        return render(request, "events/events.html", context)


@method_decorator(csrf_exempt, name="dispatch")  # checked in `_take`, once uploads can stream
class NewEventPage(PersonalView):
    """The form for another event."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request, EventForm(user=request.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        check_rate(UploadRate, request)
        stream_uploads(request, user=request.user, collect_refusals=True)
        try:
            return self._take(request)
        finally:
            discard_unclaimed(request)

    @method_decorator(csrf_protect)
    def _take(self, request: HttpRequest) -> HttpResponse:
        form = EventForm(request.POST, request.FILES, user=request.user)
        if form.is_valid():
            try:
                event = services.create_event(user=request.user, **form.fields_chosen())
            except (ValidationError, AppError) as error:
                _tell(form, error)
            else:
                messages.success(request, _("“%(event)s” is made.") % {"event": event})
                return redirect(event)
        return self._show(request, form, status=422)

    def _show(self, request: HttpRequest, form: EventForm, *, status: int = 200) -> HttpResponse:
        return render(request, "events/new.html", {"form": form}, status=status)


class EventPage(PageView):
    """One event with its gallery, to whoever may see it."""

    def get(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        return show_event(request, _shown(request, event_id))


@method_decorator(csrf_exempt, name="dispatch")  # checked in `_take`, once uploads can stream
class EditEventPage(PersonalView):
    """The form of an event that is there."""

    def get(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        event = _editable(request, event_id)
        return self._show(request, event, EventForm(instance=event, user=request.user))

    def post(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        event = _editable(request, event_id)
        check_rate(UploadRate, request)
        stream_uploads(request, user=request.user, collect_refusals=True)
        try:
            return self._take(request, event)
        finally:
            discard_unclaimed(request)

    @method_decorator(csrf_protect)
    def _take(self, request: HttpRequest, event: Event) -> HttpResponse:
        written = _editable(request, event.pk)  # the form writes on it, valid or not
        form = EventForm(request.POST, request.FILES, instance=written, user=request.user)
        if form.is_valid():
            try:
                services.update_event(user=request.user, event=event, **form.fields_chosen())
            except (ValidationError, AppError) as error:
                _tell(form, error)
            else:
                messages.success(request, _("Changes saved."))
                return redirect(event)
        return self._show(request, event, form, status=422)

    def _show(
        self, request: HttpRequest, event: Event, form: EventForm, *, status: int = 200
    ) -> HttpResponse:
        context = {"event": event, "form": form, "may_delete": Action.DELETE in event.rights}
        return render(request, "events/edit.html", context, status=status)


class DeleteEventPage(PersonalView):
    """Removes an event with its gallery."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        event = _shown(request, event_id)
        services.delete_event(user=request.user, event=event)
        messages.success(request, _("“%(event)s” is deleted.") % {"event": event})
        return redirect("events:events")


class InvitePage(PersonalView):
    """Takes the name of somebody to invite."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        event = _shown(request, event_id)
        check_rate(SharingRate, request)
        form = InviteForm(request.POST)
        if form.is_valid():
            try:
                made = services.invite_guest(
                    user=request.user, event=event, name=form.cleaned_data["name"]
                )
            except UnknownGuestError as error:
                form.add_error("name", error.detail)
            else:
                messages.success(
                    request, _("%(name)s is invited.") % {"name": made.user.get_username()}
                )
                return redirect(event)
        return show_event(request, event, invite_form=form, status=422)


class WithdrawPage(PersonalView):
    """Takes an invitation back."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, event_id: UUID, invitation_id: int) -> HttpResponse:
        event = _shown(request, event_id)
        services.withdraw_invitation(user=request.user, event=event, invitation_id=invitation_id)
        messages.success(request, _("The invitation is taken back."))
        return redirect(event)


class AnswerPage(PersonalView):
    """Takes what a guest says."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        event = _shown(request, event_id)
        form = AnswerForm(request.POST)
        answer = form.cleaned_data["answer"] if form.is_valid() else ""
        services.answer_invitation(user=request.user, event=event, answer=answer)
        messages.success(request, _("Your answer is noted."))
        return redirect(event)


def show_event(
    request: HttpRequest, event: Event, *, status: int = 200, **forms: Any
) -> HttpResponse:
    """The page of an event; `forms` are those that have to be filled in anew."""
    user = request.user
    rights = {f"may_{action}": action in event.rights for action in Action}
    context = {
        "event": event,
        "answers": selectors.count_answers(event=event),
        "answer_choices": Answer.choices,
        "gallery": read_gallery(request, event),
        **rights,
        **forms,
    }
    if Action.ADD_PHOTOS in event.rights:
        context.setdefault("add_form", AddPhotosForm(user=user, auto_id="add_%s"))
    if Action.EDIT in event.rights:
        rows = selectors.list_invitations(user=user, event=event)
        cursor = request.GET.get("guests")
        page = read_shown(rows, ordering="pk", size=SHOWN_GUESTS, cursor=cursor)
        context["guests"] = page
        context["invitations"] = selectors.invitations_shown(user, page.items)
        context.setdefault("invite_form", InviteForm(auto_id="invite_%s"))
    return render(request, "events/event.html", context, status=status)


def _shown(request: HttpRequest, event_id: UUID) -> Event:
    return selectors.get_shown_event(user=request.user, event_id=event_id)


def _editable(request: HttpRequest, event_id: UUID) -> Event:
    event = _shown(request, event_id)
    if Action.EDIT not in event.rights:
        raise ForbiddenError(event_id)
    return event


def _tell(form: EventForm, error: ValidationError | AppError) -> None:
    form.add_error(None, error if isinstance(error, ValidationError) else error.detail)
