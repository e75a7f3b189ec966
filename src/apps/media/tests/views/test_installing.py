"""The site as a program: what a browser is told of it, and that it names nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client, override_settings
from django.urls import include, path, reverse
from PIL import Image

from apps.media.models import MediaFile, Upload

urlpatterns = [path("", include("apps.media.urls"))]  # a project without these addresses
SHARED = "/library/upload/shared/"

needs_bundle = pytest.mark.skipif(
    not finders.find("media/dist/service-worker.js"), reason="the front end is not built"
)


def _site(code: str) -> dict[str, Any]:
    first, _, _ = code.partition("\n")
    found: dict[str, Any] = json.loads(first.removeprefix("self.SITE=").removesuffix(";"))
    return found


def test_the_manifest_says_how_to_install(client: Client, settings: Any) -> None:
    settings.SITE_NAME = "Club album"
    answer = client.get("/manifest.webmanifest", headers={"Accept-Language": "de"})
    manifest = answer.json()
    assert answer["Content-Type"] == "application/manifest+json"
    assert manifest["name"] == "Club album"
    assert (manifest["lang"], manifest["shortcuts"][0]["name"]) == ("de", "Hochladen")
    assert (manifest["start_url"], manifest["scope"]) == ("/library/", "/")
    assert manifest["share_target"]["action"] == SHARED
    assert {icon.get("purpose", "any") for icon in manifest["icons"]} == {"any", "maskable"}


@needs_bundle
def test_every_icon_is_there_in_its_size(client: Client) -> None:
    for icon in client.get("/manifest.webmanifest").json()["icons"]:
        file = finders.find(icon["src"].removeprefix("/static/"))
        assert isinstance(file, str)
        if icon["type"] == "image/png":
            with Image.open(file) as image:
                assert f"{image.width}x{image.height}" == icon["sizes"]


@needs_bundle
def test_the_worker_comes_from_the_root_with_what_it_has_to_know(client: Client) -> None:
    answer = client.get("/service-worker.js")
    site = _site(answer.content.decode())
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cache-Control"] == "no-cache"
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert (site["offline"], site["share"], site["statics"]) == ("/offline/", SHARED, "/static/")


@needs_bundle
def test_another_language_is_another_worker(client: Client) -> None:
    english, german = (
        _site(client.get("/service-worker.js", headers={"Accept-Language": lang}).content.decode())
        for lang in ("en", "de")
    )
    assert english["version"] != german["version"]


def test_nobody_is_named_on_what_a_worker_keeps(owner: Any, browser_of: Any) -> None:
    for name in ("manifest", "worker", "offline"):
        address = reverse(f"installable:{name}")
        mine, nobodys = browser_of(owner).get(address), browser_of(None).get(address)
        assert mine.content == nobodys.content
        assert not mine.cookies


def test_shared_files_without_a_worker_are_not_read(owner: Any, browser_of: Any) -> None:
    """A telephone's form has no token; so has one of any other site."""
    client = browser_of(owner)
    client.handler.enforce_csrf_checks = True
    answer = client.post(SHARED, {"files": SimpleUploadedFile("a.txt", b"words")})
    assert (answer.status_code, answer["Location"]) == (303, "/library/upload/")
    assert "choose the files here" in client.get("/library/upload/").content.decode()
    assert not MediaFile.objects.exists()
    assert not Upload.objects.exists()


def test_who_is_signed_out_is_told_that_nothing_is_lost(client: Client, db: None) -> None:
    answer = client.get(SHARED)
    assert answer["Location"] == "/accounts/login/?next=/library/upload/"
    assert "waits in this browser" in client.get(answer["Location"]).content.decode()


def test_who_is_signed_in_goes_on_to_the_upload_page(owner: Any, browser_of: Any) -> None:
    assert browser_of(owner).get(SHARED)["Location"] == "/library/upload/"


def test_a_project_without_these_addresses_names_no_worker(client: Client, db: None) -> None:
    assert "media-worker" in client.get("/offline/").content.decode()
    with override_settings(ROOT_URLCONF=__name__):
        page = render_to_string("site/installing.html")
    assert not page.strip()
