"""What a holder may still do once its lease has run out and somebody else has gone on: nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from apps.core.storage import ObjectStore
from apps.core.tus import Checksum
from apps.media import services
from apps.media.exceptions import (
    BadRequestError,
    ServiceStoppingError,
    UploadLockedError,
    UploadTakenError,
)
from apps.media.models import MediaFile, Quota, Upload
from apps.media.services import arriving, concatenating, holding

pytestmark = pytest.mark.django_db

TEXT = b"Hello world"


class Line:
    """A body whose first piece comes, and whose rest does not before `stalled` has been called."""

    length: int | None = None

    def __init__(self, piece: bytes, stalled: Callable[[], object] = lambda: None) -> None:
        self._piece = piece
        self._stalled = stalled
        self.is_whole = False

    def __iter__(self) -> Iterator[bytes]:
        yield self._piece
        self._stalled()
        self.is_whole = True

    def interrupt(self) -> None:
        """Nothing waits."""


def begin(user: Any, **announced: Any) -> Upload:
    return services.begin_upload(
        user=user, announced=services.Announcement(name="hello.txt", **announced)
    )


def append(upload: Upload, body: Line, **more: Any) -> Upload:
    again = Upload.objects.get(pk=upload.pk)
    piece = services.Piece(offset=again.offset, body=body, **more)
    return services.append_to_upload(upload=again, piece=piece)


def part(user: Any, data: bytes) -> Upload:
    upload = begin(user, length=len(data), role=Upload.Role.PARTIAL)
    return append(upload, Line(data))


def lapse() -> None:
    """As if every holder had been stopped for longer than a lease."""
    Upload.objects.update(lock_until=timezone.now() - timedelta(seconds=1))


def look_again() -> None:
    """The holders' thread, once they run again."""
    holding._KEEPER._renew(dict(holding._KEEPER._holds))


def see_who_wants_in() -> None:
    """The same, of what they do for others."""
    holding._KEEPER._look(dict(holding._KEEPER._holds))


