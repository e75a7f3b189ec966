"""The last answers: pages for people, problems for programs, never a stack trace."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext

from apps.core.errors import AppError
from apps.core.origins import known
from apps.core.pages import page_of_form
from apps.core.problems import error_headers, phrase_of, problem_response
from apps.core.words import gettext_noop as _

OURS = HTTPStatus.INTERNAL_SERVER_ERROR  # and whatever is above it
# What people are told instead of the protocol's name of a status.
TITLES: Mapping[int, str] = {
    400: _("That could not be understood"),
    403: _("You have no permission for this"),
    404: _("Page not found"),
    413: _("That is too large"),
    429: _("Too much at once"),
    500: _("Something went wrong"),
    503: _("We will be back in a moment"),
}
PASSING = frozenset({429, 500, 502, 503, 504})  # what another try may get over


def wants_page(request: HttpRequest) -> bool:
    """Whether a person in a browser is asking, rather than a program."""
    return "text/html" in request.headers.get("Accept", "")


def answer_error(
    request: HttpRequest,
    *,
    status: int,
    code: str,
    detail: str,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """Answer a failure as the visitor can read it."""
    headers = {"Cache-Control": "no-store", **(headers or {})}
    if not wants_page(request):
        return problem_response(status=status, code=code, detail=detail, headers=headers)
    if detail == gettext("Not found."):  # which the title says as well
        detail = gettext("There is nothing at this address, or it is not for you to see.")
    response = _page(request, status=status, detail=detail)
    for name, value in headers.items():
        response[name] = value
    return response


def _page(request: HttpRequest, **context: Any) -> HttpResponse:
    """A failure of ours is told without the request, the session and the database: any of them may
    be what failed."""
    status = context["status"]
    context["title"] = gettext(TITLES[status]) if status in TITLES else phrase_of(status)
    context["may_pass"] = status in PASSING and request.method == "GET"
    if status < OURS:
        return render(request, "core/error.html", context, status=status)
    context["number"] = known().get("request_id", "")
    return HttpResponse(render_to_string("core/failure.html", context), status=status)


def answer_app_error(request: HttpRequest, error: AppError) -> HttpResponse:
    return answer_error(
        request,
        status=error.status,
        code=error.code,
        detail=error.detail,
        headers=error_headers(error),
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_error(request, status=404, code="not_found", detail=gettext("Not found."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = gettext("You may not do this.")
    return answer_error(request, status=403, code="permission_denied", detail=detail)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = gettext("The request is not valid.")
    return answer_error(request, status=400, code="invalid", detail=detail)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was sent by another site, or by a page of ours that is out of date; `reason`, which
    is for developers, stays in the log."""
    detail = gettext(
        "The form was open for too long, or your browser sent no cookie. Nothing was changed."
        " Open the page again and send the form once more."
    )
    if not wants_page(request):
        return problem_response(status=403, code="csrf_failed", detail=detail)
    title = gettext("This form is out of date")
    context = {"status": 403, "title": title, "detail": detail, "back": page_of_form(request)}
    return render(request, "core/error.html", context, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    detail = gettext("Something went wrong on our side.")
    return answer_error(request, status=500, code="error", detail=detail)
