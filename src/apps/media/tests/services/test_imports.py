"""Imports by address: begun, fetched, continued, refused without a trace. SECURITY §3, V8.3.3."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.core.errors import (
    AppError,
    SourceRefusedError,
    SourceUnavailableError,
    StorageUnavailableError,
    UrlNotAllowedError,
)
from apps.core.outbound import Reach
from apps.core.storage import ObjectStore
from apps.core.tests.outbound.sources import Script, Source, answer, reach_of, serving
from apps.media import dispatch, selectors, services
from apps.media.exceptions import ForbiddenError, QuotaExceededError, TypeMismatchError
from apps.media.models import Job, MediaFile, Quota, Tombstone, Upload
from apps.media.services import arriving, holding, imports
from apps.media.tests import samples

PHOTO = samples.photo_jpeg(320, 240)
MIB = 1024**2
REST = f"bytes 4000-{len(PHOTO) - 1}/{len(PHOTO)}"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What would have gone to the broker."""
    messages: list[tuple[str, ...]] = []

    def record(name: str, *args: str, queue: str | None = None) -> bool:
        messages.append((name, *args, str(queue)))
        return True

    monkeypatch.setattr(dispatch, "send", record)
    return messages


def photo_source(**fields: str) -> Script:
    return answer(PHOTO, headers='ETag: "one"\nContent-Type: image/jpeg', **fields)


def in_parts(data: bytes, *, cut_after: int, tag: str = '"one"') -> Script:
    """Breaks off after `cut_after` bytes of each answer, and can go on in the middle."""

    def script(connection: socket.socket, request: bytes) -> None:
        start = _asked_from(request)
        status = "206 Partial Content" if start else "200 OK"
        head = f"HTTP/1.1 {status}\r\nETag: {tag}\r\nContent-Length: {len(data) - start}\r\n"
        if start:
            head += f"Content-Range: bytes {start}-{len(data) - 1}/{len(data)}\r\n"
        connection.sendall(head.encode() + b"\r\n" + data[start : start + cut_after])

    return script


def _asked_from(request: bytes) -> int:
    for line in request.decode().lower().split("\r\n"):
        if line.startswith("range: bytes="):
            return int(line.removeprefix("range: bytes=").rstrip("-"))
    return 0


@contextmanager
def begun(owner: Any, script: Script, **fields: Any) -> Iterator[tuple[Upload, Source, Reach]]:
    with serving(script) as source:
        url = source.url(fields.pop("path", "/photo.jpg"), host="files.example")
        yield services.begin_import(user=owner, url=url, **fields), source, reach_of(source)


def run(upload: Upload, reach: Reach) -> Upload:
    assert services.run_import(upload_id=upload.pk, reach=reach)
    upload.refresh_from_db()
    return upload


