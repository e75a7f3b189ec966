"""What an object of another app protects stays, says so, and keeps nothing else from going."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.media import selectors, services
from apps.media.exceptions import StillProtectedError
from apps.media.models import AuditEvent, Emptying, Erasure, MediaFile, Tombstone
from apps.media.tests.hosts.models import Leaflet, Member

Upload = Callable[..., MediaFile]
pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=365)


@pytest.fixture(params=[models.PROTECT, models.RESTRICT])
def protect(request: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[MediaFile], MediaFile]:
    """Has a host use a file that it does not let go."""
    refers = Member._meta.get_field("avatar").remote_field
    monkeypatch.setattr(refers, "on_delete", request.param)

    def use(media: MediaFile) -> MediaFile:
        Member.objects.create(name="Mona", avatar=media)
        return media

    return use


@pytest.fixture
def files(upload: Upload, protect: Callable[[MediaFile], MediaFile]) -> list[MediaFile]:
    """The first three are protected and lie in the trash for longest, the other two are not."""
    made = [upload(b"words", f"{number}.txt") for number in range(5)]
    for number, media in enumerate(made):
        at = LONG_AGO + timedelta(seconds=number // 2)  # some at the same moment
        MediaFile.objects.filter(pk=media.pk).update(deleted_at=at)
    for media in made[:3]:
        protect(media)
    return made


@pytest.fixture
def stays(files: list[MediaFile]) -> Callable[[], None]:
    """Assert that the protected ones are whole, and nothing says that they went."""

    def check() -> None:
        protected = files[:3]
        assert set(MediaFile.objects.all()) == set(protected)
        assert all(media.versions.exists() for media in protected)
        keys = [media.current.key for media in protected]
        assert not Tombstone.objects.filter(key__in=keys).exists()
        gone = AuditEvent.objects.filter(act=AuditEvent.Act.DELETED)
        assert not gone.filter(media_id__in=[media.pk for media in protected]).exists()

    return check


def test_the_trash_is_emptied_past_it(
    stays: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert services.empty_trash(limit=2) == 2
    stays()
    (said,) = caplog.messages
    assert said.startswith("3 files stay for now")
    assert "Member.avatar" in said


def test_a_trash_that_its_owner_emptied_goes_past_it(
    owner: Any, files: list[MediaFile], stays: Callable[[], None]
) -> None:
    Emptying.objects.create(owner=owner, asked_at=timezone.now())
    assert services.sweep_emptied(limit=5) == 2
    stays()
    Member.objects.all().delete()
    assert services.sweep_emptied(limit=5) == 3
    assert not MediaFile.objects.exists()
    assert not Emptying.objects.exists()


def test_who_empties_the_trash_learns_that_it_goes_on(
    owner: Any, files: list[MediaFile], stays: Callable[[], None]
) -> None:
    assert not services.empty_own_trash(user=owner)
    stays()
    assert list(selectors.list_trash(user=owner)) == []
    assert Emptying.objects.exists()


def test_what_nothing_uses_any_more_goes_past_it(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where something protects what hangs on the file, which is no use of the file itself."""
    kept, other = (upload(b"words", f"{number}.txt", for_use=True) for number in range(2))
    MediaFile.objects.update(expires_at=LONG_AGO)
    monkeypatch.setattr(services.releasing.selectors, "is_media_used", lambda pk: False)
    monkeypatch.setattr(Leaflet._meta.get_field("sheet").remote_field, "on_delete", models.PROTECT)
    Leaflet.objects.create(sheet=kept)
    assert services.expire_unused(limit=1) == 1
    assert MediaFile.objects.get() == kept != other


def test_of_a_selection_it_alone_is_refused(
    owner: Any, files: list[MediaFile], stays: Callable[[], None]
) -> None:
    ids = [media.pk for media in files]
    outcomes = services.delete_many(user=owner, ids=ids, permanent=True)
    assert [outcome.code for outcome in outcomes] == ["still_protected"] * 3 + [""] * 2
    stays()


