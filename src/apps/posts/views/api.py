"""The HTTP API of posts. Each method makes one call of a service or selector."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.pagination import KeysetPagination
from apps.core.schema import problem
from apps.posts import selectors, services
from apps.posts.models import Post
from apps.posts.serializers import PostSerializer, PostWriteSerializer
from apps.users.exceptions import PersonNotVisibleError
from apps.users.selectors import get_person

_REFUSED = {
    **problem(400, "`invalid`, `wrong_kind`, `too_many_files`, `attached_twice`"),
    **problem(403, "`permission_denied`, `cannot_attach`"),
    **problem(422, "`empty_post`"),
}


class PostsView(generics.GenericAPIView[Post]):
    """Posts: public ones, those of the user, and what was written for them as a follower."""

    queryset = Post.objects.none()
    serializer_class = PostSerializer
    permission_classes = [IsAuthenticatedOrReadOnly]
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = {"-created_at": "-pk", "created_at": "pk"}

    def get_queryset(self) -> QuerySet[Post]:
        """All rows, of which the list shows those of `either`."""
        name = self.request.query_params.get("author", "")
        try:
            by = get_person(username=name) if name else None
        except PersonNotVisibleError:
            raise ValidationError({"author": [_("There is no such person.")]}) from None
        return selectors.list_posts(by=by)

    @property
    def either(self) -> list[Q]:
        return selectors.ways_to_posts(user=self.request.user)

    @extend_schema(
        operation_id="posts_list",
        parameters=[
            OpenApiParameter("author", OpenApiTypes.STR, description="Only of this user name")
        ],
        responses=PostSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        shown = selectors.posts_shown_to(request.user, page)
        return self.get_paginated_response(self.get_serializer(shown, many=True).data)

    @extend_schema(
        operation_id="posts_create",
        request=PostWriteSerializer,
        responses={201: PostSerializer, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        form = PostWriteSerializer(data=request.data, context={"request": request})
        form.is_valid(raise_exception=True)
        made = services.create_post(author=request.user, **form.validated_data)
        body = _shown(request, made.pk)
        headers = {"Location": body["urls"]["self"]}
        return Response(body, status=status.HTTP_201_CREATED, headers=headers)


class PostView(APIView):
    """One post."""

    permission_classes = [IsAuthenticatedOrReadOnly]

    @extend_schema(operation_id="posts_retrieve", responses=PostSerializer)
    def get(self, request: Request, post_id: UUID) -> Response:
        return Response(_shown(request, post_id))

    @extend_schema(
        operation_id="posts_update",
        request=PostWriteSerializer,
        responses={200: PostSerializer, **_REFUSED},
    )
    def patch(self, request: Request, post_id: UUID) -> Response:
        """The attachments, if given, replace those that there are."""
        post = selectors.get_visible_post(user=request.user, post_id=post_id)
        form = PostWriteSerializer(
            post, data=request.data, partial=True, context={"request": request}
        )
        form.is_valid(raise_exception=True)
        services.update_post(user=request.user, post=post, **form.validated_data)
        return Response(_shown(request, post_id))

    @extend_schema(
        operation_id="posts_delete",
        responses={204: OpenApiResponse(description="Gone, with the files uploaded for it")},
    )
    def delete(self, request: Request, post_id: UUID) -> Response:
        post = selectors.get_visible_post(user=request.user, post_id=post_id)
        services.delete_post(user=request.user, post=post)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _shown(request: Request, post_id: UUID) -> Any:
    post = selectors.get_visible_post(user=request.user, post_id=post_id)
    return PostSerializer(post, context={"request": request}).data
