"""Rows against objects against what was begun and never finished: one walk along the keys of each.

Reports; repairs only when asked, and never removes what a row explains. Since rows and objects are
read one after the other while the site goes on, whatever looks wrong is looked at again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from django.db import transaction
from django.utils import timezone

from apps.core.errors import ObjectMissingError
from apps.core.storage import ObjectStore, State, StoredObject, UnfinishedStore
from apps.core.storage.keys import whole_of
from apps.media import dispatch
from apps.media.exceptions import ObjectLostError
from apps.media.models import MediaFile, MediaVersion, Rendition
from apps.media.services.bulk import reprocess_many
from apps.media.services.cleaning import tombstones_left
from apps.media.services.consistency import Violation
from apps.media.services.deletion import raise_tombstone
from apps.media.services.explanations import (
    Explanation,
    aliases_in_use,
    aliases_left,
    count_owed,
    explanations,
    is_explained,
    is_owed,
    is_still_owed,
)
from apps.media.services.hosts import ensure_hosts_known
from apps.media.services.publication import reject_version
from apps.media.services.verifying import verify_version
from apps.media.storage import INCOMING, chosen_name, current_alias, known_aliases, store_of

logger = logging.getLogger(__name__)

GRACE = timedelta(days=1)  # what is younger may belong to a row that is about to be written
SWEPT = 500
GOOD_MANY = 10  # objects: fewer can be lost one by one


def storages_to_reconcile() -> list[str]:
    """Every storage that rows name and the settings know, and the one that new objects go to; each
    by one name."""
    named = aliases_in_use() & set(known_aliases())
    return sorted({chosen_name(alias) for alias in (current_alias(), *named)})


def lacks_all_objects(alias: str) -> bool:
    """Whether rows name a good many objects in the storage, and not a single one is there."""
    return is_owed(alias, objects=GOOD_MANY) and next(store_of(alias).walk(), None) is None


def find_left_storages() -> Iterator[Violation]:
    """What rows name in storages that the settings do not know."""
    waiting = tombstones_left()
    for alias in aliases_left():
        what, told = f"storage {alias}", "is not in STORAGES, and"
        if count := count_owed(alias):
            yield Violation("I3", what, f"{told} {count} rows name objects there")
        if count := waiting.get(alias, 0):
            ended = f"media_cleanup --forget {alias} ends that"
            yield Violation("I2", what, f"{told} {count} objects there are to be removed: {ended}")


def find_storage_violations(
    alias: str,
    *,
    grace: timedelta = GRACE,
    with_hashes: bool = False,
    after: str = "",
    on_key: Callable[[str], None] | None = None,
) -> Iterator[Violation]:
    """Orphans, lost objects, wrong sizes of one storage; `with_hashes` also reads every original.

    Begins behind the key `after`. `on_key` gets each key that was compared: with the last of them
    as `after`, another run goes on. Raises `HostMissingError`.
    """
    ensure_hosts_known()
    before, store = timezone.now() - grace, store_of(alias)
    for key, rows, objects in _side_by_side(alias, store, after):
        yield from _compare(alias, key, rows, objects, before)
        if with_hashes and objects:
            yield from _changed_bytes(rows)
        if on_key:
            on_key(key)
    yield from _unfinished_orphans(alias, store, before)


def _side_by_side(
    alias: str, store: ObjectStore, after: str = ""
) -> Iterator[tuple[str, list[Explanation], list[StoredObject]]]:
    """Each key with the rows that explain it and the objects that lie there.

    Pieces of an object that grows stand under its key.
    """
    rows = groupby(explanations(alias, after=after), key=lambda found: found.key)
    behind = (found for found in store.walk(after=after) if whole_of(found.key) > after)
    objects = groupby(behind, key=lambda found: whole_of(found.key))
    row, stored = next(rows, None), next(objects, None)
    while row or stored:
        key = min(group[0] for group in (row, stored) if group)
        explained = list(row[1]) if row and row[0] == key else []
        found = list(stored[1]) if stored and stored[0] == key else []
        yield key, explained, found
        row = next(rows, None) if row and row[0] == key else row
        stored = next(objects, None) if stored and stored[0] == key else stored


def _compare(
    alias: str,
    key: str,
    rows: list[Explanation],
    objects: list[StoredObject],
    before: datetime,
) -> Iterator[Violation]:
    if not rows:
        for item in objects:
            yield from _orphan(alias, key, item, before)
    sizes = {item.key: item.size for item in objects}
    for row in rows:
        if row.is_owed and sizes.get(key) != row.size:
            yield from _lost(alias, row)


# -- I2: every object is explained -------------------------------------------------------------


def _orphan(alias: str, whole: str, item: StoredObject, before: datetime) -> Iterator[Violation]:
    if item.modified > before or is_explained(alias, whole, item.key):
        return
    detail = f"{item.size} bytes since {item.modified:%Y-%m-%d %H:%M} that no row explains"
    repair = partial(_bury, alias, item.key, whole, {})
    yield Violation("I2", f"object {alias}:{item.key}", detail, repair)


def _unfinished_orphans(alias: str, store: ObjectStore, before: datetime) -> Iterator[Violation]:
    if not isinstance(store, UnfinishedStore):
        return
    for begun in store.walk_unfinished():
        whole = whole_of(begun.key)
        if begun.started > before or is_explained(alias, whole):
            continue
        detail = f"begun {begun.started:%Y-%m-%d %H:%M}, and no row explains it"
        repair = partial(_bury, alias, begun.key, whole, begun.state)
        yield Violation("I2", f"unfinished {alias}:{begun.key}", detail, repair)


@transaction.atomic
def _bury(alias: str, key: str, whole: str, state: State) -> bool:
    if is_explained(alias, whole):
        return False
    raise_tombstone(storage=alias, key=key, storage_state=state)
    return True


def _incoming_orphans(alias: str, store: ObjectStore, before: datetime) -> Iterator[Violation]:
    """What a writer left that died, or was cut off and came back after others had finished."""
    for item in store.walk(f"{INCOMING}/"):
        yield from _orphan(alias, whole_of(item.key), item, before)


def sweep_unfinished(*, limit: int = SWEPT) -> int:
    """End what was begun in a storage more than a day ago and no row explains; return how many."""
    swept = 0
    for alias in storages_to_reconcile():
        found = _left_in(alias)
        try:
            while swept < limit and (violation := next(found, None)):
                swept += bool(violation.repair and violation.repair())
        except Exception:  # whatever is wrong with one
            logger.warning("storage %s cannot be swept for now", alias, exc_info=True)
    return dispatch.maybe_sweep_again(dispatch.SWEEP_UNFINISHED, done=swept, limit=limit)


def _left_in(alias: str) -> Iterator[Violation]:
    before, store = timezone.now() - GRACE, store_of(alias)
    yield from _unfinished_orphans(alias, store, before)
    yield from _incoming_orphans(alias, store, before)


# -- I3: every row has its object --------------------------------------------------------------


def _lost(alias: str, row: Explanation) -> Iterator[Violation]:
    try:
        size: int | None = store_of(alias).size_of(row.key)
    except ObjectMissingError:
        size = None
    if size == row.size or not is_still_owed(alias, row):
        return
    what = f"{row.model._meta.model_name} {row.pk}"
    if size is not None:
        detail = f"the object {alias}:{row.key} has {size} bytes instead of {row.size}"
        yield Violation("I3", what, detail)
        return
    repair = partial(_REPAIRS[row.model], row) if row.model in _REPAIRS else None
    yield Violation("I3", what, f"the object {alias}:{row.key} is not there", repair)


@transaction.atomic
def _fail_version(row: Explanation) -> bool:
    """Its owner is told; others get nothing of it any more."""
    version = MediaVersion.objects.filter(pk=row.pk, key=row.key).first()
    if version is None:
        return False
    media = MediaFile.objects.select_for_update().filter(pk=version.media_id).first()
    if media is None:
        return False
    reject_version(media, version.number, ObjectLostError(row.key))
    return True


@transaction.atomic
def _make_again(row: Explanation) -> bool:
    """The file is locked first, as workers do."""
    lost = Rendition.objects.filter(pk=row.pk, key=row.key)
    media = MediaFile.objects.select_for_update().filter(pk__in=lost.values("media_id")).first()
    if media is None or not lost.delete()[0]:
        return False
    reprocess_many(media_ids=[media.pk], changed_only=True)
    return True


_REPAIRS: dict[type, Callable[[Explanation], bool]] = {
    MediaVersion: _fail_version,
    Rendition: _make_again,
}


# -- I1: the bytes are those that came ---------------------------------------------------------


def _changed_bytes(rows: list[Explanation]) -> Iterator[Violation]:
    for row in rows:
        if row.model is not MediaVersion:
            continue
        version = MediaVersion.objects.filter(pk=row.pk).exclude(sha256="").first()
        if version and (wrong := verify_version(version)):
            yield Violation("I1", f"mediaversion {row.pk}", wrong)
