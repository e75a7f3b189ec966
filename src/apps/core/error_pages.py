"""The last answers: pages for people, problems for programs, never a stack trace."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext

from apps.core.errors import AppError
from apps.core.problems import error_headers, phrase_of, problem_response


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
    context = {"status": status, "title": phrase_of(status), "detail": detail}
    response = render(request, "core/error.html", context, status=status)
    for name, value in headers.items():
        response[name] = value
    return response


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


def server_error(request: HttpRequest) -> HttpResponse:
    """Made without the request, the session and the database: any of them may be what failed."""
    detail = gettext("Something went wrong on our side.")
    if not wants_page(request):
        return problem_response(status=500, code="error", detail=detail)
    context = {"status": 500, "title": phrase_of(500), "detail": detail}
    page = render_to_string("core/failure.html", context)
    return HttpResponse(page, status=500, headers={"Cache-Control": "no-store"})
