"""A host of its own for what users upload: bytes alone, for nobody in particular (ASVS V3.5.4)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from rest_framework.test import APIClient

from apps.media import services
from apps.media.models import MediaFile
from apps.media.tests import samples
from config.env import read_environment
from config.tests.test_surface import ROUTES

FILES, PAGES = "files.example.org", "https://pages.example.com"
ORIGIN = f"https://{FILES}"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def apart(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver", FILES]
    settings.BYTES_ORIGIN = ORIGIN
    settings.MEDIA_APP = {**settings.MEDIA_APP, "BYTES_ORIGIN": ORIGIN}
    settings.CORS_ALLOWED_ORIGINS = [PAGES]
    settings.CORS_URLS_REGEX = r"^/media/"


@pytest.fixture
def photo(apart: None, upload: Callable[..., MediaFile], add_rendition: Any) -> MediaFile:
    media = upload(samples.photo_jpeg(64, 48), "Photo.jpg", visibility="public")
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True)
    add_rendition(media, "thumb.webp", samples.photo_webp(40, 40), mime_type="image/webp")
    add_rendition(media, "preview.html", b"<p>words</p>", mime_type="text/html")
    return MediaFile.objects.get(pk=media.pk)


@pytest.fixture
def add_rendition(own_storage: Any) -> Callable[..., None]:
    from apps.core.storage import new_key
    from apps.media.models import Rendition

    def add(media: MediaFile, name: str, data: bytes, *, mime_type: str) -> None:
        key = new_key("rendition")
        with own_storage.writer(key) as writer:
            writer.write(data)
        row = {"storage": "media", "key": key, "size": len(data), "mime_type": mime_type}
        Rendition.objects.create(media=media, version=1, name=name, state="ready", **row)

    return add


def _there(client: Client, path: str, **headers: str) -> Any:
    return client.get(path, headers={"Host": FILES, **headers})


def test_public_bytes_are_there(photo: MediaFile) -> None:
    for place in ("original", "r/thumb.webp"):
        answer = _there(Client(), f"/media/{photo.pk}/{place}", Range="bytes=0-9")
        assert (answer.status_code, len(b"".join(answer))) == (206, 10)
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]


def test_nothing_else_is(photo: MediaFile, staff: Any, browser_of: Callable[[Any], Client]) -> None:
    for client in (browser_of(None), browser_of(staff)):
        for route in (*ROUTES, "/static/media/icons/pdf.svg"):
            answer = _there(client, route, Accept="text/html")
            expected = 404
            if route == "/media/zip":  # an archive of bytes that are there, and none is named
                expected = 400
            elif route.startswith("/media/s/"):  # by a token that is none
                expected = 403
            assert answer.status_code == expected, route
            is_bytes = route.startswith("/media/")
            assert is_bytes or answer["Content-Type"] == "application/problem+json", route
            assert not answer.cookies
    assert browser_of(None).post("/accounts/login/", {}, headers={"Host": FILES}).status_code == 404


@pytest.mark.parametrize("host", [f"{FILES}.", f"{FILES}:8443", FILES.upper()])
def test_it_is_that_host_however_it_is_written(
    photo: MediaFile, staff: Any, browser_of: Callable[[Any], Client], host: str
) -> None:
    there = {"Host": host}
    assert browser_of(None).get("/accounts/login/", headers=there).status_code == 404
    MediaFile.objects.update(visibility="private")
    assert browser_of(staff).get(f"/media/{photo.pk}/original", headers=there).status_code == 404


def test_nobody_is_anybody_there(
    photo: MediaFile, owner: Any, browser_of: Any, django_assert_num_queries: Any
) -> None:
    """Neither a cookie nor a token opens anything, and a session is not even looked for."""
    url = f"/media/{photo.pk}/original"
    mine = browser_of(owner)
    with django_assert_num_queries(2):  # media, version
        assert _there(mine, url).status_code == 200
    MediaFile.objects.update(visibility="private")
    assert mine.get(url).status_code == 200
    hidden = _there(mine, url)
    assert hidden.status_code == 404
    assert not hidden.cookies
    token = APIClient().post(
        "/api/v1/auth/token/",
        {"username": "olga", "password": "correct horse battery staple"},
        format="json",
    )
    said = {"Authorization": f"Token {token.json()['token']}"}
    assert Client().get(url, headers=said).status_code == 200
    assert _there(Client(), url, **said).status_code == 404


def test_what_is_everybodys_is_named_there(
    photo: MediaFile, api: APIClient, stranger: Any, browser_of: Any
) -> None:
    url = f"/api/v1/media/{photo.pk}/"
    seen = browser_of(stranger).get(url).json()
    assert seen["urls"]["thumbnail"].startswith(f"{ORIGIN}/media/{photo.pk}/r/thumb.webp?v=")
    assert seen["urls"]["original"].startswith(f"{ORIGIN}/media/{photo.pk}/original?v=")
    assert _there(Client(), seen["urls"]["original"].removeprefix(ORIGIN)).status_code == 200
    own = api.get(url).json()
    assert own["urls"]["original"].startswith("http://testserver/")  # its owner gets more of it
    frames = {row["name"]: row["url"] for row in own["renditions"]}
    assert frames["preview.html"].startswith("http://testserver/")
    for change in ({"visibility": "private"}, {"visibility": "unlisted"}, {"published_version": 9}):
        MediaFile.objects.update(**{"visibility": "public", "published_version": None, **change})
        assert ORIGIN not in api.get(url).content.decode()


def test_what_is_private_is_there_by_a_signed_address_alone(
    photo: MediaFile, owner: Any, api: APIClient
) -> None:
    MediaFile.objects.update(visibility="private")
    url = f"/media/{photo.pk}/original"
    assert _there(Client(), url).status_code == 404
    signed = services.create_signed_url(user=owner, media=photo)
    assert signed.startswith(f"{ORIGIN}/media/s/")
    assert api.post(f"/api/v1/media/{photo.pk}/signed-urls/").json()["url"].startswith(ORIGIN)
    answer = _there(Client(), signed.removeprefix(ORIGIN))
    assert answer.status_code == 200
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "public" not in answer["Cache-Control"]
    assert not answer.cookies


def test_our_own_pages_may_read_there(photo: MediaFile) -> None:
    url = f"/media/{photo.pk}/r/thumb.webp"
    answer = _there(Client(), url, Origin=PAGES)
    assert answer["Access-Control-Allow-Origin"] == PAGES
    assert "Access-Control-Allow-Credentials" not in answer
    asked = {"Origin": PAGES, "Access-Control-Request-Method": "GET"}
    allowed = Client().options(
        url, headers={"Host": FILES, **asked, "Access-Control-Request-Headers": "range"}
    )
    assert allowed["Access-Control-Allow-Origin"] == PAGES
    assert "range" in allowed["Access-Control-Allow-Headers"]
    other = _there(Client(), url, Origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in other


def test_other_hosts_stay_as_they_are(photo: MediaFile, owner: Any, browser_of: Any) -> None:
    assert browser_of(owner).get("/library/").status_code == 200
    answer = browser_of(owner).get(f"/media/{photo.pk}/original")
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert Client().get("/", headers={"Host": "evil.example"}).status_code == 400


def test_the_pages_policy_names_it() -> None:
    code = (
        "import json, config.settings as s;"
        "p = s.CONTENT_SECURITY_POLICY['DIRECTIVES'];"
        "print([s.BYTES_ORIGIN in p[n] for n in ('img-src', 'media-src', 'connect-src',"
        " 'script-src', 'default-src')], s.ALLOWED_HOSTS, s.CORS_ALLOWED_ORIGINS)"
    )
    given = {
        "DEBUG": "false",
        "SECRET_KEY": "k" * 50,
        "ALLOWED_HOSTS": "pages.example.com",
        "MEDIA_ORIGIN": ORIGIN,
        "PYTHONPATH": str(ROOT / "src"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = "[True, True, True, False, False]"
    assert done.stdout.strip() == f"{expected} ['pages.example.com', '{FILES}'] ['{PAGES}']"


@pytest.mark.parametrize(
    "origin", ["files.example.org", f"{ORIGIN}/", "ftp://a", "https://localhost", f"{ORIGIN}/a?b"]
)
def test_an_origin_that_is_none_is_refused(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_ORIGIN", origin)
    with pytest.raises(ImproperlyConfigured, match="MEDIA_ORIGIN"):
        read_environment()
