"""Resumable uploads: the HTTP of tus 1.0.0 over the services of uploads.

Every answer carries `Tus-Resumable`. Failures are problems as everywhere, with the protocol's
status codes. The address of an upload is its token; an upload of somebody else is none.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import http_date
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from apps.core import tus
from apps.core.requestbody import Body, RequestBody, SpooledBody, UnknownLengthError
from apps.core.schema import problem
from apps.core.words import gettext_noop as _
from apps.media import links, selectors, services
from apps.media.conf import options
from apps.media.exceptions import (
    BadRequestError,
    FileTooLargeError,
    LengthRequiredError,
    WrongMediaTypeError,
    WrongProtocolError,
)
from apps.media.models import Upload
from apps.media.rates import UploadRate
from apps.media.serializers import UploadMetadataSerializer
from apps.media.views.api import ProblemAnswers


class TusView(ProblemAnswers):
    """What both addresses have in common."""

    permission_classes = [IsAuthenticated]
    parser_classes: list[Any] = []

    def get_permissions(self) -> Any:
        return [] if self.request.method == "OPTIONS" else super().get_permissions()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != tus.VERSION:
            raise WrongProtocolError(request.headers.get("Tus-Resumable"))

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, tus.HeaderError):
            exc = BadRequestError(detail=str(exc))
        if isinstance(exc, UnknownLengthError):
            exc = LengthRequiredError()
        response = super().handle_exception(exc)
        if isinstance(exc, WrongProtocolError):
            response["Tus-Version"] = tus.VERSION
        if isinstance(exc, FileTooLargeError):
            response["Tus-Max-Size"] = str(options().largest_size)
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Tus-Resumable"] = tus.VERSION
        response["Cache-Control"] = "no-store"
        return response

    @extend_schema(exclude=True)
    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        return Response(
            status=status.HTTP_204_NO_CONTENT,
            headers={
                "Tus-Version": tus.VERSION,
                "Tus-Extension": ",".join(tus.EXTENSIONS),
                "Tus-Max-Size": str(options().largest_size),
                "Tus-Checksum-Algorithm": ",".join(tus.CHECKSUM_ALGORITHMS),
            },
        )


class TusUploadsView(TusView):
    """Begins uploads."""

    def get_throttles(self) -> list[BaseThrottle]:
        return [UploadRate()] if self.request.method == "POST" else []

    @extend_schema(
        request={tus.CONTENT_TYPE: bytes},
        responses={
            201: OpenApiResponse(description="Begun; `Location` is the address to go on with."),
            **problem(413, "`file_too_large` or `quota_exceeded`"),
        },
    )
    def post(self, request: Request) -> Response:
        concat = _read_concat(request)
        announced = _read_announcement(request, concat)
        if concat is not None and concat.is_final:
            upload = services.concatenate_uploads(
                user=request.user, tokens=concat.parts, announced=announced
            )
            return _answer(upload, status=status.HTTP_201_CREATED, location=True)
        if request.content_type == tus.CONTENT_TYPE:
            first = services.Piece(offset=0, body=_body(request), checksum=_read_checksum(request))
            upload = services.begin_upload_with(user=request.user, announced=announced, first=first)
        else:  # bytes of another type than the protocol's are none of the upload's
            upload = services.begin_upload(user=request.user, announced=announced)
        return _answer(upload, status=status.HTTP_201_CREATED, location=True)


class TusUploadView(TusView):
    """One upload: where it stands, more bytes, its end."""

    http_method_names = ["head", "patch", "delete", "post", "options"]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            asked = request.headers.get("X-HTTP-Method-Override", "").upper()
            if asked in {"PATCH", "DELETE", "HEAD"}:
                request.method = asked
        return super().dispatch(request, *args, **kwargs)

    @extend_schema(exclude=True)
    def head(self, request: Request, token: str) -> Response:
        upload = services.look_at_upload(upload=_find(request, token))
        return _answer(upload, status=status.HTTP_200_OK, described=True)

    @extend_schema(
        request={tus.CONTENT_TYPE: bytes},
        responses={
            204: OpenApiResponse(description="`Upload-Offset` says how many bytes are here."),
            **problem(409, "`wrong_offset`"),
            **problem(423, "`upload_locked`"),
        },
    )
    def patch(self, request: Request, token: str) -> Response:
        if request.content_type != tus.CONTENT_TYPE:
            raise WrongMediaTypeError(request.content_type)
        piece = services.Piece(
            offset=_read_number(request, "Upload-Offset", required=True) or 0,
            body=_body(request),
            length=_read_number(request, "Upload-Length"),
            checksum=_read_checksum(request),
        )
        upload = services.append_to_upload(upload=_find(request, token), piece=piece)
        services.finish_upload(upload=upload)
        return _answer(upload, status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses={204: OpenApiResponse(description="Ended; nothing is left of it.")})
    def delete(self, request: Request, token: str) -> Response:
        services.cancel_upload(upload=_find(request, token))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _find(request: Request, token: str) -> Upload:
    token = token.removesuffix("/")
    return selectors.get_upload(user=request.user, token=token, source=Upload.Source.TUS)


def _body(request: Request) -> Body:
    """Where the proxy in front receives bodies, it says in which file this one is."""
    folder, path = options().body_dir, request.headers.get("X-Body-File")
    if folder is None or not path:
        return RequestBody(request.META)
    try:
        return SpooledBody(path, folder=folder)
    except OSError as error:
        raise BadRequestError(path, detail=_("The body of this request is not there.")) from error


def _read_number(request: Request, name: str, *, required: bool = False) -> int | None:
    text = request.headers.get(name)
    if text is None:
        if required:
            raise BadRequestError(detail=_("%(name)s is missing."), values={"name": name})
        return None
    return tus.parse_number(name, text)


def _read_checksum(request: Request) -> tus.Checksum | None:
    text = request.headers.get("Upload-Checksum")
    return None if text is None else tus.parse_checksum(text)


def _read_concat(request: Request) -> tus.Concat | None:
    text = request.headers.get("Upload-Concat")
    return None if text is None else tus.parse_concat(text, base=reverse("media:tus"))


def _read_length(request: Request) -> int | None:
    """The declared length; None when it is said to come later. Exactly one of both is said."""
    length = _read_number(request, "Upload-Length")
    deferred = request.headers.get("Upload-Defer-Length")
    if deferred not in {None, "1"}:
        raise BadRequestError(detail=_("Upload-Defer-Length can only be 1."))
    if (length is None) == (deferred is None):
        raise BadRequestError(detail=_("Send either Upload-Length or Upload-Defer-Length."))
    return length


def _read_announcement(request: Request, concat: tus.Concat | None) -> services.Announcement:
    metadata = request.headers.get("Upload-Metadata", "")
    form = UploadMetadataSerializer(data=tus.parse_metadata(metadata))
    form.is_valid(raise_exception=True)
    is_final = concat is not None and concat.is_final
    role = Upload.Role.WHOLE if concat is None else Upload.Role.PARTIAL
    return services.Announcement(
        **form.to_announcement(),
        length=None if is_final else _read_length(request),
        role=Upload.Role.FINAL if is_final else role,
        metadata=metadata,
    )


def _answer(
    upload: Upload, *, status: int, location: bool = False, described: bool = False
) -> Response:
    headers = {"Upload-Offset": str(upload.offset)}
    if upload.state == Upload.State.RECEIVING:
        headers["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    if upload.media is not None:
        headers["Content-Location"] = links.api_url(upload.media)
    if location:
        headers["Location"] = _address(upload.token)
    if described:
        headers |= _description(upload)
    return Response(status=status, headers=headers)


def _description(upload: Upload) -> dict[str, str]:
    headers = {"Upload-Defer-Length": "1"}
    if upload.length is not None:
        headers = {"Upload-Length": str(upload.length)}
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    if upload.role == Upload.Role.PARTIAL:
        headers["Upload-Concat"] = "partial"
    if upload.role == Upload.Role.FINAL:
        parts = " ".join(_address(token) for token in upload.parts.split())
        headers["Upload-Concat"] = f"final;{parts}"
    return headers


def _address(token: str) -> str:
    # Without the host: whatever the client reached us by, it goes on with.
    return unquote(reverse("media:tus-upload", args=[token])) + "/"
