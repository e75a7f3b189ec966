"""The HTTP API of where a file is used."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.media import selectors
from apps.media.serializers import NamedUsesSerializer
from apps.media.views.api import ProblemAnswers


class UsesView(ProblemAnswers):
    """What uses one media file, for those who may edit it."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="media_usage_of", responses=NamedUsesSerializer)
    def get(self, request: Request, media_id: UUID) -> Response:
        """Of objects that you may not see only the kind is told."""
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        found = selectors.describe_usage(user=request.user, media=media)
        page = {"next": None, "previous": None, "results": found}
        return Response(NamedUsesSerializer(page).data)
