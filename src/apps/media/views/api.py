"""The HTTP API of media. Each method makes one call of a service or selector."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http.response import HttpResponseBase
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from apps.core.pagination import KeysetPagination
from apps.core.problems import answer_problem
from apps.core.schema import problem
from apps.media import selectors, services
from apps.media.filters import MediaFilter, goes_by_newest
from apps.media.models import MediaFile, Tag, Upload
from apps.media.policies import Visitor
from apps.media.rates import ReprocessRate, SearchRate, SimilarRate, UploadRate
from apps.media.serializers import (
    MediaCreateSerializer,
    MediaDetailSerializer,
    MediaReplaceSerializer,
    MediaSerializer,
    MediaUpdateSerializer,
    SimilarMediaSerializer,
    TagSerializer,
    UsageSerializer,
)
from apps.media.uploadhandlers import discard_unclaimed, stream_uploads

ORDERINGS = {
    "-created_at": "-pk",
    "created_at": "pk",
    "-size": "-size",
    "size": "size",
    "-original_name": "-original_name",
    "original_name": "original_name",
}


LISTS = {"list", "trash"}
TAKING_FILES = {"create", "replace"}  # the actions whose bodies go straight to storage


class ProblemAnswers(APIView):
    """Answers every failure as problem+json, whatever the host project's default is."""

    def get_exception_handler(self) -> Any:
        return answer_problem