@pytest.mark.django_db(transaction=True)
class TestWhatATableOfNoAppRefersTo:
    """Nothing of Django knows of the row; the database refuses at the commit."""

    @pytest.fixture
    def media(self, upload: Upload) -> Iterator[MediaFile]:
        made = upload(b"words", "kept.txt")
        pk = MediaFile._meta.pk
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE gone_thing (media_id {pk.db_type(connection)} "
                "REFERENCES media_mediafile (id) DEFERRABLE INITIALLY DEFERRED)"
            )
            cursor.execute(
                "INSERT INTO gone_thing VALUES (%s)", [pk.get_db_prep_value(made.pk, connection)]
            )
        yield made
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE gone_thing")

    @pytest.fixture
    def other(self, upload: Upload) -> MediaFile:
        return upload(b"words", "other.txt")

    @pytest.fixture
    def stays(self, media: MediaFile, other: MediaFile) -> Callable[[], None]:
        """Assert that it alone is left, whole."""

        def check() -> None:
            assert MediaFile.objects.get() == media != other
            assert media.versions.exists()
            assert not Tombstone.objects.filter(key=media.current.key).exists()
            gone = AuditEvent.objects.filter(act=AuditEvent.Act.DELETED)
            assert not gone.filter(media_id=media.pk).exists()

        return check

    def test_the_trash_is_emptied_past_it(
        self, media: MediaFile, stays: Callable[[], None], caplog: pytest.LogCaptureFixture
    ) -> None:
        MediaFile.objects.update(deleted_at=LONG_AGO + timedelta(1))
        MediaFile.objects.filter(pk=media.pk).update(deleted_at=LONG_AGO)
        with caplog.at_level(logging.WARNING):
            assert services.empty_trash(limit=1) == 1
        stays()
        (said,) = caplog.messages
        assert said.startswith("1 files stay for now")
        assert "\n" not in said

    def test_so_is_a_trash_by_its_owner(
        self, media: MediaFile, owner: Any, stays: Callable[[], None]
    ) -> None:
        MediaFile.objects.update(deleted_at=LONG_AGO)
        assert not services.empty_own_trash(user=owner)
        stays()

    def test_of_a_selection_it_alone_is_refused(
        self, media: MediaFile, other: MediaFile, owner: Any, stays: Callable[[], None]
    ) -> None:
        ids = [media.pk, other.pk]
        outcomes = services.delete_many(user=owner, ids=ids, permanent=True)
        assert [outcome.code for outcome in outcomes] == ["still_protected", ""]
        stays()

    def test_in_quarantine_it_alone_is_refused(
        self, media: MediaFile, other: MediaFile, staff: Any, stays: Callable[[], None]
    ) -> None:
        for one in (media, other):
            services.hold_media(user=staff, media=one)
        outcomes = services.remove_quarantined(user=staff, ids=[media.pk, other.pk])
        assert [outcome.code for outcome in outcomes] == ["still_protected", ""]
        stays()

    def test_an_erasure_says_so_and_a_sweep_passes_it(self, media: MediaFile, owner: Any) -> None:
        with pytest.raises(StillProtectedError):
            services.erase_user(user=owner, by=None)
        Erasure.objects.update(updated_at=LONG_AGO)
        assert services.sweep_erasures() == 0
        assert MediaFile.objects.get() == media


class TestDeletingItForGood:
    @pytest.fixture
    def media(self, upload: Upload, protect: Callable[[MediaFile], MediaFile]) -> MediaFile:
        return protect(upload(b"words", "a.txt"))

    def test_is_refused(self, owner: Any, media: MediaFile) -> None:
        with pytest.raises(StillProtectedError):
            services.delete_media(user=owner, media=media, permanent=True)
        services.delete_media(user=owner, media=media)  # the trash takes it
        assert MediaFile.objects.get().deleted_at is not None

    def test_is_a_conflict_to_programs(self, api: APIClient, media: MediaFile) -> None:
        answer = api.delete(f"/api/v1/media/{media.pk}/?permanent=true")
        assert (answer.status_code, answer.json()["code"]) == (409, "still_protected")
        assert MediaFile.objects.exists()

    def test_is_a_page_that_says_why(
        self, owner: Any, browser_of: Callable[[Any], Client], media: MediaFile
    ) -> None:
        answer = browser_of(owner).post(f"/library/{media.pk}/purge/")
        assert answer.status_code == 409
        assert StillProtectedError.message in answer.content.decode()
        assert MediaFile.objects.exists()
