"""What happened to a file: the HTTP API, and the page that its own page leads to."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.pages import PersonalView
from apps.core.pagination import KeysetPagination
from apps.media import selectors
from apps.media.models import AuditEvent
from apps.media.serializers import DeedSerializer
from apps.media.views import deeds
from apps.media.views.api import ProblemAnswers
from apps.media.views.listing import read_shown

PAGE_SIZE = 20


class ActivityView(ProblemAnswers, generics.GenericAPIView[AuditEvent]):
    """What happened to one media file, and who did it, for those who may share it."""

    queryset = AuditEvent.objects.none()
    serializer_class = DeedSerializer
    permission_classes = [IsAuthenticated]
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = {"-created_at": "-pk", "created_at": "pk"}

    @extend_schema(operation_id="media_activity_list", responses=DeedSerializer(many=True))
    def get(self, request: Request, media_id: uuid.UUID) -> Response:
        media = selectors.get_shareable_media(user=request.user, media_id=media_id)
        rows = selectors.list_activity(user=request.user, media=media)
        events = self.paginate_queryset(rows)
        told = selectors.describe_activity(events or ())
        return self.get_paginated_response(self.get_serializer(told, many=True).data)


class ActivityPage(PersonalView):
    """The same for people. The page of the file takes the list out of it."""

    def get(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = selectors.get_shareable_media(user=request.user, media_id=media_id)
        rows = selectors.list_activity(user=request.user, media=media)
        page = read_shown(rows, ordering="-pk", cursor=request.GET.get("cursor"), count=PAGE_SIZE)
        told = deeds.describe(selectors.describe_activity(page.items))
        return render(request, "media/activity.html", {"media": media, "page": page, "lines": told})
