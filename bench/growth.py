"""The rows, the questions and the figures of `scale`. Imported once Django is set up."""

from __future__ import annotations

import json
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from benchmark import Found
from databases import copied, without_indexes
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from figures import Figure
from report import Table, Verdict
from rest_framework.test import APIClient

from apps.media import services
from apps.media.models import Job, MediaFile, MediaVersion, Rendition
from apps.media.services import jobs
from apps.media.services.duplicates import find_duplicate
from apps.media.services.explanations import explanations
from apps.media.storage import current_alias, store_of
from apps.media.testing import make_media

EACH = 1_000  # files of one person
TARGET = 3.0  # × the blocks of a hundredth of the rows
WALKED = 10_000  # rows of a walk along the keys
QUEUE, QUEUED = "bench", 2_000

ID = "(lpad(to_hex(1700000000000 + g), 12, '0') || '70008000' || lpad(to_hex(g), 12, '0'))::uuid"
# Five words of twenty thousand, few of them often, and one of its own.
WORDS = """
(SELECT string_agg('w' || (n0 ^ 3 * 20000)::int, ' ') FROM (
  SELECT ('x' || substr(md5(g || '.' || n), 1, 6))::bit(24)::int / 16777216.0 AS n0
  FROM generate_series(1, 5) n) AS drawn) || ' ' || substr(md5(g::text), 1, 10)
"""
FILES = """
INSERT INTO media_mediafile ({columns}) SELECT {values}
FROM media_mediafile t, generate_series({start}, {end}) g WHERE t.id = '{template}'
"""
VERSIONS = """
INSERT INTO media_mediaversion ({columns}) SELECT {values}
FROM media_mediaversion t, generate_series({start}, {end}) g WHERE t.media_id = '{template}'
"""
RENDITIONS = """
INSERT INTO media_rendition ({columns}) SELECT {values}
FROM media_rendition t, generate_series({start}, {end}) g WHERE t.media_id = '{template}'
"""
OF_ALL = (
    "Of 8 KiB, of all questions together, in memory or not; statements that change rows are not "
    "counted."
)
OF_WALKS = "Of these PostgreSQL tells no blocks."
TABLES = ("media_mediafile", "media_mediaversion", "media_rendition")


@dataclass(frozen=True)
class Cost:
    """Of one question, or one piece of work: the median time, all blocks, the number of queries."""

    milliseconds: float
    blocks: int
    queries: int


def measure(sizes: Sequence[int], rounds: int) -> Found:
    call_command("migrate", verbosity=0)
    template = _template()
    costs: dict[int, dict[str, Cost]] = {}
    room: dict[int, dict[str, int]] = {}
    made = 0
    for size in sizes:
        _fill(template, first=made, last=size - 1)
        made = size
        room[size] = _room()
        costs[size] = {name: _cost(ask, rounds) for name, ask in _questions(size).items()}
        for name, cost in costs[size].items():
            sys.stdout.write(f"{size:>10} {name:<52} {cost}\n")
        sys.stdout.flush()
    tables = [*_tables(costs), _room_table(room)]
    return Found(tables, _verdicts(costs), _figures(max(costs), costs[max(costs)], room))


# -- rows --------------------------------------------------------------------------------------


def _template() -> MediaFile:
    """One real file that all others are like, of somebody who has no others."""
    owner = get_user_model().objects.create_user(username="template")
    return make_media(owner=owner, content=b"x", renditions=("w320.jpg",))


