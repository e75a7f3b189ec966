"""Along the list that somebody comes from, on the page of a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.media import services
from apps.media.models import MediaFile
from apps.media.tests import samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    """The owner's browser."""
    return browser_of(owner)


@pytest.fixture
def files(owner: Any) -> list[MediaFile]:
    """Five of the owner, the last the newest and the smallest."""
    rows = [
        MediaFile(
            owner=owner,
            original_name=f"{number}.jpg",
            media_type="image" if number % 2 else "audio",
            mime_type="image/jpeg",
            size=100 - number,
            status="ready",
            usable=True,
        )
        for number in range(5)
    ]
    for row in MediaFile.objects.bulk_create(rows):
        row.versions.create(number=1, storage="default", key=str(row.pk), size=row.size)
    return rows


def _ways(client: Client, media: MediaFile, query: str = "") -> dict[str, str]:
    text = client.get(f"{media.get_absolute_url()}{query}").content.decode()
    links = re.findall(r'href="([^"]+)"\s+rel="(prev|next)"', text)
    return {rel: href.replace("&amp;", "&") for href, rel in links}


def test_the_library_leads_on_newest_first(client: Client, files: list[MediaFile]) -> None:
    middle = _ways(client, files[2])
    assert middle == {
        "prev": files[3].get_absolute_url(),
        "next": files[1].get_absolute_url(),
    }
    assert set(_ways(client, files[4])) == {"next"}
    assert set(_ways(client, files[0])) == {"prev"}


def test_filters_and_order_are_those_of_the_list(client: Client, files: list[MediaFile]) -> None:
    query = "?media_type=audio&ordering=size"
    assert _ways(client, files[2], query) == {
        "prev": files[4].get_absolute_url() + query,
        "next": files[0].get_absolute_url() + query,
    }
    # One that is not on the list any more still has its place there.
    assert _ways(client, files[3], query)["next"] == files[2].get_absolute_url() + query


def test_cards_say_what_list_they_are_on(client: Client, files: list[MediaFile]) -> None:
    text = client.get("/library/?media_type=audio&status=&ordering=size").content.decode()
    assert f"/library/{files[2].pk}/?media_type=audio&amp;ordering=size" in text
    assert f'"/library/{files[2].pk}/"' in client.get("/library/").content.decode()


def test_what_is_saved_leads_back_to_the_same_list(client: Client, files: list[MediaFile]) -> None:
    answer = client.post(f"/library/{files[2].pk}/edit/?ordering=size&next=evil", {"title": "x"})
    assert answer["Location"] == f"{files[2].get_absolute_url()}?ordering=size"


def test_a_collection_leads_on_in_its_order(
    client: Client, owner: Any, files: list[MediaFile]
) -> None:
    trip = services.create_collection(user=owner, title="Trip")
    for number in (3, 0, 4):
        services.add_items(user=owner, collection=trip, media_ids=[files[number].pk])
    query = f"?within={trip.pk}"
    assert (
        f"{files[0].get_absolute_url()}{query}"
        in client.get(f"/collections/{trip.pk}/").content.decode()
    )
    assert _ways(client, files[0], query) == {
        "prev": files[3].get_absolute_url() + query,
        "next": files[4].get_absolute_url() + query,
    }
    assert _ways(client, files[1], query) == {}  # is not in it


def test_others_are_led_only_where_they_may_go(
    files: list[MediaFile], owner: Any, stranger: Any, browser_of: Callable[[Any], Client]
) -> None:
    MediaFile.objects.filter(pk=files[2].pk).update(visibility="public", published_version=1)
    trip = services.create_collection(user=owner, title="Trip")
    services.add_items(user=owner, collection=trip, media_ids=[media.pk for media in files])
    for other in (browser_of(stranger), Client()):
        assert _ways(other, files[2]) == {}
        assert _ways(other, files[2], f"?within={trip.pk}") == {}
        assert _ways(other, files[2], "?within=nonsense") == {}
        assert _ways(other, files[2], f"?owner={owner}") == {}


def test_it_costs_the_same_however_long_the_list(
    client: Client,
    upload: Callable[..., MediaFile],
    run_jobs: Callable[[], int],
    django_assert_max_num_queries: Any,
) -> None:
    few = [upload(samples.photo_jpeg(64, 64), f"{number}.jpg") for number in range(3)]
    run_jobs()
    with django_assert_max_num_queries(40) as first:
        _ways(client, few[1])
    for number in range(6):
        upload(samples.photo_jpeg(64, 64), f"more-{number}.jpg")
    run_jobs()
    with django_assert_max_num_queries(len(first)):
        assert len(_ways(client, few[1])) == 2
