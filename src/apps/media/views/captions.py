"""The HTTP API of captions. Each method makes one call of a service or selector."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.db.models import QuerySet
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.pagination import KeysetPagination
from apps.core.schema import problem
from apps.core.words import gettext_noop as _
from apps.media import selectors, services
from apps.media.exceptions import FileTooLargeError, LengthRequiredError
from apps.media.models import Caption, MediaFile
from apps.media.processing.captions import MAX_BYTES
from apps.media.rates import UploadRate
from apps.media.serializers import CaptionCreateSerializer, CaptionSerializer
from apps.media.uploadhandlers import FORM_OVERHEAD
from apps.media.views.api import ProblemAnswers


class CaptionsView(ProblemAnswers, generics.GenericAPIView[Caption]):
    """The captions of one media file."""

    queryset = Caption.objects.none()
    serializer_class = CaptionSerializer
    permission_classes = [IsAuthenticatedOrReadOnly]
    parser_classes = [MultiPartParser]
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = {"created_at": "pk", "-created_at": "-pk"}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # Also the cross-site check of a session reads the body: be ready before it.
        request.upload_handlers = [SmallFile(request)]
        return super().initialize_request(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Caption]:
        media = _visible(self.request, self.kwargs["media_id"])
        return selectors.list_captions(media=media).select_related("media")

    @extend_schema(operation_id="media_captions_list", responses=CaptionSerializer(many=True))
    def get(self, request: Request, media_id: UUID) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request={"multipart/form-data": CaptionCreateSerializer},
        responses={
            201: CaptionSerializer,
            **problem(409, "Not of a film or a sound, or there are such captions already"),
            **problem(411, "`length_required`: the body came in chunks"),
            **problem(413, "`file_too_large`: more than 2 MiB"),
            **problem(422, "`unreadable_caption`"),
        },
    )
    def post(self, request: Request, media_id: UUID) -> Response:
        form = CaptionCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        caption = services.add_caption(
            user=request.user, media=_visible(request, media_id), **form.validated_data
        )
        body = self.get_serializer(caption).data
        return Response(body, status=status.HTTP_201_CREATED)

    def get_throttles(self) -> list[Any]:
        return [UploadRate()] if self.request.method == "POST" else []


class CaptionView(ProblemAnswers):
    """One caption."""

    permission_classes = [IsAuthenticatedOrReadOnly]

    @extend_schema(responses={204: OpenApiResponse(description="Gone, with its text")})
    def delete(self, request: Request, media_id: UUID, caption_id: UUID) -> Response:
        caption = selectors.get_caption_by_id(
            media=_visible(request, media_id), caption_id=caption_id
        )
        services.remove_caption(user=request.user, caption=caption)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SmallFile(MemoryFileUploadHandler):
    """Keeps the file of a request in memory, which is only for requests that say they are small."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803  Django's name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        if "chunked" in META.get("HTTP_TRANSFER_ENCODING", "").lower():
            raise LengthRequiredError
        if content_length > MAX_BYTES + FORM_OVERHEAD:
            raise FileTooLargeError(content_length, detail=_("Captions are at most 2 MiB."))
        self.activated = True


def _visible(request: Request, media_id: UUID) -> MediaFile:
    return selectors.get_visible_media(user=request.user, media_id=media_id)
