"""Collections and many files at once over HTTP."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.media import selectors, services
from apps.media.models import Collection, CollectionItem, Grant, MediaFile
from apps.media.policies import (
    Action,
    can_access,
    can_access_collection,
    collection_rights_among,
    collections_visible_to,
)

URL = "/api/v1/collections/"
BULK = "/api/v1/media/bulk/"
Upload = Callable[..., MediaFile]


@pytest.fixture
def make(api: APIClient) -> Callable[..., dict[str, Any]]:
    def post(title: str = "A", **more: Any) -> dict[str, Any]:
        answer = api.post(URL, {"title": title, **more}, format="json")
        assert answer.status_code == 201
        assert answer["Location"] == answer.json()["urls"]["self"]
        return answer.json()

    return post


def _titles(answer: Any) -> list[str]:
    return [one["title"] for one in answer.json()["results"]]


def _media(answer: Any) -> list[str]:
    return [one["media"]["id"] for one in answer.json()["results"]]


class TestCollections:
    def test_made_read_changed_moved_and_deleted(
        self, api: APIClient, make: Callable[..., dict[str, Any]], upload: Upload
    ) -> None:
        top = make("Top", description="Words", visibility="public")
        low = make("Low", parent=top["id"])
        assert (low["parent"], low["open_to"], low["file_count"]) == (top["id"], "private", 0)
        assert low["permissions"] == dict.fromkeys(("view", "edit", "delete", "share"), True)
        media = upload(b"words", "a.txt")
        url = f"{URL}{low['id']}/"
        changed = api.patch(
            url,
            {"title": "New", "visibility": "public", "cover": str(media.pk), "parent": None},
            format="json",
        )
        assert changed.status_code == 200
        body = changed.json()
        assert (body["title"], body["open_to"], body["parent"]) == ("New", "public", None)
        assert body["cover"] == str(media.pk)
        assert api.get(url).json() == body
        assert api.delete(url).status_code == 204
        assert api.get(url).status_code == 404
        assert MediaFile.objects.get().deleted_at is None

    def test_refusals_have_codes(
        self, api: APIClient, make: Callable[..., dict[str, Any]], stranger: Any, upload: Upload
    ) -> None:
        top = make()
        low = make(parent=top["id"])
        url = f"{URL}{top['id']}/"
        moved = api.patch(url, {"parent": low["id"]}, format="json")
        assert (moved.status_code, moved.json()["code"]) == (409, "collection_cycle")
        hidden = upload(b"theirs", "b.txt", user=stranger)
        for body in ({"parent": str(uuid4())}, {"cover": str(hidden.pk)}, {"cover": str(uuid4())}):
            assert api.patch(url, body, format="json").json()["code"] == "not_found"
        for body in ({"title": ""}, {"visibility": "x"}, {"parent": "x"}, {"title": None}):
            assert api.patch(url, body, format="json").json()["code"] == "invalid"
        assert api.get(URL, {"parent": "x"}).json()["code"] == "invalid"
        for _ in range(14):
            low = make(parent=low["id"])
        deep = api.post(URL, {"title": "x", "parent": low["id"]}, format="json")
        assert (deep.status_code, deep.json()["code"]) == (409, "collection_too_deep")

    def test_lists_by_parent_in_pages(
        self, api: APIClient, make: Callable[..., dict[str, Any]]
    ) -> None:
        top = make("top")
        for title in ("b", "a", "c"):
            make(title, parent=top["id"])
        assert _titles(api.get(URL, {"parent": "none"})) == ["top"]
        assert _titles(api.get(URL, {"parent": top["id"], "ordering": "title"})) == ["a", "b", "c"]
        assert _titles(api.get(URL)) == ["c", "a", "b", "top"]
        first = api.get(URL, {"page_size": 3})
        assert _titles(api.get(first.json()["next"])) == ["top"]

    def test_the_grantee_sees_no_more_than_the_granted(
        self, make: Callable[..., dict[str, Any]], stranger: Any
    ) -> None:
        top = make("top")
        shared = make("shared", parent=top["id"])
        make("inside", parent=shared["id"])
        make("beside", parent=top["id"])
        Grant.objects.create(collection_id=shared["id"], user=stranger, permission="edit")
        client = APIClient()
        client.force_authenticate(stranger)
        assert _titles(client.get(URL)) == ["inside", "shared"]
        assert _titles(client.get(URL, {"parent": "none"})) == ["shared"]
        assert client.get(URL, {"parent": top["id"]}).json()["results"] == []
        body = client.get(f"{URL}{shared['id']}/").json()
        assert body["parent"] is None
        assert body["permissions"] == {
            "view": True,
            "edit": True,
            "delete": False,
            "share": False,
        }
        collection = Collection.objects.get(title="inside")
        path = selectors.list_path(user=stranger, collection=collection)
        assert [one.title for one in path] == ["shared"]

    def test_a_list_costs_the_same_however_long(
        self,
        api: APIClient,
        make: Callable[..., dict[str, Any]],
        upload: Upload,
        owner: Any,
        django_assert_max_num_queries: Any,
    ) -> None:
        for number in range(6):
            made = make(str(number))
            collection = Collection.objects.get(pk=made["id"])
            media = upload(b"words %d" % number, "a.txt")
            services.add_items(user=owner, collection=collection, media_ids=[media.pk])
        with django_assert_max_num_queries(9):
            rows = api.get(URL).json()["results"]
        assert [row["file_count"] for row in rows] == [1] * 6
        assert all(row["urls"]["cover"] for row in rows)


class TestItems:
    def test_added_listed_ordered_and_removed(
        self, api: APIClient, make: Callable[..., dict[str, Any]], upload: Upload
    ) -> None:
        a, b, c = (str(upload(b"words %d" % n, f"{n}.txt").pk) for n in range(3))
        collection = make()
        url = collection["urls"]["items"]
        assert api.post(url, {"media": [a, b]}, format="json").json() == {"added": 2}
        assert api.post(url, {"media": [b, c], "before": a}, format="json").json() == {"added": 1}
        assert _media(api.get(url)) == [c, a, b]
        assert _media(api.get(url, {"ordering": "-position"})) == [b, a, c]
        moved = api.patch(url, {"media": [b, a], "before": c}, format="json")
        assert moved.status_code == 204
        assert _media(api.get(url)) == [b, a, c]
        first = api.get(url, {"page_size": 2})
        assert _media(api.get(first.json()["next"])) == [c]
        listed = api.get("/api/v1/media/", {"collection": collection["id"]}).json()["results"]
        assert {one["id"] for one in listed} == {a, b, c}
        assert api.delete(f"{url}?media={a}&media={c}").status_code == 204
        assert _media(api.get(url)) == [b]
        assert api.get(collection["urls"]["self"]).json()["file_count"] == 1
        assert api.delete(url).json()["code"] == "invalid"
        assert api.delete(f"{url}?media=x").json()["code"] == "invalid"

    def test_what_is_in_the_trash_is_shown_to_nobody(
        self, api: APIClient, make: Callable[..., dict[str, Any]], upload: Upload, owner: Any
    ) -> None:
        media = upload(b"words", "a.txt")
        collection = make()
        api.post(collection["urls"]["items"], {"media": [str(media.pk)]}, format="json")
        services.delete_media(user=owner, media=media)
        assert _media(api.get(collection["urls"]["items"])) == []
        body = api.get(collection["urls"]["self"]).json()
        assert (body["file_count"], body["urls"]["cover"]) == (0, None)
        services.restore_media(user=owner, media=media)
        assert _media(api.get(collection["urls"]["items"])) == [str(media.pk)]

    @pytest.mark.parametrize("seed", range(6))
    def test_what_is_shown_is_what_the_rule_says(
        self, seed: int, owner: Any, stranger: Any, staff: Any, upload: Upload
    ) -> None:
        """Of random worlds: nothing is shown that may not be viewed; what is put in by its owner
        or not unlisted is shown, counted and filtered alike."""
        from django.contrib.auth.models import AnonymousUser

        dice, people = random.Random(seed), [owner, stranger]
        levels = ["private", "unlisted", "public"]
        shelves = [
            services.create_collection(
                user=dice.choice(people), title=str(n), visibility=dice.choice(levels)
            )
            for n in range(3)
        ]
        for number in range(8):
            media = upload(b"%d" % number, "a.txt", user=dice.choice(people))
            MediaFile.objects.filter(pk=media.pk).update(
                visibility=dice.choice(levels), usable=dice.random() < 0.8
            )
            for shelf in shelves:
                CollectionItem.objects.create(
                    collection=shelf, media=media, position=number, added_by=dice.choice(people)
                )
        Grant.objects.create(collection=dice.choice(shelves), user=stranger)
        for visitor in (owner, stranger, staff, AnonymousUser()):
            visible = Collection.objects.filter(collections_visible_to(visitor))
            for shelf in selectors.collections_shown_to(visitor, visible):
                for action in (Action.VIEW, Action.EDIT, Action.DELETE, Action.SHARE):
                    rights = collection_rights_among(visitor, [shelf])[shelf.pk]
                    assert (action in rights) == can_access_collection(visitor, shelf, action)
                items = selectors.list_collection_items(user=visitor, collection=shelf)
                shown = set(items.values_list("media", flat=True))
                expected = {
                    item.media_id
                    for item in shelf.items.select_related("media")
                    if can_access(visitor, item.media)
                    and (
                        item.media.visibility != "unlisted"
                        or item.added_by_id == item.media.owner_id
                        or visitor in {item.media.owner, staff}
                    )
                }
                assert shown == expected
                assert shelf.file_count == len(expected)


class TestBulk:
    def test_each_file_has_its_own_result(
        self, api: APIClient, upload: Upload, stranger: Any, owner: Any
    ) -> None:
        own = upload(b"mine", "a.txt", tags=["old"])
        foreign = upload(b"theirs", "b.txt", user=stranger, visibility="public")
        hidden = upload(b"hidden", "c.txt", user=stranger)
        MediaFile.objects.update(usable=True, status="ready")
        ids = [str(own.pk), str(foreign.pk), str(hidden.pk), str(uuid4())]

        def do(action: str, **more: Any) -> list[str]:
            answer = api.post(BULK, {"ids": ids, "action": action, **more}, format="json")
            assert answer.status_code == 200
            results = answer.json()["results"]
            assert [one["id"] for one in results] == ids
            return [one["code"] for one in results]

        refused = ["", "permission_denied", "not_found", "not_found"]
        assert do("tag", tags=["New", "two"]) == refused
        assert set(own.tags.values_list("name", flat=True)) == {"old", "New", "two"}
        assert do("untag", tags=["new"]) == refused
        assert set(own.tags.values_list("name", flat=True)) == {"old", "two"}
        assert do("visibility", visibility="unlisted") == refused
        assert MediaFile.objects.get(pk=own.pk).visibility == "unlisted"
        collection = services.create_collection(user=owner, title="A")
        collected = do("collect", collection=str(collection.pk))
        assert collected == ["", "", "not_found", "not_found"]
        assert collection.items.count() == 2
        assert do("delete") == refused
        assert do("restore") == refused
        assert do("delete", permanent=True) == refused
        assert set(MediaFile.objects.all()) == {foreign, hidden}

    def test_a_file_that_cannot_be_done_stops_no_other(
        self, api: APIClient, upload: Upload
    ) -> None:
        full = upload(b"a", "a.txt", tags=[f"t{n}" for n in range(50)])
        free = upload(b"b", "b.txt")
        body = {"ids": [str(full.pk), str(free.pk)], "action": "tag", "tags": ["one more"]}
        results = api.post(BULK, body, format="json").json()["results"]
        assert [one["code"] for one in results] == ["invalid", ""]
        assert full.tags.count() == 50

    @pytest.mark.parametrize(
        "body",
        [
            {"action": "delete"},
            {"ids": [], "action": "delete"},
            {"ids": ["x"], "action": "delete"},
            {"ids": [str(uuid4()) for _ in range(501)], "action": "delete"},
            {"ids": [str(uuid4())], "action": "publish"},
            {"ids": [str(uuid4())], "action": "tag"},
            {"ids": [str(uuid4())], "action": "visibility"},
            {"ids": [str(uuid4())], "action": "collect"},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, api: APIClient, body: dict[str, Any]) -> None:
        answer = api.post(BULK, body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")

    def test_collecting_needs_the_right_there(
        self, api: APIClient, upload: Upload, stranger: Any
    ) -> None:
        theirs = services.create_collection(user=stranger, title="A", visibility="public")
        body = {"ids": [str(upload(b"a", "a.txt").pk)], "action": "collect"}
        answer = api.post(BULK, {**body, "collection": str(theirs.pk)}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert not theirs.items.exists()
