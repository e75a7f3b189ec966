"""A collection that is shared opens what lies below it on every surface, and nothing beside it, for
as long as it is."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.media import services
from apps.media.models import Collection, Grant, MediaFile, ShareLink
from apps.media.tests import samples

FUTURE = "2999-01-02T03:04:05Z"


@dataclass(frozen=True)
class Shelves:
    """Private ones: `low` lies in `top`, each with a file; a file of another is in `low`, and
    `beside` lies next to `top`."""

    top: Collection
    low: Collection
    beside: Collection
    in_low: MediaFile
    foreign: MediaFile
    in_beside: MediaFile


@pytest.fixture
def shelves(
    upload: Callable[..., MediaFile], owner: Any, staff: Any, add_rendition: Any
) -> Shelves:
    top = services.create_collection(user=owner, title="Top")
    low = services.create_collection(user=owner, title="Low", parent=top)
    beside = services.create_collection(user=owner, title="Beside")
    files = {}
    for name, user in (("in_low", owner), ("foreign", staff), ("in_beside", owner)):
        media = upload(samples.photo_jpeg(64, 48), f"{name}.jpg", user=user)
        MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True, progress=100)
        add_rendition(media, "thumb.webp", samples.photo_webp(64, 48), width=64, height=48)
        files[name] = media
    services.add_items(user=owner, collection=low, media_ids=[files["in_low"].pk])
    services.add_items(user=owner, collection=beside, media_ids=[files["in_beside"].pk])
    MediaFile.objects.filter(pk=files["foreign"].pk).update(visibility="public")
    services.add_items(user=owner, collection=low, media_ids=[files["foreign"].pk])
    MediaFile.objects.filter(pk=files["foreign"].pk).update(visibility="private")
    return Shelves(top, low, beside, **files)


def _seen(client: Client, collection: Collection, media: MediaFile) -> dict[str, bool]:
    """On which surface the visitor gets the file."""
    name, pk = media.original_name.encode(), str(media.pk)
    api, page = f"/api/v1/collections/{collection.pk}/", collection.get_absolute_url()
    opened = {
        "api": f"/api/v1/media/{pk}/",
        "page": media.get_absolute_url(),
        "original": f"/media/{pk}/original",
        "rendition": f"/media/{pk}/r/thumb.webp",
    }
    listed = {
        "list": "/api/v1/media/",
        "list by collection": f"/api/v1/media/?collection={collection.pk}",
        "search": f"/api/v1/media/?q={media.original_name.partition('.')[0]}",
        "items": f"{api}items/",
        "collection page": page,
        "archive": f"{page}zip",
    }
    found = {what: client.get(url).status_code == 200 for what, url in opened.items()}
    for what, url in listed.items():
        answer = client.get(url)
        found[what] = name in (b"".join(answer) if answer.streaming else answer.content)
    return found


def _sees_all(client: Client, collection: Collection, media: MediaFile) -> bool:
    seen = _seen(client, collection, media)
    assert len(set(seen.values())) == 1, seen  # the surfaces agree
    return seen["original"]


@pytest.mark.parametrize("to", ["person", "group"])
@pytest.mark.parametrize("ending", ["revoked", "over", "moved away", "taken out", "left"])
def test_a_grant_above_opens_all_below_until_it_ends(
    to: str,
    ending: str,
    shelves: Shelves,
    api: APIClient,
    owner: Any,
    stranger: Any,
    browser_of: Callable[[Any], Client],
) -> None:
    group = Group.objects.create(name="Choir")
    stranger.groups.add(group)
    browser, low, media = browser_of(stranger), shelves.low, shelves.in_low
    assert not _sees_all(browser, low, media)

    form = {"user": "sam"} if to == "person" else {"group": "Choir"}
    grants = f"/api/v1/collections/{shelves.top.pk}/grants/"
    given = api.post(grants, {**form, "expires_at": FUTURE}, format="json").json()
    assert _sees_all(browser, low, media)
    assert not _sees_all(browser, low, shelves.foreign)
    assert not _sees_all(browser, shelves.beside, shelves.in_beside)

    if ending == "revoked":
        assert api.delete(f"{grants}{given['id']}/").status_code == 204
    elif ending == "over":
        Grant.objects.filter(pk=given["id"]).update(expires_at=timezone.now())
    elif ending == "moved away":
        services.move_collection(user=owner, collection=low, parent=shelves.beside)
    elif ending == "taken out":
        services.remove_items(user=owner, collection=low, media_ids=[media.pk])
    else:
        stranger.groups.remove(group)
        stranger.is_active = to == "group"
        stranger.save()
    seen = _seen(browser, low, media)
    assert not any(seen.values()), seen


def test_a_link_opens_what_is_below_and_nothing_beside(
    shelves: Shelves, api: APIClient, client: Client
) -> None:
    links = f"/api/v1/collections/{shelves.top.pk}/share-links/"
    made = api.post(links, {"max_downloads": 1}, format="json").json()
    root, pk = made["url"], shelves.in_low.pk
    opened = [
        root,
        f"{root}collections/{shelves.low.pk}/",
        f"{root}{pk}/",
        f"{root}{pk}/r/thumb.webp",
    ]
    for url in opened:
        assert client.get(url).status_code == 200, url
    assert b"in_low.jpg" in client.get(opened[1]).content
    assert b"foreign.jpg" not in client.get(opened[1]).content
    for other in (shelves.foreign, shelves.in_beside):
        for end in ("", "original", "r/thumb.webp"):
            assert client.get(f"{root}{other.pk}/{end}").status_code == 404
    assert client.get(f"{root}collections/{shelves.beside.pk}/").status_code == 404
    assert client.get(f"/media/{pk}/original").status_code == 404  # by the link alone

    assert client.get(f"{root}{pk}/original").status_code == 200
    assert api.get(links).json()["results"][0]["downloads"] == 1
    assert api.delete(f"{links}{made['id']}/").status_code == 204
    for url in (*opened, f"{root}{pk}/original"):
        assert client.get(url).status_code == 404, url


def test_editors_see_none_of_it_and_strangers_nothing(
    shelves: Shelves, owner: Any, stranger: Any, browser_of: Callable[[Any], Client]
) -> None:
    grant = services.grant_access(user=owner, media=shelves.top, to=stranger, permission="edit")
    link = services.create_share_link(user=owner, media=shelves.top)
    browser, page = browser_of(stranger), shelves.top.get_absolute_url()
    shown = browser.get(page).content.decode()
    assert "New inside" in shown  # which editors may
    for words in ("Sharing", "Make a link", link.token):
        assert words not in shown
    api = f"/api/v1/collections/{shelves.top.pk}/"
    for status in (403, 404):
        for end in ("grants/", "share-links/"):
            assert browser.get(f"{api}{end}").status_code == status
            assert browser.post(f"{api}{end}").status_code == status
        for end in (f"grants/{grant.pk}/", f"share-links/{link.pk}/"):
            assert browser.delete(f"{api}{end}").status_code == status
        for end in (f"grants/{grant.pk}/delete/", f"links/{link.pk}/delete/", "grants/", "links/"):
            assert browser.post(f"{page}{end}").status_code == status
        Grant.objects.update(expires_at=timezone.now())
    assert (Grant.objects.get(), ShareLink.objects.get()) == (grant, link)


def test_hidden_equals_missing(
    shelves: Shelves, stranger: Any, browser_of: Callable[[Any], Client]
) -> None:
    browser = browser_of(stranger)
    for end in ("grants/", "share-links/"):
        hidden, missing = (
            browser.get(f"/api/v1/collections/{pk}/{end}") for pk in (shelves.top.pk, uuid.uuid4())
        )
        assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")
        assert set(hidden.headers) == set(missing.headers)


@pytest.mark.parametrize("kind", ["grants", "share-links"])
def test_each_is_found_at_its_own_collection_alone(
    kind: str, shelves: Shelves, api: APIClient, owner: Any, stranger: Any
) -> None:
    """Also what is inherited is seen where it was given."""
    made = (
        services.grant_access(user=owner, media=shelves.top, to=stranger)
        if kind == "grants"
        else services.create_share_link(user=owner, media=shelves.top)
    )
    for place in (f"collections/{shelves.low.pk}", f"media/{shelves.in_low.pk}"):
        assert api.get(f"/api/v1/{place}/{kind}/").json()["results"] == []
        assert api.delete(f"/api/v1/{place}/{kind}/{made.pk}/").status_code == 404
    found = api.get(f"/api/v1/collections/{shelves.top.pk}/{kind}/").json()["results"]
    assert [row["id"] for row in found] == [str(made.pk)]


def test_the_page_says_what_is_opened(
    shelves: Shelves, owner: Any, browser_of: Callable[[Any], Client]
) -> None:
    shown = browser_of(owner).get(shelves.top.get_absolute_url()).content.decode()
    assert "opens only the files that their owners put in" in shown
    assert "sees this collection" in shown
