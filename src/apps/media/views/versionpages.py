"""The part of a file's page that is about its versions: a new one, an old one again, one away."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from apps.core.pages import PersonalView
from apps.core.rates import check_rate
from apps.media import selectors, services
from apps.media.exceptions import RejectedError, WrongStateError
from apps.media.rates import UploadRate
from apps.media.uploadhandlers import discard_unclaimed, stream_uploads


@method_decorator(csrf_exempt, name="dispatch")  # checked in `_take`, once uploads can stream
class ReplaceView(PersonalView):
    """Takes new bytes for a file; the page tells what became of them."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        check_rate(UploadRate, request)
        stream_uploads(request, user=request.user, collect_refusals=True, replaces=media_id)
        try:
            return self._take(request, media_id)
        finally:
            discard_unclaimed(request)

    @method_decorator(csrf_protect)
    def _take(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        file = request.FILES.get("file")
        if file is None:
            messages.error(request, gettext("Choose a file."))
            return redirect(media)
        try:
            services.replace_media(user=request.user, media=media, file=file)
        except RejectedError as error:
            values = {"name": file.name, "reason": error.detail}
            messages.error(request, gettext("“%(name)s” was not taken: %(reason)s") % values)
        else:
            messages.success(request, gettext("The file is replaced."))
        return redirect(media)


class RestoreVersionView(PersonalView):
    """Brings an old version back."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID, number: int) -> HttpResponse:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        try:
            services.restore_version(user=request.user, media=media, number=number)
        except WrongStateError as error:
            messages.error(request, error.detail)
        else:
            words = gettext("Version %(number)s is the current one again.")
            messages.success(request, words % {"number": number})
        return redirect(media)


class DeleteVersionView(PersonalView):
    """Removes an old version for good."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID, number: int) -> HttpResponse:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        try:
            services.delete_version(user=request.user, media=media, number=number)
        except WrongStateError as error:
            messages.error(request, error.detail)
        else:
            messages.success(
                request, gettext("Version %(number)s is deleted.") % {"number": number}
            )
        return redirect(media)
