"""The page on which somebody settles which of the pictures that look the same stay."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext

from apps.core.pages import PersonalView
from apps.media import selectors, services
from apps.media.views.archives import read_ids
from apps.media.views.pages import back_to
from apps.media.views.selectionpages import in_microseconds, report_trashed
from apps.media.views.tallies import Tally

KEPT = "keep-"
ALL = "all"


class LookalikesPage(PersonalView):
    """Groups, side by side. `settle` names the group of which the chosen one stays, or all that are
    shown; `part` one whose pictures are different."""

    def get(self, request: HttpRequest) -> HttpResponse:
        page = selectors.list_look_groups(user=request.user, after=request.GET.get("after"))
        return render(request, "media/lookalikes.html", {"page": page})

    def post(self, request: HttpRequest) -> HttpResponse:
        parted = read_ids(request.POST.getlist("part"))
        if parted:
            services.part_lookalikes(user=request.user, look=parted[0])
            messages.success(request, gettext("These count as different pictures now."))
        else:
            self._settle(request)
        return back_to(request, request.get_full_path())

    def _settle(self, request: HttpRequest) -> None:
        moment = timezone.now()
        outcomes = services.keep_of_lookalikes(
            user=request.user,
            kept=_read_kept(request),
            shown=read_ids(request.POST.getlist("shown")),
            moment=moment,
        )
        report_trashed(request, Tally(moment=in_microseconds(moment)).add(outcomes))


def _read_kept(request: HttpRequest) -> list[uuid.UUID]:
    """What was chosen to stay in the group that is settled, or in all of them."""
    settled = request.POST.get("settle", "")
    names = [name for name in request.POST if name.startswith(KEPT)]
    if settled != ALL:
        names = [name for name in names if name == KEPT + settled]
    return read_ids([str(request.POST[name]) for name in names])
