"""The HTTP API of a file's versions. Each method makes one call of a service or selector."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.pagination import KeysetPagination
from apps.core.schema import problem
from apps.media import selectors, services
from apps.media.models import MediaFile, MediaVersion
from apps.media.serializers import MediaDetailSerializer, VersionSerializer
from apps.media.views.api import ProblemAnswers


class VersionsView(ProblemAnswers, generics.GenericAPIView[MediaVersion]):
    """The versions of one media file, for those who may edit it."""

    queryset = MediaVersion.objects.none()
    serializer_class = VersionSerializer
    permission_classes = [IsAuthenticated]
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = {"-created_at": "-pk", "created_at": "pk"}

    def get_queryset(self) -> QuerySet[MediaVersion]:
        media = _visible(self.request, self.kwargs["media_id"])
        return selectors.list_versions(user=self.request.user, media=media)

    @extend_schema(operation_id="media_versions_list", responses=VersionSerializer(many=True))
    def get(self, request: Request, media_id: UUID) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class VersionView(ProblemAnswers):
    """One old version."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        responses={
            204: OpenApiResponse(description="Gone, with all that was made of it"),
            **problem(409, "The current version, or the one that others get"),
        }
    )
    def delete(self, request: Request, media_id: UUID, number: int) -> Response:
        media = _visible(request, media_id)
        services.delete_version(user=request.user, media=media, number=number)
        return Response(status=status.HTTP_204_NO_CONTENT)


class RestoreVersionView(ProblemAnswers):
    """Makes an old version the current one again."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        request=None,
        responses={200: MediaDetailSerializer, **problem(409, "In the trash, or malware")},
    )
    def post(self, request: Request, media_id: UUID, number: int) -> Response:
        media = _visible(request, media_id)
        services.restore_version(user=request.user, media=media, number=number)
        shown = selectors.get_detailed_media(user=request.user, media_id=media_id)
        return Response(MediaDetailSerializer(shown, context={"request": request}).data)


def _visible(request: Request, media_id: UUID) -> MediaFile:
    return selectors.get_visible_media(user=request.user, media_id=media_id)
