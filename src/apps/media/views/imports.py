"""The HTTP of imports by address. Each method makes one call of a service or selector."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import GenericViewSet

from apps.core.pagination import KeysetPagination
from apps.core.schema import problem
from apps.media import selectors, services
from apps.media.models import Upload
from apps.media.rates import ImportRate
from apps.media.serializers import ImportCreateSerializer, ImportSerializer
from apps.media.views.api import ProblemAnswers


class ImportViewSet(ProblemAnswers, mixins.ListModelMixin, GenericViewSet[Upload]):
    """Files that the server fetches for the user, known by their token."""

    queryset = Upload.objects.none()
    serializer_class = ImportSerializer
    pagination_class = KeysetPagination
    permission_classes = [IsAuthenticated]
    filter_backends: list[Any] = []
    orderings = {"-created_at": "-pk", "created_at": "pk"}
    lookup_field = "token"
    lookup_value_converter = "str"

    def get_queryset(self) -> QuerySet[Upload]:
        return selectors.list_imports(user=self.request.user)

    @extend_schema(
        request=ImportCreateSerializer,
        responses={
            202: OpenApiResponse(
                ImportSerializer,
                description="Begun; `state` tells how it goes. An address that is never fetched "
                "has `failed` already.",
            ),
            **problem(409, "`duplicate_file`, where `on_duplicate` is `refuse`"),
        },
    )
    def create(self, request: Request) -> Response:
        form = ImportCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        upload = services.begin_import(user=request.user, **form.to_arguments())
        location = request.build_absolute_uri(reverse("media:import-detail", args=[upload.token]))
        return Response(
            self._shown(upload.token),
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": location},
        )

    @extend_schema(responses=ImportSerializer)
    def retrieve(self, request: Request, token: str) -> Response:
        return Response(self._shown(token))

    @extend_schema(
        responses={
            204: OpenApiResponse(description="Cancelled; nothing of it is left"),
            **problem(409, "It has become a file already"),
            **problem(423, "A worker has not let go in time"),
        }
    )
    def destroy(self, request: Request, token: str) -> Response:
        services.cancel_upload(upload=selectors.get_import(user=request.user, token=token))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_throttles(self) -> list[BaseThrottle]:
        return [ImportRate()] if self.action == "create" else []

    def _shown(self, token: str) -> Any:
        upload = selectors.get_import(user=self.request.user, token=token)
        return self.get_serializer(upload).data
