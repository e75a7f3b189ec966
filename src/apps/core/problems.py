"""Turns every failure of the API into `application/problem+json` (RFC 9457).

The body is `{"type", "title", "status", "detail", "code"}`, plus `errors` by field. Only messages
that are safe to show leave the process; the log has the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext, gettext_noop
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.core.errors import AppError
from apps.core.metrics import REFUSALS

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
BUSY_SECONDS = 5


def problem_body(*, status: int, code: str, detail: str, errors: object = None) -> dict[str, Any]:
    """Return the JSON object of one problem."""
    body = {
        "type": "about:blank",
        "title": phrase_of(status),
        "status": status,
        "detail": detail,
        "code": code,
    }
    return body if errors is None else {**body, "errors": errors}


# What we answer with; two have another name in newer versions of Python.
_PHRASES = (
    gettext_noop("Bad Request"),
    gettext_noop("Unauthorized"),
    gettext_noop("Forbidden"),
    gettext_noop("Not Found"),
    gettext_noop("Method Not Allowed"),
    gettext_noop("Not Acceptable"),
    gettext_noop("Conflict"),
    gettext_noop("Gone"),
    gettext_noop("Length Required"),
    gettext_noop("Precondition Failed"),
    gettext_noop("Request Entity Too Large"),
    gettext_noop("Content Too Large"),
    gettext_noop("Unsupported Media Type"),
    gettext_noop("Requested Range Not Satisfiable"),
    gettext_noop("Range Not Satisfiable"),
    gettext_noop("Unprocessable Entity"),
    gettext_noop("Unprocessable Content"),
    gettext_noop("Locked"),
    gettext_noop("Too Many Requests"),
    gettext_noop("Internal Server Error"),
    gettext_noop("Bad Gateway"),
    gettext_noop("Service Unavailable"),
    gettext_noop("Gateway Timeout"),
    gettext_noop("Insufficient Storage"),
)


def phrase_of(status: int) -> str:
    """What a status is called, in the reader's language."""
    try:
        return gettext(HTTPStatus(status).phrase)
    except ValueError:  # of a protocol beside HTTP, such as 460 of tus
        return gettext("Request Failed")


def problem_response(
    *, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> JsonResponse:
    """A problem as a plain Django response, for views outside the API framework."""
    body = problem_body(status=status, code=code, detail=detail)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE, headers=dict(headers or {}))


def error_headers(error: AppError) -> dict[str, str]:
    return {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}


def answer_problem(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """The API framework's exception handler. Unknown exceptions are left to be a 500."""
    known = _translate(exc)
    if known is None:
        return None
    body, headers = known
    set_rollback()
    request = context.get("request")
    _log(exc, body, request)
    # The framework's page for browsers, where a project has it, is HTML and says so itself.
    is_page = getattr(getattr(request, "accepted_renderer", None), "format", "") == "api"
    kind = None if is_page else CONTENT_TYPE
    return Response(body, status=body["status"], headers=headers, content_type=kind)


def _translate(exc: Exception) -> tuple[dict[str, Any], dict[str, str]] | None:
    if isinstance(exc, AppError):
        body = problem_body(status=exc.status, code=exc.code, detail=exc.detail, errors=exc.errors)
        return body, error_headers(exc)
    if isinstance(exc, InterfaceError | OperationalError):
        detail = gettext("The database does not answer at the moment. Please try again shortly.")
        body = problem_body(status=503, code="database_unavailable", detail=detail)
        return body, {"Retry-After": str(BUSY_SECONDS)}
    framework_error = _as_framework_error(exc)
    if framework_error is None:
        return None
    return _framework_body(framework_error), _framework_headers(framework_error)


def _as_framework_error(exc: Exception) -> exceptions.APIException | None:
    if isinstance(exc, RecursionError):  # a body nested deeper than its parser can go
        return exceptions.ParseError()
    if isinstance(exc, Http404):
        return exceptions.NotFound(gettext("Not found."))
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(exc, DjangoValidationError):
        return exceptions.ValidationError(
            exc.message_dict if hasattr(exc, "error_dict") else {"non_field_errors": exc.messages}
        )
    return exc if isinstance(exc, exceptions.APIException) else None


def _framework_body(exc: exceptions.APIException) -> dict[str, Any]:
    if isinstance(exc, exceptions.ValidationError):
        return problem_body(
            status=exc.status_code,
            code="invalid",
            detail=gettext("Some of the values are not valid."),
            errors=exc.detail,
        )
    codes = exc.get_codes()
    code = codes if isinstance(codes, str) else exc.default_code
    return problem_body(status=exc.status_code, code=code, detail=str(exc.detail))


def _framework_headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if authenticate := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = authenticate
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


def _log(exc: Exception, body: Mapping[str, Any], request: HttpRequest | None) -> None:
    REFUSALS.labels(body["code"]).inc()
    level = logging.ERROR if body["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
    path = getattr(request, "path", "-")
    logger.log(level, "refused code=%s path=%s cause=%r", body["code"], path, exc)
