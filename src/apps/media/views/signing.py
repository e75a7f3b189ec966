"""The HTTP API of signed addresses."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.schema import problem
from apps.media import selectors, services
from apps.media.serializers import SignedUrlCreateSerializer, SignedUrlSerializer
from apps.media.views.api import ProblemAnswers


class SignedUrlsView(ProblemAnswers):
    """Signs addresses of one media file, for those who may fetch it."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        request=SignedUrlCreateSerializer,
        responses={201: SignedUrlSerializer, **problem(409, "Nothing others could get yet")},
    )
    def post(self, request: Request, media_id: UUID) -> Response:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        form = SignedUrlCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        signed = services.sign_address(user=request.user, media=media, **form.validated_data)
        told = {
            "url": request.build_absolute_uri(signed.url),
            "expires_at": signed.expires_at,
        }
        return Response(SignedUrlSerializer(told).data, status=status.HTTP_201_CREATED)
