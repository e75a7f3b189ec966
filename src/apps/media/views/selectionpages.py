"""What is done with files that somebody has selected: in the library, a collection or the trash.

Each act is one service, which says of every file whether it was done; the answer tells how many
were, and why the others were not.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
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
from apps.media.rates import SharingRate
from apps.media.views.archives import read_ids
from apps.media.views.collectionpages import find_named
from apps.media.views.pages import back_to
from apps.media.views.tallies import Tally

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

Ids = Sequence[uuid.UUID]
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
    """`do` says what; without anything selected or filled in, what is missing is told.

    A piece that is not the last of its act (see `tallies`) is answered by a status alone.
    """

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        act = ACTS.get(request.POST.get("do", ""))
        if act is None:
            raise BadRequestError
        ids = read_ids(request.POST.getlist("ids"))
        tally = Tally.of(request)
        if not ids and not tally.is_begun:
            messages.error(request, gettext("Select some files first."))
            return back_to(request, LISTED)
        try:
            tally.add(act.do(request, ids, tally))
        except ValidationError as error:
            return _refuse(request, error)
        if _is_more(request):
            tally.keep(request)
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        tally.forget(request)
        return act.tell(request, tally)


def _is_more(request: HttpRequest) -> bool:
    return "more" in request.POST


def _refuse(request: HttpRequest, error: ValidationError) -> HttpResponse:
    if _is_more(request):
        return HttpResponse(status=HTTPStatus.UNPROCESSABLE_ENTITY)
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
        outcomes, is_more = services.restore_trashed(user=request.user, moment=thrown)
        report(request, Tally().add(outcomes), _RESTORED)
        if is_more:
            messages.info(request, gettext("There are more of them."), extra_tags=request.path)
        return back_to(request, LISTED)


# -- what is done ------------------------------------------------------------------------------


def _trash(request: HttpRequest, ids: Ids, tally: Tally) -> Outcomes:
    """All pieces come into the trash at one moment, by which they are taken back."""
    if tally.moment is None:
        tally.moment = in_microseconds(timezone.now())
    moment = _EPOCH + tally.moment * _MICROSECOND
    return services.delete_many(user=request.user, ids=ids, moment=moment)


def _restore(request: HttpRequest, ids: Ids, tally: Tally) -> Outcomes:
    return services.restore_many(user=request.user, ids=ids)


def _tag(request: HttpRequest, ids: Ids, tally: Tally) -> Outcomes:
    return services.tag_many(user=request.user, ids=ids, tags=_read_tags(request))


def _untag(request: HttpRequest, ids: Ids, tally: Tally) -> Outcomes:
    return services.untag_many(user=request.user, ids=ids, tags=_read_tags(request))


def _read_tags(request: HttpRequest) -> list[str]:
    names = TagNamesField().clean(request.POST.get("tags", ""))
    if not names:
        raise ValidationError(gettext("Name at least one tag."))
    return names


def _publish(request: HttpRequest, ids: Ids, tally: Tally) -> Outcomes:
    visibility = request.POST.get("visibility", "")
    return services.publish_many(user=request.user, ids=ids, visibility=visibility)


def _collect(request: HttpRequest, ids: Ids, tally: Tally) -> Outcomes:
    collection = find_named(request, tally.collection or request.POST.get("collection", ""))
    title = request.POST.get("title", "").strip()
    if collection is None and title:
        collection = services.create_collection(user=request.user, title=title)
    if collection is None:
        raise ValidationError(gettext("Choose a collection, or name a new one."))
    tally.collection = str(collection.pk)
    return services.collect_many(user=request.user, ids=ids, collection=collection)


def _share(request: HttpRequest, ids: Ids, tally: Tally) -> Outcomes:
    check_rate(SharingRate, request)
    today = date_format(timezone.localdate())
    title = request.POST.get("share_title", "").strip() or gettext("Shared on %(day)s") % {
        "day": today
    }
    begun = find_named(request, tally.collection)
    shared = services.share_many(user=request.user, ids=ids, title=title, begun=begun)
    if shared.collection is not None:
        tally.collection = str(shared.collection.pk)
    return shared.outcomes


# -- what is told ------------------------------------------------------------------------------


def _tell(done: StrPromise) -> Callable[[HttpRequest, Tally], HttpResponse]:
    def tell(request: HttpRequest, tally: Tally) -> HttpResponse:
        report(request, tally, done)
        return back_to(request, LISTED)

    return tell


def _tell_trashed(request: HttpRequest, tally: Tally) -> HttpResponse:
    report_trashed(request, tally)
    return back_to(request, LISTED)


def _tell_collected(request: HttpRequest, tally: Tally) -> HttpResponse:
    collection = find_named(request, tally.collection)
    report(request, tally, _COLLECTED, collection=collection)
    return redirect(collection) if collection else back_to(request, LISTED)


def _tell_shared(request: HttpRequest, tally: Tally) -> HttpResponse:
    if not tally.collection:
        return _tell_collected(request, tally)
    answer = _tell_collected(request, tally)
    messages.success(request, gettext("The link is made. You find it under “Sharing”."))
    return redirect(f"{answer.headers['Location']}#sharing-title")


@dataclass(frozen=True)
class Act:
    """`do` is done with each piece, `tell` answers the last one."""

    do: Callable[[HttpRequest, Ids, Tally], Outcomes]
    tell: Callable[[HttpRequest, Tally], HttpResponse]


ACTS: Mapping[str, Act] = {
    "delete": Act(_trash, _tell_trashed),
    "restore": Act(_restore, _tell(_RESTORED)),
    "tag": Act(_tag, _tell(_TAGGED)),
    "untag": Act(_untag, _tell(_UNTAGGED)),
    "visibility": Act(_publish, _tell(_PUBLISHED)),
    "collect": Act(_collect, _tell_collected),
    "share": Act(_share, _tell_shared),
}


def in_microseconds(moment: datetime) -> int:
    """Since 1970, as addresses name a moment."""
    return (moment - _EPOCH) // _MICROSECOND


def report_trashed(request: HttpRequest, tally: Tally) -> None:
    """Tell what came into the trash at its moment, and offer to take all of it back."""
    undo = reverse("media:undo-trash", args=[tally.moment])
    report(request, tally, _MOVED, undo=undo)


def report(
    request: HttpRequest, tally: Tally, done: StrPromise, *, undo: str = "", **values: object
) -> None:
    """Tell how many files were done, with the address that takes it back, and why not the rest."""
    if tally.done:
        messages.success(request, done % {"count": tally.done, **values}, extra_tags=undo)
    for reason, count in tally.refused.most_common(REASONS):
        words = ngettext("%(count)s file not: %(reason)s", "%(count)s files not: %(reason)s", count)
        messages.error(request, words % {"count": count, "reason": reason})
