"""Requests have numbers; what they cause, and log lines about it, say which."""

from __future__ import annotations

import json
import logging

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from apps.core.logs import JsonLines, SafeLines, WithOrigin
from apps.core.observing import ObservedMiddleware
from apps.core.origins import knowing, known, origin_now, request_id_of, resumed

GIVEN = "0123456789abcdef"


def line_of(message: str, *arguments: object, error: BaseException | None = None) -> dict[str, str]:
    given = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("x", logging.INFO, "f", 1, message, arguments, given)
    for keep in (SafeLines(), WithOrigin()):
        assert keep.filter(record)
    text = JsonLines().format(record)
    assert "\n" not in text
    found: dict[str, str] = json.loads(text)
    return found


@pytest.mark.parametrize("given", ["", "short", "a b c d e f g h", "x" * 65, "evil\nline-1234"])
def test_an_odd_number_gives_way_to_our_own(given: str) -> None:
    assert len(request_id_of(given)) == 32


def test_a_harmless_number_is_kept() -> None:
    assert request_id_of(GIVEN) == GIVEN


def test_what_is_known_ends_with_the_request() -> None:
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(dict(known()))
        return HttpResponse(status=500)

    request = RequestFactory().get("/", headers={"X-Request-ID": GIVEN})
    answer = ObservedMiddleware(view)(request)
    assert seen == [{"request_id": GIVEN}]
    assert answer.headers["X-Request-ID"] == GIVEN  # whoever complains can say it
    assert not known()


def test_what_goes_well_names_no_number(client: Client) -> None:
    assert "X-Request-ID" not in client.get("/healthz").headers


def test_work_that_is_done_later_belongs_to_its_request() -> None:
    assert origin_now() == ""
    with knowing(request_id=GIVEN):
        origin = origin_now()
    with resumed(origin, "job", job_id="7"):
        assert dict(known()) == {"request_id": GIVEN, "job_id": "7"}
    with resumed("", "job", job_id="8"):
        assert dict(known()) == {"job_id": "8"}


def test_lines_for_programs() -> None:
    with knowing(request_id=GIVEN, media_id="1"):
        found = line_of("refused path=%s", "/share/secret/\nx")
    assert found["request_id"] == GIVEN
    assert found["media_id"] == "1"
    assert found["message"] == "refused path=/share/***/\\nx"
    assert found["level"] == "INFO"


def test_an_error_stays_on_its_line_and_tells_no_secret() -> None:
    address = "https://bucket.example/x?X-Amz-Signature=deadbeef&X-Amz-Credential=me"
    found = line_of("failed", error=ValueError(address))
    assert "ValueError" in found["exception"]
    assert "deadbeef" not in found["exception"]
    assert "=me" not in found["exception"]