def _fill(template: MediaFile, *, first: int, last: int) -> None:
    """Files `first` to `last`, with their owners, a version and a rendition each."""
    people, users = get_user_model(), range(first // EACH, last // EACH + 1)
    people.objects.bulk_create(
        [people(username=f"user{number}") for number in users], ignore_conflicts=True
    )
    me = people.objects.get(username="user0").pk
    files = copied(
        MediaFile,
        id=ID,
        owner_id=f"{me} + g / {EACH}",
        original_name="'file ' || g % 997",
        media_type="(ARRAY['image', 'image', 'video', 'audio'])[1 + g % 4]",
        visibility="CASE WHEN g % 100 = 7 THEN 'public' ELSE 'private' END",
        size="1000 + g::bigint * 7919 % 9000000",
        sha256="md5(g::text) || md5(g::text)",
        swatch="(ARRAY['red', 'blue', 'green', 'grey', ''])[1 + g % 5]",
        search_text=WORDS,
        deleted_at="CASE WHEN g % 100 = 50 THEN now() END",
    )
    key = "'{folder}/' || substr(md5(g::text), 1, 2) || '/' || md5(g::text)"
    versions = copied(MediaVersion, id=None, media_id=ID, key=key.format(folder="original"))
    renditions = copied(Rendition, id=None, media_id=ID, key=key.format(folder="rendition"))
    values = {"start": first, "end": last, "template": template.pk}
    with connection.cursor() as cursor, without_indexes(cursor, TABLES, when=last - first > 10**5):
        cursor.execute("SET synchronous_commit = off")
        for statement, columns in ((FILES, files), (VERSIONS, versions), (RENDITIONS, renditions)):
            told = {"columns": ", ".join(columns), "values": ", ".join(columns.values())}
            cursor.execute(statement.format(**told, **values))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _room() -> dict[str, int]:
    """Bytes of each table with its indexes."""
    with connection.cursor() as cursor:
        sizes = {}
        for table in TABLES:
            cursor.execute("SELECT pg_total_relation_size(%s)", [table])
            sizes[table] = int(cursor.fetchone()[0])
    return sizes


# -- questions ---------------------------------------------------------------------------------


def _questions(size: int) -> dict[str, Callable[[], Any]]:
    """What is asked and done, as person 3 of those whose rows lie in the middle."""
    people = get_user_model().objects
    me = people.get(username=f"user{size // EACH // 2}")
    client = APIClient(HTTP_HOST="localhost")
    client.force_authenticate(me)
    client.force_login(me)
    mine = MediaFile.objects.filter(owner=me, deleted_at=None).order_by("-pk")
    one = mine[EACH // 2]
    word = one.search_text.split()
    _write_thumbnail(one)

    def get(address: str) -> Callable[[], Any]:
        return lambda: _ok(address, client.get(address))

    pages = {
        "own files": get(f"/api/v1/media/?owner={me.username}"),
        "own files, page 20": get(_page(client, f"/api/v1/media/?owner={me.username}", 20)),
        "own files by size": get(f"/api/v1/media/?owner={me.username}&ordering=-size"),
        "own videos": get(f"/api/v1/media/?owner={me.username}&media_type=video"),
        "own files of a colour": get(f"/api/v1/media/?owner={me.username}&color=blue"),
        "own files with a common word": get(f"/api/v1/media/?owner={me.username}&q=w0"),
        "everything visible": get("/api/v1/media/"),
        "everything visible, page 20": get(_page(client, "/api/v1/media/", 20)),
        "visible with a rare word": get(f"/api/v1/media/?q={word[-1]}"),
        "visible with a common word": get("/api/v1/media/?q=w0"),
        "the library page": get("/library/"),
        "suggestions": get(f"/library/suggestions/?q={word[0]}"),
        "the page of a file": get(f"/library/{one.pk}/"),
        "a thumbnail": get(f"/media/{one.pk}/r/w320.jpg"),
        "the trash": get("/library/trash/"),
        "storage usage": get("/library/storage/"),
    }
    return pages | _work(me, one)


def _write_thumbnail(one: MediaFile) -> None:
    """The one object that is asked for."""
    row = Rendition.objects.get(media=one)
    with store_of(row.storage).writer(row.key) as writer:
        writer.write(b"x" * row.size)


def _work(me: Any, one: MediaFile) -> dict[str, Callable[[], Any]]:
    alias = current_alias()
    middle = one.current.key
    sweeps = {f"clean-up: {rule.name}": rule.sweep for rule in services.cleanup_rules()}
    return {
        "an upload": lambda: services.upload_media(
            user=me, file=ContentFile(f"words {uuid.uuid4()}".encode(), "words.txt")
        ),
        "whether the bytes are there": lambda: find_duplicate(owner_id=me.pk, sha256=one.sha256),
        f"the next of {QUEUED} jobs": _next_job(one),
        "sending 500 lost jobs again": services.sweep_jobs,
        f"reconcile: {WALKED} rows along the keys": lambda: list(
            islice(explanations(alias, after=middle), WALKED)
        ),
        "deleting a file for good": lambda: services.delete_media(
            user=me, media=MediaFile.objects.get(pk=one.pk), permanent=True
        ),
        **sweeps,
    }


def _next_job(one: MediaFile) -> Callable[[], Any]:
    Job.objects.filter(queue=QUEUE).delete()
    waiting = {"kind": Job.Kind.INSPECT, "queue": QUEUE, "due_at": timezone.now()}
    Job.objects.bulk_create(
        Job(media=one, version=1, subject=str(number), **waiting) for number in range(QUEUED)
    )
    return lambda: jobs._claim(QUEUE, kinds=Job.Kind.values)


def _ok(address: str, answer: Any) -> Any:
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status_code} {answer.content[:300]!r}")
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def _page(client: Any, address: str, number: int) -> str:
    for _ in range(number - 1):
        address = json.loads(client.get(address).content)["next"] or address
    return address


# -- figures -----------------------------------------------------------------------------------


def _cost(ask: Callable[[], Any], rounds: int) -> Cost:
    """Each time everything is taken back."""
    spent, asked = [], []
    for _ in range(rounds + 1):
        with transaction.atomic():
            with CaptureQueriesContext(connection) as captured:
                start = time.perf_counter()
                ask()
                spent.append(time.perf_counter() - start)
            asked = [query["sql"] for query in captured]
            transaction.set_rollback(True)
    with transaction.atomic():
        blocks = sum(map(_blocks, asked))
        transaction.set_rollback(True)
    return Cost(statistics.median(spent[1:]) * 1000, blocks, len(asked))


def _blocks(sql: str) -> int:
    """Blocks that a question touches, of memory or disk. What changes rows is not asked again."""
    if not sql.lstrip("( ").upper().startswith(("SELECT", "WITH")):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql.replace('%', '%%')}", [])
        ((told,),) = cursor.fetchall()
    plan = told[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _tables(costs: dict[int, dict[str, Cost]]) -> list[Table]:
    most = max(costs)
    headings = ("", *map(_spaced, costs))
    asked = {name: cost for name, cost in costs[most].items() if cost.blocks}
    walked = [name for name, cost in costs[most].items() if not cost.blocks]
    blocks = [(name, *(str(each[name].blocks) for each in costs.values())) for name in asked]
    walks = [
        (name, *(f"{each[name].milliseconds:.1f}" for each in costs.values())) for name in walked
    ]
    times = [(name, f"{cost.milliseconds:.1f}", str(cost.queries)) for name, cost in asked.items()]
    return [
        Table("Blocks of PostgreSQL among so many files", headings, tuple(blocks), OF_ALL),
        Table(
            f"Time and queries among {_spaced(most)} files",
            ("", "ms", "queries"),
            tuple(times),
            "Whole requests in one process, or calls of a service; medians.",
        ),
        Table("Walks by a cursor of the server, in ms", headings, tuple(walks), OF_WALKS),
    ]


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _room_table(room: dict[int, dict[str, int]]) -> Table:
    lines = [
        (table, *(str(sizes[table] // rows) for rows, sizes in room.items())) for table in TABLES
    ]
    headings = ("table", *map(_spaced, room))
    note = "Rows with all their indexes; one version and one rendition of each file."
    return Table("Bytes in the database for each file", headings, tuple(lines), note)


def _figures(most: int, costs: dict[str, Cost], room: dict[int, dict[str, int]]) -> list[Figure]:
    """Blocks and bytes among the most files: a busy machine does not change them."""
    files = f"among {_spaced(most)} files"
    blocks = [
        Figure(f"{name}: blocks {files}", (cost.blocks,))
        for name, cost in costs.items()
        if cost.blocks
    ]
    sizes = [
        Figure(f"{table}: bytes a file {files}", (size // most,))
        for table, size in room[most].items()
    ]
    return [*blocks, *sizes]


def _verdicts(costs: dict[int, dict[str, Cost]]) -> list[Verdict]:
    """Whether a hundred times the rows cost a question less than `TARGET` times the blocks."""
    most = max(costs)
    base = max((size for size in costs if size <= most // 100), default=most)
    told = []
    for name, cost in costs[most].items():
        if not cost.blocks:  # walks by a cursor of the server are not explained
            continue
        ratio = cost.blocks / max(costs[base][name].blocks, 1)
        words = f"{name}: blocks × {ratio:.2f} from {_spaced(base)} to {_spaced(most)} files"
        told.append(Verdict(words, ratio <= TARGET))
    return told
