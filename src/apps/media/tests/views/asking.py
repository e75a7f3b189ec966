"""The protocol table against anything that answers: one check for every way that bytes go."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from apps.media.tests.views.range_table import Case, bounds, fill

LOCKED = {"default-src 'none'", "sandbox", "frame-ancestors 'none'"}
ONCE = frozenset(
    "ETag Last-Modified Cache-Control Content-Type Content-Security-Policy Accept-Ranges "
    "Content-Length Content-Disposition Content-Range X-Content-Type-Options".split()
)


@dataclass(frozen=True)
class Answer:
    """What came; `twice` names the headers that were there more than once."""

    status: int
    headers: dict[str, str]
    body: bytes
    twice: frozenset[str] = frozenset()


Ask = Callable[[str, dict[str, str]], Answer]


def over_the_wire(address: str) -> Ask:
    """Asks for the full `address`, each time on a connection of its own."""
    place = urlsplit(address)
    path = f"{place.path}?{place.query}" if place.query else place.path

    def send(method: str, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
        encoded = {name: value.encode("latin-1") for name, value in headers.items()}
        connection.request(method, path, headers=encoded)
        response = connection.getresponse()
        came = [(_usual(name), value) for name, value in response.getheaders()]
        names = [name for name, _ in came]
        twice = frozenset(name for name in names if names.count(name) > 1)
        answer = Answer(response.status, dict(came), response.read(), twice)
        connection.close()
        return answer

    return send


def _usual(name: str) -> str:
    return name.title().replace("Etag", "ETag")


def following(ask: Ask) -> Ask:
    """As a browser does: a redirect is asked the same."""

    def send(method: str, headers: dict[str, str]) -> Answer:
        answer = ask(method, headers)
        if answer.status != 302:
            return answer
        return over_the_wire(answer.headers["Location"])(method, headers)

    return send


def check_case(case: Case, ask: Ask) -> None:
    """One row of the table, with headers that are ours on every answer."""
    whole = ask("GET", {})
    n, etag = len(whole.body), whole.headers["ETag"]
    headers = fill(case, etag=etag, modified=whole.headers["Last-Modified"], n=n)
    answer = ask(case.method, headers)
    check_protocol(case, answer, whole)
    check_safe(answer)
    assert not answer.twice & ONCE
    if answer.status == 304:  # C-13
        assert answer.headers["ETag"] == etag
        assert answer.headers["Cache-Control"] == whole.headers["Cache-Control"]


def check_protocol(case: Case, answer: Answer, whole: Answer) -> None:
    """What RFC 9110 says of the answer to `case`; `whole` is what it is about."""
    n = len(whole.body)
    assert answer.status in case.statuses, answer
    if answer.status == 200:
        assert answer.headers["Content-Length"] == str(n)
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.body == (b"" if case.method == "HEAD" else whole.body)
    elif answer.status == 206:
        assert case.part is not None
        first, last = bounds(case.part, n)
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{n}"
        assert answer.headers["Content-Length"] == str(last - first + 1)
        assert answer.body == whole.body[first : last + 1]
    elif answer.status == 416:
        assert answer.headers["Content-Range"] == f"bytes */{n}"
    elif answer.status == 304:  # C-13
        assert answer.body == b""
        assert "Content-Type" not in answer.headers
        assert answer.headers.get("Content-Length", "0") == "0"  # some servers add it


def check_safe(answer: Answer) -> None:  # S-01, V3.4.4
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = {part.strip() for part in answer.headers["Content-Security-Policy"].split(";")}
    assert policy >= LOCKED
    assert "Set-Cookie" not in answer.headers
