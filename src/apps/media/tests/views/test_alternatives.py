"""A picture at an address without a format: what is named in `Accept` decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.media import services
from apps.media.models import MediaFile, Rendition
from apps.media.tests import samples

TYPES = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}
CHROMIUM = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
OLD_SAFARI = "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"


@pytest.fixture
def photo(upload: Callable[..., MediaFile], add_rendition: Any) -> MediaFile:
    media = upload(samples.photo_jpeg(64, 48), "a.jpg", visibility="public")
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True)
    for ending, kind in TYPES.items():
        add_rendition(media, f"w640.{ending}", ending.encode(), mime_type=kind)
    media.refresh_from_db()
    return media


def get(url: str, accept: str | None) -> Any:
    return Client().get(url, headers={} if accept is None else {"Accept": accept})


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        (CHROMIUM, "avif"),
        (OLD_SAFARI, "webp"),
        ("image/webp", "webp"),
        ("IMAGE/AVIF", "avif"),
        ("*/*", "jpg"),
        ("image/*", "jpg"),
        ("image/avif;q=0, image/webp;q=0.1", "webp"),
        ("text/html", "jpg"),
        ("", "jpg"),
        (None, "jpg"),
        (";;,,=/", "jpg"),
    ],
)
def test_what_is_named_is_given(photo: MediaFile, accept: str | None, given: str) -> None:
    answer = get(f"/media/{photo.pk}/r/w640", accept)
    assert (answer.status_code, answer["Content-Type"]) == (200, TYPES[given])
    assert b"".join(answer.streaming_content) == given.encode()
    assert "Accept" in answer["Vary"]
    assert answer["Cache-Control"] == "public, max-age=60, must-revalidate"
    assert answer["Content-Disposition"].endswith(f'w640.{given}"')


def test_each_has_its_own_tag(photo: MediaFile) -> None:
    url = f"/media/{photo.pk}/r/w640"
    tags = {get(url, kind)["ETag"] for kind in TYPES.values()}
    assert len(tags) == 3
    tag = get(url, "image/avif")["ETag"]
    kept = Client().get(url, headers={"Accept": "image/avif", "If-None-Match": tag})
    assert kept.status_code == 304
    assert "Accept" in kept["Vary"]
    other = Client().get(url, headers={"Accept": "image/webp", "If-None-Match": tag})
    assert other.status_code == 200


def test_no_tag_makes_it_last_for_ever(photo: MediaFile) -> None:
    row = Rendition.objects.get(media=photo, name="w640.jpg")
    from apps.media.links import fingerprint_of

    answer = get(f"/media/{photo.pk}/r/w640?v={fingerprint_of(row)}", None)
    assert "immutable" not in answer["Cache-Control"]


def test_only_what_there_is(photo: MediaFile) -> None:
    Rendition.objects.filter(name="w640.avif").delete()
    assert get(f"/media/{photo.pk}/r/w640", CHROMIUM)["Content-Type"] == "image/webp"
    assert get(f"/media/{photo.pk}/r/w641", CHROMIUM).status_code == 404
    Rendition.objects.all().delete()
    assert get(f"/media/{photo.pk}/r/w640", CHROMIUM).status_code == 404


def test_it_is_as_private_as_the_file(photo: MediaFile, owner: Any, browser_of: Any) -> None:
    MediaFile.objects.update(visibility="private")
    url = f"/media/{photo.pk}/r/w640"
    assert get(url, CHROMIUM).status_code == 404
    own = browser_of(owner).get(url, headers={"Accept": CHROMIUM})
    assert own["Cache-Control"].startswith("private")
    signed = services.create_signed_url(user=owner, media=photo, rendition="w640")
    answer = get(signed, CHROMIUM)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/avif")
    assert answer["Cache-Control"].startswith("private")
    assert get(signed.replace("w640", "w640.avif"), CHROMIUM).status_code == 403
