"""What every store promises, and what only one kind does."""

from __future__ import annotations

import os
import threading
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile

from apps.core.errors import ObjectMissingError
from apps.core.storage import Capability, ObjectStore, PresigningStore, new_key
from apps.core.storage.s3 import S3Store
from apps.core.tests.storages import BAD_KEYS, get, keys_of, multipart_uploads, put

MIB = 1024 * 1024


@pytest.mark.parametrize("key", BAD_KEYS)
def test_no_method_lets_a_bad_key_through(store: ObjectStore, key: str, tmp_path: Path) -> None:
    good, file = new_key("test"), tmp_path / "file"
    file.write_bytes(b"x")
    calls = [
        lambda: store.writer(key),
        lambda: store.open_object(key),
        lambda: store.read_range(key, 0, 1),
        lambda: store.size_of(key),
        lambda: store.exists(key),
        lambda: store.promote(key, good),
        lambda: store.promote(good, key),
        lambda: store.put_file(key, file),
        lambda: store.fetch(key, tmp_path / "goal"),
        lambda: store.remove(key),
        lambda: store.save(key, ContentFile(b"x")),  # type: ignore[attr-defined]
    ]
    for call in calls:
        with pytest.raises((ValueError, SuspiciousFileOperation)):  # the latter from Django
            call()
    assert keys_of(store) == []


class TestWriting:
    @pytest.mark.parametrize("size", [0, 1, 5 * MIB, 8 * MIB, 17 * MIB + 3])
    def test_what_goes_in_comes_out(self, store: ObjectStore, size: int) -> None:
        data = os.urandom(size)
        key = put(store, data)
        assert store.exists(key)
        assert store.size_of(key) == size
        assert get(store, key) == data

    def test_pieces_of_any_kind(self, store: ObjectStore) -> None:
        key = new_key("test")
        with store.writer(key) as writer:
            assert writer.write(b"one") == 3
            assert writer.write(bytearray(b"two")) == 3
            assert writer.write(memoryview(b"three")) == 5
        assert get(store, key) == b"onetwothree"

    @pytest.mark.parametrize("size", [10, 17 * MIB])
    def test_a_failure_leaves_nothing(self, store: ObjectStore, size: int) -> None:
        key = new_key("test")
        with pytest.raises(RuntimeError), store.writer(key) as writer:
            writer.write(bytes(size))
            raise RuntimeError
        assert not store.exists(key)
        assert keys_of(store) == []
        if isinstance(store, S3Store):
            assert multipart_uploads(store) == []

    def test_abort_is_final_and_repeatable(self, store: ObjectStore) -> None:
        key = new_key("test")
        writer = store.writer(key)
        writer.write(b"x")
        writer.abort()
        writer.abort()
        writer.close()
        with pytest.raises(ValueError, match="closed"):
            writer.write(b"y")
        assert not store.exists(key)

    def test_abort_after_close_keeps_the_object(self, store: ObjectStore) -> None:
        key = new_key("test")
        writer = store.writer(key)
        writer.write(b"x")
        writer.close()
        writer.abort()
        assert get(store, key) == b"x"

    @pytest.mark.parametrize("size", [3, 9 * MIB])
    def test_a_taken_key_is_never_overwritten(self, store: ObjectStore, size: int) -> None:
        key = put(store, b"first")
        with pytest.raises(FileExistsError):
            put(store, b"x" * size, key)
        assert get(store, key) == b"first"
        if isinstance(store, S3Store):
            assert multipart_uploads(store) == []

    def test_put_file(self, store: ObjectStore, tmp_path: Path) -> None:
        key, path = new_key("test"), tmp_path / "file"
        path.write_bytes(b"abc" * 1000)
        store.put_file(key, path)
        path.write_bytes(b"changed afterwards")
        assert get(store, key) == b"abc" * 1000
        with pytest.raises(FileExistsError):
            store.put_file(key, path)

    def test_memory_stays_flat(self, store: ObjectStore, tmp_path: Path) -> None:
        key, piece = new_key("test"), bytes(MIB)
        put(store, b"warm")  # clients and modules are loaded before counting
        tracemalloc.start()
        try:
            with store.writer(key) as writer:
                for _ in range(64):
                    writer.write(piece)
            store.fetch(key, tmp_path / "file")
            with store.open_object(key) as stream:
                while stream.read(MIB):
                    pass
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert store.size_of(key) == 64 * MIB
        assert (tmp_path / "file").stat().st_size == 64 * MIB
        assert peak < 24 * MIB


