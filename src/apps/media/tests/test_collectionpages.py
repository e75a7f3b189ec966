"""The pages of collections, used as a browser without script uses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.media import services
from apps.media.models import Collection, CollectionItem, MediaFile
from apps.media.views import listing

Upload = Callable[..., MediaFile]


@pytest.fixture
def client(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(owner)


@pytest.fixture
def shelf(owner: Any) -> Collection:
    return services.create_collection(user=owner, title="Holiday")


def _order(collection: Collection) -> list[str]:
    rows = CollectionItem.objects.filter(collection=collection).order_by("position")
    return list(rows.values_list("media__original_name", flat=True))


def _text(answer: Any) -> str:
    return answer.content.decode()


def test_made_changed_moved_and_deleted(client: Client) -> None:
    answer = client.post("/collections/new/", {"title": "Top"}, follow=True)
    top = Collection.objects.get()
    assert answer.redirect_chain[-1][0] == f"/collections/{top.pk}/"
    client.post("/collections/new/", {"title": "Low", "parent": top.pk})
    low = Collection.objects.get(title="Low")
    assert low.parent == top
    answer = client.get(f"/collections/{low.pk}/")
    assert f'href="/collections/{top.pk}/"' in _text(answer)
    form = {"title": "Lower", "description": "Words", "visibility": "public"}
    answer = client.post(f"/collections/{low.pk}/edit/", form, follow=True)
    assert "lies in what is private" in _text(answer)
    client.post(f"/collections/{low.pk}/move/", {"parent": ""})
    low.refresh_from_db()
    assert (low.title, low.parent, low.open_to) == ("Lower", None, "public")
    answer = client.post(f"/collections/{top.pk}/move/", {"parent": top.pk}, follow=True)
    assert "cannot be put into itself" in _text(answer)
    client.post(f"/collections/{low.pk}/delete/")
    assert list(Collection.objects.all()) == [top]


def test_a_wrong_form_is_shown_again(client: Client, shelf: Collection) -> None:
    for path, more in (
        ("/collections/new/", {}),
        ("/collections/new/", {"parent": shelf.pk}),
        (f"/collections/{shelf.pk}/edit/", {}),
    ):
        answer = client.post(path, {"title": " ", "visibility": "private", **more})
        assert answer.status_code == 422
        assert "This field is required" in _text(answer)
    assert Collection.objects.count() == 1


def test_files_selected_in_the_library_are_collected(
    client: Client, upload: Upload, shelf: Collection
) -> None:
    a, b = upload(b"a", "a.txt"), upload(b"b", "b.txt")
    page = _text(client.get("/library/"))
    assert f'value="{a.pk}"' in page
    assert f'<option value="{shelf.pk}">Holiday</option>' in page
    body = {"ids": [a.pk, b.pk], "do": "collect", "collection": shelf.pk}
    answer = client.post("/library/selection/", body, follow=True)
    assert _order(shelf) == ["a.txt", "b.txt"]
    assert "2 files in “Holiday”" in _text(answer)
    client.post("/library/selection/", {**body, "collection": "", "title": "Fresh"})
    assert _order(Collection.objects.get(title="Fresh")) == ["a.txt", "b.txt"]
    for wrong in ({"do": "collect", "title": "x"}, {**body, "collection": ""}):
        assert "messages" in _text(client.post("/library/selection/", wrong, follow=True))
    assert Collection.objects.count() == 2
    client.post("/library/selection/", {"ids": [a.pk], "do": "delete"})
    a.refresh_from_db()
    assert a.deleted_at is not None
    assert client.post("/library/selection/", {"ids": ["x"]}).status_code == 400


def test_files_are_put_in_order_and_taken_out(
    client: Client, upload: Upload, shelf: Collection, owner: Any
) -> None:
    files = [upload(b"%d" % n, f"{n}.txt") for n in range(3)]
    services.add_items(user=owner, collection=shelf, media_ids=[one.pk for one in files])
    url = f"/collections/{shelf.pk}/order/"

    def press(name: str, number: int) -> list[str]:
        answer = client.post(url, {name: files[number].pk})
        assert answer.status_code == 302
        return _order(shelf)

    assert press("later", 0) == ["1.txt", "0.txt", "2.txt"]
    assert press("later", 0) == ["1.txt", "2.txt", "0.txt"]
    assert press("later", 0) == ["1.txt", "2.txt", "0.txt"]
    assert press("earlier", 2) == ["2.txt", "1.txt", "0.txt"]
    assert press("earlier", 2) == ["2.txt", "1.txt", "0.txt"]
    press("cover", 1)
    shelf.refresh_from_db()
    assert shelf.cover == files[1]
    client.post(url, {"ids": [files[0].pk, files[2].pk], "do": "remove"})
    assert _order(shelf) == ["1.txt"]


@pytest.mark.parametrize("sent", ["", ",", "not-an-id"])
def test_an_act_on_no_file_is_refused(client: Client, shelf: Collection, sent: str) -> None:
    for name in ("earlier", "later", "cover"):
        assert client.post(f"/collections/{shelf.pk}/order/", {name: sent}).status_code == 400


def test_hidden_neighbours_are_stepped_over(
    client: Client, upload: Upload, shelf: Collection, owner: Any
) -> None:
    files = [upload(b"%d" % n, f"{n}.txt") for n in range(3)]
    services.add_items(user=owner, collection=shelf, media_ids=[one.pk for one in files])
    services.delete_media(user=owner, media=files[1])
    client.post(f"/collections/{shelf.pk}/order/", {"later": files[0].pk})
    assert _order(shelf) == ["1.txt", "2.txt", "0.txt"]


def test_visitors_see_what_is_open_and_no_controls(
    browser_of: Callable[[Any], Client], upload: Upload, shelf: Collection, owner: Any
) -> None:
    media = upload(b"words", "a.txt")
    MediaFile.objects.filter(pk=media.pk).update(usable=True, status="ready")
    services.add_items(user=owner, collection=shelf, media_ids=[media.pk])
    services.create_collection(user=owner, title="Hidden inside", parent=shelf)
    services.update_collection(user=owner, collection=shelf, visibility="unlisted")
    page = _text(browser_of(None).get(f"/collections/{shelf.pk}/"))
    assert "a.txt" in page
    for hidden in ("Hidden inside", 'class="selection"', "unfold", "Delete", "checkbox"):
        assert hidden not in page


def test_pages_follow_each_other(
    client: Client,
    upload: Upload,
    shelf: Collection,
    owner: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 2)
    files = [upload(b"%d" % n, f"{n}.txt") for n in range(3)]
    services.add_items(user=owner, collection=shelf, media_ids=[one.pk for one in files])
    first = client.get(f"/collections/{shelf.pk}/")
    assert "2.txt" not in _text(first)
    following = client.get(f"/collections/{shelf.pk}/", {"cursor": first.context["page"].next})
    assert "2.txt" in _text(following)
    assert client.get(f"/collections/{shelf.pk}/?cursor=AAAA").status_code == 400
