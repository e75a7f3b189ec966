"""Acts on many files by the pages: in pieces of which the last one tells, on what a list names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils.html import strip_tags

from apps.media.models import Collection, MediaFile, ShareLink
from apps.media.services import selections
from apps.media.views import librarypages

Upload = Callable[..., MediaFile]
URL = "/library/selection/"


@pytest.fixture
def client(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(owner)


@pytest.fixture
def files(upload: Upload) -> list[MediaFile]:
    return [upload(b"%d" % n * (n + 1), f"{n}.txt") for n in range(6)]


def _ids(files: Sequence[MediaFile]) -> list[str]:
    return [str(media.pk) for media in files]


def _text(answer: Any) -> str:
    return " ".join(strip_tags(answer.content.decode()).split())


def _piece(
    client: Client, files: Sequence[MediaFile], *, is_last: bool = False, **body: str
) -> HttpResponse:
    ids = {"ids": ",".join(_ids(files)), "act": "one"}
    more = {} if is_last else {"more": "1"}
    return client.post(URL, {**body, **ids, **more}, follow=is_last)


def test_the_last_piece_tells_of_all_and_takes_all_back(
    client: Client, files: list[MediaFile], upload: Upload, stranger: Any
) -> None:
    foreign = upload(b"theirs", "theirs.txt", user=stranger)
    first = _piece(client, [*files[:2], foreign], do="delete")
    assert (first.status_code, first.content) == (204, b"")
    assert _piece(client, files[2:4], do="delete").status_code == 204
    last = _piece(client, files[4:], is_last=True, do="delete")
    assert "6 files moved to the trash." in _text(last)
    assert "1 file not:" in _text(last)
    (moment,) = set(MediaFile.objects.exclude(pk=foreign.pk).values_list("deleted_at", flat=True))
    number = int(moment.timestamp()) * 10**6 + moment.microsecond
    answer = client.post(f"/library/trash/undo/{number}/", follow=True)
    assert "6 files back in your library." in _text(answer)
    assert not MediaFile.objects.exclude(deleted_at=None).exists()
    again = _piece(client, files[:1], is_last=True, do="delete")  # nothing of it is left over
    assert "1 file moved to the trash." in _text(again)


def test_very_many_are_taken_back_by_several_presses(
    client: Client, files: list[MediaFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selections, "MOST_RESTORED", 4)
    _piece(client, files, is_last=True, do="delete")
    moment = MediaFile.objects.values_list("deleted_at", flat=True)[0]
    undo = f"/library/trash/undo/{int(moment.timestamp()) * 10**6 + moment.microsecond}/"
    first = client.post(undo, follow=True)
    assert "4 files back in your library." in _text(first)
    assert "There are more of them." in _text(first)
    assert undo in first.content.decode()
    second = client.post(undo, follow=True)
    assert "2 files back in your library." in _text(second)
    assert "There are more" not in _text(second)
    assert not MediaFile.objects.exclude(deleted_at=None).exists()


def test_all_pieces_go_into_one_collection(client: Client, files: list[MediaFile]) -> None:
    _piece(client, files[:4], do="collect", title="New")
    answer = _piece(client, files[4:], is_last=True, do="collect", title="New")
    assert "6 files in “New”" in _text(answer)
    assert Collection.objects.get().items.count() == 6


def test_all_pieces_are_shared_by_one_link(client: Client, files: list[MediaFile]) -> None:
    for piece in (files[:2], files[2:4]):
        _piece(client, piece, do="share", share_title="For you")
    answer = _piece(client, files[4:], is_last=True, do="share", share_title="For you")
    assert "6 files in “For you”" in _text(answer)
    assert "The link is made." in _text(answer)
    assert ShareLink.objects.get().collection == Collection.objects.get()
    assert Collection.objects.get().items.count() == 6


def test_who_stops_is_told_what_was_done(client: Client, files: list[MediaFile]) -> None:
    _piece(client, files[:3], do="tag", tags="lake")
    assert "3 files tagged." in _text(_piece(client, [], is_last=True, do="tag", tags="lake"))
    assert MediaFile.objects.filter(tags__name="lake").count() == 3
    assert "Select some files first." in _text(_piece(client, [], is_last=True, do="tag"))


def test_a_piece_that_cannot_be_done_is_told_by_the_last(
    client: Client, files: list[MediaFile]
) -> None:
    assert _piece(client, files[:3], do="tag").status_code == 422
    answer = _piece(client, files[:3], is_last=True, do="tag")
    assert _text(answer).count("Name at least one tag.") == 1
    assert not MediaFile.objects.filter(tags__isnull=False).exists()


# -- what a list names -------------------------------------------------------------------------


def _all_ids(client: Client, **query: str) -> tuple[list[str], int]:
    """All that is named, and by how many answers."""
    found: list[str] = []
    count = 0
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get("/library/ids/", {**query, "cursor": cursor}).json()
        found += answer["ids"]
        cursor, count = answer["next"], count + 1
    return found, count


@pytest.mark.parametrize(("ordering", "step"), [("", -1), ("created_at", 1), ("-size", -1)])
def test_a_list_is_named_in_its_order(
    client: Client,
    files: list[MediaFile],
    upload: Upload,
    stranger: Any,
    monkeypatch: pytest.MonkeyPatch,
    ordering: str,
    step: int,
) -> None:
    upload(b"theirs", "theirs.txt", user=stranger, visibility="public")
    monkeypatch.setattr(librarypages, "IDS_AT_ONCE", 2)
    assert _all_ids(client, ordering=ordering) == (_ids(files)[::step], 3)
    ends = ",".join(_ids([files[4], files[1]]))
    assert _all_ids(client, ordering=ordering, ends=ends) == (_ids(files[1:5])[::step], 2)


def test_only_what_the_list_shows_is_named(client: Client, files: list[MediaFile]) -> None:
    kept = str(files[3].pk)
    assert _all_ids(client, q="3.txt") == ([kept], 1)
    beside = f"{kept},{files[4].pk}"  # which is not on this list
    assert _all_ids(client, q="3.txt", ends=beside) == ([], 1)
    assert client.get("/library/ids/", {"ends": "x"}).status_code == 400


def test_ids_cost_the_same_however_many(
    client: Client, files: list[MediaFile], django_assert_num_queries: Any
) -> None:
    for query, most in (({}, 3), ({"ends": f"{files[0].pk},{files[5].pk}"}, 4)):
        with django_assert_num_queries(most):  # session, user, the ends, the ids
            assert len(client.get("/library/ids/", query).json()["ids"]) == len(files)
