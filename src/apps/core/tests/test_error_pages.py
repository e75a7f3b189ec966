"""What people see when something fails: no inside, a next step, and no need of what is broken."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation

from apps.core.error_pages import TITLES, answer_error
from apps.core.middleware import SafeHeadersMiddleware
from apps.core.origins import knowing

HTML = {"Accept": "text/html"}


class WithoutDatabase:
    """Somebody of whom nothing can be known."""

    def __getattr__(self, name: str) -> Any:
        raise OperationalError("the database is away")


def ask(method: str = "get", **headers: str) -> HttpRequest:
    request: HttpRequest = getattr(RequestFactory(), method)("/x/", headers={**HTML, **headers})
    request.user = WithoutDatabase()  # type: ignore[assignment]
    return request


def body_of(answer: HttpResponse) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("status", [500, 503])
def test_failures_of_ours_need_nobody_and_no_database(status: int) -> None:
    with knowing(request_id="c0ffee00"):
        answer = answer_error(ask(), status=status, code="x", detail="Words.")
    assert answer.status_code == status
    assert f"<h1>{TITLES[status]}</h1>" in body_of(answer)
    assert "<code>c0ffee00</code>" in body_of(answer)
    assert "Try again" in body_of(answer)


def test_a_database_that_is_away_is_told_as_a_page() -> None:
    def refuse(request: HttpRequest) -> HttpResponse:
        raise AssertionError

    answer = SafeHeadersMiddleware(refuse).process_exception(ask(), OperationalError("host=secret"))
    assert answer is not None
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "We will be back in a moment" in body_of(answer)
    assert "secret" not in body_of(answer)


def test_only_what_may_pass_and_repeats_nothing_is_tried_again() -> None:
    again = [
        "Try again" in body_of(answer_error(ask(method), status=503, code="x", detail="Words."))
        for method in ("get", "post")
    ]
    assert again == [True, False]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("came_from", "led_to"),
    [
        ("http://testserver/accounts/login/?next=/library/", "/accounts/login/?next=/library/"),
        ("https://evil.example/accounts/login/", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_a_form_out_of_date_leads_back_to_itself(came_from: str, led_to: str) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/accounts/login/", headers={**HTML, "Referer": came_from})
    assert answer.status_code == 403
    assert "<h1>This form is out of date</h1>" in body_of(answer)
    assert ("Open the page again</a>" in body_of(answer)) == bool(led_to)
    assert not led_to or f'href="{led_to}"' in body_of(answer)
    assert "evil" not in body_of(answer)
    assert "CSRF" not in body_of(answer)


@pytest.mark.django_db
def test_programs_get_a_problem_for_a_missing_token() -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def test_titles_have_their_german() -> None:
    with translation.override("de"):
        answer = answer_error(ask(), status=500, code="x", detail="Words.")
    assert "<h1>Etwas ist schiefgegangen</h1>" in body_of(answer)
