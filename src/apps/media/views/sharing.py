"""The HTTP API of grants and share links, the same for files and for collections: seen and used by
those who may share them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from apps.core.pagination import KeysetPagination
from apps.core.schema import problem
from apps.media import selectors, services
from apps.media.models import Grant, ShareLink
from apps.media.policies import Shared
from apps.media.rates import SharingRate
from apps.media.serializers import (
    GrantCreateSerializer,
    GrantSerializer,
    GrantUpdateSerializer,
    ShareLinkCreateSerializer,
    ShareLinkSerializer,
)
from apps.media.views.api import ProblemAnswers

NEWEST_FIRST = {"-created_at": "-pk", "created_at": "pk"}


class SharingView(ProblemAnswers):
    """Any view here. `find` gives what the address names to those who may share it; it is asked
    first, since also which names there are is for those alone."""

    find: Callable[..., Shared] = staticmethod(selectors.get_shareable_media)
    permission_classes = [IsAuthenticated]

    def shared(self, target: dict[str, UUID]) -> Shared:
        """`target` is the part of the address that names it."""
        return self.find(user=self.request.user, **target)


class GrantsView(SharingView, generics.GenericAPIView[Grant]):
    """Who was given a right on one media file, or on one collection with all below it."""

    queryset = Grant.objects.none()
    serializer_class = GrantSerializer
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = NEWEST_FIRST

    def get_throttles(self) -> list[BaseThrottle]:
        return [SharingRate()] if self.request.method == "POST" else []

    @extend_schema(responses=GrantSerializer(many=True))
    def get(self, request: Request, **target: UUID) -> Response:
        rows: QuerySet[Grant] = selectors.list_grants(user=request.user, media=self.shared(target))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request=GrantCreateSerializer,
        responses={
            201: GrantSerializer,
            **problem(400, "`unknown_recipient`, `owner_has_access`, `expiry_in_past`, `invalid`"),
        },
    )
    def post(self, request: Request, **target: UUID) -> Response:
        """Give a right, or change the one that this user or group has."""
        shared = self.shared(target)
        form = GrantCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        recipient = selectors.find_recipient(**form.recipient)
        grant = services.grant_access(user=request.user, media=shared, to=recipient, **form.terms)
        return Response(self.get_serializer(grant).data, status=status.HTTP_201_CREATED)


class GrantView(SharingView):
    """One grant."""

    def get_throttles(self) -> list[BaseThrottle]:
        return [SharingRate()] if self.request.method == "PATCH" else []

    @extend_schema(
        request=GrantUpdateSerializer,
        responses={200: GrantSerializer, **problem(400, "`expiry_in_past`, `invalid`")},
    )
    def patch(self, request: Request, grant_id: UUID, **target: UUID) -> Response:
        """Change what it allows, or when it ends; what is not said stays."""
        shared = self.shared(target)
        grant = selectors.get_grant(user=request.user, media=shared, grant_id=grant_id)
        form = GrantUpdateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changed = services.change_grant(user=request.user, grant=grant, **form.validated_data)
        return Response(GrantSerializer(changed).data)

    @extend_schema(responses={204: OpenApiResponse(description="Taken back, at once")})
    def delete(self, request: Request, grant_id: UUID, **target: UUID) -> Response:
        shared = self.shared(target)
        grant = selectors.get_grant(user=request.user, media=shared, grant_id=grant_id)
        services.revoke_access(user=request.user, grant=grant)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ShareLinksView(SharingView, generics.GenericAPIView[ShareLink]):
    """The share links of one media file, or of one collection with all below it."""

    queryset = ShareLink.objects.none()
    serializer_class = ShareLinkSerializer
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = NEWEST_FIRST

    def get_throttles(self) -> list[BaseThrottle]:
        return [SharingRate()] if self.request.method == "POST" else []

    @extend_schema(responses=ShareLinkSerializer(many=True))
    def get(self, request: Request, **target: UUID) -> Response:
        rows = selectors.list_share_links(user=request.user, media=self.shared(target))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request=ShareLinkCreateSerializer,
        responses={201: ShareLinkSerializer, **problem(400, "`expiry_in_past`, `invalid`")},
    )
    def post(self, request: Request, **target: UUID) -> Response:
        """Make an address that opens it to whoever has that."""
        shared = self.shared(target)
        form = ShareLinkCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        link = services.create_share_link(user=request.user, media=shared, **form.validated_data)
        return Response(self.get_serializer(link).data, status=status.HTTP_201_CREATED)


class ShareLinkView(SharingView):
    """One share link."""

    @extend_schema(responses={204: OpenApiResponse(description="Taken back, at once")})
    def delete(self, request: Request, link_id: UUID, **target: UUID) -> Response:
        shared = self.shared(target)
        link = selectors.get_share_link(user=request.user, media=shared, link_id=link_id)
        services.revoke_share_link(user=request.user, link=link)
        return Response(status=status.HTTP_204_NO_CONTENT)


ADDRESSES = [  # below that of what is shared
    ("grants/", GrantsView, "grants"),
    ("grants/<uuid:grant_id>/", GrantView, "grant"),
    ("share-links/", ShareLinksView, "share-links"),
    ("share-links/<uuid:link_id>/", ShareLinkView, "share-link"),
]
