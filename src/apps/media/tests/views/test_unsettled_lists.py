"""What a list is sorted and filtered by tells others nothing of a version they do not get yet."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from apps.media import selectors
from apps.media.models import MediaFile, MediaVersion
from apps.media.testing import make_media

URL = "/api/v1/media/"
LIKENESS = "0123456789abcdef"
# What of the new version would be told by finding it.
FILTERS = [
    ("media_type", "document"),
    ("color", "red"),
    ("size_min", "4000"),
    ("size_max", "5000"),
]
SORTS = ["original_name", "-original_name", "size", "-size"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_storage")]


@pytest.fixture
def others(stranger: Any) -> list[MediaFile]:
    """Two public files that stand before and behind the one it is about, in each order."""
    return [
        make_media(owner=stranger, name=name, content=b"." * size, visibility="public")
        for name, size in (("aaa.png", 1), ("zzz.png", 9_000))
    ]


@pytest.fixture(params=["pending", "failed", "quarantined"])
def media(request: pytest.FixtureRequest, owner: Any, others: Any) -> MediaFile:
    """A public picture that was replaced by a document, which is not good yet, or never."""
    media = make_media(owner=owner, name="good.png", visibility="public")
    replacement = MediaVersion.objects.create(
        media=media,
        number=2,
        storage="media",
        key="secret",
        original_name="merger.pdf",
        mime_type="application/pdf",
        size=4_321,
        color="#ff0000",
        likeness=LIKENESS,
    )
    media.take_facts(replacement)
    media.status = request.param
    media.failure_code = "" if request.param == "pending" else "corrupt_file"
    media.save()
    return media


def _walk(client: Client, **query: str) -> tuple[set[str], str]:
    """The ids on all pages, and all that the answers say, cursors decoded."""
    ids, told, url = set(), "", URL
    query = {"page_size": "1", **query}
    while url:
        answer = client.get(url, query).json()
        ids |= {row["id"] for row in answer["results"]}
        told += f"{answer['results']}{_cursor(answer['next'])}{_cursor(answer['previous'])}"
        url, query = answer["next"], {}
    return ids, told


def _cursor(url: str | None) -> str:
    if url is None:
        return ""
    [cursor] = parse_qs(urlsplit(url).query)["cursor"]
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()


@pytest.mark.parametrize("sort", SORTS)
def test_no_order_tells_others(media: MediaFile, others: Any, sort: str) -> None:
    ids, told = _walk(Client(), ordering=sort)
    assert ids == {str(other.pk) for other in others}
    assert "merger.pdf" not in told
    assert "4321" not in told


@pytest.mark.parametrize(("name", "value"), FILTERS)
def test_no_filter_tells_others(media: MediaFile, stranger: Any, name: str, value: str) -> None:
    visitor = Client()
    visitor.force_login(stranger)
    for client in (Client(), visitor):
        ids, _ = _walk(client, **{name: value})
        assert str(media.pk) not in ids


def test_no_status_tells_others(media: MediaFile) -> None:
    for status in ("pending", "processing", "failed", "quarantined", "ready"):
        assert str(media.pk) not in _walk(Client(), status=status)[0]


def test_lists_that_ask_for_nothing_of_it_show_the_good_one(media: MediaFile, owner: Any) -> None:
    ids, told = _walk(Client(), owner=owner.username, visibility="public")
    assert ids == {str(media.pk)}
    assert "good.png" in told
    assert "merger" not in told


def test_its_owner_finds_it_by_what_is_new(media: MediaFile, owner: Any) -> None:
    own = Client()
    own.force_login(owner)
    asked = [*FILTERS, ("status", media.status), *(("ordering", sort) for sort in SORTS)]
    for name, value in asked:
        ids, told = _walk(own, **{name: value})
        assert str(media.pk) in ids, name
        assert "merger.pdf" in told, name


def test_no_likeness_tells_others(media: MediaFile, others: Any, owner: Any, stranger: Any) -> None:
    like = MediaFile(pk=others[0].pk, owner=stranger, likeness=LIKENESS)
    assert selectors.list_similar_media(user=stranger, media=like) == []
    assert selectors.list_similar_media(user=owner, media=like) == [media]
