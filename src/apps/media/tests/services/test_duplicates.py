"""The same bytes twice: told, and by choice refused or linked. A declared hash is held to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.core.storage import ObjectStore
from apps.media import services
from apps.media.exceptions import DuplicateFileError, NotVisibleError, WrongStateError
from apps.media.models import Job, MediaFile, Quota, Tombstone, Upload
from apps.media.services import sessions
from apps.media.services.duplicates import find_duplicate
from apps.media.services.receiving import LinkedFile

URL = "/api/v1/media/"
TEXT = b"A few plain words.\n"
OTHER = b"Quite other words.\n"
DIGEST = hashlib.sha256(TEXT).hexdigest()


@pytest.fixture
def kept(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    media = upload(TEXT, "first.txt")
    run_jobs()
    media.refresh_from_db()
    return media


def _again(media: MediaFile) -> MediaFile:
    return MediaFile.objects.get(pk=media.pk)


class TestTelling:
    def test_a_copy_names_the_oldest(
        self, kept: MediaFile, upload: Callable[..., MediaFile], run_jobs: Any, stranger: Any
    ) -> None:
        copies = [upload(TEXT, "second.txt"), upload(TEXT, "third.txt")]
        others = [upload(OTHER, "fourth.txt"), upload(TEXT, "theirs.txt", user=stranger)]
        run_jobs()
        assert [_again(copy).duplicate_of for copy in copies] == [kept, kept]
        assert [_again(other).duplicate_of for other in [kept, *others]] == [None] * 3

    @pytest.mark.parametrize("turn", [1, -1])
    def test_whichever_is_looked_at_first(
        self, upload: Callable[..., MediaFile], turn: int
    ) -> None:
        first, second = upload(TEXT, "first.txt"), upload(TEXT, "second.txt")
        for media in [first, second][::turn]:
            for job in Job.objects.filter(media=media).order_by("pk"):
                Job.objects.exclude(pk=job.pk).filter(state="queued").update(priority=-1)
                services.run_job(job.pk)
                Job.objects.update(priority=0)
        assert _again(first).duplicate_of is None
        assert _again(second).duplicate_of == first

    def test_what_is_in_the_trash_or_failed_is_no_original(
        self, kept: MediaFile, upload: Callable[..., MediaFile], run_jobs: Any
    ) -> None:
        services.delete_media(user=kept.owner, media=kept)
        second = upload(TEXT, "second.txt")
        run_jobs()
        assert _again(second).duplicate_of is None
        MediaFile.objects.filter(pk=second.pk).update(status="failed", failure_code="rejected")
        third = upload(TEXT, "third.txt")
        run_jobs()
        assert _again(third).duplicate_of is None

    def test_deleting_the_older_one_leaves_the_copy(
        self, kept: MediaFile, upload: Callable[..., MediaFile], run_jobs: Any
    ) -> None:
        copy = upload(TEXT, "second.txt")
        run_jobs()
        services.delete_media(user=kept.owner, media=kept, permanent=True)
        assert _again(copy).duplicate_of is None

    def test_costs_the_same_for_many_copies(
        self, kept: MediaFile, upload: Callable[..., MediaFile], run_jobs: Any
    ) -> None:
        counts = []
        for number in range(4):
            upload(TEXT, f"{number}.txt")
            with CaptureQueriesContext(
                connection,
            ) as queries:
                run_jobs()
            counts.append(len(queries))
        assert counts[1] == counts[3]


class TestShowing:
    @pytest.fixture
    def copy(self, kept: MediaFile, upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
        media = upload(TEXT, "second.txt", visibility="public")
        run_jobs()
        return _again(media)

    def test_who_may_edit_is_told(
        self, copy: MediaFile, kept: MediaFile, api: APIClient, browser_of: Any, stranger: Any
    ) -> None:
        assert api.get(f"{URL}{copy.pk}/").json()["duplicate_of"] == str(kept.pk)
        assert api.get(f"{URL}{kept.pk}/").json()["duplicate_of"] is None
        theirs = browser_of(stranger)
        assert theirs.get(f"{URL}{copy.pk}/").json()["duplicate_of"] is None
        page = browser_of(copy.owner).get(f"/library/{copy.pk}/").content.decode()
        assert f'href="/library/{kept.pk}/">an older file' in page
        assert str(kept.pk) not in theirs.get(f"/library/{copy.pk}/").content.decode()

    def test_a_grant_to_edit_tells_of_no_other_file(
        self, copy: MediaFile, kept: MediaFile, browser_of: Any, stranger: Any
    ) -> None:
        services.grant_access(user=copy.owner, media=copy, to=stranger, permission="edit")
        theirs = browser_of(stranger)
        body = theirs.get(f"{URL}{copy.pk}/").json()
        assert (body["permissions"]["edit"], body["duplicate_of"]) == (True, None)
        assert str(kept.pk) not in theirs.get(f"/library/{copy.pk}/").content.decode()

    def test_the_filter_finds_own_copies_only(
        self, copy: MediaFile, kept: MediaFile, api: APIClient, browser_of: Any, stranger: Any
    ) -> None:
        def names(client: Any, value: str) -> list[str]:
            rows = client.get(URL, {"duplicates": value}).json()["results"]
            return [row["original_name"] for row in rows]

        assert names(api, "true") == ["second.txt"]
        assert names(api, "false") == ["first.txt"]
        for client in (browser_of(stranger), Client()):
            assert names(client, "true") == []
            assert names(client, "false") == ["second.txt"]


class TestDeclaredHash:
    def test_that_fits_is_kept(self, upload: Callable[..., MediaFile], run_jobs: Any) -> None:
        media = upload(TEXT, "a.txt", sha256=DIGEST.upper())
        run_jobs()
        assert (_again(media).status, _again(media).sha256) == ("ready", DIGEST)

    def test_that_does_not_fit_fails_the_file(
        self, upload: Callable[..., MediaFile], run_jobs: Any, heard: list[Any]
    ) -> None:
        media = upload(TEXT, "a.txt", sha256=hashlib.sha256(OTHER).hexdigest())
        run_jobs()
        media = _again(media)
        assert (media.status, media.failure_code) == ("failed", "checksum_mismatch")
        assert not media.usable
        services.reprocess_media(user=media.owner, media=media)
        run_jobs()
        assert _again(media).failure_code == "checksum_mismatch"

    @pytest.mark.parametrize(
        "declared", [{"sha256": "abc"}, {"sha256": "g" * 64}, {"on_duplicate": "burn"}]
    )
    def test_that_is_none_is_refused(
        self,
        upload: Callable[..., MediaFile],
        nothing_happened: Callable[[], None],
        declared: dict[str, str],
    ) -> None:
        with pytest.raises(ValidationError):
            upload(TEXT, "a.txt", **declared)
        nothing_happened()

    def test_counts_until_the_file_was_hashed(
        self, upload: Callable[..., MediaFile], owner: Any, stranger: Any
    ) -> None:
        media = upload(TEXT, "a.txt", sha256=DIGEST)
        assert find_duplicate(owner_id=owner.pk, sha256=DIGEST) == media
        assert find_duplicate(owner_id=owner.pk, sha256=DIGEST, size=len(TEXT)) == media
        assert find_duplicate(owner_id=owner.pk, sha256=DIGEST, size=1) is None
        assert find_duplicate(owner_id=stranger.pk, sha256=DIGEST) is None
        assert find_duplicate(owner_id=owner.pk, sha256="") is None
        MediaFile.objects.update(sha256="0" * 64)
        assert find_duplicate(owner_id=owner.pk, sha256=DIGEST) is None


def _nothing_new(kept: MediaFile, store: ObjectStore) -> None:
    Tombstone.objects.update(due_at="2000-01-01T00:00:00Z")
    services.bury_tombstones()
    assert list(MediaFile.objects.all()) == [kept]
    assert not Upload.objects.exclude(media=kept).exists()
    assert not Job.objects.exclude(state="done").exists()
    quota = Quota.objects.get()
    assert (quota.bytes_used, quota.bytes_reserved, quota.files_used) == (len(TEXT), 0, 1)
    assert not list(store.walk("incoming/"))
    assert len(list(store.walk("original/"))) == 1


def _delete(media: MediaFile, *, for_good: bool) -> None:
    """Behind the back of whoever has found `media`."""
    again = _again(media)
    services.delete_media(user=again.owner, media=again)
    if for_good:
        _again(media).delete()


class TestChoice:
    """By Python and by form, where the hash comes before the file or behind it."""

    def test_refused(
        self, kept: MediaFile, upload: Callable[..., MediaFile], own_storage: ObjectStore
    ) -> None:
        with pytest.raises(DuplicateFileError):
            upload(TEXT, "b.txt", sha256=DIGEST, on_duplicate="refuse")
        _nothing_new(kept, own_storage)

    def test_linked(
        self, kept: MediaFile, upload: Callable[..., MediaFile], own_storage: ObjectStore
    ) -> None:
        assert upload(TEXT, "b.txt", sha256=DIGEST, on_duplicate="link") == kept
        _nothing_new(kept, own_storage)

    @pytest.mark.parametrize("for_good", [False, True])
    def test_what_was_deleted_meanwhile_is_given_to_nobody(
        self, kept: MediaFile, upload: Callable[..., MediaFile], for_good: bool
    ) -> None:
        """A form says at its head what it wants; its bytes come, and are dropped, after that."""
        form = LinkedFile("b.txt", kept)
        _delete(kept, for_good=for_good)
        with pytest.raises(NotVisibleError if for_good else WrongStateError):
            services.upload_media(user=kept.owner, file=form)
        assert not MediaFile.objects.filter(deleted_at=None).exists()

    @pytest.mark.parametrize("for_good", [False, True])
    def test_nor_is_an_upload_begun_of_it(
        self, kept: MediaFile, monkeypatch: pytest.MonkeyPatch, for_good: bool
    ) -> None:
        _delete(kept, for_good=for_good)
        monkeypatch.setattr(sessions, "settle_duplicate", lambda **said: kept)
        announced = services.Announcement(length=len(TEXT), sha256=DIGEST, on_duplicate="link")
        with pytest.raises(NotVisibleError if for_good else WrongStateError):
            services.begin_upload(user=kept.owner, announced=announced)
        assert not Upload.objects.filter(source="tus").exists()

    def test_kept(self, kept: MediaFile, upload: Callable[..., MediaFile]) -> None:
        assert upload(TEXT, "b.txt", sha256=DIGEST) != kept

    def _send(self, api: APIClient, *, ahead: bool, **fields: str) -> Any:
        file = SimpleUploadedFile("b.txt", TEXT)
        form = {**fields, "file": file} if ahead else {"file": file, **fields}
        return api.post(URL, form, format="multipart")

    @pytest.mark.parametrize("ahead", [True, False])
    def test_a_form_is_refused(
        self, kept: MediaFile, api: APIClient, own_storage: ObjectStore, ahead: bool
    ) -> None:
        answer = self._send(api, ahead=ahead, sha256=DIGEST, on_duplicate="refuse")
        assert answer.status_code == 409
        body = answer.json()
        assert body["code"] == "duplicate_file"
        assert body["errors"] == {"duplicate_of": [str(kept.pk)]}
        _nothing_new(kept, own_storage)

    @pytest.mark.parametrize("ahead", [True, False])
    def test_a_form_is_linked(
        self, kept: MediaFile, api: APIClient, own_storage: ObjectStore, ahead: bool
    ) -> None:
        answer = self._send(api, ahead=ahead, sha256=DIGEST, on_duplicate="link")
        assert answer.status_code == 201
        assert answer.json()["id"] == str(kept.pk)
        _nothing_new(kept, own_storage)

    def test_a_wrong_hash_in_a_form_is_told(
        self, api: APIClient, nothing_happened: Callable[[], None]
    ) -> None:
        answer = self._send(api, ahead=True, sha256="abc", on_duplicate="link")
        assert answer.status_code == 400
        assert "sha256" in answer.json()["errors"]
        nothing_happened()

    def test_without_a_hash_it_is_refused_when_looked_at(
        self, kept: MediaFile, api: APIClient, run_jobs: Any
    ) -> None:
        answer = self._send(api, ahead=True, on_duplicate="refuse")
        assert answer.status_code == 201
        run_jobs()
        media = MediaFile.objects.get(pk=answer.json()["id"])
        assert (media.status, media.failure_code) == ("failed", "duplicate_file")

    def test_what_was_let_in_stays(
        self, kept: MediaFile, upload: Callable[..., MediaFile], run_jobs: Any
    ) -> None:
        services.delete_media(user=kept.owner, media=kept)
        media = upload(TEXT, "b.txt", on_duplicate="refuse")
        run_jobs()
        services.restore_media(user=kept.owner, media=kept)
        services.reprocess_media(user=kept.owner, media=media)
        run_jobs()
        assert _again(media).status == "ready"
        assert _again(media).duplicate_of == kept
