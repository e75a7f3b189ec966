"""Suggestions: what one's own files and tags say, by the beginnings of words, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.media import selectors, services
from apps.media.models import MediaFile

pytestmark = pytest.mark.django_db
Upload = Callable[..., MediaFile]


def _told(user: Any, typed: str) -> list[str]:
    found = selectors.suggest_words(user=user, typed=typed)
    return [f"#{one.tag}" if one.tag else f"{one.media}: {one.excerpt}" for one in found]


def test_tags_come_first_then_the_newest_files(owner: Any, upload: Upload) -> None:
    upload(b"words", "beach walk.txt")
    upload(b"words", "b.txt", tags=["Beaches"], caption="A day at the beach")
    assert _told(owner, "BEA") == ["#Beaches", "b.txt: A day at the beach", "beach walk.txt: "]


def test_words_of_documents_and_texts_are_found_by_their_beginnings(
    owner: Any, upload: Upload, run_jobs: Callable[[], int]
) -> None:
    upload(b"The harbour master wrote this down.", "notes.txt")
    upload(b"words", "c.txt", alt_text="Boats near a harbour wall")
    run_jobs()
    assert _told(owner, "harb") == [
        "c.txt: Boats near a harbour wall",
        "notes.txt: The harbour master wrote this down.",
    ]
    assert _told(owner, "arbour") == []


def test_every_word_counts(owner: Any, upload: Upload) -> None:
    upload(b"words", "red house.txt")
    upload(b"words", "red car.txt")
    assert _told(owner, "red ho") == ["red house.txt: "]


@pytest.mark.parametrize("typed", ["", " ", "r", "zero\0byte", "100%", "_ed", "re\\"])
def test_what_suggests_nothing(owner: Any, upload: Upload, typed: str) -> None:
    upload(b"words", "red.txt", tags=["red"])
    assert _told(owner, typed) == []


def test_others_files_and_tags_are_told_to_nobody(
    owner: Any, stranger: Any, upload: Upload
) -> None:
    upload(b"words", "secret.txt", tags=["secrets"], visibility="public")
    gone = upload(b"words", "secret trash.txt", tags=["secret too"])
    services.delete_media(user=owner, media=gone)
    assert _told(stranger, "secret") == []
    assert _told(owner, "secret") == ["#secrets", "secret.txt: "]


def test_at_most_eight(owner: Any, upload: Upload, django_assert_num_queries: Any) -> None:
    for number in range(10):
        upload(b"words", f"same {number}.txt", tags=[f"same {number}"])
    with django_assert_num_queries(3):
        found = _told(owner, "same")
    assert len(found) == selectors.suggestions.MOST


class TestTags:
    def test_ones_own_that_begin_so(self, owner: Any, stranger: Any, upload: Upload) -> None:
        upload(b"words", "a.txt", tags=["Harbour", "hat", "beach"], visibility="public")
        found = selectors.suggest_tags(user=owner, typed=" HA")
        assert [tag.name for tag in found] == ["Harbour", "hat"]
        assert selectors.suggest_tags(user=stranger, typed="ha") == []

    @pytest.mark.parametrize("typed", ["", " ", "h\0", "%", "_"])
    def test_what_begins_none(self, owner: Any, upload: Upload, typed: str) -> None:
        upload(b"words", "a.txt", tags=["hat"])
        assert selectors.suggest_tags(user=owner, typed=typed) == []

    def test_by_one_query_and_not_those_of_the_trash(
        self, owner: Any, upload: Upload, django_assert_num_queries: Any
    ) -> None:
        for number in range(10):
            upload(b"words", f"{number}.txt", tags=[f"same {number}"])
        services.delete_media(user=owner, media=upload(b"words", "b.txt", tags=["same but gone"]))
        with django_assert_num_queries(1):
            found = selectors.suggest_tags(user=owner, typed="same")
        assert len(found) == selectors.suggestions.MOST
        assert "same but gone" not in {tag.name for tag in found}
