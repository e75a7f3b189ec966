"""What is done with files that somebody has selected: in the library, a collection or the trash.

Each act is one service, which says of every file whether it was done; the answer tells how many
were, and why the others were not.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, ngettext_lazy

from apps.core.pages import PersonalView
from apps.core.rates import check_rate
from apps.media import services
from apps.media.exceptions import BadRequestError
from apps.media.forms import TagNamesField
from apps.media.views.archives import read_ids
from apps.media.views.collectionpages import find_named
from apps.media.views.pages import back_to
from apps.media.views.rates import SharingRate

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

Outcomes = list[services.Outcome]
LISTED = "/library/"
REASONS = 5  # told of one act
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOVED = ngettext_lazy(
    "%(count)s file moved to the trash.", "%(count)s files moved to the trash.", "count"
)
_RESTORED = ngettext_lazy(
    "%(count)s file back in your library.", "%(count)s files back in your library.", "count"
)
_COLLECTED = ngettext_lazy(
    "%(count)s file in “%(collection)s”.", "%(count)s files in “%(collection)s”.", "count"
)
_TAGGED = ngettext_lazy("%(count)s file tagged.", "%(count)s files tagged.", "count")
_UNTAGGED = ngettext_lazy(
    "Tags removed from %(count)s file.", "Tags removed from %(count)s files.", "count"
)
_PUBLISHED = ngettext_lazy(
    "Visibility of %(count)s file changed.", "Visibility of %(count)s files changed.", "count"
)


class SelectionPage(PersonalView):
    """`do` says what; without anything selected or filled in, what is missing is told."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        act = ACTS.get(request.POST.get("do", ""))
        if act is None:
            raise BadRequestError
        ids = read_ids(request.POST.getlist("ids"))
        if not ids:
            messages.error(request, gettext("Select some files first."))
            return back_to(request, LISTED)
        try:
            return act(request, ids)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return back_to(request, LISTED)


class UndoTrashPage(PersonalView):
    """Takes back what one act moved to the trash; `moment` is in microseconds since 1970."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, moment: int) -> HttpResponse:
        try:
            thrown = _EPOCH + moment * _MICROSECOND
        except OverflowError as error:
            raise BadRequestError from error
        report(request, services.restore_trashed(user=request.user, moment=thrown), _RESTORED)
        return back_to(request, LISTED)


def _trash(request: HttpRequest, ids: Sequence[uuid.UUID]) -> HttpResponse:
    moment = timezone.now()
    outcomes = services.delete_many(user=request.user, ids=ids, moment=moment)
    report_trashed(request, outcomes, moment)
    return back_to(request, LISTED)


def _restore(request: HttpRequest, ids: Sequence[uuid.UUID]) -> HttpResponse:
    report(request, services.restore_many(user=request.user, ids=ids), _RESTORED)
    return back_to(request, LISTED)


def _tag(request: HttpRequest, ids: Sequence[uuid.UUID]) -> HttpResponse:
    names = _read_tags(request)
    report(request, services.tag_many(user=request.user, ids=ids, tags=names), _TAGGED)
    return back_to(request, LISTED)


def _untag(request: HttpRequest, ids: Sequence[uuid.UUID]) -> HttpResponse:
    names = _read_tags(request)
    report(request, services.untag_many(user=request.user, ids=ids, tags=names), _UNTAGGED)
    return back_to(request, LISTED)


def _read_tags(request: HttpRequest) -> list[str]:
    names = TagNamesField().clean(request.POST.get("tags", ""))
    if not names:
        raise ValidationError(gettext("Name at least one tag."))
    return names


def _publish(request: HttpRequest, ids: Sequence[uuid.UUID]) -> HttpResponse:
    visibility = request.POST.get("visibility", "")
    outcomes = services.publish_many(user=request.user, ids=ids, visibility=visibility)
    report(request, outcomes, _PUBLISHED)
    return back_to(request, LISTED)


def _collect(request: HttpRequest, ids: Sequence[uuid.UUID]) -> HttpResponse:
    collection = find_named(request, request.POST.get("collection", ""))
    title = request.POST.get("title", "").strip()
    if collection is None and title:
        collection = services.create_collection(user=request.user, title=title)
    if collection is None:
        messages.error(request, gettext("Choose a collection, or name a new one."))
        return back_to(request, LISTED)
    outcomes = services.collect_many(user=request.user, ids=ids, collection=collection)
    report(request, outcomes, _COLLECTED, collection=collection)
    return redirect(collection)


def _share(request: HttpRequest, ids: Sequence[uuid.UUID]) -> HttpResponse:
    check_rate(SharingRate, request)
    today = date_format(timezone.localdate())
    title = request.POST.get("share_title", "").strip() or gettext("Shared on %(day)s") % {
        "day": today
    }
    shared = services.share_many(user=request.user, ids=ids, title=title)
    report(request, shared.outcomes, _COLLECTED, collection=shared.collection)
    if shared.collection is None:
        return back_to(request, LISTED)
    messages.success(request, gettext("The link is made. You find it under “Sharing”."))
    return redirect(f"{shared.collection.get_absolute_url()}#sharing-title")


ACTS: Mapping[str, Callable[[HttpRequest, Sequence[uuid.UUID]], HttpResponse]] = {
    "delete": _trash,
    "restore": _restore,
    "tag": _tag,
    "untag": _untag,
    "visibility": _publish,
    "collect": _collect,
    "share": _share,
}


def report_trashed(request: HttpRequest, outcomes: Outcomes, moment: datetime) -> None:
    """Tell what came into the trash at `moment`, and offer to take all of it back."""
    undo = reverse("media:undo-trash", args=[(moment - _EPOCH) // _MICROSECOND])
    report(request, outcomes, _MOVED, undo=undo)


def report(
    request: HttpRequest, outcomes: Outcomes, done: StrPromise, *, undo: str = "", **values: object
) -> None:
    """Tell how many files were done, with the address that takes it back, and why not the rest."""
    reasons = Counter(_reason(outcome) for outcome in outcomes if outcome.code)
    if kept := len(outcomes) - reasons.total():
        messages.success(request, done % {"count": kept, **values}, extra_tags=undo)
    for reason, count in reasons.most_common(REASONS):
        words = ngettext("%(count)s file not: %(reason)s", "%(count)s files not: %(reason)s", count)
        messages.error(request, words % {"count": count, "reason": reason})


def _reason(outcome: services.Outcome) -> str:
    return str(outcome.detail) or outcome.code
