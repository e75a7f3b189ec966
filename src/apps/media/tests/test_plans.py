"""Every list runs along an index on PostgreSQL: no sort, no scan of the table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.keyset import Ordering, read_page
from apps.media import selectors
from apps.media.filters import MediaFilter
from apps.media.models import MediaFile, MediaVersion, Rendition, Tombstone
from apps.media.selectors.lookalikes import worth_comparing
from apps.media.services.explanations import PAGE_ROWS, sources
from apps.media.storage import current_alias

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.postgres,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="DATABASE_URL is no PostgreSQL"),
]

ROWS = 20_000
# Everybody has 1/100 of the rows; a hundredth of all is public.
FILL = f"""
INSERT INTO media_mediafile (id, owner_id, title, caption, alt_text, visibility, focal_x, focal_y,
  original_name, media_type, mime_type, size, sha256, placeholder, color, version, status,
  failure_code, failure_message, progress, search_text, created_at, updated_at, deleted_at,
  usable, share_location, likeness, owner_text, latest_version, swatch)
SELECT (lpad(to_hex(1700000000000 + g), 12, '0') || '70008000' || lpad(to_hex(g), 12, '0'))::uuid,
  (SELECT min(id) FROM users_user) + g % 100, '', '', '',
  CASE WHEN g % 100 = 7 THEN 'public' ELSE 'private' END, 0.5, 0.5, 'file ' || g % 997,
  (ARRAY['image', 'video', 'audio'])[1 + g % 3], 'image/jpeg', g % 4999, '', '', '', 1, 'ready',
  '', '', 100, 'words ' || md5(g::text), now(), now(), CASE WHEN g % 300 = 0 THEN now() END,
  true, false, '', '', 1, (ARRAY['red', 'blue', 'grey', ''])[1 + g % 4]
FROM generate_series(1, {ROWS}) AS g
"""


@pytest.fixture
def person(django_user_model: Any) -> Any:
    django_user_model.objects.bulk_create(
        [django_user_model(username=f"user{number}") for number in range(100)]
    )
    with connection.cursor() as cursor:
        cursor.execute(FILL)
        cursor.execute("SELECT gin_clean_pending_list('media_search_words')")  # as autovacuum does
        cursor.execute("ANALYZE media_mediafile")
    return django_user_model.objects.order_by("pk").first()


def _plan(rows: QuerySet[MediaFile], ordering: str) -> str:
    """The plan of the second page, which starts in the middle of the index."""
    parsed = Ordering.parse(ordering)
    first = read_page(rows, ordering=parsed, size=20)
    position = "" if parsed.field == "pk" else getattr(first.items[-1], parsed.field)
    after = parsed.after((position, first.items[-1].pk), reverse=False)
    return rows.filter(after).order_by(*parsed.columns(reverse=False))[:21].explain()


@pytest.mark.parametrize(
    "ordering", ["-pk", "pk", "size", "-size", "original_name", "-original_name"]
)
def test_own_files_in_every_order(person: Any, ordering: str) -> None:
    plan = _plan(selectors.list_media_by_user(user_id=person.pk), ordering)
    assert "Index" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan or "Presorted" in plan


@pytest.mark.parametrize(
    "query",
    [
        {"media_type": ["video"]},
        {"status": ["ready"]},
        {"visibility": ["public"]},
        {"tag": "x"},
        {"color": ["red"]},
        {"since": "2023-01-01"},
    ],
)
def test_own_files_filtered(person: Any, query: dict[str, Any]) -> None:
    mine = selectors.list_media_by_user(user_id=person.pk)
    plan = MediaFilter(query, queryset=mine).qs.order_by("-pk")[:21].explain()
    assert "Seq Scan on media_mediafile " not in plan


@pytest.mark.parametrize("newest", [False, True])
def test_what_is_visible(person: Any, newest: bool) -> None:
    middle = MediaFile.objects.order_by("pk")[ROWS // 2]
    for way in selectors.ways_to_visible_media(user=person, newest=newest):
        rows = MediaFile.objects.filter(way, pk__lt=middle.pk).order_by("-pk")
        assert "Seq Scan on media_mediafile " not in rows[:21].explain()


@pytest.mark.parametrize(
    ("query", "ordering"),
    [
        ({}, "-pk"),
        ({}, "-size"),
        ({}, "original_name"),
        ({"media_type": ["video"]}, "-pk"),
        ({"color": ["red"]}, "-pk"),
    ],
)
def test_an_outline_walks_along_an_index(person: Any, query: dict[str, Any], ordering: str) -> None:
    """At most the person's own part of the table is read."""
    mine = selectors.list_media_by_user(user_id=person.pk)
    rows = MediaFilter(query, queryset=mine).qs
    with CaptureQueriesContext(connection) as asked:
        selectors.read_outline(rows, ordering=Ordering.parse(ordering), size=60, user_id=person.pk)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {asked[-1]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on media_mediafile " not in plan


def test_what_may_look_the_same_is_found_by_index(person: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE media_mediafile SET likeness = left(md5(id::text), 16)")
        cursor.execute("ANALYZE media_mediafile")
    media = MediaFile(owner=person, likeness="07cc497235fade39")
    plan = worth_comparing(media, owner_id=person.pk).explain()
    assert all(f"media_like_{number}" in plan for number in range(4))
    assert "Seq Scan on media_mediafile " not in plan


def test_words_are_found_by_index(person: Any) -> None:
    everything = MediaFile.objects.all()
    plan = MediaFilter({"q": "abcdef"}, queryset=everything).qs[:21].explain()
    assert "media_search_words" in plan


def test_trash(person: Any) -> None:
    plan = _plan(selectors.list_trash(user=person), "-pk")
    assert "media_trash" in plan


def _keys(folder: str) -> Iterator[str]:
    """As they are made, of nothing that a row has: by no other column are they in order."""
    names = (hashlib.sha256(f"{folder}{number}".encode()).hexdigest() for number in range(ROWS))
    return (f"{folder}/{name[:2]}/{name[:32]}" for name in names)


@pytest.fixture
def explained(person: Any) -> None:
    alias, ids = current_alias(), list(MediaFile.objects.values_list("pk", flat=True))
    MediaVersion.objects.bulk_create(
        MediaVersion(media_id=pk, number=1, storage=alias, key=key, size=1)
        for pk, key in zip(ids, _keys("original"), strict=True)
    )
    Rendition.objects.bulk_create(
        Rendition(media_id=pk, version=1, storage=alias, key=key, next_key=next_key)
        for pk, key, next_key in zip(ids, _keys("rendition"), _keys("next"), strict=True)
    )
    Tombstone.objects.bulk_create(
        Tombstone(storage=alias, key=key, due_at=timezone.now()) for key in _keys("original")
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE media_mediaversion, media_rendition, media_tombstone")


@pytest.mark.usefixtures("explained")
def test_a_comparison_begins_anywhere_in_the_keys() -> None:
    """By the index alone: only rows of one key, ordered by it already, are put in order."""
    walked = 0
    for source in sources():
        middle = source.of(current_alias()).order_by(source.field)[ROWS // 2 :].first()
        if middle is None:
            continue
        key = getattr(middle, source.field)
        for page in (source.page(current_alias(), key), source.page(current_alias(), key, 1)):
            plan = page[:PAGE_ROWS].explain()
            assert "Index Scan" in plan, plan
            assert "~>" in plan.partition("Index Cond")[2], plan
            assert "Sort" not in plan.replace("Incremental Sort", "").replace("Sort Key", ""), plan
        walked += 1
    assert walked == 4
