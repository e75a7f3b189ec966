"""The HTTP API of notifications. Each method makes one call of a service or selector."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.pagination import KeysetPagination
from apps.media.views.api import ProblemAnswers
from apps.notifications import selectors, services
from apps.notifications.kinds import Email, Kind, Ways
from apps.notifications.models import Notification
from apps.notifications.serializers import (
    MarkedSerializer,
    NotificationSerializer,
    PreferencesSerializer,
    ReadSerializer,
    UnreadSerializer,
)


class PersonalAnswers(ProblemAnswers):
    permission_classes = [IsAuthenticated]


class NotificationsView(PersonalAnswers, generics.GenericAPIView[Notification]):
    """What the user is told, the newest first."""

    queryset = Notification.objects.none()
    serializer_class = NotificationSerializer
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = {"-created_at": "-pk", "created_at": "pk"}

    @extend_schema(
        operation_id="notifications_list",
        parameters=[OpenApiParameter("unread", bool, description="Only what is unread")],
        responses=NotificationSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        unread = request.query_params.get("unread", "").lower() in {"1", "true"}
        rows = selectors.list_notifications(user=request.user, unread=unread)
        shown = selectors.show(request.user, self.paginate_queryset(rows) or [])
        return self.get_paginated_response(self.get_serializer(shown, many=True).data)


class NotificationView(PersonalAnswers):
    @extend_schema(responses={204: OpenApiResponse(description="Gone, with what its mail shows")})
    def delete(self, request: Request, notification_id: UUID) -> Response:
        found = selectors.get_notification(user=request.user, notification_id=notification_id)
        services.delete_notification(notification=found)
        return Response(status=status.HTTP_204_NO_CONTENT)


class UnreadView(PersonalAnswers):
    @extend_schema(responses=UnreadSerializer)
    def get(self, request: Request) -> Response:
        return Response({"count": selectors.count_unread(user=request.user)})


class ReadView(PersonalAnswers):
    @extend_schema(request=ReadSerializer, responses=MarkedSerializer)
    def post(self, request: Request) -> Response:
        form = ReadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        marked = services.mark_read(user=request.user, ids=form.validated_data.get("ids"))
        return Response({"marked": marked})


class PreferencesView(PersonalAnswers):
    @extend_schema(operation_id="notifications_preferences", responses=PreferencesSerializer)
    def get(self, request: Request) -> Response:
        return Response(_preferences(request.user))

    @extend_schema(
        operation_id="notifications_preferences_change",
        request=PreferencesSerializer,
        responses=PreferencesSerializer,
    )
    def patch(self, request: Request) -> Response:
        form = PreferencesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data["preferences"]
        ways = {
            Kind(one["kind"]): Ways(in_page=one["in_page"], email=Email(one["email"]))
            for one in said
        }
        services.set_preferences(user=request.user, ways=ways)
        return Response(_preferences(request.user))


def _preferences(user: Any) -> dict[str, Any]:
    ways = selectors.ways_of(user)
    rows = [{"kind": k, "in_page": w.in_page, "email": w.email} for k, w in ways.items()]
    return {"preferences": rows}
