"""Two who want different ends for one file at the same moment: each time one of them gets it,
and rows, objects and accounts agree afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.db.models import Model
from django.db.models.functions import Now
from django.db.models.signals import pre_delete
from django.utils import timezone

from apps.core.errors import AppError
from apps.core.storage import ObjectStore
from apps.media import receivers, services
from apps.media.exceptions import NotVisibleError, WrongStateError
from apps.media.models import AuditEvent, Job, MediaFile, MediaVersion, Rendition, Tombstone
from apps.media.models import Upload as Rows
from apps.media.processing import sandbox
from apps.media.services import quotas
from apps.media.testing import assert_no_orphans

Upload = Callable[..., MediaFile]
ROUNDS = 5
TEXT = b"A few plain words.\n"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
on_postgres = [
    pytest.mark.postgres,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="DATABASE_URL is no PostgreSQL"),
]


def _at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do `acts` at the same time, each on its own connection; what they returned or raised."""
    results: list[Any] = [None] * len(acts)
    ready = threading.Barrier(len(acts))

    def work(place: int, act: Callable[[], Any]) -> None:
        try:
            ready.wait(timeout=60)
            results[place] = act()
        except AppError as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    return results


def _deleted(media: MediaFile) -> int:
    return AuditEvent.objects.filter(act=AuditEvent.Act.DELETED, media_id=media.pk).count()


def test_of_two_deletions_one_finds_nothing(
    owner: Any, upload: Upload, own_storage: ObjectStore, heard: list[Any]
) -> None:
    for _ in range(ROUNDS):
        media = upload(TEXT, "a.txt")

        def delete(media: MediaFile = media) -> None:
            services.delete_media(user=owner, media=media, permanent=True)

        results = _at_once(delete, delete)
        assert sorted(type(each) for each in results if each) == [NotVisibleError]
        assert _deleted(media) == 1
    assert [name for name, _ in heard].count("media_deleted") == ROUNDS
    assert_no_orphans()
    assert list(own_storage.walk()) == []


def test_throwing_away_against_deleting(owner: Any, upload: Upload) -> None:
    for _ in range(ROUNDS):
        media = upload(TEXT, "a.txt")
        trashed, deleted = _at_once(
            lambda media=media: services.delete_media(user=owner, media=media),
            lambda media=media: services.delete_media(user=owner, media=media, permanent=True),
        )
        assert deleted is None
        assert trashed is None or isinstance(trashed, NotVisibleError)
        assert not MediaFile.objects.exists()
    assert_no_orphans()


@pytest.mark.parametrize("end", ["purge", "sweep", "emptied"])
def test_restoring_against_purging(end: str, owner: Any, upload: Upload) -> None:
    """Either it is back, whole; or it is gone, and whoever wanted it back is told so."""
    ends: dict[str, Callable[[MediaFile], Any]] = {
        "purge": lambda media: services.delete_media(user=owner, media=media, permanent=True),
        "sweep": lambda media: services.empty_trash(),
        "emptied": lambda media: services.empty_own_trash(user=owner),
    }
    for _ in range(ROUNDS):
        media = upload(TEXT, "a.txt")
        services.delete_media(user=owner, media=media)
        MediaFile.objects.update(deleted_at=timezone.now() - timedelta(days=365))
        restored, _ = _at_once(
            lambda media=media: services.restore_media(user=owner, media=media),
            lambda media=media: ends[end](media),
        )
        rows = MediaFile.objects.filter(pk=media.pk)
        if isinstance(restored, AppError):
            assert isinstance(restored, NotVisibleError | WrongStateError)
            assert not rows.exists()
        elif end != "purge":  # a purge that comes second takes also what is back
            assert rows.get().deleted_at is None
        assert_no_orphans()


