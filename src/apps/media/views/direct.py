"""Uploads straight to the storage: what to send where, what has arrived, the end."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from apps.core.schema import problem
from apps.media import links, selectors, services
from apps.media.models import Upload
from apps.media.rates import UploadRate
from apps.media.serializers import (
    BegunDirectUploadSerializer,
    ClaimedPartsSerializer,
    DirectUploadSerializer,
    DirectUploadStateSerializer,
    MediaDetailSerializer,
    PartNumbersSerializer,
    SignedPartsSerializer,
)
from apps.media.views.api import ProblemAnswers


class DirectView(ProblemAnswers):
    permission_classes = [IsAuthenticated]

    def find(self, token: str) -> Upload:
        source = Upload.Source.DIRECT
        return selectors.get_upload(user=self.request.user, token=token, source=source)


class DirectUploadsView(DirectView):
    """Begins uploads."""

    def get_throttles(self) -> list[BaseThrottle]:
        return [UploadRate()]

    @extend_schema(
        request=DirectUploadSerializer,
        responses={
            201: BegunDirectUploadSerializer,
            **problem(409, "`direct_upload_unavailable`: use the resumable upload"),
            **problem(413, "`file_too_large` or `quota_exceeded`"),
            **problem(422, "`empty_file`"),
        },
    )
    def post(self, request: Request) -> Response:
        form = DirectUploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        announced = services.Announcement(**form.to_announcement(), source=Upload.Source.DIRECT)
        upload, parts = services.begin_direct_upload(user=request.user, announced=announced)
        upload.signed = parts  # type: ignore[attr-defined]
        body = BegunDirectUploadSerializer(upload).data
        return Response(body, status=status.HTTP_201_CREATED)


class DirectUploadView(DirectView):
    """One upload: what has arrived of it, its end."""

    @extend_schema(responses=DirectUploadStateSerializer)
    def get(self, request: Request, token: str) -> Response:
        upload = self.find(token)
        upload.arrived = services.list_direct_parts(upload=upload)  # type: ignore[attr-defined]
        return Response(DirectUploadStateSerializer(upload).data)

    @extend_schema(
        responses={
            204: OpenApiResponse(description="Ended; nothing is left of it."),
            **problem(409, "It has become a file already"),
        }
    )
    def delete(self, request: Request, token: str) -> Response:
        services.abort_direct_upload(upload=self.find(token))
        return Response(status=status.HTTP_204_NO_CONTENT)


class DirectPartsView(DirectView):
    """Addresses anew: those given before may have expired."""

    @extend_schema(
        request=PartNumbersSerializer,
        responses={200: SignedPartsSerializer, **problem(409, "It has become a file already")},
    )
    def post(self, request: Request, token: str) -> Response:
        form = PartNumbersSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        numbers = form.validated_data.get("numbers")
        parts = services.sign_parts(upload=self.find(token), numbers=numbers)
        return Response(SignedPartsSerializer({"parts": parts}).data)


class DirectCompleteView(DirectView):
    """Makes a media file of the parts."""

    @extend_schema(
        request=ClaimedPartsSerializer,
        responses={
            201: MediaDetailSerializer,
            **problem(409, "`parts_missing`"),
            **problem(422, "`size_mismatch`, `type_mismatch`, `too_many_pixels`, `corrupt_file`"),
        },
    )
    def post(self, request: Request, token: str) -> Response:
        form = ClaimedPartsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        claims = [services.ClaimedPart(**claim) for claim in form.to_claims()]
        media = services.complete_direct_upload(upload=self.find(token), claimed=claims)
        shown = selectors.get_detailed_media(user=request.user, media_id=media.pk)
        body = MediaDetailSerializer(shown, context={"request": request}).data
        headers = {"Location": request.build_absolute_uri(links.api_url(media))}
        return Response(body, status=status.HTTP_201_CREATED, headers=headers)
