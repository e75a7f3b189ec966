"""Files move to another storage: all of them, whole, and nobody notices."""

from __future__ import annotations

import contextlib
import io
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.errors import StorageUnavailableError
from apps.core.storage import ObjectStore
from apps.core.tests.storages import S3Server, s3_bucket, s3_server  # noqa: F401  fixtures
from apps.media import services
from apps.media.models import MediaFile, MediaVersion, Rendition, Tombstone
from apps.media.services import moving
from apps.media.storage import names_of, store_of
from apps.media.tests import samples
from apps.media.tests.flows.waiting import eventually

LATER = timedelta(days=1)
AT_ONCE = timedelta(0)
Upload = Callable[..., MediaFile]


class KilledError(Exception):
    """The end of a run, wherever it was."""


def _directory(path: Path) -> dict[str, Any]:
    return {"BACKEND": "apps.core.storage.local.LocalStore", "OPTIONS": {"location": str(path)}}


@pytest.fixture
def own_storage(own_storage: ObjectStore, settings: Any, tmp_path: Path) -> ObjectStore:
    """A directory, whatever the suite runs on."""
    settings.STORAGES = {**settings.STORAGES, "media": _directory(tmp_path / "media")}
    return store_of("media")


@pytest.fixture
def photo(own_storage: ObjectStore, upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    media = upload(samples.photo_jpeg(64, 48), "photo.jpg")
    run_jobs()
    return media


@pytest.fixture
def other(settings: Any, own_storage: ObjectStore, tmp_path: Path) -> str:
    """A second directory that the settings know as `other`."""
    settings.STORAGES = {**settings.STORAGES, "other": _directory(tmp_path / "other")}
    return "other"


def _run(*arguments: str) -> str:
    said = io.StringIO()
    call_command("media_migrate_storage", *arguments, stdout=said, stderr=said)
    return said.getvalue()


def _move(to: str, *, jobs: int = 2) -> list[services.Moved]:
    place = services.place_of(to)
    return list(services.move_objects(place, jobs=jobs, keep=LATER, on_bytes=lambda _: None))


def _contents(store: ObjectStore) -> dict[str, bytes]:
    return {item.key: store.open_object(item.key).read(item.size) for item in store.walk()}


def _bury() -> None:
    Tombstone.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    services.bury_tombstones()


def _unexplained() -> list[Any]:
    return [
        found
        for alias in services.storages_to_reconcile()
        for found in services.find_storage_violations(alias, grace=AT_ONCE)
    ]


def _kill_at(monkeypatch: pytest.MonkeyPatch, name: str, call: int) -> None:
    """The run dies instead of the call of that number to the function `name`."""
    known, calls = getattr(moving, name), itertools.count(1)

    def killed(*args: Any, **options: Any) -> Any:
        if next(calls) == call:
            raise KilledError
        return known(*args, **options)

    monkeypatch.setattr(moving, name, killed)


def _meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """`act` happens once, when copies have arrived and no row is turned."""
    turn, acts = moving._turn, [act]

    def turned(*args: Any) -> set[str]:
        while acts:
            acts.pop()()
        return turn(*args)

    monkeypatch.setattr(moving, "_turn", turned)


class TestMoving:
    def test_all_is_there_and_named(
        self, photo: MediaFile, other: str, own_storage: ObjectStore
    ) -> None:
        before = _contents(own_storage)
        said = _run("--to", other)
        assert f"{len(before)} objects moved, 0 wrong" in said
        assert _contents(store_of(other)) == before == _contents(own_storage)
        rows = [*MediaVersion.objects.all(), *Rendition.objects.exclude(key="")]
        assert {row.storage for row in rows} == {other}
        assert photo.current.file.read(8) == before[photo.current.key][:8]

    def test_what_is_left_behind_goes_later(
        self, photo: MediaFile, other: str, own_storage: ObjectStore
    ) -> None:
        _move(other)
        assert services.bury_tombstones() == 0
        _bury()
        assert list(own_storage.walk()) == []
        assert len(list(store_of(other).walk())) > 3

    def test_there_and_back_again(
        self, photo: MediaFile, other: str, own_storage: ObjectStore
    ) -> None:
        before = _contents(own_storage)
        _move(other)
        assert not [moved for moved in _move("media") if moved.problem or moved.is_busy]
        _bury()
        assert _contents(own_storage) == before
        assert list(store_of(other).walk()) == []

    def test_what_is_done_stays_done(
        self,
        photo: MediaFile,
        other: str,
        own_storage: ObjectStore,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        before, seen = _contents(own_storage), len(list(own_storage.walk()))
        place = services.place_of(other)
        monkeypatch.setattr(moving, "BATCH", 1)
        steps = services.move_objects(place, jobs=1, keep=LATER, on_bytes=lambda _: None)
        next(steps)
        steps.close()
        count, _ = services.count_to_move(place)
        assert 0 < count < seen
        assert len(_move(other)) == count
        assert _contents(store_of(other)) == before

    def test_a_run_that_is_stopped_waits_for_no_film(
        self, photo: MediaFile, other: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def endless(store: ObjectStore, key: str) -> Iterator[bytes]:
            while time.monotonic() < begun + 20:
                time.sleep(0.01)
                yield b"film"

        begun = time.monotonic()
        monkeypatch.setattr(moving, "_pieces", endless)
        _kill_at(monkeypatch, "_done", 1)
        with pytest.raises(KilledError):
            _move(other)
        assert time.monotonic() < begun + 10
        assert list(store_of(other).walk()) == []

    @pytest.mark.parametrize(
        ("function", "call"),
        [
            ("raise_tombstones", 1),  # nothing is expected yet
            ("_done", 1),  # copies are under way
            ("_turn", 1),  # they have arrived
            ("raise_tombstones", 4),  # within the transaction that turns rows
            ("owed_keys", 1),
            ("_turn", 2),  # between two batches
            ("raise_tombstones", 6),
            ("owed_keys", 2),
        ],
    )
    def test_a_run_that_dies_leaves_nothing_unexplained(
        self,
        function: str,
        call: int,
        photo: MediaFile,
        other: str,
        own_storage: ObjectStore,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        before = _contents(own_storage)
        with monkeypatch.context() as patch:
            patch.setattr(moving, "BATCH", 1)
            patch.setattr(moving, "MOMENT", 60)  # three are turned, and then the fourth
            _kill_at(patch, function, call)
            with pytest.raises(KilledError):
                _move(other, jobs=1)
        assert _unexplained() == []
        assert not [moved for moved in _move(other) if moved.problem or moved.is_busy]
        assert _contents(store_of(other)) == before
        _bury()
        assert list(own_storage.walk()) == []
        assert _unexplained() == []

    def test_one_that_is_deleted_meanwhile_is_nowhere(
        self, photo: MediaFile, other: str, own_storage: ObjectStore
    ) -> None:
        steps = services.move_objects(
            services.place_of(other), jobs=1, keep=LATER, on_bytes=lambda _: None
        )
        next(steps)
        services.delete_media(user=photo.owner, media=photo, permanent=True)
        assert not [moved for moved in steps if moved.problem]
        _bury()
        assert list(own_storage.walk()) == list(store_of(other).walk()) == []

    def test_a_rendition_that_is_made_anew_waits(self, photo: MediaFile, other: str) -> None:
        row = Rendition.objects.exclude(key="").earliest("pk")
        Rendition.objects.filter(pk=row.pk).update(next_key="rendition/aa/next.webp")
        assert [moved.name for moved in _move(other) if moved.is_busy] == [f"media:{row.key}"]
        row.refresh_from_db()
        assert row.storage == "media"

    def test_changed_bytes_are_told_and_stay(
        self, photo: MediaFile, other: str, own_storage: ObjectStore
    ) -> None:
        version = photo.current
        content = own_storage.open_object(version.key).read(version.size)
        own_storage.remove(version.key)
        with own_storage.writer(version.key) as writer:
            writer.write(content[::-1])
        with pytest.raises(CommandError, match="not there"):
            _run("--to", other)
        version.refresh_from_db()
        assert version.storage == "media"
        assert set(Rendition.objects.exclude(key="").values_list("storage", flat=True)) == {other}

    def test_what_arrives_wrong_is_sent_again(
        self, photo: MediaFile, other: str, own_storage: ObjectStore
    ) -> None:
        key = photo.current.key
        with store_of(other).writer(key) as writer:
            writer.write(b"something else")
        (wrong,) = [moved for moved in _move(other) if moved.problem]
        assert wrong.name.endswith(key)
        _bury()
        assert not [moved for moved in _move(other) if moved.problem]
        assert photo.current.storage == "media"
        photo.refresh_from_db()
        assert photo.current.storage == other

    def test_a_storage_that_is_away_costs_nothing(
        self, photo: MediaFile, other: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(key: str) -> Any:
            raise StorageUnavailableError(key)

        with monkeypatch.context() as patch:
            patch.setattr(store_of(other), "writer", away)
            assert all(moved.problem for moved in _move(other))
        assert set(MediaVersion.objects.values_list("storage", flat=True)) == {"media"}
        assert not [moved for moved in _move(other) if moved.problem]

    def test_it_only_says_how_much_there_is(self, photo: MediaFile, other: str) -> None:
        assert "Would take" in _run("--to", other, "--dry-run")
        assert list(store_of(other).walk()) == []

    def test_to_a_bucket(
        self,
        photo: MediaFile,
        own_storage: ObjectStore,
        s3_server: S3Server,  # noqa: F811
        s3_bucket: str,  # noqa: F811
        settings: Any,
    ) -> None:
        place = {
            "bucket_name": s3_bucket,
            "endpoint_url": s3_server.endpoint,
            "region_name": "us-east-1",
            "addressing_style": "path",
            "access_key": s3_server.access_key,
            "secret_key": s3_server.secret_key,
        }
        entry = {"BACKEND": "apps.core.storage.s3.S3Store", "OPTIONS": place}
        settings.STORAGES = {**settings.STORAGES, "bucket": entry}
        before = _contents(own_storage)
        _run("--to", "bucket")
        assert _contents(store_of("bucket")) == before


class TestBatches:
    """Many rows are turned by one transaction; each as if it were alone."""

    def test_more_objects_take_no_more_statements(
        self, upload: Upload, photo: MediaFile, other: str
    ) -> None:
        with CaptureQueriesContext(connection) as few:
            first = len(_move(other))
        for number in range(3 * first):
            upload(b"A few plain words, the %d. time.\n" % number, "words.txt")
        with CaptureQueriesContext(connection) as many:
            assert len(_move(other)) == 3 * first
        assert len(many) <= len(few)

    def test_one_whose_row_has_changed_does_not_hold_up_the_others(
        self,
        photo: MediaFile,
        other: str,
        own_storage: ObjectStore,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        row = Rendition.objects.exclude(key="").earliest("pk")
        rows = Rendition.objects.filter(pk=row.pk)
        _meanwhile(monkeypatch, lambda: rows.update(next_key="rendition/aa/next.webp"))
        moved = _move(other)
        assert [one.name for one in moved if one.is_busy] == [f"media:{row.key}"]
        services.bury_tombstones()  # its copy goes at once
        copies = {item.key for item in store_of(other).walk()}
        assert copies == {item.key for item in own_storage.walk()} - {row.key}
        assert _unexplained() == []

    def test_one_that_is_deleted_meanwhile_leaves_no_copy(
        self, photo: MediaFile, upload: Upload, other: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = upload(b"A few plain words.\n", "words.txt")
        _meanwhile(
            monkeypatch,
            lambda: services.delete_media(user=photo.owner, media=photo, permanent=True),
        )
        _move(other)
        services.bury_tombstones()
        assert [item.key for item in store_of(other).walk()] == [words.current.key]
        assert _unexplained() == []

    def test_what_another_run_has_moved_stays(
        self, photo: MediaFile, other: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _meanwhile(monkeypatch, lambda: _move(other))
        assert not [moved for moved in _move(other) if moved.problem or moved.is_busy]
        assert not Tombstone.objects.filter(storage=other).exists()
        assert _unexplained() == []

    def test_a_copy_that_may_be_on_its_way_out_is_not_named(
        self, photo: MediaFile, other: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It took so long that the sweep may take it for one of a run that died."""
        _meanwhile(monkeypatch, lambda: Tombstone.objects.update(due_at=timezone.now()))
        assert all(moved.is_busy for moved in _move(other))
        assert set(MediaVersion.objects.values_list("storage", flat=True)) == {"media"}
        _bury()
        assert list(store_of(other).walk()) == []
        assert not [moved for moved in _move(other) if moved.problem or moved.is_busy]

    def test_large_objects_are_expected_few_at_a_time(
        self, photo: MediaFile, other: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(moving, "BATCH_BYTES", 1)
        steps = services.move_objects(
            services.place_of(other), jobs=1, keep=LATER, on_bytes=lambda _: None
        )
        _kill_at(monkeypatch, "_done", 1)
        with pytest.raises(KilledError):
            next(steps)
        assert Tombstone.objects.filter(storage=other).count() == 3

    def test_who_deletes_what_has_moved_since_leaves_no_copy(
        self, photo: MediaFile, other: str
    ) -> None:
        read = [photo.current, *Rendition.objects.exclude(key="")]
        _move(other)
        for row in read:
            row.delete()
        _bury()
        assert list(store_of(other).walk()) == []

    @pytest.mark.postgres
    @pytest.mark.skipif("connection.vendor != 'postgresql'", reason="DATABASE_URL is no PostgreSQL")
    @pytest.mark.django_db(transaction=True)
    def test_a_row_that_somebody_holds_is_turned_after_the_others(
        self, photo: MediaFile, other: str
    ) -> None:
        first, held = Rendition.objects.exclude(key="").order_by("pk")[:2]
        turned, locked = Rendition.objects.filter(pk=first.pk, storage=other), threading.Event()

        def hold() -> None:
            with contextlib.closing(connection), transaction.atomic():
                Rendition.objects.select_for_update().get(pk=held.pk)
                locked.set()
                eventually(turned.exists, within=60)

        with ThreadPoolExecutor(1) as pool:
            holding = pool.submit(hold)
            assert locked.wait(60)
            assert not [moved for moved in _move(other) if moved.problem or moved.is_busy]
            holding.result()


class TestUnknownStorage:
    def test_it_is_filled_and_rows_stay(
        self, photo: MediaFile, own_storage: ObjectStore, tmp_path: Path
    ) -> None:
        target = tmp_path / "filled"
        said = _run("--to", f"file://{target}")
        assert "Set MEDIA_STORAGE_URL" in said
        there = services.place_of(f"file://{target}").store
        assert _contents(there) == _contents(own_storage)
        assert set(MediaVersion.objects.values_list("storage", flat=True)) == {"media"}

    def test_what_was_left_behind_is_fetched(
        self,
        photo: MediaFile,
        own_storage: ObjectStore,
        other: str,
        settings: Any,
    ) -> None:
        """The site was told to use `other` before all was there."""
        old = settings.STORAGES["media"]["OPTIONS"]["location"]
        before = _contents(own_storage)
        settings.STORAGES = {**settings.STORAGES, "media": settings.STORAGES[other]}
        said = _run("--to", "media", "--from", f"file://{old}")
        assert "0 wrong" in said
        assert _contents(store_of("media")) == before

    @pytest.mark.parametrize(
        ("name", "told"),
        [("ftp://somewhere", "Unknown storage scheme"), ("staticfiles", "not an ObjectStore")],
    )
    def test_nonsense_is_refused(self, db: None, name: str, told: str) -> None:
        with pytest.raises(CommandError, match=told):
            _run("--to", name)

    def test_objects_are_kept_for_a_time_that_comes(self, db: None) -> None:
        with pytest.raises(CommandError, match="no positive whole number"):
            _run("--to", "media", "--keep-hours", "999999999")
        assert "0 objects moved" in _run("--to", "media", "--keep-hours", "87600")

    def test_what_lies_in_one_that_the_site_has_left_stops_no_others(
        self, photo: MediaFile, other: str
    ) -> None:
        MediaVersion.objects.update(storage="gone")
        with pytest.raises(CommandError, match="not there"):
            _run("--to", other)
        assert MediaVersion.objects.get().storage == "gone"
        assert set(Rendition.objects.values_list("storage", flat=True)) == {other}


class TestNames:
    def test_one_storage_under_two_names_is_one(
        self, photo: MediaFile, own_storage: ObjectStore, settings: Any
    ) -> None:
        settings.STORAGES = {**settings.STORAGES, "again": settings.STORAGES["media"]}
        MediaVersion.objects.update(storage="again")
        assert {"media", "again"} <= set(names_of("media"))
        assert services.storages_to_reconcile() == ["media"]
        assert list(services.find_storage_violations("media", grace=AT_ONCE)) == []
        assert services.unify_names() == 1
        assert MediaVersion.objects.get().storage == "media"
