"""Pictures that look the same: noted as they arrive, shown side by side, settled by choice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.ids import first_id
from apps.media import selectors, services
from apps.media.exceptions import BadRequestError
from apps.media.models import MediaFile
from apps.media.selectors import lookalikes
from apps.media.selectors.lookalikes import worth_comparing
from apps.media.tests import samples

URL = "/library/copies/alike/"
LIKE = ("ff00ff00ff00ff00", "ff00ff00ff00ff0f", "ff00ff00ff00fff0")
Make = Callable[..., MediaFile]


@pytest.fixture
def make(owner: Any) -> Make:
    """A row of a picture whose look is noted, as if a worker had seen it."""

    def add(likeness: str, *, size: int = 10, width: int = 100, **fields: Any) -> MediaFile:
        media = MediaFile.objects.create(
            owner=fields.pop("owner", owner),
            original_name=f"{size}.jpg",
            media_type="image",
            mime_type="image/jpeg",
            size=size,
            width=width,
            height=100,
            likeness=likeness,
            status="ready",
            **fields,
        )
        services.note_look(media=media)
        media.refresh_from_db()
        return media

    return add


def _looks(*files: MediaFile) -> list[Any]:
    return [MediaFile.objects.get(pk=media.pk).look for media in files]


class TestNoting:
    def test_pictures_are_compared_when_they_are_made(
        self, upload: Callable[..., MediaFile], run_jobs: Any
    ) -> None:
        large = upload(samples.photo_jpeg(640, 480), "large.jpg")
        small = upload(samples.photo_jpeg(640, 480, quality=50), "small.jpg")
        other = upload(b"A few words.", "other.txt")
        run_jobs()
        assert _looks(large, small, other) == [large.pk, large.pk, None]

    def test_the_like_share_one_name_and_others_have_none(self, make: Make, stranger: Any) -> None:
        first, far = make(LIKE[0]), make("00ff00ff00ff00ff")
        theirs, thrown = make(LIKE[0], owner=stranger), make("0f0f0f0f0f0f0f0f")
        MediaFile.objects.filter(pk=thrown.pk).update(deleted_at=timezone.now())
        second, third, late = make(LIKE[1]), make(LIKE[2]), make("0f0f0f0f0f0f0f0f")
        assert _looks(first, second, third) == [first.pk] * 3
        assert _looks(far, theirs, thrown, late) == [None] * 4

    @pytest.mark.parametrize(
        "bits",
        [[], [3], [0, 1, 2, 16, 17, 18, 32, 33, 48, 49], range(10), range(11), range(0, 64, 5)],
    )
    def test_ten_bits_anywhere_are_found_and_no_more(self, make: Make, bits: list[int]) -> None:
        first = make(LIKE[0])
        other = make(f"{int(LIKE[0], 16) ^ sum(1 << bit for bit in bits):016x}")
        assert _looks(first, other) == [first.pk if len(bits) <= 10 else None] * 2

    def test_it_costs_one_query_along_an_index(self, make: Make) -> None:
        files = [make(one) for one in LIKE]
        with CaptureQueriesContext(connection) as queries:
            assert len(selectors.find_lookalikes(media=files[0])) == 2
        assert len(queries) == 1
        plan = worth_comparing(files[0], owner_id=files[0].owner_id).explain()
        if connection.vendor == "sqlite":  # of PostgreSQL, with many rows, see `test_plans`
            assert all(f"INDEX media_like_{number}" in plan for number in range(4))

    def test_a_picture_that_changed_leaves_its_group(self, make: Make) -> None:
        first, second = make(LIKE[0]), make(LIKE[1])
        MediaFile.objects.filter(pk=second.pk).update(likeness="00ff00ff00ff00ff")
        second.refresh_from_db()
        services.note_look(media=second)
        assert _looks(first, second) == [first.pk, None]


class TestListing:
    def test_groups_come_in_pages_the_best_of_each_first(
        self, make: Make, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lookalikes, "GROUPS", 1)
        old = [make(LIKE[0], width=50), make(LIKE[1], width=200), make(LIKE[0], width=50, size=20)]
        new = [make("00ff00ff00ff00ff"), make("00ff00ff00ff00ff")]
        page = selectors.list_look_groups(user=owner)
        assert [group.files for group in page.groups] == [new]
        page = selectors.list_look_groups(user=owner, after=page.next)
        assert [group.files for group in page.groups] == [[old[1], old[2], old[0]]]
        assert (page.next, page.groups[0].size) == (None, 40)
        assert selectors.count_look_groups(user=owner) == 2
        with pytest.raises(BadRequestError):
            selectors.list_look_groups(user=owner, after="x")

    def test_as_many_queries_for_many_as_for_few(self, make: Make, owner: Any) -> None:
        counts = []
        owner.has_perm("media.view_mediafile")
        for likeness in ("ff00ff00ff00ff00", "00ff00ff00ff00ff"):
            for _ in range(3):
                make(likeness)
            with CaptureQueriesContext(connection) as queries:
                selectors.list_look_groups(user=owner)
            counts.append(len(queries))
        assert counts[0] == counts[1] < 8

    def test_no_group_is_larger_than_can_be_shown(
        self, make: Make, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lookalikes, "SHOWN", 2)
        for _ in range(3):
            make(LIKE[0])
        [group] = selectors.list_look_groups(user=owner).groups
        assert (group.count, len(group.files)) == (3, 2)


class TestPage:
    @pytest.fixture
    def client(self, owner: Any, browser_of: Callable[[Any], Client]) -> Client:
        return browser_of(owner)

    def _living(self) -> set[MediaFile]:
        return set(MediaFile.objects.filter(deleted_at=None))

    def _form(self, *files: MediaFile, kept: MediaFile, **more: Any) -> dict[str, Any]:
        return {"shown": [f.pk for f in files], f"keep-{kept.look}": kept.pk, **more}

    def test_the_chosen_one_stays_and_all_comes_back(self, make: Make, client: Client) -> None:
        one, two, three = (make(likeness) for likeness in LIKE)
        unlike, second = make("00ff00ff00ff00ff"), make("00ff00ff00ff00ff")
        two.refresh_from_db()
        form = self._form(one, two, unlike, second, kept=two, settle=str(two.look))
        answer = client.post(URL, form, follow=True)
        # What was not shown stays as well.
        assert self._living() == {two, three, unlike, second}
        page = answer.content.decode()
        assert "1 file moved to the trash." in page
        undo = page.split('action="/library/trash/undo/')[1].split('"')[0]
        client.post(f"/library/trash/undo/{undo}")
        assert self._living() == {one, two, three, unlike, second}

    def test_all_groups_of_a_page(self, make: Make, client: Client) -> None:
        one, two = make(LIKE[0]), make(LIKE[1])
        three, four = make("00ff00ff00ff00ff"), make("00ff00ff00ff00ff")
        for media in (one, three):
            media.refresh_from_db()
        form = self._form(one, two, three, four, kept=one, settle="all")
        client.post(URL, {**form, f"keep-{three.look}": three.pk})
        assert self._living() == {one, three}

    def test_different_pictures_are_no_group(self, make: Make, client: Client) -> None:
        one, two = make(LIKE[0]), make(LIKE[1])
        answer = client.post(URL, {"part": [one.pk]}, follow=True)
        assert "No pictures that look the same" in answer.content.decode()
        assert _looks(one, two) == [None, None]

    def test_nobody_settles_what_is_not_theirs(
        self, make: Make, stranger: Any, browser_of: Callable[[Any], Client]
    ) -> None:
        one, two = make(LIKE[0]), make(LIKE[1])
        one.refresh_from_db()
        client = browser_of(stranger)
        client.post(URL, self._form(one, two, kept=one, settle="all"))
        client.post(URL, {"part": [one.look]})
        assert self._living() == {one, two}
        assert _looks(one, two) == [one.pk, one.pk]
        assert str(one.pk) not in client.get(URL).content.decode()


def test_the_storage_page_says_what_could_go(
    make: Make, owner: Any, browser_of: Callable[[Any], Client]
) -> None:
    for likeness in LIKE:
        make(likeness)
    old = first_id(timezone.now() - timedelta(days=400))
    unused = make("", size=30 * 1024**2, pk=old)
    make("", size=30 * 1024**2)
    client = browser_of(owner)
    page = client.get("/library/storage/").content.decode()
    assert "1 group" in page
    assert "1 large file that nothing uses" in page
    assert list(selectors.list_large_unused(user=owner)) == [unused]
    shelf = services.create_collection(user=owner, title="Kept")
    assert unused.get_absolute_url() in client.get("/library/storage/unused/").content.decode()
    services.add_items(user=owner, collection=shelf, media_ids=[unused.pk])
    assert "Nothing to clear" in client.get("/library/storage/unused/").content.decode()
