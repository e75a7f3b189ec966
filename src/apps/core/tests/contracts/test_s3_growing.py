"""How an object of S3 grows: tails, lost answers, parts replaced by somebody else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from apps.core.errors import ObjectMissingError, StorageFullError, StorageUnavailableError
from apps.core.storage.growing import StoredPart
from apps.core.storage.keys import whole_of
from apps.core.storage.s3 import S3Store
from apps.core.storage.s3_multipart import Multipart
from apps.core.storage.spool import Spool
from apps.core.tests.contracts.test_appending import Growth, expect_only
from apps.core.tests.contracts.test_direct import Direct
from apps.core.tests.storages import get, keys_of, send_twice

MIB = 1024 * 1024


@pytest.fixture
def growth(s3_store: S3Store) -> Growth:
    return Growth(s3_store)


class TestTails:
    def test_are_named_after_their_object(self, growth: Growth) -> None:
        growth.step(b"abc")
        (tail,) = keys_of(growth.store)
        assert tail != growth.key
        assert whole_of(tail) == growth.key
        assert tail == growth.state["tail"]

    def test_no_more_than_two_at_a_time(self, growth: Growth) -> None:
        for _ in range(5):
            growth.step(b"abc")
            assert len(keys_of(growth.store)) <= 2

    def test_one_that_could_not_be_removed(
        self, growth: Growth, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        growth.step(b"abc")
        with monkeypatch.context() as patch:
            patch.setattr(S3Store, "remove", _unavailable)
            for _ in range(3):
                growth.step(b"abc")
        assert len(keys_of(growth.store)) == 4
        growth.seal()
        expect_only(growth, b"abc" * 4)

    def test_the_state_is_small(self, growth: Growth) -> None:
        for _ in range(3):
            growth.step(bytes(9 * MIB))
        assert len(json.dumps(growth.state)) < 1000

    def test_a_tail_that_is_gone(self, growth: Growth) -> None:
        growth.step(bytes(9 * MIB))
        growth.store.remove(growth.state["tail"])
        with pytest.raises(ObjectMissingError):
            growth.open()
        with pytest.raises(ObjectMissingError):
            growth.seal()
        assert not growth.store.exists(growth.key)


class TestParts:
    def test_the_last_replaced_while_it_is_sealed(
        self, growth: Growth, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = os.urandom(9 * MIB)
        growth.step(data)
        complete, late = Multipart.complete, [b"X" * (8 * MIB)]

        def complete_too_late(upload: Multipart, parts: list[StoredPart]) -> None:
            while late:
                with Spool(None) as part:
                    part.write(late.pop())
                    upload.send(parts[-1].number, part)
            complete(upload, parts)

        monkeypatch.setattr(Multipart, "complete", complete_too_late)
        growth.seal()
        expect_only(growth, data)

    def test_one_replaced_behind_our_back(self, growth: Growth, s3_store: S3Store) -> None:
        """Somebody whose lock ran out sends a part late: nobody gets a mixture."""
        growth.step(bytes(17 * MIB))
        upload = Multipart(s3_store._destination(growth.key), growth.state["upload_id"])
        with Spool(None) as late:
            late.write(b"X" * (8 * MIB))
            upload.send(2, late)
        with pytest.raises(ObjectMissingError):
            growth.seal()
        assert not growth.store.exists(growth.key)
        growth.discard()

    def test_an_upload_that_is_gone(self, growth: Growth, s3_store: S3Store) -> None:
        growth.step(bytes(9 * MIB))
        Multipart(s3_store._destination(growth.key), growth.state["upload_id"]).abort()
        with pytest.raises(ObjectMissingError):
            growth.open()

    def test_one_that_cannot_be_sent(
        self, growth: Growth, s3_store: S3Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        growth.step(b"abc")
        appender = growth.open()
        with monkeypatch.context() as patch:
            patch.setattr(Multipart, "send", _unavailable)
            with pytest.raises(StorageUnavailableError):
                _write_and_close(appender, bytes(40 * MIB))
        appender.abort()
        growth.step(b"def")
        growth.seal()
        expect_only(growth, b"abcdef")

    def test_wait_in_a_folder_of_choice_without_names(
        self, growth: Growth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(growth.store, "spool_dir", str(tmp_path / "spool"))
        growth.step(b"abc")  # makes the folder
        assert list((tmp_path / "spool").iterdir()) == []
        assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700

    def test_no_room_for_them(self, growth: Growth, monkeypatch: pytest.MonkeyPatch) -> None:
        appender = growth.open()
        monkeypatch.setattr(Spool, "write", _full)
        with pytest.raises(StorageFullError):
            appender.write(b"abc")
        appender.abort()
        assert keys_of(growth.store) == []


class TestLostAnswers:
    """The retry of a request that worked is told that it cannot work."""

    @pytest.mark.parametrize("size", [3, 9 * MIB])
    def test_of_sealing(
        self, growth: Growth, s3_store: S3Store, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = os.urandom(size)
        growth.step(data)
        send_twice(s3_store, monkeypatch, "put_object", "complete_multipart_upload")
        growth.seal()
        expect_only(growth, data)

    def test_of_completing(self, s3_store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
        direct = Direct(s3_store)
        direct.send(1, b"abc")
        send_twice(s3_store, monkeypatch, "complete_multipart_upload")
        direct.complete(direct.listed())
        assert get(s3_store, direct.key) == b"abc"

    @pytest.mark.parametrize("size", [3, 9 * MIB])
    def test_without_conditional_writes(
        self, growth: Growth, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(growth.store, "conditional_writes", False)
        data = os.urandom(size)
        growth.step(data)
        for _ in range(2):
            growth.seal()
        expect_only(growth, data)


def _write_and_close(appender: object, data: bytes) -> None:
    appender.write(data)  # type: ignore[attr-defined]
    appender.close()  # type: ignore[attr-defined]


def _unavailable(*args: object, **kwargs: object) -> None:
    raise StorageUnavailableError("a test")


def _full(*args: object) -> None:
    raise OSError(28, "No space left on device")
