"""Pages of other sites: none may read anything, unless their site is listed; never by cookie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.media.models import MediaFile
from apps.media.tests import samples
from config.env import read_environment

FRIEND, EVIL = "https://friend.example", "https://evil.example"
TUS = "/api/v1/uploads/tus/"
HEADERS = {"Tus-Resumable": "1.0.0", "Upload-Length": "5"}


@pytest.fixture
def listed(settings: Any) -> None:
    settings.CORS_URLS_REGEX = r"^/(api/v1|media)/"
    settings.CORS_ALLOWED_ORIGINS = [FRIEND]


@pytest.fixture
def addresses(upload: Callable[..., MediaFile]) -> list[str]:
    """Of bytes, of the interface and of resumable uploads."""
    media = upload(samples.photo_jpeg(64, 48), "Photo.jpg", visibility="public")
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True)
    return [f"/media/{media.pk}/original", f"/api/v1/media/{media.pk}/", "/api/v1/media/", TUS]


def _ask(url: str, origin: str, method: str = "get", **headers: str) -> Any:
    return getattr(Client(), method)(url, headers={"Origin": origin, **headers})


def _preflight(url: str, origin: str) -> Any:
    wanted = {
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,tus-resumable,upload-offset",
    }
    return _ask(url, origin, "options", **wanted)


def _granted(answer: Any) -> set[str]:
    return {name for name in answer.headers if name.startswith("Access-Control-")}


def test_nobody_by_default(addresses: list[str]) -> None:
    for url in addresses:
        for origin in (FRIEND, EVIL, "null"):
            assert not _granted(_ask(url, origin)), url
            assert not _granted(_preflight(url, origin)), url


@pytest.mark.usefixtures("listed")
def test_only_who_is_listed(addresses: list[str]) -> None:
    for url in addresses:
        for origin in (EVIL, "null", f"{FRIEND}.evil.example", "http://friend.example"):
            assert "Access-Control-Allow-Origin" not in _ask(url, origin), url
            assert "Access-Control-Allow-Origin" not in _preflight(url, origin), url
        answer = _ask(url, FRIEND)
        assert answer["Access-Control-Allow-Origin"] == FRIEND
        assert "origin" in answer["Vary"].lower()
        allowed = _preflight(url, FRIEND)
        assert allowed["Access-Control-Allow-Origin"] == FRIEND
        assert "PATCH" in allowed["Access-Control-Allow-Methods"]
        assert {"authorization", "tus-resumable", "upload-offset", "upload-checksum"} <= set(
            allowed["Access-Control-Allow-Headers"].split(", ")
        )
        for one in (answer, allowed):
            assert "Access-Control-Allow-Credentials" not in one


@pytest.mark.usefixtures("listed")
def test_a_page_of_theirs_reads_what_the_protocol_says(owner: Any, api: Any) -> None:
    answer = api.post(TUS, headers={"Origin": FRIEND, **HEADERS})
    assert answer.status_code == 201
    shown = {name.strip() for name in answer["Access-Control-Expose-Headers"].split(",")}
    told = {name for name in answer.headers if name.startswith(("Tus-", "Upload-", "Location"))}
    assert {"Location", "Tus-Resumable", "Upload-Expires"} <= told <= shown
    found = api.head(answer["Location"], headers={"Origin": FRIEND, "Tus-Resumable": "1.0.0"})
    told = {name for name in found.headers if name.startswith(("Tus-", "Upload-"))}
    assert {"Upload-Offset", "Upload-Length"} <= told <= shown


@pytest.mark.usefixtures("listed")
def test_no_page_outside_the_interface(owner: Any, browser_of: Callable[[Any], Client]) -> None:
    for url in ("/library/", "/accounts/login/", "/admin/"):
        answer = browser_of(owner).get(url, headers={"Origin": FRIEND})
        assert not _granted(answer)


def test_everybody_is_possible_but_never_with_cookies(
    addresses: list[str], settings: Any, owner: Any, browser_of: Callable[[Any], Client]
) -> None:
    settings.CORS_URLS_REGEX = r"^/(api/v1|media)/"
    settings.CORS_ALLOW_ALL_ORIGINS = True
    for url in addresses:
        answer = browser_of(owner).get(url, headers={"Origin": EVIL})
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer
        assert "Access-Control-Allow-Credentials" not in _preflight(url, EVIL)


def test_the_list_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORS_ORIGINS", raising=False)
    assert read_environment().cors_origins == ()
    monkeypatch.setenv("CORS_ORIGINS", f"{FRIEND},https://other.example")
    assert read_environment().cors_origins == (FRIEND, "https://other.example")
