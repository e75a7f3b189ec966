"""The person, the files and the figures of `lists`. Imported once Django is set up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmark import Found
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, models
from figures import Figure
from report import Table, Verdict
from rest_framework.test import APIClient

from apps.media import selectors
from apps.media.models import Collection, CollectionPlace, Grant, MediaFile
from apps.media.policies import register_use_rule

PAGE_SIZE = 10
TARGET = 1.2
OWNERS = 1_000

# Ids rise with time. The visitor (the first user) sees one row of a hundred, spread over all time:
# 40 of 10 000 are their own, 10 public, 15 granted, 15 granted to groups, 10 in collections, 10 in
# use; all others are private to one of a thousand owners.
FILES = """
INSERT INTO media_mediafile (id, owner_id, title, caption, alt_text, visibility, focal_x, focal_y,
  original_name, media_type, mime_type, size, sha256, placeholder, color, version, status,
  failure_code, failure_message, progress, search_text, created_at, updated_at, deleted_at,
  usable, share_location, likeness, owner_text, latest_version)
SELECT {id},
  CASE WHEN g % 250 = 0 THEN {me} ELSE {me} + 1 + g % ({owners} - 1) END, '', '', '',
  CASE WHEN g % 1000 = 1 THEN 'public' ELSE 'private' END, 0.5, 0.5, 'file ' || g % 997,
  'image', 'image/jpeg', g % 4999, '', '', '', 1, 'ready', '', '', 100, md5(g::text), now(), now(),
  NULL, true, false, '', '', 1
FROM generate_series(1, {rows}) AS g
"""
ID = "(lpad(to_hex(1700000000000 + g), 12, '0') || '70008000' || lpad(to_hex(g), 12, '0'))::uuid"
# Grants of others, too, so that indexes have something to leave out.
GRANTS = """
INSERT INTO media_grant (id, media_id, user_id, group_id, permission, created_at, expires_at)
SELECT gen_random_uuid(), {id},
  CASE WHEN g % 2000 IN (5, 6, 10) THEN NULL WHEN g % 2000 IN (2, 3, 4) THEN {me}
    ELSE {me} + 1 + g % ({owners} - 1) END,
  CASE WHEN g % 2000 IN (5, 10) THEN {group} WHEN g % 2000 = 6 THEN {group} + 1 END,
  'view', now(), CASE WHEN g % 3 = 0 THEN now() + interval '1 day' END
FROM generate_series(1, {rows}) AS g WHERE g % 2000 IN (2, 3, 4, 5, 6, 7, 8, 9, 10)
"""
ITEMS = """
INSERT INTO media_collectionitem (collection_id, media_id, position, added_by_id, created_at)
SELECT '{collection}', {id}, g, {me} + 1 + g % ({owners} - 1), now()
FROM generate_series(1, {rows}) AS g WHERE g % 1000 = 11
"""
USES = """
INSERT INTO bench_use (reader_id, media_id)
SELECT CASE WHEN g % 1000 = 12 THEN {me} ELSE {me} + 1 + g % ({owners} - 1) END, {id}
FROM generate_series(1, {rows}) AS g WHERE g % 1000 IN (12, 13, 14, 15)
"""


class Use(models.Model):
    """That somebody's object uses a file: what an app that attaches files would have."""

    reader = models.ForeignKey(get_user_model(), on_delete=models.CASCADE)
    media = models.ForeignKey(MediaFile, on_delete=models.CASCADE)

    class Meta:
        app_label = "bench"
        db_table = "bench_use"
        indexes = [models.Index(fields=["reader", "media"], name="bench_use_reader")]

    def __str__(self) -> str:
        return f"{self.media_id} for {self.reader_id}"


def measure(rows: int, rounds: int) -> Found:
    call_command("migrate", verbosity=0)
    visitor = _fill(rows)
    client = APIClient(HTTP_HOST="localhost")
    client.force_authenticate(visitor)
    addresses = {1: f"/api/v1/media/?page_size={PAGE_SIZE}"}
    last, seen = _walk(client, addresses[1])
    addresses[seen // PAGE_SIZE] = last
    spent = _interleaved(client, addresses, rounds)
    table, ratio = _table(spent, visible=seen, rows=rows)
    deepest = max(addresses)
    verdict = Verdict(f"page {deepest} within {TARGET} × of page 1: {ratio:.2f}", ratio <= TARGET)
    plans = f"\n## Plans of page 1, by way of seeing\n\n```\n{_plans(visitor)}\n```\n"
    pairs = zip(spent[deepest], spent[1], strict=True)
    beside = Figure(f"page {deepest} ÷ page 1", tuple(last / first for last, first in pairs))
    return Found([table], [verdict], [beside], plans)


def _fill(rows: int) -> Any:
    with connection.schema_editor() as editor:
        editor.create_model(Use)
    register_use_rule("bench", lambda user: Use.objects.filter(reader=user.pk).values("media"))
    people = get_user_model()
    people.objects.bulk_create([people(username=f"user{number}") for number in range(OWNERS)])
    visitor = people.objects.get(username="user0")
    groups = [Group.objects.create(name=name) for name in ("readers", "writers")]
    visitor.groups.set(groups)
    shelf = Collection.objects.create(owner=people.objects.get(username="user1"), title="Shelf")
    CollectionPlace.objects.create(ancestor=shelf, descendant=shelf, depth=0)
    Grant.objects.create(collection=shelf, user=visitor)
    values = {"id": ID, "me": visitor.pk, "owners": OWNERS, "rows": rows, "group": groups[0].pk,
              "collection": shelf.pk}  # fmt: skip
    with connection.cursor() as cursor:
        for statement in (FILES, GRANTS, ITEMS, USES):
            cursor.execute(statement.format(**values))
        cursor.execute("VACUUM ANALYZE")
    return visitor


def _walk(client: Any, address: str) -> tuple[str, int]:
    """To the last page but one that is full; returns its address and how many rows came."""
    seen, full = 0, address
    while True:
        body = client.get(address).json()
        seen += len(body["results"])
        if body["next"] is None:
            return full, seen
        full, address = address, body["next"]


def _interleaved(client: Any, addresses: dict[int, str], rounds: int) -> dict[int, list[float]]:
    spent: dict[int, list[float]] = {page: [] for page in addresses}
    for _ in range(rounds):
        for page, address in addresses.items():
            spent[page].append(_seconds(lambda address=address: client.get(address)))
    return spent


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    assert call().status_code == 200
    return time.perf_counter() - start


def _table(spent: dict[int, list[float]], *, visible: int, rows: int) -> tuple[Table, float]:
    medians = {page: statistics.median(values) for page, values in spent.items()}
    first = medians[min(medians)]
    lines = tuple(
        (f"page {page}", f"{median * 1000:.1f}", f"{median / first:.2f}")
        for page, median in medians.items()
    )
    note = (
        f"{visible} of {rows} rows are visible; {PAGE_SIZE} a page; medians of {len(spent[1])} "
        "rounds in turn, the whole request in one process, database and all."
    )
    table = Table("GET media/", ("page", "ms", "× page 1"), lines, note)
    return table, medians[max(medians)] / first


def _plans(visitor: Any) -> str:
    """What PostgreSQL does for each way to see a file, for the first page."""
    return "\n\n".join(
        MediaFile.objects.filter(way)
        .order_by("-pk")
        .values_list("pk")[: PAGE_SIZE + 1]
        .explain(analyze=True)
        for way in selectors.ways_to_visible_media(user=visitor)
    )
