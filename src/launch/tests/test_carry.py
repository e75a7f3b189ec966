"""What the demo makes of the API's answers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from launch import carry
from launch.carry import Carrier, carry_all
from launch.outcomes import Meter, Outcome, show_outcomes

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry.time, "sleep", lambda _seconds: None)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo [1].jpg"
    file.write_bytes(b"\xff\xd8" * 100_000)
    return file


def media(status: str, **fields: Any) -> dict[str, Any]:
    """Return what the API tells of a media file."""
    return {
        "id": "1",
        "status": status,
        "mime_type": "image/jpeg",
        "size": 200_000,
        "renditions": [{}, {}],
        "failure": None,
        **fields,
    }


def carried(file: Path, answer: Answer, *, seconds: float = 5) -> Outcome:
    """Return what becomes of `file` at a server that answers by `answer`."""
    transport = httpx.MockTransport(answer)
    with httpx.Client(base_url="http://testserver/api/v1/", transport=transport) as client:
        console = Console(file=io.StringIO())
        (outcome,) = carry_all([file], Carrier(client=client, seconds=seconds), console)
        return outcome


def in_turn(*answers: httpx.Response) -> Answer:
    """Return a server that gives `answers` one after another."""
    remaining: Iterator[httpx.Response] = iter(answers)
    return lambda request: (request.read(), next(remaining))[1]


def test_file_is_watched_until_it_is_ready(photo: Path) -> None:
    outcome = carried(
        photo,
        in_turn(
            httpx.Response(201, json=media("pending")),
            httpx.Response(200, json=media("processing", progress=40)),
            httpx.Response(200, json=media("ready")),
        ),
    )
    assert outcome.is_ready
    assert (outcome.name, outcome.mime_type, outcome.size, outcome.renditions) == (
        "photo [1].jpg",
        "image/jpeg",
        200_000,
        2,
    )


def test_file_is_sent_whole_and_under_its_name(photo: Path) -> None:
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(201, json=media("ready"))

    carried(photo, answer)
    assert photo.read_bytes() in bodies[0]
    assert b'filename="photo [1].jpg"' in bodies[0]


def test_refusal_is_told_by_its_code(photo: Path) -> None:
    problem = {"code": "unsupported_type", "status": 415}
    headers = {"Content-Type": "application/problem+json"}
    answer = httpx.Response(415, content=json.dumps(problem), headers=headers)
    outcome = carried(photo, in_turn(answer))
    assert outcome.verdict == "refused: unsupported_type"
    assert outcome.size == 200_000


def test_refusal_without_a_problem_document(photo: Path) -> None:
    answer = httpx.Response(502, text="<h1>Bad gateway</h1>")
    assert carried(photo, in_turn(answer)).verdict == "refused: http_502"


def test_failure_in_the_background_is_told_by_its_code(photo: Path) -> None:
    failure = {"code": "corrupt_file", "message": "…"}
    answer = httpx.Response(201, json=media("failed", failure=failure, renditions=[]))
    assert carried(photo, in_turn(answer)).verdict == "failed: corrupt_file"


def test_time_that_is_up_is_no_success(photo: Path) -> None:
    outcome = carried(photo, lambda _request: httpx.Response(201, json=media("pending")), seconds=0)
    assert not outcome.is_ready
    assert outcome.status == "pending"


def test_time_begins_anew_whenever_something_moves(photo: Path) -> None:
    moving = [
        httpx.Response(200, json=media("processing", progress=percent))
        for percent in range(0, 100, 20)
    ]
    ready = httpx.Response(200, json=media("ready"))
    first = httpx.Response(201, json=media("pending"))
    assert carried(photo, in_turn(first, *moving, ready), seconds=0).is_ready


def test_long_work_is_told_by_quarters(photo: Path) -> None:
    console = Console(file=io.StringIO())
    with Meter(console, [photo]) as meter:
        for percent in (3, 24, 30, 49, 52, 90, 100):
            meter.processing(photo, percent)
    told = [line.rpartition(": ")[2] for line in console.file.getvalue().splitlines()]
    assert told == ["30 % processed", "52 % processed", "90 % processed"]


def test_request_to_slow_down_is_followed(photo: Path) -> None:
    outcome = carried(photo, in_turn(httpx.Response(429), httpx.Response(201, json=media("ready"))))
    assert outcome.is_ready


def test_server_that_is_gone_is_an_outcome(photo: Path) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert carried(photo, answer).verdict == "error: ConnectError"


def test_table_shows_names_as_they_are() -> None:
    console = Console(file=io.StringIO(), width=200)
    outcomes = [Outcome(status="ready", name="a [bold]b.jpg", size=2_000_000, renditions=3)]
    show_outcomes([*outcomes, Outcome(status="failed", code="corrupt_file", name="c")], console)
    printed = console.file.getvalue()
    assert "a [bold]b.jpg" in printed
    assert "failed: corrupt_file" in printed
    assert "1 of 2 ready" in printed
