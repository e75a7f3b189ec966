"""The HTTP API of collections. Hidden and missing are the same answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.pagination import KeysetPagination
from apps.core.schema import problem
from apps.media import selectors, services
from apps.media.models import Collection, CollectionItem
from apps.media.serializers import (
    AddedItemsSerializer,
    CollectionCreateSerializer,
    CollectionItemSerializer,
    CollectionSerializer,
    CollectionUpdateSerializer,
    ItemPlacesSerializer,
)
from apps.media.services.collecting import MOST_AT_ONCE
from apps.media.views.api import ProblemAnswers

TOP = "none"
_TREE = problem(409, "`collection_cycle`, `collection_too_deep`")


class CollectionsView(ProblemAnswers, generics.GenericAPIView[Collection]):
    """Collections: those of the user, granted and public ones; everything for managers."""

    queryset = Collection.objects.none()
    serializer_class = CollectionSerializer
    permission_classes = [IsAuthenticatedOrReadOnly]
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = {"-created_at": "-pk", "created_at": "pk", "title": "title", "-title": "-title"}

    def get_queryset(self) -> QuerySet[Collection]:
        """All rows, of which the list shows those of `either`."""
        user, parent = self.request.user, self.request.query_params.get("parent", "")
        if parent and parent != TOP:
            return selectors.list_children(user=user, parent_id=_uuid("parent", parent))
        rows = Collection.objects.select_related("owner")
        return selectors.topmost(rows, user=user) if parent else rows

    @property
    def either(self) -> list[Q]:
        return selectors.ways_to_visible_collections(user=self.request.user)

    @extend_schema(
        operation_id="collections_list",
        parameters=[
            OpenApiParameter(
                "parent",
                OpenApiTypes.STR,
                description="Only what lies directly in this collection; `none`: in nothing that "
                "you see",
            )
        ],
        responses=CollectionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        shown = selectors.collections_shown_to(request.user, page)
        return self.get_paginated_response(self.get_serializer(shown, many=True).data)

    @extend_schema(
        operation_id="collections_create",
        request=CollectionCreateSerializer,
        responses={201: CollectionSerializer, **_TREE},
    )
    def post(self, request: Request) -> Response:
        form = CollectionCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields = dict(form.validated_data)
        parent = _find_parent(request, fields.pop("parent", None))
        made = services.create_collection(user=request.user, parent=parent, **fields)
        body = _shown(request, made.pk)
        headers = {"Location": body["urls"]["self"]}
        return Response(body, status=status.HTTP_201_CREATED, headers=headers)


class CollectionView(ProblemAnswers):
    """One collection."""

    permission_classes = [IsAuthenticatedOrReadOnly]

    @extend_schema(operation_id="collections_retrieve", responses=CollectionSerializer)
    def get(self, request: Request, collection_id: UUID) -> Response:
        return Response(_shown(request, collection_id))

    @extend_schema(
        request=CollectionUpdateSerializer, responses={200: CollectionSerializer, **_TREE}
    )
    def patch(self, request: Request, collection_id: UUID) -> Response:
        collection = _visible(request, collection_id)
        form = CollectionUpdateSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        fields = dict(form.validated_data)
        if "parent" in fields:
            fields["parent"] = _find_parent(request, fields["parent"])
        if fields.get("cover"):
            fields["cover"] = selectors.get_visible_media(
                user=request.user, media_id=fields["cover"]
            )
        services.update_collection(user=request.user, collection=collection, **fields)
        return Response(_shown(request, collection_id))

    @extend_schema(
        responses={204: OpenApiResponse(description="Gone, with those in it; the files stay")}
    )
    def delete(self, request: Request, collection_id: UUID) -> Response:
        collection = _visible(request, collection_id)
        services.delete_collection(user=request.user, collection=collection)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CollectionItemsView(ProblemAnswers, generics.GenericAPIView[CollectionItem]):
    """The files of a collection in their order."""

    queryset = CollectionItem.objects.none()
    serializer_class = CollectionItemSerializer
    permission_classes = [IsAuthenticatedOrReadOnly]
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = {"position": "position", "-position": "-position"}

    @extend_schema(
        operation_id="collections_items_list", responses=CollectionItemSerializer(many=True)
    )
    def get(self, request: Request, collection_id: UUID) -> Response:
        collection = _visible(request, collection_id)
        items = selectors.list_collection_items(user=request.user, collection=collection)
        page = selectors.items_shown(request.user, self.paginate_queryset(items) or [])
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="collections_items_create",
        request=ItemPlacesSerializer,
        responses={200: AddedItemsSerializer},
    )
    def post(self, request: Request, collection_id: UUID) -> Response:
        """What is in it already stays where it is."""
        collection = _visible(request, collection_id)
        added = services.add_items(
            user=request.user, collection=collection, **_read_places(request)
        )
        return Response({"added": added})

    @extend_schema(
        operation_id="collections_items_move",
        request=ItemPlacesSerializer,
        responses={204: OpenApiResponse(description="They are in this order there now")},
    )
    def patch(self, request: Request, collection_id: UUID) -> Response:
        collection = _visible(request, collection_id)
        services.move_items(user=request.user, collection=collection, **_read_places(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="collections_items_remove",
        parameters=[
            OpenApiParameter(
                "media",
                OpenApiTypes.UUID,
                many=True,
                required=True,
                description=f"These files, at most {MOST_AT_ONCE}",
            )
        ],
        responses={204: OpenApiResponse(description="None of them is in it any more")},
    )
    def delete(self, request: Request, collection_id: UUID) -> Response:
        collection = _visible(request, collection_id)
        ids = [_uuid("media", text) for text in request.query_params.getlist("media")]
        if not ids:
            raise ValidationError({"media": [gettext("Name at least one.")]})
        services.remove_items(user=request.user, collection=collection, media_ids=ids)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _visible(request: Request, collection_id: UUID) -> Collection:
    return selectors.get_visible_collection(user=request.user, collection_id=collection_id)


def _shown(request: Request, collection_id: UUID) -> Any:
    rows = [_visible(request, collection_id)]
    [collection] = selectors.collections_shown_to(request.user, rows)
    return CollectionSerializer(collection, context={"request": request}).data


def _find_parent(request: Request, parent_id: UUID | None) -> Collection | None:
    return _visible(request, parent_id) if parent_id else None


def _read_places(request: Request) -> dict[str, Any]:
    form = ItemPlacesSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    return {
        "media_ids": form.validated_data["media"],
        "before": form.validated_data.get("before"),
    }


def _uuid(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValidationError({name: [gettext("This is no id.")]}) from None
