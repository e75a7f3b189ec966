"""The HTTP API of webhooks. Each method makes one call of a service or selector."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from apps.core.pagination import KeysetPagination
from apps.core.schema import problem
from apps.media import selectors, services
from apps.media.models import Webhook, WebhookDelivery
from apps.media.rates import WebhookRate
from apps.media.serializers import (
    NewWebhookSerializer,
    WebhookCreateSerializer,
    WebhookDeliverySerializer,
    WebhookMessageSerializer,
    WebhookSecretSerializer,
    WebhookSerializer,
    WebhookUpdateSerializer,
)
from apps.media.views.api import ProblemAnswers

NEWEST_FIRST = {"-created_at": "-pk", "created_at": "pk"}


class WebhookAnswers(ProblemAnswers):
    """Any view here: for the owner alone, and what is made or sent is counted."""

    permission_classes = [IsAuthenticated]

    def get_throttles(self) -> list[BaseThrottle]:
        return [] if self.request.method in {"GET", "HEAD", "OPTIONS"} else [WebhookRate()]


class WebhooksView(WebhookAnswers, generics.GenericAPIView[Webhook]):
    """The user's webhooks."""

    queryset = Webhook.objects.none()
    serializer_class = WebhookSerializer
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = NEWEST_FIRST

    @extend_schema(operation_id="webhooks_list", responses=WebhookSerializer(many=True))
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(selectors.list_webhooks(user=request.user))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request=WebhookCreateSerializer,
        responses={
            201: NewWebhookSerializer,
            **problem(409, "`too_many_webhooks`"),
            **problem(422, "`url_not_allowed`"),
        },
    )
    def post(self, request: Request) -> Response:
        form = WebhookCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        webhook, secret = services.create_webhook(user=request.user, **form.validated_data)
        shown = {**self.get_serializer(webhook).data, "secret": secret}
        return Response(shown, status=status.HTTP_201_CREATED)


class WebhookView(WebhookAnswers):
    """One webhook."""

    @extend_schema(responses=WebhookSerializer)
    def get(self, request: Request, webhook_id: UUID) -> Response:
        found = selectors.get_webhook(user=request.user, webhook_id=webhook_id)
        return Response(WebhookSerializer(found).data)

    @extend_schema(
        request=WebhookUpdateSerializer,
        responses={200: WebhookSerializer, **problem(422, "`url_not_allowed`")},
    )
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        found = selectors.get_webhook(user=request.user, webhook_id=webhook_id)
        form = WebhookUpdateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changed = services.update_webhook(user=request.user, webhook=found, **form.validated_data)
        return Response(WebhookSerializer(changed).data)

    @extend_schema(responses={204: OpenApiResponse(description="Gone, with its messages")})
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        found = selectors.get_webhook(user=request.user, webhook_id=webhook_id)
        services.delete_webhook(user=request.user, webhook=found)
        return Response(status=status.HTTP_204_NO_CONTENT)


class WebhookSecretView(WebhookAnswers):
    """A new secret; the one before signs beside it for a day."""

    @extend_schema(request=None, responses={201: WebhookSecretSerializer})
    def post(self, request: Request, webhook_id: UUID) -> Response:
        found = selectors.get_webhook(user=request.user, webhook_id=webhook_id)
        secret = services.rotate_webhook_secret(user=request.user, webhook=found)
        return Response({"secret": secret}, status=status.HTTP_201_CREATED)


class WebhookPingView(WebhookAnswers):
    """A message that tells nothing, to try it out."""

    @extend_schema(
        request=None,
        responses={202: WebhookDeliverySerializer, **problem(409, "It is turned off")},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        found = selectors.get_webhook(user=request.user, webhook_id=webhook_id)
        ping = services.ping_webhook(user=request.user, webhook=found)
        ping.refresh_from_db()
        return Response(WebhookDeliverySerializer(ping).data, status=status.HTTP_202_ACCEPTED)


class WebhookDeliveriesView(WebhookAnswers, generics.GenericAPIView[WebhookDelivery]):
    """What a webhook was told, or is to be told."""

    queryset = WebhookDelivery.objects.none()
    serializer_class = WebhookDeliverySerializer
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = NEWEST_FIRST

    @extend_schema(operation_id="deliveries_list", responses=WebhookDeliverySerializer(many=True))
    def get(self, request: Request, webhook_id: UUID) -> Response:
        rows = selectors.list_deliveries(user=request.user, webhook_id=webhook_id)
        page = self.paginate_queryset(rows.defer("payload"))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class WebhookDeliveryView(WebhookAnswers):
    """One message with what it says."""

    @extend_schema(responses=WebhookMessageSerializer)
    def get(self, request: Request, webhook_id: UUID, delivery_id: UUID) -> Response:
        found = selectors.get_delivery(
            user=request.user, webhook_id=webhook_id, delivery_id=delivery_id
        )
        return Response(WebhookMessageSerializer(found).data)


class ReplayView(WebhookAnswers):
    """The same message once more."""

    @extend_schema(
        request=None,
        responses={
            202: WebhookDeliverySerializer,
            **problem(409, "It is still to be sent, or the webhook is turned off"),
        },
    )
    def post(self, request: Request, webhook_id: UUID, delivery_id: UUID) -> Response:
        found = selectors.get_delivery(
            user=request.user, webhook_id=webhook_id, delivery_id=delivery_id
        )
        again = services.replay_delivery(user=request.user, delivery=found)
        return Response(WebhookDeliverySerializer(again).data, status=status.HTTP_202_ACCEPTED)


ADDRESSES = [
    ("", WebhooksView, "webhooks"),
    ("<uuid:webhook_id>/", WebhookView, "webhook"),
    ("<uuid:webhook_id>/secret/", WebhookSecretView, "webhook-secret"),
    ("<uuid:webhook_id>/ping/", WebhookPingView, "webhook-ping"),
    ("<uuid:webhook_id>/deliveries/", WebhookDeliveriesView, "webhook-deliveries"),
    (
        "<uuid:webhook_id>/deliveries/<uuid:delivery_id>/",
        WebhookDeliveryView,
        "webhook-delivery",
    ),
    (
        "<uuid:webhook_id>/deliveries/<uuid:delivery_id>/replay/",
        ReplayView,
        "webhook-replay",
    ),
]
