"""Faults found by review, one test each: what was sent, and the answer that it must get."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from apps.core.errors import AppError
from apps.core.requestbody import RequestBody
from apps.core.storage import ObjectStore
from apps.media import services
from apps.media.exceptions import NotVisibleError, UploadInterruptedError
from apps.media.models import Job, MediaFile, Quota, Rendition, Tag, Tombstone, Upload
from apps.media.services import finalizing, jobs, rendering, renditions
from apps.media.services.receiving import open_receipt
from apps.media.tests import samples

LIST = "/api/v1/media/"
TOKEN = "/api/v1/auth/token/"
TEXT = b"A few plain words.\n"


@pytest.fixture
def media(upload: Callable[..., MediaFile]) -> MediaFile:
    return upload(TEXT, "notes.txt")


@pytest.fixture
def quiet(api: APIClient) -> APIClient:
    """The owner's API; an unhandled exception is an answer, as in service."""
    api.raise_request_exception = False
    return api


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


# -- what programs send ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        {"page_size": "0000002000000"},  # nine digits of it say 200
        {"page_size": "0" * 5000 + "1"},
        {"cursor": _encoded("[" * 2500)},
        {
            "cursor": _encoded('["original_name", false, false, "\\ud800", "0"]'),
            "ordering": "original_name",
        },
        {
            "cursor": _encoded('["original_name", false, false, "\\u0000", "0"]'),
            "ordering": "original_name",
        },
        {"cursor": _encoded(f'["size", false, false, {10**30}, "0"]'), "ordering": "size"},
        {"created_before": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_an_odd_query_is_refused(quiet: APIClient, media: MediaFile, query: Any) -> None:
    answer = quiet.get(LIST, query)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"


def test_a_tag_with_nul_beside_another_finds_nothing(quiet: APIClient, media: MediaFile) -> None:
    answer = quiet.get(LIST, {"tag": ["a\0b", "x"]})  # the form looks at the last one only
    assert (answer.status_code, answer.json()["results"]) == (200, [])


@pytest.mark.parametrize(
    "body",
    [
        '{"focal_point": {"x": 0.5}}',
        '{"title": ' + "[" * 5000 + "]" * 5000 + "}",
    ],
    ids=lambda body: body[:40],
)
def test_an_odd_change_is_refused(quiet: APIClient, media: MediaFile, body: str) -> None:
    before = MediaFile.objects.values().get(pk=media.pk)
    answer = quiet.patch(f"{LIST}{media.pk}/", body, content_type="application/json")
    assert answer.status_code == 400
    assert MediaFile.objects.values().get(pk=media.pk) == before


@pytest.mark.parametrize("path", [LIST, "original"])
def test_an_authorization_that_is_no_text_is_no_right(media: MediaFile, path: str) -> None:
    client = APIClient(raise_request_exception=False)
    path = reverse("media:original", args=[media.pk]) if path == "original" else path
    answer = client.get(path, HTTP_AUTHORIZATION="Token \xff\xfe")
    assert answer.status_code in {401, 404}


def test_a_rendition_name_with_nul_is_missing(media: MediaFile) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(media.owner)
    assert client.get(f"/media/{media.pk}/r/a%00b").status_code == 404


@pytest.mark.parametrize("path", [TOKEN, "/accounts/login/"])
def test_only_uploads_take_files(db: None, settings: Any, tmp_path: Path, path: str) -> None:
    """Whoever is not even signed in cannot fill the disk with temporary files."""
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "absent")
    client = Client(raise_request_exception=False)
    file = SimpleUploadedFile("a.bin", b"x" * 3 * 1024**2)
    assert client.post(path, {"username": "a", "password": "b", "file": file}).status_code < 500


