"""Archives of many files: sound, resumable at any byte, and with nothing in them that is not for
those who ask."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from rest_framework.test import APIClient

from apps.core.storage import ObjectStore
from apps.media import archives, selectors, services
from apps.media.models import Collection, MediaFile, MediaVersion
from apps.media.tests import samples
from apps.media.views import archives as archive_views
from apps.media.views.archives import MOST_IDS, selection_url

Upload = Callable[..., MediaFile]
DATA = [b"The first words.\n" * 40, b"x", b"Some more words.\n" * 9]


@pytest.fixture
def files(upload: Upload) -> list[MediaFile]:
    found = [upload(data, f"{number}.txt") for number, data in enumerate(DATA)]
    MediaFile.objects.update(usable=True, status="ready")
    return [MediaFile.objects.get(pk=media.pk) for media in found]


@pytest.fixture
def shelf(owner: Any, files: list[MediaFile]) -> Collection:
    found = services.create_collection(user=owner, title="Holiday", visibility="unlisted")
    services.add_items(user=owner, collection=found, media_ids=[one.pk for one in files])
    return found


@pytest.fixture
def url(shelf: Collection) -> str:
    return f"/collections/{shelf.pk}/zip"


@pytest.fixture
def client(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(owner)


def _body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def _files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


def _check_with_unzip(data: bytes, path: Path) -> None:
    if not shutil.which("unzip"):
        return
    path.write_bytes(data)
    done = subprocess.run(["unzip", "-tq", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class TestArchive:
    def test_has_the_files_in_their_order(
        self, client: Client, url: str, shelf: Collection, tmp_path: Path
    ) -> None:
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/zip"
        assert answer["Content-Disposition"] == 'attachment; filename="Holiday.zip"'
        assert answer["Cache-Control"] == "private, no-store"
        data = _body(answer)
        assert len(data) == int(answer["Content-Length"])
        assert _files(data) == {
            "00001 0.txt": DATA[0],
            "00002 1.txt": DATA[1],
            "00003 2.txt": DATA[2],
            "contents.txt": b"Holiday: 3 files\n",
        }
        _check_with_unzip(data, tmp_path / "a.zip")

    def test_goes_on_at_any_byte(self, client: Client, url: str) -> None:
        first = client.get(url)
        whole, etag = _body(first), first["ETag"]
        for start in (0, 1, 29, 30, 41, 42, 500, len(whole) // 2, len(whole) - 1):
            part = client.get(url, headers={"Range": f"bytes={start}-", "If-Range": etag})
            assert part.status_code == 206
            assert part["Content-Range"] == f"bytes {start}-{len(whole) - 1}/{len(whole)}"
            assert _body(part) == whole[start:]
        part = client.get(url, headers={"Range": "bytes=30-99"})
        assert _body(part) == whole[30:100]
        assert client.get(url, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
        assert client.get(url, headers={"If-None-Match": etag}).status_code == 304

    def test_gives_the_same_from_every_byte_on(self, shelf: Collection, owner: Any) -> None:
        archive, plan = _plan(owner, shelf)
        whole = b"".join(archive.read_range("", 0, plan.size))
        for start in range(0, plan.size, 3):
            left = plan.size - start
            assert b"".join(archive.read_range("", start, left)) == whole[start:]
            assert b"".join(archive.read_range("", start, min(left, 9))) == whole[start:][:9]

    def test_goes_on_at_any_byte_though_nobody_has_read_the_beginning(
        self, client: Client, url: str
    ) -> None:
        whole = _body(client.get(url))
        for start in range(0, len(whole), 150):
            MediaVersion.objects.update(crc32=None)
            assert _body(client.get(url, headers={"Range": f"bytes={start}-"})) == whole[start:]

    def test_what_was_sent_is_not_read_again(
        self, client: Client, url: str, files: list[MediaFile], own_storage: ObjectStore
    ) -> None:
        whole = _body(client.get(url))
        assert not MediaVersion.objects.filter(crc32=None).exists()
        own_storage.remove(files[0].current.key)  # reading it would show
        start = len(DATA[0]) + 100
        assert _body(client.get(url, headers={"Range": f"bytes={start}-"})) == whole[start:]

    def test_another_archive_is_not_mixed_with_this_one(
        self, client: Client, url: str, shelf: Collection, owner: Any, files: list[MediaFile]
    ) -> None:
        etag = client.get(url)["ETag"]
        services.move_items(user=owner, collection=shelf, media_ids=[files[0].pk])
        part = client.get(url, headers={"Range": "bytes=5-", "If-Range": etag})
        assert part.status_code == 200
        assert _files(_body(part))["00003 0.txt"] == DATA[0]

    def test_head_reads_nothing(self, client: Client, url: str, own_storage: ObjectStore) -> None:
        size = client.get(url)["Content-Length"]
        for stored in list(own_storage.walk()):
            own_storage.remove(stored.key)
        answer = client.head(url)
        assert (answer.status_code, answer["Content-Length"]) == (200, size)

    def test_an_empty_collection_is_an_archive(self, client: Client, owner: Any) -> None:
        empty = services.create_collection(user=owner, title="Empty")
        data = _body(client.get(f"/collections/{empty.pk}/zip"))
        assert _files(data) == {"contents.txt": b"Empty: 0 files\n"}

    def test_many_files_are_asked_for_in_few_queries(
        self,
        client: Client,
        owner: Any,
        upload: Upload,
        django_assert_max_num_queries: Any,
    ) -> None:
        shelf = services.create_collection(user=owner, title="Many")
        ids = [upload(b"%d" % number, "a.txt").pk for number in range(30)]
        services.add_items(user=owner, collection=shelf, media_ids=ids)
        _body(client.get(f"/collections/{shelf.pk}/zip"))
        with django_assert_max_num_queries(20):
            assert len(_files(_body(client.get(f"/collections/{shelf.pk}/zip")))) == 31

    def test_has_an_end(self, client: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archives, "MOST_FILES", 2)
        assert client.get(url).status_code == 400
        answer = client.get(url, headers={"Accept": "application/json"})
        assert answer.status_code == 400


class TestPermission:
    def test_everybody_gets_what_they_may_have(
        self,
        url: str,
        shelf: Collection,
        files: list[MediaFile],
        browser_of: Callable[[Any], Client],
        stranger: Any,
        owner: Any,
    ) -> None:
        MediaFile.objects.filter(pk=files[1].pk).update(usable=False)
        found = _files(_body(browser_of(stranger).get(url)))
        assert set(found) == {"00001 0.txt", "00002 2.txt", "contents.txt"}
        assert found["contents.txt"] == b"Holiday: 2 files\n"
        services.update_collection(user=owner, collection=shelf, visibility="private")
        for visitor in (stranger, None):
            assert browser_of(visitor).get(url).status_code == 404
            ids = selection_url([one.pk for one in files])
            hidden = _files(_body(browser_of(visitor).get(ids)))
            assert hidden == {"contents.txt": b"Selected files: 0 files, 3 not available\n"}

    def test_it_is_judged_when_a_file_has_its_turn(
        self,
        shelf: Collection,
        files: list[MediaFile],
        owner: Any,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setattr(archives, "JUDGED_FOR", -1.0)
        reader, size = _reader(AnonymousUser(), shelf)
        data = next(reader) + next(reader)  # the first file
        services.update_collection(user=owner, collection=shelf, visibility="private")
        data += b"".join(reader)
        assert len(data) == size
        found = _files(data)
        assert set(found) == {"00001 0.txt", "contents.txt"}
        assert b"Missing: 00002 1.txt - could not be read" in found["contents.txt"]
        assert b"Missing: 00003 2.txt" in found["contents.txt"]
        assert DATA[2] not in data
        _check_with_unzip(data, tmp_path / "a.zip")

    def test_an_account_that_is_switched_off_gets_no_more(
        self,
        shelf: Collection,
        files: list[MediaFile],
        owner: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        services.update_collection(user=owner, collection=shelf, visibility="private")
        monkeypatch.setattr(archives, "JUDGED_FOR", -1.0)
        reader, _ = _reader(owner, shelf)
        data = next(reader) + next(reader)
        type(owner).objects.update(is_active=False)
        assert set(_files(data + b"".join(reader))) == {"00001 0.txt", "contents.txt"}

    def test_others_get_pictures_without_their_place(
        self,
        upload: Upload,
        run_jobs: Any,
        owner: Any,
        browser_of: Callable[[Any], Client],
    ) -> None:
        original = samples.geotagged_jpeg()
        media = upload(original, "a.jpg", visibility="public")
        run_jobs()
        url = selection_url([media.pk])
        assert _files(_body(browser_of(owner).get(url)))["00001 a.jpg"] == original
        alone = _body(browser_of(None).get(f"/media/{media.pk}/original"))
        assert alone != original
        assert _files(_body(browser_of(None).get(url)))["00001 a.jpg"] == alone

    def test_quarantine_is_in_no_archive(
        self, client: Client, url: str, files: list[MediaFile]
    ) -> None:
        MediaFile.objects.filter(pk=files[0].pk).update(status="quarantined", usable=False)
        found = _files(_body(client.get(url)))
        assert DATA[0] not in found.values()
        assert found["contents.txt"] == b"Holiday: 2 files, 1 not available\n"

    def test_programs_come_with_their_token(self, owner: Any, url: str, shelf: Collection) -> None:
        services.update_collection(user=owner, collection=shelf, visibility="private")
        from knox.models import AuthToken

        _, token = AuthToken.objects.create(owner)
        with_token = APIClient(headers={"Authorization": f"Token {token}"})
        assert len(_files(_body(with_token.get(url)))) == 4


def _reader(user: Any, shelf: Collection) -> tuple[Any, int]:
    archive, plan = _plan(user, shelf)
    return archive.read_range("", 0, plan.size), plan.size


def _plan(user: Any, shelf: Collection) -> tuple[archives.Archive, archives.Plan]:
    batches = selectors.batches_below(user=user, collection=shelf)
    plan = archives.make_plan(user=user, title="Holiday", batches=batches)
    return archives.Archive(user, plan), plan


class TestTrouble:
    @pytest.mark.parametrize("trouble", ["lost", "short", "replaced", "deleted"])
    def test_what_cannot_be_read_is_told_of(
        self,
        trouble: str,
        client: Client,
        url: str,
        files: list[MediaFile],
        own_storage: ObjectStore,
        tmp_path: Path,
    ) -> None:
        answer, version = client.get(url), files[0].current
        if trouble in {"lost", "short"}:
            own_storage.remove(version.key)
        if trouble == "short":
            with own_storage.writer(version.key) as writer:
                writer.write(DATA[0][:50])
        elif trouble == "replaced":
            MediaVersion.objects.filter(pk=version.pk).update(key="another")
        elif trouble == "deleted":
            MediaFile.objects.filter(pk=files[0].pk).delete()
        data = _body(answer)
        assert len(data) == int(answer["Content-Length"])
        found = _files(data)
        assert set(found) == {"00002 1.txt", "00003 2.txt", "contents.txt"}
        assert b"Missing: 00001 0.txt - could not be read" in found["contents.txt"]
        _check_with_unzip(data, tmp_path / "a.zip")

    def test_whoever_leaves_early_holds_nothing_open(self, shelf: Collection, owner: Any) -> None:
        reader, _ = _reader(owner, shelf)
        next(reader)
        next(reader)
        reader.close()
        with pytest.raises(StopIteration):
            next(reader)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("../../etc/passwd", "passwd"),
            ("..\\..\\evil.exe", "evil.exe"),
            ("/absolute.txt", "absolute.txt"),
            ("C:\\a.txt", "a.txt"),
            ("a:b?.txt", "a_b_.txt"),
            ("..", "file"),
            ("trailing. .", "trailing"),
            ("line\nbreak.txt", "linebreak.txt"),
            ("täst 🎈.jpg", "täst 🎈.jpg"),
        ],
    )
    def test_are_names_and_no_paths(self, name: str, expected: str) -> None:
        assert archives.clean_name(name) == expected

    def test_are_not_too_long_for_disks(self) -> None:
        name = archives.clean_name("🎈" * 200 + ".jpeg")
        assert len(name.encode()) <= archives.LONGEST_NAME
        assert name.endswith("🎈.jpeg")

    def test_are_unique(self, client: Client, upload: Upload) -> None:
        ids = [upload(b"%d" % number, "same.txt").pk for number in range(3)]
        found = _files(_body(client.get(selection_url(ids))))
        assert set(found) == {
            "00001 same.txt",
            "00002 same.txt",
            "00003 same.txt",
            "contents.txt",
        }

    @pytest.mark.parametrize(
        ("title", "expected"),
        [
            ("..", "file"),
            ("a/../../b", "b"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("Contents", "Contents"),
        ],
    )
    def test_of_folders_are_names_too(self, title: str, expected: str) -> None:
        assert archives.clean_folder(title) == expected


class TestFolders:
    def test_collections_inside_are_folders(
        self, client: Client, url: str, shelf: Collection, owner: Any, upload: Upload
    ) -> None:
        inner = shelf
        for title in ("Evening", "../Late"):
            inner = services.create_collection(user=owner, title=title, parent=inner)
            media = upload(title.encode(), "same.txt")
            services.add_items(user=owner, collection=inner, media_ids=[media.pk])
        assert list(_files(_body(client.get(url)))) == [
            "00001 0.txt",
            "00002 1.txt",
            "00003 2.txt",
            "Evening/00004 same.txt",
            "Evening/Late/00005 same.txt",
            "contents.txt",
        ]

    def test_those_that_are_hidden_leave_no_trace(
        self,
        url: str,
        shelf: Collection,
        owner: Any,
        upload: Upload,
        browser_of: Callable[[Any], Client],
    ) -> None:
        for level in ("private", "unlisted", "public"):
            inner = services.create_collection(
                user=owner, title=level, parent=shelf, visibility=level
            )
            media = upload(level.encode(), f"{level}.txt")
            MediaFile.objects.filter(pk=media.pk).update(usable=True, status="ready")
            services.add_items(user=owner, collection=inner, media_ids=[media.pk])
        services.update_collection(user=owner, collection=shelf, visibility="public")
        data = _body(browser_of(None).get(url))
        assert set(_files(data)) == {
            "00001 0.txt",
            "00002 1.txt",
            "00003 2.txt",
            "public/00004 public.txt",
            "contents.txt",
        }
        assert b"private" not in data
        assert b"unlisted" not in data


class TestSelection:
    def test_the_form_leads_to_an_address(self, client: Client, files: list[MediaFile]) -> None:
        ids = [files[1].pk, files[0].pk]
        answer = client.post("/media/zip", {"ids": ids, "do": "download"})
        assert (answer.status_code, answer["Location"]) == (302, selection_url(ids))
        answer = client.get(answer["Location"])
        assert set(_files(_body(answer))) == {"00001 1.txt", "00002 0.txt", "contents.txt"}

    def test_more_than_an_address_holds_come_with_the_answer(
        self, client: Client, files: list[MediaFile], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive_views, "MOST_IDS", 1)
        ids = ",".join(str(media.pk) for media in files[:2])
        answer = client.post("/media/zip", {"ids": ids})
        assert set(_files(_body(answer))) == {"00001 0.txt", "00002 1.txt", "contents.txt"}

    def test_a_form_without_any_or_with_too_many_is_refused(self, client: Client) -> None:
        many = ",".join(str(uuid4()) for _ in range(services.MOST_SELECTED + 1))
        for ids in ("", many, "x"):
            assert client.post("/media/zip", {"ids": ids}).status_code == 400

    @pytest.mark.parametrize("ids", ["", "x", ",", "1,2"])
    def test_other_ids_are_refused(self, ids: str, client: Client) -> None:
        assert client.get("/media/zip", {"ids": ids}).status_code == 400

    def test_an_address_has_room_for_so_many(self, client: Client) -> None:
        ids = [uuid4() for _ in range(MOST_IDS + 1)]
        assert client.get("/media/zip", {"ids": ",".join(map(str, ids))}).status_code == 400
        assert len(selection_url(ids[:-1])) < 4_000
        assert client.get("/media/zip").status_code == 400
