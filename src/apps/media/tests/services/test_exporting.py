"""A user's archive has all that is theirs and nothing that opens anything."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from apps.core.errors import StorageUnavailableError
from apps.core.storage import ObjectStore
from apps.media import services
from apps.media.models import MediaFile
from apps.media.services import exporting
from apps.media.tests import samples

PASSWORD = "a password of a link"


def contents(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    with tarfile.open(path) as archive:
        files = {
            member.name: (archive.extractfile(member) or pytest.fail(member.name)).read()
            for member in archive
        }
    return json.loads(files.pop("metadata.json")), files


@pytest.fixture
def photo(upload: Callable[..., MediaFile]) -> MediaFile:
    return upload(samples.photo_jpeg(64, 48), "../a photo.jpg")


def test_everything_of_a_user_is_in_it(
    photo: MediaFile, owner: Any, stranger: Any, tmp_path: Path
) -> None:
    services.update_media(user=owner, media=photo, title="Sea", tags=["blue"])
    newer = ContentFile(samples.photo_jpeg(80, 60), "b.jpg")
    services.replace_media(user=owner, media=photo, file=newer)
    collection = services.create_collection(user=owner, title="Holidays")
    services.add_items(user=owner, collection=collection, media_ids=[photo.pk])
    services.grant_access(user=owner, media=photo, to=stranger)
    link = services.create_share_link(user=owner, media=photo, password=PASSWORD)
    services.delete_media(user=owner, media=photo)
    path = tmp_path / "olga.tar"

    done = services.export_user(user=owner, path=path)

    told, files = contents(path)
    assert (done.files, done.objects, done.missing) == (1, 2, 0)
    (one,) = told["files"]
    assert one["title"] == "Sea"
    assert one["tags"] == ["blue"]
    assert one["deleted_at"]
    assert one["grants"][0]["to"] == "stranger" or one["grants"][0]["to"] == stranger.username
    assert one["share_links"][0]["has_password"]
    for version in one["versions"]:
        assert len(files[version["file"]]) == version["size"]
    assert all(".." not in name.split("/") and not name.startswith("/") for name in files)
    assert told["collections"][0]["items"] == [str(photo.pk)]
    assert told["user"]["username"] == owner.username
    whole = path.read_bytes()
    link.refresh_from_db()
    for secret in (link.token, link.password, *photo.versions.values_list("key", flat=True)):
        assert secret.encode() not in whole
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_bytes_are_the_original_ones(photo: MediaFile, owner: Any, tmp_path: Path) -> None:
    services.export_user(user=owner, path=tmp_path / "x.tar")
    _, files = contents(tmp_path / "x.tar")
    (found,) = files.values()
    assert hashlib.sha256(found).digest() == hashlib.sha256(samples.photo_jpeg(64, 48)).digest()


def test_nothing_of_others_is_in_it(photo: MediaFile, stranger: Any, tmp_path: Path) -> None:
    services.export_user(user=stranger, path=tmp_path / "x.tar")
    told, files = contents(tmp_path / "x.tar")
    assert (told["files"], told["collections"], files) == ([], [], {})


def test_a_missing_object_is_told(
    photo: MediaFile, owner: Any, own_storage: ObjectStore, tmp_path: Path
) -> None:
    own_storage.remove(photo.versions.get().key)
    with pytest.raises(CommandError, match="missing"):
        call_command("media_export_user", owner.username, output=tmp_path / "x.tar")
    told, files = contents(tmp_path / "x.tar")
    assert told["files"][0]["versions"][0]["file"] is None
    assert files == {}


def test_a_run_that_fails_leaves_nothing(
    photo: MediaFile, owner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(alias: str) -> Any:
        raise StorageUnavailableError(alias)

    monkeypatch.setattr(exporting, "store_of", away)
    with pytest.raises(CommandError, match="Nothing was written"):
        call_command("media_export_user", owner.username, output=tmp_path / "x.tar")
    assert list(tmp_path.glob("x.tar*")) == []


def test_what_is_there_is_not_written_over(photo: MediaFile, owner: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_text("theirs")
    with pytest.raises(CommandError):
        call_command("media_export_user", owner.username, output=path)
    assert path.read_text() == "theirs"


def test_on_a_disk_without_hard_links(
    photo: MediaFile, owner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **more: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "stick").mkdir()
    services.export_user(user=owner, path=tmp_path / "stick" / "all.tar")
    assert [path.name for path in (tmp_path / "stick").iterdir()] == ["all.tar"]


def test_nothing_that_was_prepared_is_written_to(
    photo: MediaFile, owner: Any, tmp_path: Path
) -> None:
    """A link that others put there, as in a folder for everybody."""
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"kept")
    (tmp_path / "all.tar.partial").symlink_to(theirs)
    services.export_user(user=owner, path=tmp_path / "all.tar")
    assert theirs.read_bytes() == b"kept"
    assert (tmp_path / "all.tar").stat().st_mode & 0o777 == 0o600


def test_queries_do_not_grow_with_files(
    upload: Callable[..., MediaFile],
    owner: Any,
    tmp_path: Path,
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(6):
        upload(samples.photo_jpeg(16 + number, 16), f"{number}.jpg")
    with django_assert_max_num_queries(12):
        done = services.export_user(user=owner, path=tmp_path / "x.tar")
    assert done.files == 6