def test_a_part_that_cannot_be_decoded_leaves_nothing(
    quiet: APIClient, nothing_happened: Callable[[], None]
) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    encoded = b"Content-Transfer-Encoding: base64\r\n\r\n" + b"aGVs" * 20 + b"!!!=a="
    body = head + encoded + b"\r\n--x--\r\n"
    answer = quiet.generic("POST", LIST, body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 400
    assert _open_objects() == []
    nothing_happened()


def _open_objects() -> list[str]:
    """The objects of files that this process still holds open."""
    names = (os.path.realpath(link) for link in Path("/proc/self/fd").iterdir())
    return [name for name in names if "/original/" in name]


def test_only_one_object_is_written_at_a_time(
    quiet: APIClient, own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer may hold megabytes (S3), and a form may have a hundred files."""
    writing: set[str] = set()
    most = 0
    kind = type(own_storage)
    start = kind.writer

    def writer(self: Any, key: str) -> Any:
        nonlocal most
        made = start(self, key)
        close = made.close
        monkeypatch.setattr(made, "close", lambda: (close(), writing.discard(key)))
        writing.add(key)
        most = max(most, len(writing))
        return made

    monkeypatch.setattr(kind, "writer", writer)
    quiet.post(LIST, {f"f{number}": ContentFile(TEXT, name="a.txt") for number in range(5)})
    assert most == 1


def test_a_body_of_unknown_length_is_told_so(quiet: APIClient) -> None:
    """It comes in chunks, and the form would look empty (RFC 9110 §15.5.12)."""
    extra = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    assert quiet.generic("POST", LIST, **extra).status_code == 411


# -- tags --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [("k", "\u212a"), ("ß", "ẞ"), ("Foo", "fOO"), ("é", "É"), ("ω", "\u2126")],
)
def test_tags_that_differ_in_case_only_are_no_fault(
    upload: Callable[..., MediaFile], first: str, second: str
) -> None:
    upload(TEXT, "a.txt", tags=[first])
    assert upload(TEXT, "b.txt", tags=[second]).tags.count() == 1


def test_composed_and_decomposed_spellings_are_one_tag(upload: Callable[..., MediaFile]) -> None:
    upload(TEXT, "a.txt", tags=["caf\u00e9"])
    upload(TEXT, "b.txt", tags=["cafe\u0301"])
    assert Tag.objects.count() == 1


# -- races -------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["delete_media", "update_media", "reprocess_media"])
def test_a_file_purged_meanwhile_is_missing(media: MediaFile, owner: Any, service: str) -> None:
    services.delete_media(user=owner, media=MediaFile.objects.get(pk=media.pk), permanent=True)
    with pytest.raises(NotVisibleError):
        getattr(services, service)(user=owner, media=media)


def test_a_reservation_without_its_upload_is_given_back(owner: Any) -> None:
    receipt = open_receipt(user=owner, name="notes.txt", declared_size=0, source="form")
    Upload.objects.all().delete()  # expired, or its owner's files were cleared
    with suppress(AppError):
        receipt.write(TEXT)
    receipt.discard()
    assert not Quota.objects.exclude(bytes_reserved=0).exists()


def _arrived(owner: Any) -> Upload:
    """A whole upload that has not become a file yet."""
    announced = services.Announcement(name="notes.txt", length=len(TEXT))
    upload = services.begin_upload(user=owner, announced=announced)
    body = RequestBody({"wsgi.input": io.BytesIO(TEXT), "CONTENT_LENGTH": str(len(TEXT))})
    return services.append_to_upload(upload=upload, piece=services.Piece(offset=0, body=body))


def test_an_upload_that_expires_while_it_is_finalized_leaves_nothing(
    owner: Any, own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = _arrived(owner)
    promote = finalizing._promote

    def expires(upload: Upload) -> None:
        promote(upload)
        Upload.objects.update(expires_at="2000-01-01T00:00:00Z")
        services.expire_uploads()

    monkeypatch.setattr(finalizing, "_promote", expires)
    with pytest.raises(UploadInterruptedError):
        finalizing.finalize_upload(upload=arrived, fields={})
    Tombstone.objects.update(due_at="2000-01-01T00:00:00Z")
    services.bury_tombstones()
    assert list(own_storage.walk()) == []
    assert Quota.objects.get().bytes_reserved == 0


def test_deleting_a_file_sends_one_message_however_many_objects_it_has(
    upload: Callable[..., MediaFile],
    owner: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    media = upload(TEXT, "notes.txt")
    for name in ("a", "b", "c"):
        Rendition.objects.create(media=media, version=1, name=name, storage="media", key=name)
    sent: list[str] = []
    monkeypatch.setattr("apps.media.dispatch.send", lambda name, *args, **kwargs: sent.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_media(user=owner, media=media, permanent=True)
    assert Tombstone.objects.count() == 4
    assert sent == ["media.bury_tombstones"]


def test_the_loser_of_two_finalizations_destroys_nothing(
    owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has promoted and not yet recorded while the other looks at the incoming object."""
    arrived = _arrived(owner)
    inspect = finalizing.inspect_head

    def late(upload: Upload) -> Any:
        finalizing._promote(Upload.objects.get(pk=upload.pk))
        return inspect(upload)

    monkeypatch.setattr(finalizing, "inspect_head", late)
    assert finalizing.finalize_upload(upload=arrived, fields={}).size == len(TEXT)


def test_a_zombie_does_not_write_to_the_key_of_its_successor(
    upload: Callable[..., MediaFile], own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = upload(samples.photo_jpeg(700, 500))
    for waiting in Job.objects.filter(state="queued"):
        services.run_job(waiting.pk)  # inspect, scan
    job = Job.objects.get(kind="render")
    run_render = rendering.sandbox.run_render

    def stopped_meanwhile(*args: Any, **kwargs: Any) -> Any:
        made = run_render(*args, **kwargs)
        Job.objects.filter(pk=job.pk).update(state="queued", lease=None, lease_until=None)
        successor = jobs._claim(job.queue, kinds=[job.kind])
        assert successor is not None
        names = [recipe.name for recipe in kwargs["plan"].recipes]
        with successor.saving() as media:
            renditions.reserve(media, photo.current, names)
        return made

    monkeypatch.setattr(rendering.sandbox, "run_render", stopped_meanwhile)
    assert services.run_job(job.pk) is False
    keys = Rendition.objects.values_list("next_key", flat=True)
    assert [key for key in keys if own_storage.exists(key)] == []


def _at_once(*calls: Callable[[], object]) -> list[Exception]:
    """Run all calls at the same time; return what they raised, without "missing"."""
    ready = Barrier(len(calls))

    def run(call: Callable[[], object]) -> Exception | None:
        try:
            ready.wait()
            call()
        except NotVisibleError:
            return None
        except Exception as error:
            return error
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(len(calls)) as pool:
        return [error for error in pool.map(run, calls) if error is not None]


def _purge(user: Any, media: MediaFile) -> None:
    services.delete_media(user=user, media=media, permanent=True)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """What PostgreSQL interleaves; SQLite lets one writer in after the other."""

    def test_uploads_of_one_user_do_not_block_each_other(
        self, upload: Callable[..., MediaFile]
    ) -> None:
        many = [lambda: [upload(TEXT, "a.txt") for _ in range(8)] for _ in range(6)]
        assert _at_once(*many) == []

    def test_a_file_deleted_twice_is_given_back_once(
        self, upload: Callable[..., MediaFile], owner: Any
    ) -> None:
        upload(TEXT * 100, "stays.txt")
        for _ in range(8):
            gone = upload(TEXT, "gone.txt").pk
            copies = [MediaFile.objects.get(pk=gone) for _ in range(3)]
            assert _at_once(*(partial(_purge, owner, copy) for copy in copies)) == []
        account = Quota.objects.get()
        assert (account.bytes_used, account.files_used) == (len(TEXT) * 100, 1)

    def test_deleting_and_tagging_meet(self, upload: Callable[..., MediaFile], owner: Any) -> None:
        for _ in range(8):
            gone = upload(TEXT, "gone.txt").pk
            first, second = (MediaFile.objects.get(pk=gone) for _ in range(2))
            change = partial(services.update_media, user=owner, media=second, tags=["a", "b"])
            assert _at_once(partial(_purge, owner, first), change) == []
            assert not MediaFile.objects.exists()

    def test_new_tags_of_several_files(self, upload: Callable[..., MediaFile], owner: Any) -> None:
        files = [upload(TEXT, "a.txt") for _ in range(6)]
        orders = [["ab", "cd", "ef"], ["EF", "CD", "AB"]] * 3
        change = partial(services.update_media, user=owner)
        pairs = zip(files, orders, strict=True)
        assert _at_once(*(partial(change, media=media, tags=names) for media, names in pairs)) == []
        assert Tag.objects.count() == 3

    def test_renaming_a_tag_and_tagging_meet(
        self, upload: Callable[..., MediaFile], owner: Any
    ) -> None:
        files = [upload(TEXT, "a.txt") for _ in range(8)]
        ids = [media.pk for media in files]
        for turn in range(8):
            old, new = f"old{turn}", f"new{turn}"
            services.tag_many(user=owner, ids=ids[::2], tags=[old])
            rename = partial(services.rename_tag, tag=Tag.objects.get(name=old), name=new)
            tagging = partial(services.tag_many, user=owner, ids=ids, tags=[old])
            assert _at_once(rename, tagging) == []
        for media in MediaFile.objects.all():
            names = media.tags.values_list("name", flat=True)
            assert all(name in media.search_text.split() for name in names)

    def test_deleting_and_processing_meet(
        self, upload: Callable[..., MediaFile], owner: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        files = [upload(TEXT, "gone.txt") for _ in range(15)]
        due = list(Job.objects.values_list("pk", flat=True))

        def work() -> None:
            for pk in due:
                services.run_job(pk)

        assert _at_once(work, work, lambda: [_purge(owner, file) for file in files]) == []
        assert "deadlock" not in caplog.text


def test_a_quarantine_is_not_lifted_by_processing_again(media: MediaFile, owner: Any) -> None:
    MediaFile.objects.update(status="quarantined")
    with suppress(AppError):
        services.reprocess_media(user=owner, media=media)
    media.refresh_from_db()
    assert media.status == "quarantined"


# -- the account -------------------------------------------------------------------------------


def test_an_operators_limit_does_not_overwrite_the_account(media: MediaFile, staff: Any) -> None:
    stale = Quota.objects.get()
    Quota.objects.update(bytes_used=1000)
    model_admin = admin.site.get_model_admin(Quota)

    class Form:
        changed_data = ["bytes_limit"]
        cleaned_data = {"bytes_limit": 5}

    stale.bytes_limit = 5
    request = RequestFactory().post("/")
    request.user = staff
    model_admin.save_model(request, stale, Form(), True)
    assert (Quota.objects.get().bytes_used, Quota.objects.get().bytes_limit) == (1000, 5)


@pytest.fixture
def office(staff: Any) -> Client:
    """The admin's pages as an operator sees them."""
    client = Client()
    client.force_login(staff)
    return client


def test_an_account_cannot_be_deleted(media: MediaFile, office: Client) -> None:
    url = reverse("admin:media_quota_delete", args=[media.owner_id])
    assert office.post(url, {"post": "yes"}).status_code == 403
    assert Quota.objects.get().bytes_used == len(TEXT)


@pytest.mark.parametrize(("kind", "field"), [("media_mediafile", "pk"), ("users_user", "owner_id")])
def test_the_admin_deletes_a_file_and_a_user_with_files(
    media: MediaFile, office: Client, kind: str, field: str
) -> None:
    office.post(reverse(f"admin:{kind}_delete", args=[getattr(media, field)]), {"post": "yes"})
    assert not MediaFile.objects.exists()


def test_a_renamed_tag_is_found_by_its_new_name(
    upload: Callable[..., MediaFile], office: Client, api: APIClient
) -> None:
    upload(TEXT, "notes.txt", tags=["before"])
    tag = Tag.objects.get()
    form = {"name": "after", "owner": tag.owner_id}
    office.post(reverse("admin:media_tag_change", args=[tag.pk]), form)
    assert len(api.get(LIST, {"q": "after"}).json()["results"]) == 1


def test_renaming_a_tag_of_many_files_takes_no_query_for_each(
    upload: Callable[..., MediaFile],
) -> None:
    for number in range(10):
        upload(TEXT, f"{number}.txt", tags=["before"])
    tag = Tag.objects.get()
    with CaptureQueriesContext(connection) as asked:
        services.rename_tag(tag=tag, name="after")
    assert len(asked) < 12
    assert all("after" in media.search_text for media in MediaFile.objects.all())


# -- delivery ----------------------------------------------------------------------------------


def test_what_strangers_may_not_see_yet_is_never_publicly_cached(
    api: APIClient, upload: Callable[..., MediaFile]
) -> None:
    media = upload(TEXT, "notes.txt", visibility="public")
    client = Client()
    client.force_login(media.owner)
    answer = client.get(reverse("media:original", args=[media.pk]), {"v": "1"})
    assert "public" not in answer.headers["Cache-Control"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_refusals_of_bytes_are_locked_too(media: MediaFile, method: str) -> None:
    answer = getattr(Client(), method)(
        reverse("media:original", args=[media.pk]), HTTP_ACCEPT="text/html"
    )
    assert answer.status_code in {404, 405}
    assert "default-src" in answer.headers.get("Content-Security-Policy", "")
