"""What only one kind of store promises: the local disk, or S3."""

from __future__ import annotations

import errno
import os
import pickle
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from apps.core.errors import StorageFullError, StorageUnavailableError
from apps.core.storage import new_key, spool
from apps.core.storage.base import BoundedReader
from apps.core.storage.local import LocalStore
from apps.core.storage.s3 import S3Store
from apps.core.tests.storages import (
    S3Server,
    free_port,
    get,
    impatient_config,
    keys_of,
    multipart_uploads,
    put,
    send_twice,
)

MIB = 1024 * 1024


class TestLocal:
    def test_modes_are_private(self, local_store: LocalStore) -> None:
        key = put(local_store, b"x")
        file = Path(local_store.location) / key
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        while file != Path(local_store.location).parent:
            file = file.parent
            if file != Path(local_store.location).parent:
                assert stat.S_IMODE(file.stat().st_mode) == 0o700

    def test_promotion_and_fetching_copy_nothing(
        self, local_store: LocalStore, tmp_path: Path
    ) -> None:
        source, target = put(local_store, b"abc"), new_key("original")
        before = (Path(local_store.location) / source).stat().st_ino
        local_store.promote(source, target)
        local_store.fetch(target, tmp_path / "file")
        assert (Path(local_store.location) / target).stat().st_ino == before
        assert (tmp_path / "file").stat().st_ino == before

    def test_without_hard_links(
        self, local_store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source, target, taken = put(local_store, b"abc"), new_key("original"), put(local_store, b"")
        monkeypatch.setattr(os, "link", _failing(errno.EPERM))
        with pytest.raises(FileExistsError):
            local_store.promote(source, taken)
        local_store.promote(source, target)
        local_store.promote(source, target)
        local_store.fetch(target, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == b"abc"

    def test_a_failed_copy_leaves_no_file(
        self, local_store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = put(local_store, b"abc")
        monkeypatch.setattr(os, "link", _failing(errno.EXDEV))
        monkeypatch.setattr(BoundedReader, "_read", _failing(errno.ENOSPC))
        with pytest.raises(StorageFullError):
            local_store.fetch(key, tmp_path / "file")
        assert not (tmp_path / "file").exists()

    @pytest.mark.parametrize(
        ("number", "expected"),
        [
            (errno.ENOSPC, StorageFullError),
            (errno.EDQUOT, StorageFullError),
            (errno.EFBIG, StorageFullError),
            (errno.EIO, StorageUnavailableError),
            (errno.EROFS, StorageUnavailableError),
        ],
    )
    def test_a_sick_disk(
        self,
        local_store: LocalStore,
        monkeypatch: pytest.MonkeyPatch,
        number: int,
        expected: type[Exception],
    ) -> None:
        with monkeypatch.context() as patch, pytest.raises(expected):
            patch.setattr(os, "write", _failing(number))
            put(local_store, b"abc")
        assert keys_of(local_store) == []

    def test_an_object_is_visible_only_to_the_walk_of_real_files(
        self, local_store: LocalStore, tmp_path: Path
    ) -> None:
        key = put(local_store, b"abc")
        (Path(local_store.location) / "link").symlink_to(tmp_path)
        assert keys_of(local_store) == [key]

    def test_what_has_no_key_is_not_ours(
        self, local_store: LocalStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Such as the folder that every ext4 has at its root, and nobody else may look into."""
        key, scan = put(local_store, b"abc"), os.scandir
        (Path(local_store.location) / "Thumbs.db").touch()
        (Path(local_store.location) / "lost+found").mkdir()

        def refuse(path: Path) -> object:
            if path.name == "lost+found":
                raise PermissionError(errno.EACCES, "Permission denied")
            return scan(path)

        monkeypatch.setattr(os, "scandir", refuse)
        assert keys_of(local_store) == [key]


class TestS3:
    def test_presigned_get(self, s3_store: S3Store) -> None:
        key = put(s3_store, b"abc")
        url = s3_store.presigned_get(
            key,
            expires_in=60,
            content_type="image/png",
            content_disposition='attachment; filename="a.png"',
        )
        with urllib.request.urlopen(url) as answer:
            assert answer.read() == b"abc"
            assert answer.headers["Content-Type"] == "image/png"
            assert answer.headers["Content-Disposition"] == 'attachment; filename="a.png"'

    def test_what_has_no_key_is_not_ours(self, s3_store: S3Store) -> None:
        """Such as the objects by which consoles mark folders."""
        key, client = put(s3_store, b"abc"), s3_store.client
        for name in ("", "original/", "Report.PDF"):
            at = {"Bucket": s3_store.bucket_name, "Key": f"{s3_store.location}/{name}"}
            client.put_object(**at, Body=b"")
            client.create_multipart_upload(**at)
        assert keys_of(s3_store) == [key]
        assert list(s3_store.walk_unfinished()) == []

    def test_a_stored_type_is_never_honest(self, s3_store: S3Store) -> None:
        small, large = put(s3_store, b"<html>"), put(s3_store, bytes(9 * MIB))
        promoted = new_key("original", "html")
        s3_store.promote(small, promoted)
        for key in (large, promoted):
            head = s3_store.client.head_object(
                Bucket=s3_store.bucket_name, Key=f"{s3_store.location}/{key}"
            )
            assert head["ContentType"] == "application/octet-stream"

    def test_promotion_in_parts(self, s3_store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
        data = os.urandom(12 * MIB)
        source, target = put(s3_store, data), new_key("original")
        monkeypatch.setattr(S3Store, "largest_single_copy", 5 * MIB)
        monkeypatch.setattr(S3Store, "copy_part_size", 5 * MIB)
        s3_store.promote(source, target)
        assert get(s3_store, target) == data
        assert not s3_store.exists(source)
        assert multipart_uploads(s3_store) == []

    def test_without_conditional_writes(self, s3_server: S3Server, s3_bucket: str) -> None:
        store = s3_server.store(s3_bucket, conditional_writes=False)
        key = put(store, b"first")
        for data in (b"x", bytes(9 * MIB)):
            with pytest.raises(FileExistsError):
                put(store, data, key)
        assert get(store, key) == b"first"
        assert multipart_uploads(store) == []
        store.client.close()

    @pytest.mark.parametrize("size", [3, 9 * MIB])
    def test_a_lost_answer_is_recognised_as_success(
        self, s3_store: S3Store, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The retry of a request that worked is told "taken": that is our own object."""
        send_twice(s3_store, monkeypatch, "put_object", "complete_multipart_upload")
        key = put(s3_store, b"x" * size)
        assert s3_store.size_of(key) == size

    def test_parts_grow(self, s3_store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spool, "_PARTS_PER_STEP", 1)
        monkeypatch.setattr(spool, "_PART_BYTES", 5 * MIB)
        data = os.urandom(16 * MIB)
        assert get(s3_store, put(s3_store, data)) == data

    def test_nobody_there(self, tmp_path: Path) -> None:
        server = S3Server(f"http://127.0.0.1:{free_port()}", "test", "test")
        store = server.store("bucket", client_config=impatient_config())
        _expect_unavailable(store, tmp_path)

    def test_a_server_in_trouble(self, broken_server: str, tmp_path: Path) -> None:
        store = S3Server(broken_server, "test", "test").store(
            "bucket", client_config=impatient_config()
        )
        _expect_unavailable(store, tmp_path)

    def test_limits_are_set(self, s3_store: S3Store) -> None:
        config = s3_store.client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (3, 30)
        assert config.retries["mode"] == "standard"
        assert config.retries["total_max_attempts"] == 4
        assert config.request_checksum_calculation == "when_required"
        assert s3_store.file_overwrite is False
        assert s3_store.default_acl is None

    def test_copies_of_the_store_work(self, s3_store: S3Store) -> None:
        key = put(s3_store, b"abc")
        copy = pickle.loads(pickle.dumps(s3_store))
        assert get(copy, key) == b"abc"
        copy.client.close()

    def test_the_interface_needs_no_vendor_library(self) -> None:
        code = (
            "import sys, apps.core.storage;"
            "sys.exit(bool({'botocore', 'google.cloud', 'google.auth', 'azure'} & {*sys.modules}))"
        )
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )


def _expect_unavailable(store: S3Store, tmp_path: Path) -> None:
    key = new_key("test")
    for call in (
        lambda: put(store, b"x"),
        lambda: store.exists(key),
        lambda: store.size_of(key),
        lambda: store.open_object(key),
        lambda: store.read_range(key, 0, 1),
        lambda: store.promote(key, new_key("test")),
        lambda: store.fetch(key, tmp_path / "file"),
        lambda: store.remove(key),
        lambda: list(store.walk()),
    ):
        with pytest.raises(StorageUnavailableError):
            call()
    assert not (tmp_path / "file").exists()
    store.client.close()


def _failing(number: int) -> object:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail
