"""Files on their way to another storage, while the site goes on.

An object is copied, what has arrived is read again, and only then the row names the other storage.
What is left behind gets a tombstone for later: whoever is in the middle of reading it reads on. A
run that was ended at any point is begun again; what rows still name in the old storage is what is
left to do.

Copies are expected, and rows turned, many in one transaction: the commits of one by one took longer
than the bytes (docs/performance.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import InvalidStorageError, storages
from django.db import transaction
from django.db.models import Min, Model, Q, QuerySet, Sum
from django.utils import timezone

from apps.core.errors import AppError, ObjectMissingError
from apps.core.storage import Capability, ObjectStore, storage_from_url
from apps.core.storage.base import COPY_BYTES
from apps.media.models import Caption, MediaVersion, Rendition, Tombstone, Upload
from apps.media.services.deletion import WRITE_GRACE, raise_tombstone, raise_tombstones
from apps.media.services.explanations import aliases_in_use, owed_keys
from apps.media.storage import chosen_name, incoming_key, names_of, store_of

KEEP_LEFT_BEHIND = timedelta(days=1)
BATCH = 100  # objects of one transaction
BATCH_BYTES = 1024**3  # fewer where they are large: a copy is expected for a day only
MOMENT = 1.0  # seconds after which what has arrived is turned, however much it is
CHANGED = "the bytes have changed since they came"
WRONG = "what has arrived is not what was sent"

OnBytes = Callable[[int], None]


class _EndedError(Exception):
    """The run has ended, and nobody waits for this copy."""


@dataclass(frozen=True)
class Place:
    """A storage to move to: one of the settings by its alias, or any other by its URL."""

    store: ObjectStore
    alias: str = ""

    @property
    def is_known(self) -> bool:
        """Whether every process of the site finds what rows name there."""
        return bool(self.alias)


@dataclass(frozen=True)
class Moved:
    """What became of one object: `problem` is empty when it is where it should be.

    `is_busy`: the row has changed, or is about to; another run looks at it again.
    """

    name: str
    size: int
    problem: str = ""
    is_busy: bool = False


@dataclass(frozen=True)
class _Item:
    """One object, as the row `pk` of `model` names it. `sha256` is empty where nobody knows it."""

    model: type[Model]
    pk: Any
    storage: str
    key: str
    size: int
    sha256: str = ""
    is_busy: bool = False

    @property
    def name(self) -> str:
        return f"{self.storage}:{self.key}"


Arrived = list[tuple[_Item, str]]  # with what is wrong with the copy, mostly nothing


def place_of(name: str) -> Place:
    """The storage that an alias of the settings or a URL names.

    Raises ValueError for a bad URL, and for an alias of what keeps no objects.
    """
    if name in settings.STORAGES:
        try:
            return Place(store_of(name), chosen_name(name))
        except ImproperlyConfigured as error:
            raise ValueError(str(error)) from error
    entry = storage_from_url(name)
    for alias, known in settings.STORAGES.items():
        if known == entry:
            return Place(store_of(alias), chosen_name(alias))
    return Place(cast("ObjectStore", storages.create_storage(entry)))


def count_to_move(to: Place, *, whole: bool = False) -> tuple[int, int]:
    """How many objects are elsewhere, or with `whole` anywhere, and their bytes."""
    count = total = 0
    for rows in _sources(to, whole=whole):
        count += rows.count()
        total += rows.aggregate(bytes=Sum("size"))["bytes"] or 0
    return count, total


def count_unfinished_elsewhere(to: Place) -> int:
    """How many uploads are under way in another storage. They end there, and are moved then."""
    under_way = Upload.objects.exclude(state=Upload.State.COMPLETED)
    return under_way.exclude(storage__in=names_of(to.alias)).count()


def move_objects(to: Place, *, jobs: int, keep: timedelta, on_bytes: OnBytes) -> Iterator[Moved]:
    """Bring all that rows name elsewhere to the known place `to`, `jobs` objects at a time.

    What is left behind is removed after `keep`.
    """
    batches = _expected(_batches(_items(to)), to)
    for arrived in _each(batches, jobs, on_bytes, partial(_bring, to=to)):
        yield from _settle(arrived, to, keep)


def copy_objects(
    to: Place, *, since: Place | None = None, jobs: int, on_bytes: OnBytes
) -> Iterator[Moved]:
    """See to it that `to` has all that rows name; rows go on naming what they name.

    Objects come from where rows say, or from the storage that the site has left, `since`.
    """
    origin = since.store if since else None
    batches = _batches(_items(to, whole=True))
    for arrived in _each(batches, jobs, on_bytes, partial(_bring, to=to, origin=origin)):
        for item, problem in arrived:
            yield Moved(item.name, item.size, problem if problem and _naming([item]) else "")


def _settle(arrived: Arrived, to: Place, keep: timedelta) -> Iterator[Moved]:
    """Turn the rows of what has arrived whole, and tell of each what became of it."""
    whole = [item for item, problem in arrived if not problem and not item.is_busy]
    there = _turn(whole, to.alias, keep)
    for item in whole:
        if item.key not in there:
            there |= _turn_or_drop(item, to.alias, keep)
    for item, problem in arrived:
        if problem:
            yield Moved(item.name, item.size, problem if _is_wrong(item, to, problem) else "")
        else:
            yield Moved(item.name, item.size, is_busy=item.key not in there)


@transaction.atomic
def _is_wrong(item: _Item, to: Place, problem: str) -> bool:
    """Whether the row still names the object; else somebody has deleted it, or moved it, meanwhile.

    What has arrived wrong goes, to be sent again. A storage that was away says nothing of that.
    """
    if not _naming([item]):
        return False
    if problem.startswith((CHANGED, WRONG)):
        raise_tombstone(storage=to.alias, key=item.key)
    return True


def unify_names() -> int:
    """Have rows name each storage by one alias, the one of new rows; return how many did not."""
    changed = 0
    for alias in aliases_in_use():
        if alias in settings.STORAGES and (name := chosen_name(alias)) != alias:
            for model in (MediaVersion, Rendition, Caption, Upload, Tombstone):
                changed += model._default_manager.filter(storage=alias).update(storage=name)
    return changed


def _sources(to: Place, *, whole: bool) -> list[QuerySet[Any]]:
    """The rows of each model that name objects to be brought to `to`."""
    elsewhere = Q() if whole else ~Q(storage__in=names_of(to.alias))
    return [
        model._default_manager.filter(elsewhere).exclude(key="")
        for model in (MediaVersion, Rendition, Caption)
    ]


def _items(to: Place, *, whole: bool = False) -> Iterator[_Item]:
    """Those rows along their keys, a few in memory at a time."""
    for rows in _sources(to, whole=whole):
        model, last = rows.model, None
        wanted = [name for name in ("sha256", "next_key") if _has(model, name)]
        while batch := list(_behind(rows, last).values("pk", "storage", "key", "size", *wanted)):
            for row in batch:
                busy = bool(row.pop("next_key", "")) and not whole
                yield _Item(model=model, is_busy=busy, **row)
            last = batch[-1]["pk"]


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    batch, size = [], 0
    for item in items:
        batch.append(item)
        size += item.size
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _expected(batches: Iterable[list[_Item]], to: Place) -> Iterator[list[_Item]]:
    """Each with tombstones for the copies before there are any, which `_turn` takes away: a run
    that dies in between leaves nothing that no row explains."""
    for batch in batches:
        due = timezone.now() + KEEP_LEFT_BEHIND
        copies = ((to.alias, item.key) for item in batch if not item.is_busy)
        raise_tombstones(copies, due_at=due)
        yield batch


def _behind(rows: QuerySet[Any], last: Any) -> QuerySet[Any]:
    return (rows if last is None else rows.filter(pk__gt=last)).order_by("pk")[:BATCH]


def _has(model: type[Model], name: str) -> bool:
    return any(field.name == name for field in model._meta.get_fields())


def _each(
    batches: Iterable[list[_Item]],
    jobs: int,
    on_bytes: OnBytes,
    work: Callable[[_Item, OnBytes], str],
) -> Iterator[Arrived]:
    """What `work` says of each item, as they are done; `jobs` are under way at once, and given up
    where the run ends before them."""
    under_way: dict[Future[str], _Item] = {}
    ended = Event()

    def told(count: int) -> None:
        if ended.is_set():
            raise _EndedError
        on_bytes(count)

    with ThreadPoolExecutor(jobs, thread_name_prefix="move") as pool:
        try:
            for batch in batches:
                under_way |= {pool.submit(work, item, told): item for item in batch}
                while len(under_way) > 2 * jobs:
                    yield _done(under_way)
            while under_way:
                yield _done(under_way)
        finally:
            ended.set()
            pool.shutdown(cancel_futures=True)


def _done(under_way: dict[Future[str], _Item]) -> Arrived:
    """Take out what is done, after a moment, or as soon as all is."""
    done, _ = wait(under_way, timeout=MOMENT)
    return [(under_way.pop(future), future.result()) for future in done]


def _bring(item: _Item, on_bytes: OnBytes, *, to: Place, origin: ObjectStore | None = None) -> str:
    """Copy one object and read again what has arrived; say what is wrong. No database here."""
    if item.is_busy:
        return ""
    try:
        if origin is not None and _size_in(to.store, item.key) == item.size:
            return ""  # what the site has written since it moved
        return _copy(item, origin or store_of(item.storage), to.store, on_bytes)
    except (AppError, OSError, InvalidStorageError) as error:
        return f"{type(error).__name__}: {error}"


def _copy(item: _Item, source: ObjectStore, target: ObjectStore, on_bytes: OnBytes) -> str:
    expected = _send(item, source, target, on_bytes)
    if item.sha256 and expected != item.sha256:
        return f"{CHANGED}: {expected}"
    if _hash(target, item.key, on_bytes) != expected:
        return WRONG
    return ""


def _send(item: _Item, source: ObjectStore, target: ObjectStore, on_bytes: OnBytes) -> str:
    """Write the object unless it is there; return the hash of what was to be sent."""
    if target.exists(item.key):
        return item.sha256 or _hash(source, item.key, on_bytes)
    # A directory shows what is half written: there, the key is for what is whole.
    by_rename = Capability.LOCAL in target.capabilities
    key, digest = incoming_key() if by_rename else item.key, hashlib.sha256()
    with target.writer(key) as writer:
        for piece in _pieces(source, item.key):
            digest.update(piece)
            writer.write(piece)
            on_bytes(len(piece))
    if by_rename:
        target.promote(key, item.key)
    return digest.hexdigest()


def _pieces(store: ObjectStore, key: str) -> Iterator[bytes]:
    reader = store.read_range(key, 0, store.size_of(key), chunk_size=COPY_BYTES)
    try:
        yield from reader
    finally:
        reader.close()


def _hash(store: ObjectStore, key: str, on_bytes: OnBytes) -> str:
    """Nothing of it is new: `on_bytes` is asked only whether to go on."""
    digest = hashlib.sha256()
    for piece in _pieces(store, key):
        digest.update(piece)
        on_bytes(0)
    return digest.hexdigest()


def _size_in(store: ObjectStore, key: str) -> int | None:
    try:
        return store.size_of(key)
    except ObjectMissingError:
        return None


@transaction.atomic
def _turn(items: Sequence[_Item], alias: str, keep: timedelta) -> set[str]:
    """Have rows name the copies, and the old objects go later; return the keys that rows name in
    the new storage now, by this run or another.

    A row that somebody else holds is passed over, so that nobody ever waits for us while we wait
    for them; one alone is waited for.
    """
    held = _naming(_awaited(items, alias), held=True)
    for model in (MediaVersion, Rendition, Caption):
        pks = [item.pk for item in held if item.model is model]
        model._default_manager.filter(pk__in=pks).update(storage=alias)
    left_behind = ((item.storage, item.key) for item in held)
    raise_tombstones(left_behind, due_at=timezone.now() + keep)
    there = owed_keys(alias, {item.key for item in items})
    _tombstones(alias, there).delete()
    return there


@transaction.atomic
def _turn_or_drop(item: _Item, alias: str, keep: timedelta) -> set[str]:
    """The same for one whose row was held. Where the row has changed, it is the copy that goes."""
    there = _turn([item], alias, keep)
    if not there:
        raise_tombstone(storage=alias, key=item.key)
    return there


def _naming(items: Collection[_Item], *, held: bool = False) -> list[_Item]:
    """Those that their rows still name while no job makes another, `held` until the transaction
    ends."""
    found = []
    for model in {item.model for item in items}:
        named = {(item.pk, item.storage, item.key): item for item in items if item.model is model}
        rows = model._default_manager.filter(pk__in=[pk for pk, _, _ in named])
        if model is Rendition:
            rows = rows.filter(next_key="")
        if held:
            rows = rows.select_for_update(no_key=True, skip_locked=len(items) > 1)
        there = rows.values_list("pk", "storage", "key")
        found += [named[row] for row in there if row in named]
    return found


def _awaited(items: Sequence[_Item], alias: str) -> list[_Item]:
    """Those whose copies a tombstone expects, and none is about to remove."""
    due = _tombstones(alias, {item.key for item in items}).values_list("key")
    awaited = due.annotate(first=Min("due_at")).filter(first__gt=timezone.now() + WRITE_GRACE)
    keys = {key for key, _ in awaited}
    return [item for item in items if item.key in keys]


def _tombstones(alias: str, keys: Collection[str]) -> QuerySet[Tombstone]:
    return Tombstone.objects.filter(storage__in=names_of(alias), key__in=keys)