def make_due(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(due_at=timezone.now() - timedelta(seconds=1))


class Killed(BaseException):
    """Ends an attempt as the end of its process would."""


def die(**arguments: Any) -> None:
    raise Killed


def assert_nothing_left(upload: Upload, store: ObjectStore) -> None:
    """But the row, which tells why."""
    services.bury_tombstones()
    assert list(store.walk()) == []
    assert not MediaFile.objects.exists()
    assert not Job.objects.exists()
    assert not Tombstone.objects.exists()
    quota = Quota.objects.filter(owner=upload.owner_id).first()
    assert quota is None or (quota.bytes_used, quota.bytes_reserved) == (0, 0)


@pytest.mark.django_db
class TestBegin:
    def test_writes_a_row_and_sends_it_after_commit(
        self,
        owner: Any,
        sent: list[tuple[str, ...]],
        django_capture_on_commit_callbacks: Callable[..., Any],
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            upload = services.begin_import(
                user=owner, url="https://files.example/a/photo.jpg?x=1", title="Sea", tags=["b"]
            )
            assert sent == []
        assert sent == [("media.run_import", str(upload.pk), "media.transfer")]
        assert (upload.state, upload.source, upload.original_name) == (
            "receiving",
            "url",
            "photo.jpg",
        )
        assert upload.fields == {"title": "Sea", "tags": ["b"]}

    @pytest.mark.parametrize(
        "url", ["file:///etc/passwd", "http://u@files.example/", "", "x" * 9999]
    )
    def test_s1_s6_what_is_no_address_has_failed_already(
        self,
        url: str,
        owner: Any,
        own_storage: ObjectStore,
        sent: list[tuple[str, ...]],
        django_capture_on_commit_callbacks: Callable[..., Any],
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            upload = services.begin_import(user=owner, url=url)
        assert (upload.state, upload.failure_code) == ("failed", "url_not_allowed")
        assert sent == []
        assert_nothing_left(upload, own_storage)

    def test_refuses_who_may_not_upload(self, owner: Any) -> None:
        owner.is_active = False
        with pytest.raises(ForbiddenError):
            services.begin_import(user=owner, url="https://files.example/")
        assert not Upload.objects.exists()

    def test_refuses_unusable_texts(self, owner: Any) -> None:
        with pytest.raises(ValidationError):
            services.begin_import(user=owner, url="https://files.example/", visibility="all")
        assert not Upload.objects.exists()


@pytest.mark.django_db
class TestRun:
    def test_brings_the_file(self, owner: Any, own_storage: ObjectStore) -> None:
        with begun(owner, photo_source(), caption="At the sea", tags=["sea"]) as (upload, _, reach):
            run(upload, reach)
        media = upload.media
        assert media is not None
        assert (upload.state, upload.length, upload.due_at) == ("completed", len(PHOTO), None)
        assert (media.owner_id, media.mime_type, media.caption) == (
            owner.pk,
            "image/jpeg",
            "At the sea",
        )
        assert [tag.name for tag in media.tags.all()] == ["sea"]
        with media.file.open() as file:
            assert file.read() == PHOTO
        assert [item.key for item in own_storage.walk()] == [media.current.key]
        usage = selectors.get_storage_usage(user=owner)
        assert (usage.used, usage.reserved) == (len(PHOTO), 0)

    @pytest.mark.parametrize(
        ("path", "headers", "name", "shown"),
        [
            ("/photo.jpg", "", "", "photo.jpg"),
            ("/get.php?id=4", "", "", "get.jpg"),
            ("/x", 'Content-Disposition: attachment; filename="a b.jpeg"', "", "a b.jpeg"),
            ("/x.jpg", 'Content-Disposition: attachment; filename="y.jpg"', "mine.jpg", "mine.jpg"),
            ("/x.jpg", "", "../mine", "mine.jpg"),
        ],
    )
    def test_names_it(self, path: str, headers: str, name: str, shown: str, owner: Any) -> None:
        script = answer(PHOTO, headers=headers)
        with begun(owner, script, path=path, name=name) as (upload, _, reach):
            run(upload, reach)
        assert upload.media is not None
        assert upload.media.original_name == shown

    def test_of_unknown_length(self, owner: Any) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + PHOTO)

        with begun(owner, script) as (upload, _, reach):
            run(upload, reach)
        assert (upload.state, upload.length) == ("completed", len(PHOTO))
        assert selectors.get_storage_usage(user=owner).reserved == 0

    def test_a_finished_one_is_left_alone(self, owner: Any) -> None:
        with begun(owner, photo_source()) as (upload, source, reach):
            run(upload, reach)
            assert not services.run_import(upload_id=upload.pk, reach=reach)
            assert source.connects == 1
        assert MediaFile.objects.count() == 1

    def test_one_that_somebody_holds_is_left_alone(self, owner: Any) -> None:
        with (
            begun(owner, photo_source()) as (upload, source, reach),
            holding.hold_upload(upload),
        ):
            assert not services.run_import(upload_id=upload.pk, reach=reach)
            assert source.connects == 0
            upload.refresh_from_db()
            assert not upload.lock_wanted


@pytest.mark.django_db
class TestContinuation:
    def test_goes_on_where_it_broke_off(self, owner: Any) -> None:
        data = samples.photo_jpeg(1200, 900)
        half = len(data) * 2 // 3
        with begun(owner, in_parts(data, cut_after=half)) as (upload, source, reach):
            run(upload, reach)
            assert (upload.state, upload.offset) == ("receiving", half)
            assert (upload.failure_code, upload.attempts) == ("source_unavailable", 1)
            assert upload.due_at is not None
            assert upload.due_at > timezone.now()
            run(upload, reach)
            assert source.header("Range") == f"bytes={half}-"
            assert source.header("If-Range") == '"one"'
        assert (upload.state, upload.failure_code) == ("completed", "")
        assert upload.media is not None
        with upload.media.file.open() as file:
            assert file.read() == data

    def test_begins_anew_where_the_file_is_another(
        self, owner: Any, own_storage: ObjectStore
    ) -> None:
        first, second = samples.photo_jpeg(900, 700), samples.photo_jpeg(640, 480)
        scripts = [in_parts(first, cut_after=5000), answer(second, headers='ETag: "two"')]

        def script(connection: socket.socket, request: bytes) -> None:
            scripts.pop(0)(connection, request)

        with begun(owner, script) as (upload, _, reach):
            run(upload, reach)
            run(upload, reach)
        assert upload.media is not None
        with upload.media.file.open() as file:
            assert file.read() == second
        services.bury_tombstones()
        assert [item.key for item in own_storage.walk()] == [upload.media.current.key]
        assert selectors.get_storage_usage(user=owner).reserved == 0

    def test_that_the_rest_is_of_another_file_is_told(
        self, settings: Any, owner: Any, own_storage: ObjectStore
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "IMPORT_ATTEMPTS": 2}
        tags = iter(['"one"', '"two"'])

        def script(connection: socket.socket, request: bytes) -> None:
            in_parts(PHOTO, cut_after=4000, tag=next(tags))(connection, request)

        with begun(owner, script) as (upload, _, reach):
            assert run(upload, reach).offset == 4000
            run(upload, reach)
        assert (upload.state, upload.failure_code) == ("failed", "source_changed")
        assert_nothing_left(upload, own_storage)

    def test_begins_anew_where_the_bytes_are_lost(
        self, owner: Any, own_storage: ObjectStore
    ) -> None:
        with begun(owner, in_parts(PHOTO, cut_after=4000)) as (upload, _, reach):
            run(upload, reach)
            own_storage.discard(upload.key, state=upload.storage_state)
            run(upload, reach)
            assert (upload.state, upload.offset) == ("receiving", 0)

    def test_gives_up_after_its_attempts(
        self, settings: Any, owner: Any, own_storage: ObjectStore
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "IMPORT_ATTEMPTS": 3}
        with begun(owner, answer(status="503 Busy")) as (upload, source, reach):
            for _ in range(2):
                assert run(upload, reach).state == "receiving"
            run(upload, reach)
            assert source.connects == 3
        assert (upload.state, upload.failure_code) == ("failed", "source_unavailable")
        assert upload.due_at is None
        assert_nothing_left(upload, own_storage)

    def test_that_kills_its_workers_is_given_up(
        self, settings: Any, owner: Any, own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "IMPORT_ATTEMPTS": 3}
        with begun(owner, photo_source()) as (upload, source, reach):
            with monkeypatch.context() as dying:
                dying.setattr(imports, "finalize_upload", die)
                for _ in range(3):
                    with pytest.raises(Killed):
                        run(upload, reach)
            run(upload, reach)
            assert source.connects == 1
        assert (upload.state, upload.failure_code) == ("failed", "processing_crashed")
        assert_nothing_left(upload, own_storage)

    def test_that_got_on_before_its_worker_died_has_all_attempts_again(
        self, settings: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "IMPORT_ATTEMPTS": 1}
        monkeypatch.setattr(imports, "ENOUGH_PROGRESS", 4000)
        with begun(owner, photo_source()) as (upload, _, reach):
            with monkeypatch.context() as dying, pytest.raises(Killed):
                dying.setattr(imports, "finalize_upload", die)
                run(upload, reach)
            assert run(upload, reach).state == "completed"

    def test_waits_longer_each_time(self, owner: Any) -> None:
        waits = []
        with begun(owner, answer(status="503 Busy")) as (upload, _, reach):
            for _ in range(3):
                run(upload, reach)
                assert upload.due_at is not None
                waits.append((upload.due_at - timezone.now()).total_seconds())
        assert waits == [pytest.approx(expected, abs=5) for expected in (20, 40, 80)]

    def test_progress_earns_new_attempts(self, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("apps.media.services.imports.ENOUGH_PROGRESS", 4000)
        with begun(owner, in_parts(PHOTO, cut_after=4000)) as (upload, _, reach):
            assert run(upload, reach).attempts == 0

    @pytest.mark.parametrize(
        "rest",
        [
            answer(status="206 Other", headers=f'ETag: "two"\nContent-Range: {REST}'),
            answer(status="206 Shorter", headers="Content-Range: bytes 4000-4999/6000"),
            answer(status="416 None"),
        ],
    )
    def test_a_source_that_never_goes_on_is_given_up(
        self, rest: Script, settings: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same bytes again and again are no progress."""
        monkeypatch.setattr("apps.media.services.imports.ENOUGH_PROGRESS", 4000)
        settings.MEDIA_APP = {**settings.MEDIA_APP, "IMPORT_ATTEMPTS": 3}
        beginning = in_parts(PHOTO, cut_after=4000)

        def script(connection: socket.socket, request: bytes) -> None:
            (rest if _asked_from(request) else beginning)(connection, request)

        with begun(owner, script) as (upload, _, reach):
            for _ in range(3):
                assert run(upload, reach).state == "receiving"
            run(upload, reach)
        assert (upload.state, upload.failure_code) == ("failed", "source_changed")

    def test_a_storage_that_is_away_is_tried_again(
        self, owner: Any, own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*args: object, **kwargs: object) -> None:
            raise StorageUnavailableError

        with begun(owner, photo_source()) as (upload, _, reach):
            with monkeypatch.context() as patch:
                patch.setattr(type(own_storage), "appender", away)
                run(upload, reach)
                assert (upload.state, upload.failure_code) == ("receiving", "storage_unavailable")
            assert run(upload, reach).state == "completed"

    def test_stops_at_once_where_others_want_it(self, owner: Any) -> None:
        """A worker that is asked to stop keeps what it has and counts no attempt."""
        arrived = threading.Event()

        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "one"\r\nContent-Length: 100000\r\n\r\n')
            connection.sendall(PHOTO[:4000])
            arrived.set()
            connection.recv(1)  # until the worker hangs up

        def stop() -> None:
            arrived.wait(10)
            services.stop_holding()

        with begun(owner, script) as (upload, _, reach):
            stopper = threading.Thread(target=stop)
            stopper.start()
            run(upload, reach)
            stopper.join()
        assert (upload.state, upload.attempts, upload.lock) == ("receiving", 0, None)
        assert upload.offset in {0, 4000}  # whether it read before it was asked


@pytest.mark.django_db
class TestRefusal:
    @pytest.mark.parametrize(
        ("script", "path", "code"),
        [
            (answer(b"<html>hello</html>"), "/a.jpg", "type_mismatch"),
            (answer(b"MZ" + bytes(5000)), "/a", "unsupported_type"),
            (answer(b""), "/a.jpg", "empty_file"),
            (answer(samples.bomb_png()), "/a.png", "too_many_pixels"),
            (answer(b"x", headers=f"Content-Length: {11 * 1024**3}"), "/a.mp4", "file_too_large"),
            (answer(PHOTO, headers="Content-Encoding: gzip"), "/a.jpg", "source_unavailable"),
            (answer(status="404 secret"), "/a.jpg", "source_unavailable"),
        ],
    )
    def test_s7_fails_at_once_and_leaves_nothing(
        self, script: Script, path: str, code: str, owner: Any, own_storage: ObjectStore
    ) -> None:
        with begun(owner, script, path=path) as (upload, source, reach):
            run(upload, reach)
            assert source.connects == 1
        assert (upload.state, upload.failure_code) == ("failed", code)
        assert "secret" not in upload.failure_message
        assert upload.failure_message
        assert_nothing_left(upload, own_storage)

    def test_s7_an_endless_source_ends_at_the_limit_of_its_type(
        self, settings: Any, owner: Any, own_storage: ObjectStore
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "MAX_SIZE": {"image": MIB}}

        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + PHOTO)
            while True:
                connection.sendall(bytes(65536))

        with begun(owner, script) as (upload, _, reach):
            run(upload, reach)
        assert (upload.state, upload.failure_code) == ("failed", "file_too_large")
        assert_nothing_left(upload, own_storage)

    def test_quota_is_counted_as_bytes_come(self, owner: Any, own_storage: ObjectStore) -> None:
        Quota.objects.create(owner=owner, bytes_limit=len(PHOTO) + 10)

        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + PHOTO + bytes(MIB))

        for script_, asked in ((script, 1), (answer(PHOTO + bytes(100)), 1)):
            with begun(owner, script_) as (upload, source, reach):
                run(upload, reach)
                assert source.connects == asked
            assert (upload.state, upload.failure_code) == ("failed", "quota_exceeded")
            assert_nothing_left(upload, own_storage)

    @pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "169.254.169.254"])
    def test_s2_inner_addresses_fail_without_a_connection(
        self, host: str, owner: Any, own_storage: ObjectStore
    ) -> None:
        with serving(photo_source()) as source:
            upload = services.begin_import(user=owner, url=source.url(host=host))
            upload = run(upload, Reach(ports=frozenset({source.port})))
            assert source.connects == 0
        assert (upload.state, upload.failure_code) == ("failed", "url_not_allowed")
        assert_nothing_left(upload, own_storage)

    def test_s2_without_further_arguments_too(self, owner: Any) -> None:
        with serving(photo_source()) as source:
            upload = services.begin_import(user=owner, url=source.url())
            assert services.run_import(upload_id=upload.pk)
            assert source.connects == 0

    def test_v8_3_3_acts_with_the_rights_of_its_owner(
        self, owner: Any, own_storage: ObjectStore
    ) -> None:
        with begun(owner, photo_source()) as (upload, source, reach):
            owner.is_active = False
            owner.save()
            run(upload, reach)
            assert source.connects == 0
        assert (upload.state, upload.failure_code) == ("failed", "permission_denied")
        assert_nothing_left(upload, own_storage)

    def test_an_unexpected_error_says_nothing(
        self, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: object, **kwargs: object) -> None:
            raise RuntimeError("secret")

        monkeypatch.setattr(arriving.Arrival, "take", broken)
        with begun(owner, photo_source()) as (upload, _, reach):
            run(upload, reach)
        assert (upload.state, upload.failure_code) == ("receiving", "unexpected")
        assert "secret" not in upload.failure_message


@pytest.mark.django_db
class TestSweep:
    def test_sends_again_what_is_due_once(self, owner: Any, sent: list[tuple[str, ...]]) -> None:
        upload = services.begin_import(user=owner, url="https://files.example/")
        assert services.sweep_imports() == 0
        make_due(upload)
        assert services.sweep_imports() == 1
        assert sent == [("media.run_import", str(upload.pk), "media.transfer")]
        assert services.sweep_imports() == 0

    def test_leaves_alone_what_is_at_work_or_over(self, owner: Any) -> None:
        upload = services.begin_import(user=owner, url="https://files.example/")
        make_due(upload)
        with holding.hold_upload(upload):
            assert services.sweep_imports() == 0
        make_due(services.begin_import(user=owner, url="file:///x"))
        Upload.objects.filter(pk=upload.pk).update(due_at=None)
        assert services.sweep_imports() == 0

    def test_a_failed_one_goes_when_its_time_is_over(
        self, owner: Any, own_storage: ObjectStore
    ) -> None:
        with begun(owner, answer(status="404 No")) as (upload, _, reach):
            run(upload, reach)
        assert_nothing_left(upload, own_storage)
        Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert services.expire_uploads() == 1
        assert not Upload.objects.exists()


@pytest.mark.django_db
class TestAtOnce:
    def test_gives_the_media_file(self, owner: Any) -> None:
        with serving(photo_source()) as source:
            media = services.import_media_from_url(
                user=owner, url=source.url(), reach=reach_of(source), title="Sea", tags=["b"]
            )
        assert (media.title, media.status) == ("Sea", "pending")
        assert Upload.objects.get().state == "completed"

    @pytest.mark.parametrize(
        ("script", "error"),
        [
            (answer(status="404 No"), SourceRefusedError),
            (answer(PHOTO[:500], headers="Content-Length: 900"), SourceUnavailableError),
            (answer(b"<html></html>"), TypeMismatchError),
        ],
    )
    def test_leaves_nothing_when_it_fails(
        self, script: Script, error: type[AppError], owner: Any, own_storage: ObjectStore
    ) -> None:
        with serving(script) as source, pytest.raises(error):
            services.import_media_from_url(user=owner, url=source.url(), reach=reach_of(source))
        assert not Upload.objects.exists()
        services.bury_tombstones()
        assert list(own_storage.walk()) == []
        assert selectors.get_storage_usage(user=owner).reserved == 0

    def test_refuses_inner_addresses(self, owner: Any) -> None:
        for url in ("http://127.0.0.1/", "file:///etc/passwd"):
            with pytest.raises(UrlNotAllowedError):
                services.import_media_from_url(user=owner, url=url)
        assert not Upload.objects.exists()

    def test_refuses_what_is_over_the_quota(self, owner: Any) -> None:
        Quota.objects.create(owner=owner, bytes_limit=100)
        with serving(photo_source()) as source, pytest.raises(QuotaExceededError):
            services.import_media_from_url(user=owner, url=source.url(), reach=reach_of(source))
        assert not Upload.objects.exists()
