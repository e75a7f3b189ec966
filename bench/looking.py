"""The pictures and the figures of `lookalikes`. Imported once Django is set up."""

from __future__ import annotations

import random
import re
import statistics
import time

from benchmark import Found
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from figures import Figure
from report import Table, Verdict

from apps.media import selectors
from apps.media.models import MediaFile
from apps.media.processing.likeness import BITS
from apps.media.selectors.lookalikes import worth_comparing
from apps.media.selectors.media import LIKENESS_DISTANCE

PLANTED = 8  # pictures like each that is asked for
SHARE = 0.05  # of the pictures that may be compared
LONGEST = 50  # ms
BATCH = 5_000
CHANCE = random.Random(20)


def measure(rows: int, rounds: int) -> Found:
    """Every picture that is asked for has `PLANTED` others that differ in 0 to 10 bits."""
    call_command("migrate", verbosity=0)
    owner = get_user_model().objects.create_user("rita")
    asked = _fill(owner, rows // 10, rounds)
    few = _time(asked)
    _fill(owner, rows - rows // 10, 0)
    many = _time(asked)
    near = (worth_comparing(media, owner_id=media.owner_id) for media in asked)
    compared = statistics.median(map(len, near))
    missed = sum(len(selectors.find_lookalikes(media=media)) < PLANTED for media in asked)
    table = Table(
        "Finding what looks like one picture",
        ("pictures of the owner", "ms, median"),
        ((f"{rows // 10:,}", f"{few:.1f}"), (f"{rows:,}", f"{many:.1f}")),
        f"On {connection.vendor}. Of {rows:,} pictures {compared:.0f} were compared.",
    )
    verdicts = [
        Verdict(f"every one of {PLANTED} is found, of {rounds} pictures", missed == 0),
        Verdict(
            f"at most {SHARE:.0%} are compared: {compared / rows:.1%}", compared < rows * SHARE
        ),
        Verdict(f"less than {LONGEST} ms: {many:.0f}", many < LONGEST),
    ]
    plan = worth_comparing(asked[0], owner_id=asked[0].owner_id).explain()
    plan = re.sub(r"\{[^}]*\}", "{…}", plan)  # 137 values
    figures = [
        Figure("% of the pictures that are compared", (100 * compared / rows,)),
        Figure("all pictures ÷ a tenth of them, time", (many / few,)),
    ]
    return Found([table], verdicts, figures, f"\n## Plan\n\n```\n{plan}\n```\n")


def _fill(owner: object, count: int, asked: int) -> list[MediaFile]:
    """So many pictures; those of them that will be asked for."""
    wanted = [_picture(owner, _likeness()) for _ in range(asked)]
    planted = [
        _picture(owner, _altered(int(media.likeness, 16), CHANCE.randint(0, LIKENESS_DISTANCE)))
        for media in wanted
        for _ in range(PLANTED)
    ]
    others = (_picture(owner, _likeness()) for _ in range(count - len(wanted) - len(planted)))
    rows = [*wanted, *planted, *others]
    MediaFile.objects.bulk_create(rows, batch_size=BATCH)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return wanted


def _likeness() -> int:
    """Half of the bits are set, as in every likeness."""
    return sum(1 << place for place in CHANCE.sample(range(BITS), BITS // 2))


def _altered(likeness: int, bits: int) -> int:
    return likeness ^ sum(1 << place for place in CHANCE.sample(range(BITS), bits))


def _picture(owner: object, likeness: int) -> MediaFile:
    return MediaFile(
        owner=owner,
        original_name="photo.jpg",
        media_type="image",
        mime_type="image/jpeg",
        size=1,
        status="ready",
        likeness=f"{likeness:016x}",
    )


def _time(asked: list[MediaFile]) -> float:
    """Milliseconds for one picture, the median."""
    spent = []
    for media in asked:
        start = time.perf_counter()
        selectors.find_lookalikes(media=media)
        spent.append(time.perf_counter() - start)
    return statistics.median(spent) * 1_000