class TestReading:
    def test_ranges(self, store: ObjectStore) -> None:
        data = os.urandom(10_000)
        key = put(store, data)
        pieces = list(store.read_range(key, 100, 5000, chunk_size=1024))
        assert b"".join(pieces) == data[100:5100]
        assert max(map(len, pieces)) <= 1024

    @pytest.mark.parametrize(
        ("start", "length", "expected"),
        [(0, 100, b"abc"), (2, 100, b"c"), (3, 1, b""), (100, 1, b""), (1, 0, b"")],
    )
    def test_ranges_end_with_the_object(
        self, store: ObjectStore, start: int, length: int, expected: bytes
    ) -> None:
        key = put(store, b"abc")
        assert b"".join(store.read_range(key, start, length)) == expected

    def test_an_empty_object(self, store: ObjectStore) -> None:
        key = put(store, b"")
        assert list(store.read_range(key, 0, 8192)) == []
        assert get(store, key) == b""

    def test_a_range_closed_before_it_started(self, store: ObjectStore) -> None:
        key = put(store, b"abc")
        pieces = store.read_range(key, 0, 3)
        pieces.close()
        assert list(pieces) == []

    def test_seeking(self, store: ObjectStore) -> None:
        data = os.urandom(9 * MIB)
        key = put(store, data)
        with store.open_object(key) as stream:
            assert stream.seekable()
            assert stream.read(10) == data[:10]
            assert stream.seek(-10, os.SEEK_END) == 9 * MIB - 10
            assert stream.read() == data[-10:]
            assert stream.seek(5 * MIB) == 5 * MIB
            assert stream.read(4 * MIB) == data[5 * MIB :]
            stream.seek(3)
            stream.seek(4, os.SEEK_CUR)
            assert stream.read(1) == data[7:8]
            stream.seek(100 * MIB)
            assert stream.read(1) == b""

    def test_fetch(self, store: ObjectStore, tmp_path: Path) -> None:
        key = put(store, b"abc")
        store.fetch(key, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == b"abc"
        with pytest.raises(FileExistsError):
            store.fetch(key, tmp_path / "file")
        store.remove(key)
        assert (tmp_path / "file").read_bytes() == b"abc"

    def test_missing(self, store: ObjectStore, tmp_path: Path) -> None:
        key = new_key("test")
        assert not store.exists(key)
        for call in (
            lambda: store.open_object(key),
            lambda: store.read_range(key, 0, 1),
            lambda: store.read_range(key, 0, 0),
            lambda: store.size_of(key),
            lambda: store.fetch(key, tmp_path / "file"),
            lambda: store.promote(key, new_key("test")),
        ):
            with pytest.raises(ObjectMissingError):
                call()
        assert not (tmp_path / "file").exists()

    def test_a_folder_is_no_object(self, store: ObjectStore) -> None:
        key = put(store, b"x")
        folder = key.rpartition("/")[0]
        assert not store.exists(folder)
        with pytest.raises(ObjectMissingError):
            store.open_object(folder)
        with pytest.raises(ObjectMissingError):
            store.open_object(f"{key}/below")


class TestPromoting:
    def test_moves(self, store: ObjectStore) -> None:
        source, target = put(store, b"abc"), new_key("original", "jpg")
        store.promote(source, target)
        assert get(store, target) == b"abc"
        assert not store.exists(source)

    def test_again_is_harmless(self, store: ObjectStore) -> None:
        source, target = put(store, b"abc"), new_key("original")
        store.promote(source, target)
        store.promote(source, target)
        assert get(store, target) == b"abc"

    def test_never_overwrites(self, store: ObjectStore) -> None:
        source, target = put(store, b"abc"), put(store, b"other")
        with pytest.raises(FileExistsError):
            store.promote(source, target)
        assert get(store, target) == b"other"
        assert get(store, source) == b"abc"

    def test_interrupted_before_the_source_went(
        self, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source, target = put(store, b"abc"), new_key("original")
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(type(store), "remove", _interrupt)
            patch.setattr(Path, "unlink", _interrupt)
            store.promote(source, target)
        assert store.exists(source)
        assert store.exists(target)
        store.promote(source, target)
        assert get(store, target) == b"abc"
        assert not store.exists(source)

    def test_two_at_once(self, store: ObjectStore) -> None:
        source, target = put(store, b"abc"), new_key("original")
        failures: list[BaseException] = []
        barrier = threading.Barrier(4)

        def promote() -> None:
            barrier.wait()
            try:
                store.promote(source, target)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=promote) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert get(store, target) == b"abc"
        assert not store.exists(source)


class TestRemovingAndWalking:
    def test_remove_is_idempotent(self, store: ObjectStore) -> None:
        key = put(store, b"x")
        store.remove(key)
        store.remove(key)
        store.remove(new_key("never"))
        assert not store.exists(key)

    def test_walk(self, store: ObjectStore) -> None:
        names = ["a", "a-b/x", "a.b", "a.c/y", "ab/c/d", "b/1", "b/2", "b0", "c/d/e/f"]
        for name in reversed(names):
            put(store, name.encode(), name)
        found = list(store.walk())
        assert [item.key for item in found] == sorted(names)
        assert [item.size for item in found] == [len(name) for name in names]
        age = datetime.now(tz=UTC) - found[0].modified
        assert abs(age) < timedelta(minutes=5)

    @pytest.mark.parametrize("prefix", ["", "a", "a/", "ab", "ab/", "ab/c", "b/1", "zz", "b/1/x"])
    def test_walk_takes_prefixes_of_strings(self, store: ObjectStore, prefix: str) -> None:
        names = ["a", "ab/c/d", "ab/cd", "abc", "b/1", "b/10"]
        for name in names:
            put(store, b"", name)
        assert keys_of(store, prefix) == [name for name in names if name.startswith(prefix)]

    def test_walk_goes_on_behind_any_key(self, store: ObjectStore) -> None:
        keys = sorted(put(store, b"x", key) for key in ("a/b", "a/c/d", "a/c0", "b", "c/a"))
        for after in ("", "a/a", *keys, "a/c", "z"):
            found = [item.key for item in store.walk(after=after)]
            assert found == [key for key in keys if key > after], after

    def test_walk_refuses_to_leave(self, store: ObjectStore) -> None:
        with pytest.raises(ValueError, match="Not a storage key"):
            list(store.walk("../"))


class TestAsDjangoStorage:
    def test_fields_can_use_it(self, store: ObjectStore) -> None:
        key = new_key("original")
        assert store.save(key, ContentFile(b"abc")) == key  # type: ignore[attr-defined]
        with store.open(key) as file:  # type: ignore[attr-defined]
            assert file.read() == b"abc"
        assert store.size(key) == 3  # type: ignore[attr-defined]
        assert store.get_modified_time(key)  # type: ignore[attr-defined]
        with pytest.raises(FileExistsError):
            store.save(key, ContentFile(b"other"))  # type: ignore[attr-defined]
        with pytest.raises(ValueError, match="immutable"):
            store.open(key, "wb")  # type: ignore[attr-defined]
        with pytest.raises(ValueError, match="no URL"):
            store.url(key)  # type: ignore[attr-defined]
        store.delete(key)  # type: ignore[attr-defined]
        assert not store.exists(key)

    def test_it_is_an_object_store(self, store: ObjectStore) -> None:
        assert isinstance(store, ObjectStore)
        can_presign = Capability.PRESIGNED_GET in store.capabilities
        assert isinstance(store, PresigningStore) == can_presign


def _interrupt(*args: object, **kwargs: object) -> None:
    raise KeyboardInterrupt
