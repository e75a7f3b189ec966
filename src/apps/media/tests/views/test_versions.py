"""Replace and versions over HTTP and on the page of a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from apps.core.storage import ObjectStore
from apps.media.models import MediaFile, Upload

URL = "/api/v1/media/"
OLD, NEW = b"The old words.\n", b"Quite new words.\n"


def _body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.fixture
def media(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    found = upload(OLD, "old.txt", visibility="public")
    run_jobs()
    return found


@pytest.fixture
def replace(api: APIClient, media: MediaFile) -> Callable[..., Any]:
    def send(data: bytes = NEW, name: str = "new.txt", client: Any = api) -> Any:
        form = {"file": SimpleUploadedFile(name, data)}
        return client.post(f"{URL}{media.pk}/replace/", form, format="multipart")

    return send


class TestSearch:
    def test_others_find_by_what_they_get(
        self, media: MediaFile, replace: Any, run_jobs: Any, browser_of: Any, stranger: Any
    ) -> None:
        """Also while a new version is not known to be good, and when it is refused."""

        def found(word: str) -> int:
            return len(browser_of(stranger).get(URL, {"q": word}).json()["results"])

        assert replace(b"Words of which nobody knows yet.\n", "merger.txt").status_code == 200
        assert (found("old.txt"), found("merger")) == (1, 0)
        run_jobs()
        assert (found("old.txt"), found("merger"), found("nobody")) == (0, 1, 1)


class TestApi:
    def test_replace_list_restore_delete(
        self,
        api: APIClient,
        media: MediaFile,
        replace: Any,
        run_jobs: Any,
        browser_of: Any,
    ) -> None:
        browser = browser_of(media.owner)
        answer = replace()
        assert answer.status_code == 200
        assert (answer.json()["version"], answer.json()["status"]) == (2, "pending")
        run_jobs()
        body = api.get(f"{URL}{media.pk}/versions/").json()
        assert body["next"] is None
        newest, oldest = body["results"]
        assert (newest["number"], newest["current"], newest["published"]) == (2, True, True)
        assert (oldest["number"], oldest["current"], oldest["published"]) == (1, False, False)
        assert (oldest["size"], oldest["mime_type"]) == (len(OLD), "text/plain")
        assert len(oldest["sha256"]) == 64
        kept = browser.get(oldest["urls"]["original"])
        assert _body(kept) == OLD
        assert kept["Cache-Control"] == "private, no-store"
        assert "old.txt" in kept["Content-Disposition"]

        restored = api.post(f"{URL}{media.pk}/versions/1/restore/")
        assert (restored.status_code, restored.json()["version"]) == (200, 1)
        assert restored.json()["status"] == "ready"
        assert api.delete(f"{URL}{media.pk}/versions/1/").json()["code"] == "wrong_state"
        assert api.delete(f"{URL}{media.pk}/versions/2/").status_code == 204
        assert [
            row["number"] for row in api.get(f"{URL}{media.pk}/versions/").json()["results"]
        ] == [1]
        assert browser.get(f"/media/{media.pk}/original?version=2").status_code == 404

    @pytest.mark.parametrize(
        ("data", "code", "status"),
        [(b"", "empty_file", 422), (b"MZ\x90\x00" + b"\0" * 64, "unsupported_type", 415)],
    )
    def test_refusals_leave_no_trace(
        self,
        media: MediaFile,
        replace: Any,
        own_storage: ObjectStore,
        data: bytes,
        code: str,
        status: int,
    ) -> None:
        answer = replace(data, "new.exe")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert media.versions.count() == 1
        assert not Upload.objects.exclude(state="completed").exists()
        assert not list(own_storage.walk("incoming/"))

    def test_others_get_the_answer_they_always_get(
        self,
        media: MediaFile,
        replace: Any,
        stranger: Any,
        browser_of: Any,
        own_storage: ObjectStore,
    ) -> None:
        theirs = APIClient()
        theirs.force_authenticate(stranger)
        assert replace(client=theirs).status_code == 403
        assert theirs.get(f"{URL}{media.pk}/versions/").status_code == 403
        page = browser_of(stranger)
        assert page.get(f"/media/{media.pk}/original?version=1").status_code == 403
        MediaFile.objects.update(visibility="private")
        assert replace(client=theirs).status_code == 404
        assert theirs.get(f"{URL}{media.pk}/versions/").status_code == 404
        assert theirs.post(f"{URL}{media.pk}/versions/1/restore/").status_code == 404
        assert replace(client=APIClient()).status_code == 401
        assert media.versions.count() == 1
        assert not list(own_storage.walk("incoming/"))

    @pytest.mark.parametrize("number", ["0", "99999999999", "x", "-1", "1%00"])
    def test_odd_numbers_are_missing(self, media: MediaFile, browser_of: Any, number: str) -> None:
        browser = browser_of(media.owner)
        assert browser.get(f"/media/{media.pk}/original?version={number}").status_code == 404

    def test_costs_the_same_for_many_versions(
        self, media: MediaFile, replace: Any, api: APIClient, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(4):
            replace(f"Words {number}.\n".encode())
        with django_assert_max_num_queries(3):
            assert len(api.get(f"{URL}{media.pk}/versions/").json()["results"]) == 5


class TestCaches:
    """An address that may be kept for ever never means other bytes."""

    def _get(self, client: Client, media: MediaFile, version: int) -> tuple[bytes, str]:
        answer = client.get(f"/media/{media.pk}/original?v={version}")
        return _body(answer), answer["Cache-Control"]

    def test_while_the_new_version_is_looked_at(
        self, media: MediaFile, replace: Any, browser_of: Any, owner: Any
    ) -> None:
        everybody = Client()
        assert self._get(everybody, media, 1) == (OLD, "public, max-age=31536000, immutable")
        replace()
        assert self._get(everybody, media, 1) == (OLD, "public, max-age=31536000, immutable")
        data, kept = self._get(everybody, media, 2)
        assert data == OLD
        assert "immutable" not in kept
        assert self._get(browser_of(owner), media, 2) == (NEW, "private, no-store")

    def test_afterwards(self, media: MediaFile, replace: Any, run_jobs: Any) -> None:
        replace()
        run_jobs()
        everybody = Client()
        assert self._get(everybody, media, 2) == (NEW, "public, max-age=31536000, immutable")
        data, kept = self._get(everybody, media, 1)
        assert data == NEW
        assert "immutable" not in kept

    def test_lists_and_pages_of_others_name_the_old_one(
        self, media: MediaFile, replace: Any, django_assert_num_queries: Any
    ) -> None:
        everybody = Client()
        replace()
        (row,) = everybody.get(URL).json()["results"]
        assert (row["version"], row["size"], row["original_name"]) == (1, len(OLD), "old.txt")
        assert row["urls"]["original"].endswith("?v=1")
        assert everybody.get(f"{URL}{media.pk}/").json()["status"] == "ready"
        page = everybody.get(f"/library/{media.pk}/").content.decode()
        assert "old.txt" in page
        assert "new.txt" not in page
        assert "old.txt" in everybody.get("/").content.decode()


class TestPage:
    def test_replaces_restores_and_deletes_without_script(
        self, media: MediaFile, browser_of: Any, owner: Any, run_jobs: Any
    ) -> None:
        page, base = browser_of(owner), f"/library/{media.pk}/"
        answer = page.post(f"{base}replace/", {"file": SimpleUploadedFile("new.txt", NEW)})
        assert answer.status_code == 302
        text = page.get(base).content.decode()
        assert "The file is replaced." in text
        assert "Others get version 1 until" in text
        run_jobs()
        text = page.get(base).content.decode()
        assert "Others get version" not in text
        assert f"{base}versions/1/restore/" in text
        page.post(f"{base}versions/1/restore/")
        assert MediaFile.objects.get().version == 1
        page.post(f"{base}versions/2/delete/")
        assert [version.number for version in media.versions.all()] == [1]

    def test_tells_why_not(
        self, media: MediaFile, browser_of: Any, owner: Any, own_storage: ObjectStore
    ) -> None:
        page, base = browser_of(owner), f"/library/{media.pk}/"
        page.post(f"{base}replace/", {"file": SimpleUploadedFile("new.txt", b"")})
        assert "was not taken: The file is empty." in page.get(base).content.decode()
        page.post(f"{base}replace/", {})
        assert "Choose a file." in page.get(base).content.decode()
        page.post(f"{base}versions/1/delete/")
        assert "This is the current version." in page.get(base).content.decode()
        assert media.versions.count() == 1
        assert not list(own_storage.walk("incoming/"))

    def test_needs_the_token_of_the_form(self, media: MediaFile, owner: Any) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(owner)
        answer = strict.post(
            f"/library/{media.pk}/replace/", {"file": SimpleUploadedFile("new.txt", NEW)}
        )
        assert answer.status_code == 403
        assert media.versions.count() == 1
        assert not Upload.objects.exclude(state="completed").exists()

    def test_others_see_no_versions(self, media: MediaFile, browser_of: Any, stranger: Any) -> None:
        text = browser_of(stranger).get(f"/library/{media.pk}/").content.decode()
        assert "versions-title" not in text
        answer = browser_of(stranger).post(
            f"/library/{media.pk}/replace/", {"file": SimpleUploadedFile("new.txt", NEW)}
        )
        assert answer.status_code == 403
        assert media.versions.count() == 1
