"""Files that another program has received become part of an object: moved, or copied where a move
cannot be. Either way the file is gone, and the object is nobody's but ours."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.core.storage import AppendingStore, new_key
from apps.core.storage.local import LocalStore
from apps.core.tests.storages import get

MIB = 1024 * 1024
NOBODY = 65534
MEMORY = Path("/dev/shm")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def made(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def object_file(store: LocalStore, key: str) -> Path:
    return Path(store.location) / key


def failing(number: int) -> Callable[..., int]:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_file_becomes_the_object_or_its_end(
    appending_store: AppendingStore, tmp_path: Path
) -> None:
    key, first, second = new_key("incoming"), os.urandom(9 * MIB), os.urandom(3 * MIB + 1)
    appender = appending_store.appender(key, size=0, state={})
    for data in (first, second):
        file = made(tmp_path / "body", data)
        assert appender.take_file(file) == len(data)
        assert not file.exists()
    assert appender.close() == len(first) + len(second)
    appending_store.seal(key, size=appender.size, state=appender.state)
    assert get(appending_store, key) == first + second


class TestLocal:
    def test_on_one_file_system_nothing_is_copied(
        self, local_store: LocalStore, tmp_path: Path
    ) -> None:
        file, key = made(tmp_path / "body", b"abc"), new_key("incoming")
        number = file.stat().st_ino
        appender = local_store.appender(key, size=0, state={})
        appender.take_file(file)
        assert appender.close() == 3
        taken = object_file(local_store, key).stat()
        assert taken.st_ino == number
        assert stat.S_IMODE(taken.st_mode) == 0o600

    @pytest.mark.skipif(not os.access(MEMORY, os.W_OK), reason="no second file system")
    def test_from_another_file_system(
        self, local_store: LocalStore, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        data = os.urandom(5 * MIB + 3)
        file = made(MEMORY / f"body-{os.urandom(8).hex()}", data)
        key = new_key("incoming")
        assert file.stat().st_dev != Path(local_store.location).parent.stat().st_dev
        self._take(local_store, key, file)
        assert get(local_store, key) == data

    @needs_root
    def test_what_another_owns_is_copied(self, local_store: LocalStore, tmp_path: Path) -> None:
        file, key = made(tmp_path / "body", b"abc"), new_key("incoming")
        os.chown(file, NOBODY, NOBODY)
        with file.open("r+b") as theirs:
            self._take(local_store, key, file)
            theirs.write(b"xyz")
        assert get(local_store, key) == b"abc"
        assert object_file(local_store, key).stat().st_uid == os.geteuid()

    def test_what_has_a_second_name_is_copied(
        self, local_store: LocalStore, tmp_path: Path
    ) -> None:
        file, key = made(tmp_path / "body", b"abc"), new_key("incoming")
        os.link(file, tmp_path / "second")
        self._take(local_store, key, file)
        (tmp_path / "second").write_bytes(b"xyz")
        assert get(local_store, key) == b"abc"

    @pytest.mark.parametrize("number", [errno.EXDEV, errno.EINVAL, errno.ENOSYS])
    def test_without_the_help_of_the_kernel(
        self,
        local_store: LocalStore,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        number: int,
    ) -> None:
        data, key = os.urandom(3 * MIB + 3), new_key("incoming")
        appender = local_store.appender(key, size=0, state={})
        appender.write(data[:7])
        monkeypatch.setattr(os, "copy_file_range", failing(number))
        appender.take_file(made(tmp_path / "body", data[7:]))
        assert appender.close() == len(data)
        assert get(local_store, key) == data

    def test_what_was_taken_can_be_given_up(self, local_store: LocalStore, tmp_path: Path) -> None:
        file, key = made(tmp_path / "body", b"abc"), new_key("incoming")
        appender = local_store.appender(key, size=0, state={})
        appender.take_file(file)
        appender.abort()
        assert not file.exists()
        assert local_store.appender(key, size=0, state={}).close() == 0
        assert object_file(local_store, key).stat().st_size == 0

    @staticmethod
    def _take(store: LocalStore, key: str, file: Path) -> None:
        appender = store.appender(key, size=0, state={})
        appender.take_file(file)
        assert appender.close() == object_file(store, key).stat().st_size
        assert not file.exists()
