"""Turning and cutting pictures, choosing posters: the HTTP API, and what a file's page sends."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.pages import PersonalView
from apps.core.rates import check_rate
from apps.core.schema import problem
from apps.media import selectors, services
from apps.media.exceptions import (
    BadRequestError,
    NotEditableError,
    QuotaExceededError,
    WrongStateError,
)
from apps.media.rates import ReprocessRate
from apps.media.serializers import EditSerializer, MediaDetailSerializer, PosterSerializer
from apps.media.views import trails
from apps.media.views.api import ProblemAnswers


class EditsView(ProblemAnswers):
    """Makes a new version of a picture; the one before is kept."""

    permission_classes = [IsAuthenticated]
    throttle_classes = [ReprocessRate]

    @extend_schema(
        operation_id="media_edits_create",
        request=EditSerializer,
        responses={
            202: MediaDetailSerializer,
            **problem(409, "In the trash, being processed, or replaced since that version"),
            **problem(413, "The owner has no room for another version"),
            **problem(422, "No picture that can be turned and cut"),
        },
    )
    def post(self, request: Request, media_id: uuid.UUID) -> Response:
        media = selectors.get_editable_media(user=request.user, media_id=media_id)
        asked = EditSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        services.edit_picture(user=request.user, media=media, **asked.validated_data)
        shown = selectors.get_detailed_media(user=request.user, media_id=media_id)
        made = MediaDetailSerializer(shown, context={"request": request})
        return Response(made.data, status=status.HTTP_202_ACCEPTED)


class PosterView(ProblemAnswers):
    """Chooses the moment of a film that its pictures show."""

    permission_classes = [IsAuthenticated]
    throttle_classes = [ReprocessRate]

    @extend_schema(
        operation_id="media_poster_create",
        request=PosterSerializer,
        responses={202: MediaDetailSerializer, **problem(409, "In the trash, or not ready")},
    )
    def post(self, request: Request, media_id: uuid.UUID) -> Response:
        media = selectors.get_editable_media(user=request.user, media_id=media_id)
        asked = PosterSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        services.choose_poster(user=request.user, media=media, **asked.validated_data)
        shown = selectors.get_detailed_media(user=request.user, media_id=media_id)
        made = MediaDetailSerializer(shown, context={"request": request})
        return Response(made.data, status=status.HTTP_202_ACCEPTED)


class PosterPage(PersonalView):
    """Takes the moment from the page of a film."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        check_rate(ReprocessRate, request)
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        at = request.POST.get("at") or None
        try:
            services.choose_poster(user=request.user, media=media, at=at)
        except (BadRequestError, WrongStateError) as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, gettext("The poster is being made anew."))
        return trails.redirect_along(request, media)


class EditPage(PersonalView):
    """Takes what the page of a file sends; the page then tells how far it is."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        check_rate(ReprocessRate, request)
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        sent = request.POST
        try:
            services.edit_picture(
                user=request.user,
                media=media,
                rotate=_whole(sent.get("rotate")) or 0,
                crop=sent.get("crop") or None,
                version=_whole(sent.get("version")),
            )
        except (BadRequestError, NotEditableError, QuotaExceededError, WrongStateError) as error:
            messages.error(request, error.detail)
        else:
            words = gettext("A new version is being made. The one before stays among the versions.")
            messages.success(request, words)
        return trails.redirect_along(request, media)


def _whole(text: str | None) -> int | None:
    """Raises `BadRequestError` for what is no number."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004
        raise BadRequestError
    return int(text)
