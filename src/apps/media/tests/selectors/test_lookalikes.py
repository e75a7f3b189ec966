"""What looks like one picture, among everything that somebody sees."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.ids import new_id
from apps.media import selectors
from apps.media.models import MediaFile
from apps.media.selectors import lookalikes

pytestmark = pytest.mark.django_db

CHANCE = random.Random(7)
MOST = 14  # bits of difference: four more than count as the same


def _altered(likeness: int, bits: int) -> int:
    for place in CHANCE.sample(range(64), bits):
        likeness ^= 1 << place
    return likeness


@pytest.fixture
def around(owner: Any, stranger: Any) -> MediaFile:
    """A picture, and others in every distance: own, somebody else's, public or not."""
    likeness = CHANCE.getrandbits(64)
    rows = [
        MediaFile(
            pk=new_id(),
            owner=person,
            visibility=visibility,
            original_name="a.jpg",
            media_type="image",
            mime_type="image/jpeg",
            size=1,
            status="ready",
            usable=True,
            likeness=f"{_altered(likeness, bits):016x}",
        )
        for bits in range(MOST + 1)
        for person in (owner, stranger)
        for visibility in ("private", "public")
        for _ in range(5)
    ]
    CHANCE.shuffle(rows)
    MediaFile.objects.bulk_create(rows)
    middle = [row for row in rows if row.likeness == f"{likeness:016x}"]
    return next(row for row in middle if row.owner == owner and row.visibility == "public")


def _by_hand(user: Any, media: MediaFile) -> list[Any]:
    """Every visible one is compared, the nearest first, then the newest."""
    found = []
    for other in selectors.list_visible_media(user=user).exclude(pk=media.pk):
        bits = (int(other.likeness, 16) ^ int(media.likeness, 16)).bit_count()
        if bits <= selectors.LIKENESS_DISTANCE:
            found.append((bits, -other.pk.int, other.pk))
    return [pk for _, _, pk in sorted(found)]


@pytest.mark.parametrize("who", ["owner", "stranger", "staff", "nobody"])
def test_none_is_missed_and_none_is_too_many(
    request: Any, who: str, around: MediaFile, monkeypatch: Any
) -> None:
    monkeypatch.setattr(lookalikes, "MOST_SIMILAR", 1000)
    user = AnonymousUser() if who == "nobody" else request.getfixturevalue(who)
    found = [media.pk for media in selectors.list_similar_media(user=user, media=around)]
    assert len(found) > 50
    assert found == _by_hand(user, around)


def test_the_nearest_of_many(around: MediaFile, owner: Any, monkeypatch: Any) -> None:
    everything = _by_hand(owner, around)
    monkeypatch.setattr(lookalikes, "MOST_SIMILAR", 7)
    found = [media.pk for media in selectors.list_similar_media(user=owner, media=around)]
    assert found == everything[:7]


def test_own_ones_are_found_however_many_others_there_are(
    around: MediaFile, owner: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(lookalikes, "OTHERS_COMPARED", 0)
    own = set(MediaFile.objects.filter(owner=owner).values_list("pk", flat=True))
    monkeypatch.setattr(lookalikes, "MOST_SIMILAR", 1000)
    found = [media.pk for media in selectors.list_similar_media(user=owner, media=around)]
    assert found == [pk for pk in _by_hand(owner, around) if pk in own]


def test_own_rows_are_read_by_their_bands_alone(around: MediaFile, owner: Any) -> None:
    """Not one row of one's own comes that no quarter speaks for."""
    with CaptureQueriesContext(connection) as asked:
        selectors.list_similar_media(user=owner, media=around)
    reads = [query["sql"] for query in asked if '"likeness"' in query["sql"].partition("FROM")[0]]
    own = [sql for sql in reads if "SUBSTR" in sql]
    assert len(own) == 1
    assert own[0].count("SUBSTR") == 4
