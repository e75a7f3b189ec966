"""What every address of the project has in common: headers, cookies, methods, what it never tells.

The addresses are those of the URL table, so that a new one is held to it. Names of tests stand in
`asvs.py` under the requirement that they prove.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import RoutePattern, URLPattern, URLResolver

from apps.media.models import MediaFile
from apps.media.tests import samples

ROOT = Path(__file__).resolve().parents[3]
EVIL = "https://evil.example"
YEAR = 365 * 24 * 3600
SECURED = (
    "SECURE_HSTS_SECONDS SECURE_HSTS_INCLUDE_SUBDOMAINS SECURE_SSL_REDIRECT SECURE_REDIRECT_EXEMPT "
    "SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE SESSION_COOKIE_NAME CSRF_COOKIE_NAME"
).split()
VALUES = {"uuid": str(uuid.UUID(int=1)), "int": "1", "str": "x", "slug": "x", "path": "x"}
PASSWORD = "correct horse battery staple"


def _routes(resolver: Any, prefix: str = "/") -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver) and not _is_admins(entry):
            yield from _routes(entry, prefix + _filled(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield prefix + _filled(entry.pattern)


def _is_admins(entry: URLResolver) -> bool:
    return entry.namespace == "admin"


def _filled(pattern: Any) -> str:
    route = str(pattern)
    if not isinstance(pattern, RoutePattern):
        return ""
    for name, converter in pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        for written in (f"<{kind}:{name}>", f"<{name}>"):
            route = route.replace(written, VALUES[kind])
    return route


ROUTES = sorted({*_routes(get_resolver()), "/admin/", "/admin/login/", "/nowhere", "/static/x"})


@pytest.fixture(scope="module")
def secured() -> dict[str, Any]:
    """The settings that production has and development has not."""
    code = (
        "import json, config.settings as s;"
        f"print(json.dumps({{n: getattr(s, n) for n in {SECURED!r}}}))"
    )
    environment = {"DEBUG": "false", "SECRET_KEY": "k" * 50, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def production(secured: dict[str, Any], settings: Any) -> None:
    for name, value in secured.items():
        setattr(settings, name, value)


@pytest.fixture
def photo(upload: Callable[..., MediaFile]) -> MediaFile:
    media = upload(samples.photo_jpeg(64, 48), "Photo.jpg")
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True)
    return media


def test_the_table_is_read_in_full() -> None:
    assert len(ROUTES) > 50
    assert not [route for route in ROUTES if "<" in route or "(" in route]


def _assert_common(answer: Any, route: str) -> None:
    policy = answer["Content-Security-Policy"]
    assert f"max-age={YEAR}" in answer["Strict-Transport-Security"], route
    assert "includeSubDomains" in answer["Strict-Transport-Security"], route
    assert answer["X-Content-Type-Options"] == "nosniff", route
    assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}, route
    assert "object-src 'none'" in policy or "default-src 'none'" in policy, route
    assert "base-uri 'none'" in policy, route
    assert "frame-ancestors" in policy, route
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin", route
    assert "Access-Control-Allow-Origin" not in answer, route
    assert "Access-Control-Allow-Credentials" not in answer, route
    assert not {"Server", "X-Powered-By"} & set(answer.headers), route


@pytest.mark.usefixtures("production")
def test_headers_of_every_address(staff: Any, browser_of: Callable[[Any], Client]) -> None:
    for client in (browser_of(None), browser_of(staff)):
        for route in ROUTES:
            for method in ("get", "options"):
                answer = getattr(client, method)(route, headers={"Origin": EVIL}, secure=True)
                _assert_common(answer, f"{method} {route}")


@pytest.mark.usefixtures("production")
def test_headers_of_bytes_in_every_status(photo: MediaFile, owner: Any, browser_of: Any) -> None:
    """200, 206, 304, 403, 404, 412, 416: also an answer without bytes is locked."""
    mine, others, url = browser_of(owner), browser_of(None), f"/media/{photo.pk}/original"
    etag = mine.get(url, secure=True)["ETag"]
    asked = [
        (mine, {}, 200),
        (mine, {"Range": "bytes=0-9"}, 206),
        (mine, {"If-None-Match": etag}, 304),
        (others, {}, 404),
        (mine, {"If-Match": '"x"'}, 412),
        (mine, {"Range": "bytes=999999999-"}, 416),
    ]
    for client, headers, status in asked:
        answer = client.get(url, headers={**headers, "Origin": EVIL}, secure=True)
        assert answer.status_code == status
        _assert_common(answer, f"{status}")
    MediaFile.objects.update(status="quarantined", usable=False)
    held = mine.get(url, headers={"Origin": EVIL}, secure=True)
    assert held.status_code == 403
    _assert_common(held, "403")


@pytest.mark.usefixtures("production")
def test_no_referrer_leaves_with_bytes(photo: MediaFile, owner: Any, browser_of: Any) -> None:
    answer = browser_of(owner).get(f"/media/{photo.pk}/original", secure=True)
    assert answer["Referrer-Policy"] == "no-referrer"


@pytest.mark.usefixtures("production")
def test_cookies_are_hardened(owner: Any) -> None:
    client = Client()
    client.get("/accounts/login/", secure=True)
    client.post("/accounts/login/", {"username": "olga", "password": PASSWORD}, secure=True)
    session, token = client.cookies["__Host-sessionid"], client.cookies["__Host-csrftoken"]
    assert set(client.cookies) == {"__Host-sessionid", "__Host-csrftoken"}
    for cookie in (session, token):
        assert cookie["secure"]
        assert cookie["samesite"] == "Lax"
        assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert session["httponly"]
    signed_in = session.value
    assert signed_in not in client.get("/library/", secure=True).content.decode()


@pytest.mark.usefixtures("production")
def test_plain_http_is_led_to_tls(db: None) -> None:
    for route in ("/", "/accounts/login/", "/api/v1/media/"):
        answer = Client().get(route)
        assert (answer.status_code, answer["Location"]) == (301, f"https://testserver{route}")


def test_bytes_set_no_cookie(photo: MediaFile, owner: Any, browser_of: Any) -> None:
    for client in (browser_of(owner), browser_of(None)):
        assert not client.get(f"/media/{photo.pk}/original").cookies


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "CONNECT", "TRACK"])
def test_odd_methods_are_refused_everywhere(
    method: str, staff: Any, browser_of: Callable[[Any], Client]
) -> None:
    client = browser_of(staff)
    for route in ROUTES:
        assert client.generic(method, route).status_code == 405, route


def test_methods_that_an_address_does_not_know(staff: Any, browser_of: Any) -> None:
    staffs, nobodys = browser_of(staff), browser_of(None)
    for route in ROUTES:
        if not route.startswith(("/admin/", "/nowhere", "/static/")):
            # Those who are in are led away from the door whatever they ask.
            client = nobodys if route.startswith("/accounts/") else staffs
            answer = client.generic("PUT", route, headers={"Tus-Resumable": "1.0.0"})
            assert answer.status_code == 405, route


FUNCTIONS = ("/i18n/setlang/", "/media/zip")  # that take forms, and so a form's token


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_missing_token_of_a_form_is_not_why(method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    for route in ROUTES:
        if not route.startswith(("/admin/", "/api/", *FUNCTIONS, "/nowhere", "/static/")):
            answer = client.generic(method, route)
            assert answer.status_code == 405, route
            assert method not in answer["Allow"], route


@pytest.mark.parametrize("place", ["original", "r/thumb.webp", "hls/master.m3u8"])
def test_bytes_are_only_read(place: str, photo: MediaFile) -> None:
    client = Client(enforce_csrf_checks=True)
    answers = [client.post(path) for path in (f"/media/{photo.pk}/{place}", "/healthz")]
    assert [answer.status_code for answer in answers] == [405, 405]
    assert {answer["Allow"] for answer in answers} == {"GET, HEAD"}


def test_a_visitor_says_nothing_about_host_or_address(photo: MediaFile, api: Any) -> None:
    """Also written with underscores, which some servers take for the same."""
    lies = {
        "X-Forwarded-Host": "evil.example",
        "X_Forwarded_Host": "evil.example",
        "X-Forwarded-For": "127.0.0.1",
        "X-Real-IP": "127.0.0.1",
        "X-Original-URL": "/admin/",
        "X-Rewrite-URL": "/admin/",
        "X-Accel-Redirect": "/etc/passwd",
    }
    answer = api.get(f"/api/v1/media/{photo.pk}/", headers=lies)
    assert answer.status_code == 200
    assert b"evil.example" not in answer.content
    assert "X-Accel-Redirect" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/.git/config",
        "/.git/HEAD",
        "/.env",
        "/.svn/entries",
        "/.DS_Store",
        "/manage.py",
        "/pyproject.toml",
        "/requirements/base.txt",
        "/var/db.sqlite3",
        "/db.sqlite3",
        "/backup.zip",
        "/server-status",
        "/phpinfo.php",
        "/debug/",
        "/__debug__/",
        "/media/",
        "/media/../manage.py",
        "/static/",
        "/static/..%2f..%2fmanage.py",
        "/static/media/",
        "/static/../config/settings.py",
    ],
)
def test_nothing_beside_the_addresses_is_served(path: str, db: None) -> None:
    answer = Client().get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_errors_tell_nothing_of_the_inside(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**kwargs: Any) -> None:
        raise RuntimeError("/srv/secret/path SELECT password")

    monkeypatch.setattr("apps.media.selectors.list_visible_media", fail)
    monkeypatch.setattr("apps.media.selectors.get_detailed_media", fail)
    client = Client(raise_request_exception=False)
    api_path = f"/api/v1/media/{uuid.UUID(int=1)}/"
    for path, accept in (("/", "text/html"), (api_path, "application/json")):
        answer = client.get(path, headers={"Accept": accept})
        assert answer.status_code == 500
        assert answer["Content-Type"].startswith(accept) or "problem+json" in answer["Content-Type"]
        assert "Something went wrong on our side." in answer.content.decode()
        assert b"secret" not in answer.content
        assert b"Traceback" not in answer.content


def test_refusals_are_logged_once_with_a_code(
    photo: MediaFile, owner: Any, browser_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"/media/{photo.pk}/original"

    def refused(client: Client) -> str:
        caplog.clear()
        with caplog.at_level(logging.INFO):
            client.get(f"{url}?signature=hidden")
        lines = [record.getMessage() for record in caplog.records if "refused" in record.msg]
        assert len(lines) == 1
        assert "hidden" not in lines[0]
        return lines[0]

    assert "code=not_found" in refused(browser_of(None))
    MediaFile.objects.update(status="quarantined", usable=False)
    assert "code=quarantined" in refused(browser_of(owner))