def before_first_part(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have `act` done once, while a join is under way."""
    append_part = concatenating._append

    def act_and_append(*arguments: Any) -> None:
        monkeypatch.setattr(concatenating, "_append", append_part)
        act()
        append_part(*arguments)

    monkeypatch.setattr(concatenating, "_append", act_and_append)


class Killed(BaseException):
    """Ends a request as the end of its process would."""


def die(*arguments: Any, **more: Any) -> None:
    raise Killed


@pytest.mark.parametrize("checksum", [None, Checksum("sha1", bytes(20))])
def test_a_request_spares_what_another_has_acknowledged(
    owner: Any, checksum: Checksum | None
) -> None:
    upload = begin(owner, length=len(TEXT))

    def taken_over() -> None:
        lapse()
        append(upload, Line(TEXT[:8]))
        look_again()

    with pytest.raises(UploadTakenError):
        append(upload, Line(TEXT[:3], taken_over), checksum=checksum)
    media = services.finish_upload(upload=append(upload, Line(TEXT[8:])))
    assert media is not None
    assert media.file.read(100) == TEXT


def test_a_request_that_was_stopped_before_it_began(
    owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, find_store = begin(owner, length=len(TEXT)), arriving.store_of

    def find_store_late(alias: str) -> ObjectStore:
        monkeypatch.setattr(arriving, "store_of", find_store)
        lapse()
        append(upload, Line(TEXT[:8]))
        look_again()
        return find_store(alias)

    monkeypatch.setattr(arriving, "store_of", find_store_late)
    with pytest.raises(UploadTakenError):
        append(upload, Line(TEXT[:3]))
    media = services.finish_upload(upload=append(upload, Line(TEXT[8:])))
    assert media is not None
    assert media.file.read(100) == TEXT


class TestJoining:
    @pytest.fixture
    def tokens(self, owner: Any) -> list[str]:
        return [part(owner, data).token for data in (TEXT[:6], TEXT[6:])]

    @pytest.fixture
    def join(self, owner: Any, tokens: list[str]) -> Callable[[], Upload]:
        announced = services.Announcement(name="hello.txt", role=Upload.Role.FINAL)
        return lambda: services.concatenate_uploads(user=owner, tokens=tokens, announced=announced)

    def test_spares_the_file_that_another_has_made(
        self,
        join: Callable[[], Upload],
        own_storage: ObjectStore,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def taken_over() -> None:
            lapse()
            join()
            look_again()

        before_first_part(monkeypatch, taken_over)
        with pytest.raises(UploadTakenError):
            join()
        services.bury_tombstones()
        media = MediaFile.objects.get()
        assert media.file.read(100) == TEXT
        assert [item.key for item in own_storage.walk()] == [media.current.key]

    def test_goes_on_while_its_client_asks_again(
        self, join: Callable[[], Upload], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One part takes longer than the client waits for the answer."""
        impatient = partial(holding.hold_upload, patience=0)
        monkeypatch.setattr(concatenating, "hold_upload", impatient)
        monkeypatch.setattr(holding, "STALLED", -1)

        def asked_again() -> None:
            with pytest.raises(UploadLockedError):
                join()
            see_who_wants_in()

        before_first_part(monkeypatch, asked_again)
        assert join().state == "completed"
        assert MediaFile.objects.get().file.read(100) == TEXT

    def test_ends_with_the_process_and_is_done_by_another(
        self, join: Callable[[], Upload], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before_first_part(monkeypatch, services.stop_holding)
        with pytest.raises(ServiceStoppingError):
            join()
        assert join().state == "completed"
        assert MediaFile.objects.get().file.read(100) == TEXT

    def test_ends_when_a_part_is_gone(
        self,
        owner: Any,
        tokens: list[str],
        join: Callable[[], Upload],
        own_storage: ObjectStore,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with monkeypatch.context() as dying, pytest.raises(Killed):
            dying.setattr(concatenating, "_join", die)
            join()
        services.cancel_upload(upload=Upload.objects.get(token=tokens[1]))
        with pytest.raises(BadRequestError):
            join()
        assert not Upload.objects.exists()
        assert Quota.objects.get(owner=owner).bytes_reserved == 0
        services.bury_tombstones()
        assert list(own_storage.walk()) == []


def test_what_was_stored_too_late_does_not_stay(
    owner: Any, own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease runs out while the last bytes are on their way to the store."""
    upload, check = begin(owner, length=len(TEXT)), holding.Hold.check_ours

    def taken_over(hold: holding.Hold) -> None:
        check(hold)
        monkeypatch.setattr(holding.Hold, "check_ours", check)
        lapse()
        services.finish_upload(upload=append(upload, Line(TEXT)))

    def stalled() -> None:
        monkeypatch.setattr(holding.Hold, "check_ours", taken_over)

    with pytest.raises(UploadTakenError):
        append(upload, Line(TEXT[:3], stalled))
    services.bury_tombstones()
    media = MediaFile.objects.get()
    assert media.file.read(100) == TEXT
    assert [item.key for item in own_storage.walk()] == [media.current.key]


def test_a_lost_holder_stores_nothing_more(owner: Any, own_storage: ObjectStore) -> None:
    upload = begin(owner, length=len(TEXT))

    def taken_over() -> None:
        lapse()
        services.finish_upload(upload=append(upload, Line(TEXT)))
        look_again()

    with pytest.raises(UploadTakenError):
        append(upload, Line(TEXT[:3], taken_over))
    services.bury_tombstones()
    media = MediaFile.objects.get()
    assert media.file.read(100) == TEXT
    assert [item.key for item in own_storage.walk()] == [media.current.key]


def test_parts_that_nobody_sealed_are_joined(
    owner: Any, own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their last bytes count, and the process died before the object was made of them."""
    with monkeypatch.context() as dying:
        dying.setattr(own_storage, "seal", die)
        for data in (TEXT[:6], TEXT[6:]):
            with pytest.raises(Killed):
                part(owner, data)
    tokens = [found.token for found in Upload.objects.order_by("created_at")]
    announced = services.Announcement(name="hello.txt", role=Upload.Role.FINAL)
    joined = services.concatenate_uploads(user=owner, tokens=tokens, announced=announced)
    services.bury_tombstones()
    assert joined.media is not None
    assert joined.media.file.read(100) == TEXT
    assert [item.key for item in own_storage.walk()] == [joined.media.current.key]
