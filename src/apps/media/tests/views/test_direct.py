"""Uploads straight to a bucket, over HTTP, on a server that enforces what we signed."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.core.storage import ObjectStore
from apps.core.storage.s3 import S3Store
from apps.core.tests.swift import swift_server, swift_store
from apps.media import services
from apps.media.models import Job, MediaFile, Quota, Tombstone, Upload
from apps.media.services import direct
from apps.media.tests import samples

__all__ = ["swift_server", "swift_store"]

URL = "/api/v1/uploads/direct/"
MIB = 1024**2
pytestmark = pytest.mark.swift


@pytest.fixture
def bucket(swift_store: S3Store, settings: Any, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """The app's storage is a bucket of Swift."""
    monkeypatch.setattr("apps.media.storage.object_store", lambda alias: swift_store)
    return swift_store


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """Files of more than 5 MiB come in parts of that size."""
    monkeypatch.setattr(direct, "PART_SIZE", 5 * MIB)
    monkeypatch.setattr(direct, "SINGLE_LIMIT", 5 * MIB)
    return 5 * MIB


def begin(api: APIClient, name: str, size: int, **fields: Any) -> Any:
    answer = api.post(URL, {"filename": name, "size": size, **fields}, format="json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def put(part: dict[str, Any], data: bytes) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=60) as client:
        return client.put(part["url"], content=data, headers=part["headers"])


def send(begun: dict[str, Any], data: bytes) -> list[dict[str, Any]]:
    """All parts, as a browser sends them; returns what to complete with."""
    claims = []
    for part in begun["parts"]:
        start = (part["number"] - 1) * begun["part_size"]
        answer = put(part, data[start : start + begun["part_size"]])
        assert answer.is_success, answer.text
        claims.append({"number": part["number"], "etag": answer.headers["ETag"]})
    return claims


def complete(api: APIClient, begun: dict[str, Any], claims: list[dict[str, Any]]) -> Any:
    return api.post(f"{URL}{begun['id']}/complete/", {"parts": claims}, format="json")


def assert_nothing_left(store: S3Store) -> None:
    Tombstone.objects.update(due_at=timezone.now())
    services.bury_tombstones()
    assert not Upload.objects.exists()
    assert not MediaFile.objects.exists()
    assert not Job.objects.exists()
    assert list(store.walk()) == []
    assert list(store.walk_unfinished()) == []
    assert Quota.objects.get().bytes_reserved == 0


def test_in_one_request(api: APIClient, bucket: S3Store) -> None:
    data = samples.photo_jpeg(64, 48)
    begun = begin(api, "photo.jpg", len(data), title="Beach", mime_type="text/html")
    assert [part["number"] for part in begun["parts"]] == [1]
    answer = complete(api, begun, send(begun, data))
    assert answer.status_code == 201
    body = answer.json()
    assert (body["title"], body["mime_type"], body["size"]) == ("Beach", "image/jpeg", len(data))
    media = MediaFile.objects.get()
    assert media.file.read(len(data) + 1) == data
    account = Quota.objects.get()
    assert (account.bytes_reserved, account.bytes_used) == (0, len(data))


def test_in_parts(api: APIClient, bucket: S3Store, small_parts: int, run_jobs: Any) -> None:
    data = b"a,b\n" + os.urandom(11 * MIB).hex().encode()[: 11 * MIB]
    begun = begin(api, "numbers.csv", len(data))
    assert len(begun["parts"]) == 3
    answer = complete(api, begun, send(begun, data))
    assert answer.status_code == 201, answer.content
    run_jobs()
    assert MediaFile.objects.get().sha256 == hashlib.sha256(data).hexdigest()
    assert list(bucket.walk_unfinished()) == []


def test_after_a_reload(api: APIClient, bucket: S3Store, small_parts: int) -> None:
    """What has arrived is listed, what is missing gets its address anew."""
    data = b"words " * MIB
    begun = begin(api, "words.txt", len(data))
    put(begun["parts"][0], data[:small_parts])
    state = api.get(f"{URL}{begun['id']}/").json()
    assert [(part["number"], part["size"]) for part in state["parts"]] == [(1, small_parts)]
    signed = api.post(f"{URL}{begun['id']}/parts/", {"numbers": [2]}, format="json").json()
    assert put(signed["parts"][0], data[small_parts:]).is_success
    state = api.get(f"{URL}{begun['id']}/").json()
    assert complete(api, begun, state["parts"]).status_code == 201


def test_completing_twice_gives_one_file(api: APIClient, bucket: S3Store) -> None:
    begun = begin(api, "a.txt", 5)
    claims = send(begun, b"words")
    first, second = complete(api, begun, claims), complete(api, begun, claims)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
    assert MediaFile.objects.count() == 1


def test_a_lost_answer_of_the_storage(
    api: APIClient, bucket: S3Store, small_parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts were joined, but nobody was told: the next attempt goes on from there."""
    data = b"words " * MIB
    begun = begin(api, "words.txt", len(data))
    claims = send(begun, data)

    def lose(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(direct.Hold, "save", lose)
        with pytest.raises(KeyboardInterrupt):
            complete(api, begun, claims)
    assert complete(api, begun, claims).status_code == 201
    assert MediaFile.objects.get().size == len(data)


def test_a_missing_part(api: APIClient, bucket: S3Store, small_parts: int) -> None:
    data = b"words " * MIB
    begun = begin(api, "words.txt", len(data))
    answer = put(begun["parts"][0], data[:small_parts])
    claims = [{"number": 1, "etag": answer.headers["ETag"]}, {"number": 2, "etag": "x"}]
    refused = complete(api, begun, claims)
    assert (refused.status_code, refused.json()["code"]) == (409, "parts_missing")
    assert Upload.objects.count() == 1


class TestLies:
    """Whatever a client says or does, what becomes a file is what was judged."""

    def test_about_the_size(self, api: APIClient, bucket: S3Store) -> None:
        """The length is signed: the storage itself refuses another one."""
        begun = begin(api, "a.txt", 5)
        assert put(begun["parts"][0], b"more than five").status_code in {400, 403}
        assert complete(api, begun, [{"number": 1}]).status_code == 409

    def test_about_the_type(self, api: APIClient, bucket: S3Store) -> None:
        data = b"<html><script>alert(1)</script>"
        begun = begin(api, "photo.jpg", len(data), mime_type="image/jpeg")
        refused = complete(api, begun, send(begun, data))
        assert refused.json()["code"] in {"type_mismatch", "unsupported_type"}
        assert_nothing_left(bucket)

    def test_a_second_put_changes_nothing(self, api: APIClient, bucket: S3Store) -> None:
        begun = begin(api, "a.txt", 5)
        complete(api, begun, send(begun, b"words"))
        put(begun["parts"][0], b"swaps")
        media = MediaFile.objects.get()
        assert media.file.read(10) == b"words"
        # The address dies with the upload's time, and then what it brought goes, too.
        tombstone = Tombstone.objects.get()
        assert tombstone.due_at > timezone.now() + timedelta(minutes=59)
        Tombstone.objects.update(due_at=timezone.now())
        services.bury_tombstones()
        assert [item.key for item in bucket.walk()] == [media.current.key]

    def test_changed_and_stale_addresses(
        self, api: APIClient, bucket: S3Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun = begin(api, "a.txt", 5)
        part = begun["parts"][0]
        other = {**part, "url": part["url"].replace("/incoming/", "/original/")}
        assert put(other, b"words").status_code == 403
        monkeypatch.setattr(direct, "SIGNED_SECONDS", 1)
        stale = api.post(f"{URL}{begun['id']}/parts/", {}, format="json").json()["parts"][0]
        deadline = time.monotonic() + 30
        while put(stale, b"words").status_code != 403:
            assert time.monotonic() < deadline

    def test_a_part_that_was_replaced(
        self, api: APIClient, bucket: S3Store, small_parts: int
    ) -> None:
        data = b"words " * MIB
        begun = begin(api, "words.txt", len(data))
        claims = send(begun, data)
        put(begun["parts"][1], bytes(len(data) - small_parts))
        assert complete(api, begun, claims).status_code == 409


def test_aborting_leaves_nothing(api: APIClient, bucket: S3Store, small_parts: int) -> None:
    data = b"words " * MIB
    begun = begin(api, "words.txt", len(data))
    put(begun["parts"][0], data[:small_parts])
    assert api.delete(f"{URL}{begun['id']}/").status_code == 204
    assert list(bucket.walk_unfinished()) == []
    assert api.get(f"{URL}{begun['id']}/").status_code == 404
    assert_nothing_left(bucket)


def test_what_has_become_a_file_is_no_upload_any_more(api: APIClient, bucket: S3Store) -> None:
    begun = begin(api, "a.txt", 5)
    assert complete(api, begun, send(begun, b"words")).status_code == 201
    for answer in (
        api.delete(f"{URL}{begun['id']}/"),
        api.post(f"{URL}{begun['id']}/parts/", {}, format="json"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert MediaFile.objects.count() == 1


def test_expiry(api: APIClient, bucket: S3Store) -> None:
    begun = begin(api, "a.txt", 5)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert complete(api, begun, []).status_code == 410
    assert api.post(f"{URL}{begun['id']}/parts/", {}, format="json").status_code == 410
    services.expire_uploads()
    assert_nothing_left(bucket)


def test_others_find_nothing(api: APIClient, bucket: S3Store, stranger: Any) -> None:
    begun = begin(api, "a.txt", 5)
    client = APIClient()
    client.force_authenticate(stranger)
    url = f"{URL}{begun['id']}/"
    answers = [
        client.get(url),
        client.delete(url),
        client.post(f"{url}parts/", {}, format="json"),
        client.post(f"{url}complete/", {"parts": []}, format="json"),
    ]
    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.parametrize(
    ("size", "code", "status"),
    [(0, "empty_file", 422), (10**15, "file_too_large", 413), (-1, "invalid", 400)],
)
def test_refused_at_once(
    api: APIClient, bucket: S3Store, size: int, code: str, status: int
) -> None:
    answer = api.post(URL, {"filename": "a.txt", "size": size}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Upload.objects.exists()


def test_not_every_storage_can(api: APIClient, own_storage: ObjectStore, settings: Any) -> None:
    if not isinstance(own_storage, S3Store):
        answer = api.post(URL, {"filename": "a.txt", "size": 5}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (409, "direct_upload_unavailable")
        assert not Upload.objects.exists()