@pytest.mark.parametrize("end", ["purge", "erase"])
def test_deleting_against_a_rendition_that_is_made(
    end: str,
    owner: Any,
    upload: Upload,
    own_storage: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file goes while its pictures lie written and are about to be saved."""

    def leave(media: MediaFile) -> None:
        if end == "purge":
            services.delete_media(user=owner, media=media, permanent=True)
        else:
            services.erase_user(user=owner, by=None)

    media = upload(TEXT, "a.txt")
    _work_until_rendered(media, monkeypatch, lambda: leave(media))
    assert not MediaFile.objects.exists()
    assert_no_orphans()
    assert list(own_storage.walk()) == []


def test_replacing_against_a_rendition_that_is_made(
    owner: Any, upload: Upload, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is made of the old bytes never becomes a picture of the new ones."""
    media = upload(TEXT, "a.txt")

    def replace() -> None:
        file = ContentFile(b"Others.\n", name="b.txt")
        services.replace_media(user=owner, media=media, file=file)

    _work_until_rendered(media, monkeypatch, replace)
    run_jobs()
    media.refresh_from_db()
    assert (media.status, media.version, media.published_version) == ("ready", 2, 2)
    _assert_whole_sets(media)


def test_restoring_a_version_against_a_rendition_that_is_made(
    owner: Any, upload: Upload, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    media = upload(TEXT, "a.txt")
    run_jobs()
    services.replace_media(user=owner, media=media, file=ContentFile(b"Others.\n", name="b.txt"))

    def go_back() -> None:
        services.restore_version(user=owner, media=media, number=1)

    _work_until_rendered(media, monkeypatch, go_back)
    run_jobs()
    media.refresh_from_db()
    assert (media.status, media.version, media.published_version) == ("ready", 1, 1)
    _assert_whole_sets(media)


class TestDeletingWhileItIsReplaced:
    """File, upload, account: in any other order each would wait for the other."""

    pytestmark = on_postgres

    def test_whoever_begins_to_replace_takes_the_file_before_the_account(
        self, owner: Any, upload: Upload, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        media, held = upload(TEXT, "a.txt"), []
        set_aside = quotas._set_aside

        def look(upload: Rows, size: int) -> None:
            held.extend(_at_once(lambda: _is_held(media)))
            set_aside(upload, size)

        monkeypatch.setattr(quotas, "_set_aside", look)
        announced = services.Announcement(name="b.txt", length=5)
        services.begin_upload(user=owner, announced=announced, replaces=media)
        assert held == [True]

    @pytest.mark.parametrize("end", ["purge", "erase"])
    def test_whoever_deletes_takes_the_upload_before_the_account(
        self,
        end: str,
        owner: Any,
        stranger: Any,
        upload: Upload,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        media = upload(TEXT, "a.txt")
        services.grant_access(user=owner, media=media, to=stranger, permission="edit")
        announced = services.Announcement(name="b.txt", length=5)
        begun = services.begin_upload(user=stranger, announced=announced, replaces=media)
        held: list[bool] = []

        def release(version: MediaVersion) -> None:
            held.extend(_at_once(lambda: _is_held(begun)))
            quotas.release_bytes(version)

        monkeypatch.setattr(receivers, "release_bytes", release)
        if end == "purge":
            services.delete_media(user=owner, media=media, permanent=True)
        else:
            services.erase_user(user=owner, by=None)
        assert held == [True]
        assert_no_orphans()


@pytest.mark.parametrize("vendor", [pytest.param("postgresql", marks=on_postgres)])
def test_whoever_has_a_lost_rendition_made_again_takes_the_file_before_it(
    vendor: str, owner: Any, upload: Upload, run_jobs: Callable[[], int], own_storage: ObjectStore
) -> None:
    """As workers do: in any other order each would wait for the other."""
    media, held = upload(TEXT, "a.txt"), []
    run_jobs()
    own_storage.remove(Rendition.objects.filter(media=media)[0].key)
    (lost,) = services.find_storage_violations("media", grace=timedelta(0))

    def look(**about: Any) -> None:
        held.extend(_at_once(lambda: _is_held(media)))

    pre_delete.connect(look, sender=Rendition)
    try:
        assert lost.repair and lost.repair()
    finally:
        pre_delete.disconnect(look, sender=Rendition)
    assert held == [True]


@pytest.mark.parametrize("seed", range(2))
class TestAnythingAtOnce:
    pytestmark = on_postgres

    def test_replacing_while_workers_work(
        self, seed: int, owner: Any, upload: Upload, run_jobs: Callable[[], int]
    ) -> None:
        media = upload(TEXT, "a.txt")

        def replace() -> None:
            for number in range(3):
                file = ContentFile(b"%d and %d\n" % (seed, number), name="b.txt")
                services.replace_media(user=owner, media=media, file=file)

        assert _at_once(replace, run_jobs, run_jobs)[0] is None
        run_jobs()
        media.refresh_from_db()
        assert (media.status, media.version, media.published_version) == ("ready", 4, 4)
        _assert_whole_sets(media)

    def test_two_versions_at_once_are_two(self, seed: int, owner: Any, upload: Upload) -> None:
        media = upload(TEXT, "a.txt")

        def replace(number: int) -> None:
            file = ContentFile(b"%d of %d\n" % (number, seed), name="b.txt")
            services.replace_media(user=owner, media=media, file=file)

        assert _at_once(lambda: replace(1), lambda: replace(2)) == [None, None]
        assert set(media.versions.values_list("number", flat=True)) == {1, 2, 3}
        assert_no_orphans()


def _is_held(row: Model) -> bool:
    """Whether somebody else has locked it."""
    rows = type(row)._default_manager.select_for_update(skip_locked=True).filter(pk=row.pk)
    with transaction.atomic():
        return not rows


def _work_until_rendered(
    media: MediaFile, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]
) -> None:
    """A worker does what there is to do; when its first rendition is written but not yet saved,
    `meanwhile` happens to the end on another connection."""
    rendered, done = threading.Event(), threading.Event()
    run_render = sandbox.run_render

    def render(*args: Any, **kwargs: Any) -> Any:
        result = run_render(*args, **kwargs)
        rendered.set()
        assert done.wait(timeout=60)
        return result

    monkeypatch.setattr(sandbox, "run_render", render)

    def interfere() -> None:
        assert rendered.wait(timeout=60)
        try:
            meanwhile()
        finally:
            done.set()

    def work() -> None:
        due = Job.objects.filter(state=Job.State.QUEUED, due_at__lte=Now()).order_by("pk")
        while (job := due.first()) and not done.is_set():
            services.run_job(job.pk)

    results = _at_once(work, interfere)
    assert not any(results), results


def _assert_whole_sets(media: MediaFile) -> None:
    """Each version has one set of renditions, its own, and everything lies where it should."""
    sets = {
        number: sorted(names)
        for number in MediaVersion.objects.filter(media=media).values_list("number", flat=True)
        if (names := Rendition.objects.filter(media=media, version=number).values_list("name"))
    }
    assert sets[media.version]
    assert all(len(set(names)) == len(names) for names in sets.values())
    assert not Rendition.objects.filter(media=media).exclude(state="ready").exists()
    assert_no_orphans()
    assert not Tombstone.objects.exists()