class MediaViewSet(ProblemAnswers, mixins.ListModelMixin, GenericViewSet[MediaFile]):
    """Media files: those of the user and public ones; everything for managers."""

    queryset = MediaFile.objects.none()
    serializer_class = MediaSerializer
    filter_backends = [DjangoFilterBackend]
    filterset_class = MediaFilter
    pagination_class = KeysetPagination
    orderings = ORDERINGS
    lookup_value_converter = "uuid"
    permission_classes = [IsAuthenticatedOrReadOnly]
    permission_map = {
        "create": IsAuthenticated,
        "replace": IsAuthenticated,
        "trash": IsAuthenticated,
        "empty_trash": IsAuthenticated,
    }
    throttle_map = {
        "create": UploadRate,
        "replace": UploadRate,
        "reprocess": ReprocessRate,
        "similar": SimilarRate,
    }

    def get_queryset(self) -> QuerySet[MediaFile]:
        """Of the list: all rows, of which it shows those of `either`."""
        user = self.request.user
        if self.action == "trash":
            return selectors.with_details(selectors.list_trash(user=user))
        return selectors.with_details(MediaFile.objects.all())

    @property
    def either(self) -> list[Q] | None:
        """What may be seen of the rows (see `KeysetPagination`); of the trash, all."""
        if self.action == "trash":
            return None
        newest = goes_by_newest(self.request.query_params)
        return selectors.ways_to_visible_media(user=self.request.user, newest=newest)

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        return None if page is None else selectors.shown_to(self.request.user, page)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            discard_unclaimed(request)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        wrapped = super().initialize_request(request, *args, **kwargs)
        if self.action in TAKING_FILES:
            # Also the cross-site check of a session reads the body: be ready before it.
            user = cast("Visitor", _Sender(wrapped))
            stream_uploads(request, user=user, replaces=self.kwargs.get("pk"))
        return wrapped

    @extend_schema(
        request={"multipart/form-data": MediaCreateSerializer},
        responses={
            201: OpenApiResponse(MediaDetailSerializer, description="Taken; processing goes on."),
            **problem(409, "`duplicate_file`, where `on_duplicate` is `refuse`"),
            **problem(411, "`length_required`: the body came in chunks"),
            **problem(413, "`file_too_large` or `quota_exceeded`"),
            **problem(422, "`empty_file`, `type_mismatch`, `too_many_pixels`, `corrupt_file`"),
        },
    )
    def create(self, request: Request) -> Response:
        form = MediaCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        media = services.upload_media(user=request.user, **form.validated_data)
        may_be_older = form.validated_data.get("on_duplicate") == Upload.OnDuplicate.LINK
        body = self._shown(media) if may_be_older else self._told(_new(media, form.validated_data))
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": _self_url(body)})

    @extend_schema(responses=MediaDetailSerializer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        media = selectors.get_detailed_media(user=request.user, media_id=pk)
        services.maybe_note_look(user=request.user, media=media)
        return Response(MediaDetailSerializer(media, context=self.get_serializer_context()).data)

    @extend_schema(request=MediaUpdateSerializer, responses=MediaDetailSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        media = self._get(pk)
        form = MediaUpdateSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        return Response(
            self._shown(services.update_media(user=request.user, media=media, **form.to_fields()))
        )

    @extend_schema(
        parameters=[
            OpenApiParameter("permanent", OpenApiTypes.BOOL, description="Past the trash, for good")
        ],
        responses={
            204: OpenApiResponse(description="In the trash, or gone"),
            **problem(409, "`still_protected`, where it was to be gone"),
        },
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        permanent = request.query_params.get("permanent", "").lower() in {"1", "true"}
        services.delete_media(user=request.user, media=self._get(pk), permanent=permanent)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        request=None, responses={200: MediaDetailSerializer, **problem(409, "Not in the trash")}
    )
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: UUID) -> Response:
        return Response(self._shown(services.restore_media(user=request.user, media=self._get(pk))))

    @extend_schema(
        request=None, responses={200: MediaDetailSerializer, **problem(409, "In quarantine")}
    )
    @action(detail=True, methods=["post"])
    def reprocess(self, request: Request, pk: UUID) -> Response:
        return Response(
            self._shown(services.reprocess_media(user=request.user, media=self._get(pk)))
        )

    @extend_schema(
        request={"multipart/form-data": MediaReplaceSerializer},
        responses={
            200: OpenApiResponse(MediaDetailSerializer, description="Taken; processing goes on."),
            **problem(409, "In the trash"),
            **problem(411, "`length_required`: the body came in chunks"),
            **problem(413, "`file_too_large` or `quota_exceeded`"),
            **problem(422, "`empty_file`, `type_mismatch`, `too_many_pixels`, `corrupt_file`"),
        },
    )
    @action(detail=True, methods=["post"])
    def replace(self, request: Request, pk: UUID) -> Response:
        """Others get the version before it until the new one is known to be good."""
        media = self._get(pk)
        form = MediaReplaceSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(
            self._shown(
                services.replace_media(user=request.user, media=media, **form.validated_data)
            )
        )

    @extend_schema(responses=SimilarMediaSerializer)
    @action(detail=True, methods=["get"])
    def similar(self, request: Request, pk: UUID) -> Response:
        """Near duplicates, the nearest first, at most 50."""
        found = selectors.list_similar_media(user=request.user, media=self._get(pk))
        page = {"next": None, "previous": None, "results": found}
        context = self.get_serializer_context()
        return Response(SimilarMediaSerializer(page, context=context).data)

    @extend_schema(responses=MediaSerializer(many=True))
    @action(detail=False, methods=["get"])
    def trash(self, request: Request) -> Response:
        return self.list(request)

    @extend_schema(
        responses={
            202: OpenApiResponse(description="Gone from the trash; of many, the rest goes now."),
            204: OpenApiResponse(description="Gone for good"),
        },
    )
    @trash.mapping.delete
    def empty_trash(self, request: Request) -> Response:
        """Remove what you have in the trash for good. This cannot be undone."""
        done = services.empty_own_trash(user=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT if done else status.HTTP_202_ACCEPTED)

    def get_permissions(self) -> Any:
        permission = self.permission_map.get(self.action)
        return [permission()] if permission else super().get_permissions()

    def get_parsers(self) -> list[Any]:
        action_map = getattr(self, "action_map", None) or {}
        method = getattr(self.request, "method", "") or ""
        taking = action_map.get(method.lower()) in TAKING_FILES
        return [MultiPartParser()] if taking else super().get_parsers()

    def get_throttles(self) -> list[BaseThrottle]:
        if self.action in LISTS and "q" in self.request.query_params:
            return [SearchRate()]
        throttle = self.throttle_map.get(self.action)
        return [throttle()] if throttle else []

    def _get(self, pk: UUID) -> MediaFile:
        return selectors.get_visible_media(user=self.request.user, media_id=pk)

    def _shown(self, media: MediaFile) -> Any:
        return self._told(selectors.get_detailed_media(user=self.request.user, media_id=media.pk))

    def _told(self, detailed: MediaFile) -> Any:
        return MediaDetailSerializer(detailed, context=self.get_serializer_context()).data


class TagViewSet(ProblemAnswers, mixins.ListModelMixin, GenericViewSet[Tag]):
    """The user's own tags with how often each is used."""

    queryset = Tag.objects.none()
    serializer_class = TagSerializer
    pagination_class = KeysetPagination
    permission_classes = [IsAuthenticated]
    filter_backends: list[Any] = []
    orderings = {"name": "name", "-name": "-name"}

    def get_queryset(self) -> QuerySet[Tag]:
        return selectors.list_tags(user=self.request.user)


class UsageView(ProblemAnswers):
    """The user's storage account."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=UsageSerializer)
    def get(self, request: Request) -> Response:
        return Response(UsageSerializer(selectors.get_usage_report(user=request.user)).data)


class _Sender:
    """The user behind a request that is still being authenticated.

    The cross-site check of a session needs the form, hence the user is asked for at the first
    byte of a file and not before.
    """

    def __init__(self, request: Request) -> None:
        self._request = request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._user(), name)

    def _user(self) -> Any:
        known = getattr(self._request, "_user", None)
        return known or self._request._request.user


def _new(media: MediaFile, said: dict[str, Any]) -> MediaFile:
    return selectors.detail_new_media(media, tagged=bool(said.get("tags")))


def _self_url(body: dict[str, Any]) -> str:
    url: str = body["urls"]["self"]
    return url
