"""A user goes, and nothing of theirs remains: no row, no object, no name."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from apps.core.storage import ObjectStore, new_key
from apps.media import selectors, services
from apps.media.exceptions import ForbiddenError
from apps.media.models import (
    AuditEvent,
    Collection,
    Erasure,
    Grant,
    Job,
    MediaFile,
    MediaVersion,
    Rendition,
    ShareLink,
    Tag,
    Tombstone,
    Upload,
)
from apps.media.selectors.belongings import rows_naming, rows_of
from apps.media.services import erasing
from apps.media.tests import samples

TEXT = b"A few plain words.\n"
NAME = "olga"


def _keys(store: ObjectStore) -> set[str]:
    return {item.key for item in store.walk()}


def _keys_of(media: MediaFile) -> set[str]:
    made = media.renditions.exclude(key="").values_list("key", flat=True)
    return {media.current.key, *made}


def _bury_all() -> None:
    Tombstone.objects.update(due_at=timezone.now() - timedelta(days=1))
    while services.bury_tombstones():
        pass


@pytest.fixture
def others_file(upload: Callable[..., MediaFile], stranger: Any) -> MediaFile:
    return upload(TEXT, "theirs.txt", user=stranger)


@pytest.fixture
def life(
    owner: Any,
    stranger: Any,
    staff: Any,
    upload: Callable[..., MediaFile],
    others_file: MediaFile,
    run_jobs: Any,
    own_storage: ObjectStore,
) -> MediaFile:
    """A bit of everything that somebody can have; gives one of their files."""
    photo = upload(samples.photo_jpeg(420, 300), "photo.jpg", tags=["sea"])
    run_jobs()
    services.replace_media(user=owner, media=photo, file=ContentFile(TEXT, name="photo.txt"))
    services.delete_media(user=owner, media=upload(TEXT, "trashed.txt"))
    upload(samples.photo_jpeg(90, 60), "waits.jpg")  # its jobs are still queued
    key = new_key("incoming")
    with own_storage.writer(key) as writer:
        writer.write(b"half")
    Upload.objects.create(
        owner=owner,
        source="tus",
        original_name="half.bin",
        storage="media",
        key=key,
        offset=4,
        reserved=0,
        expires_at=timezone.now() + timedelta(days=1),
    )
    outer = services.create_collection(user=owner, title="outer")
    inner = services.create_collection(user=owner, title="inner", parent=outer)
    services.add_items(user=owner, collection=inner, media_ids=[photo.pk])
    theirs = services.create_collection(user=stranger, title="theirs")
    services.grant_access(user=stranger, media=theirs, to=owner, permission="edit")
    services.add_items(user=owner, collection=theirs, media_ids=[photo.pk])
    services.grant_access(user=owner, media=photo, to=stranger)
    services.grant_access(user=stranger, media=others_file, to=owner, permission="edit")
    services.create_share_link(user=owner, media=photo)
    return photo


def _expect_nothing_of(user: Any, store: ObjectStore, others: MediaFile) -> None:
    for rows in rows_of(user):
        assert not rows.exists(), rows.model
    for rows, _ in rows_naming(user):
        assert not rows.exists(), rows.model
    assert set(MediaFile.objects.all()) == {others}
    assert set(Collection.objects.values_list("title", flat=True)) == {"theirs"}
    assert not AuditEvent.objects.filter(actor_name=NAME).exists()
    assert NAME not in json.dumps(list(AuditEvent.objects.values_list("details", flat=True)))
    assert NAME not in str(list(Erasure.objects.values()))
    _bury_all()
    assert _keys(store) == _keys_of(others)
    assert list(services.find_inconsistencies(before=timezone.now())) == []


@pytest.mark.parametrize("keep_account", [False, True])
def test_nothing_remains(
    life: MediaFile,
    owner: Any,
    others_file: MediaFile,
    own_storage: ObjectStore,
    keep_account: bool,
) -> None:
    services.erase_user(user=owner, by=None, keep_account=keep_account)
    _expect_nothing_of(owner, own_storage, others_file)
    account = get_user_model().objects.filter(pk=owner.pk)
    assert account.exists() == keep_account
    assert not account.filter(is_active=False).exists()


def test_the_receipt_is_true(
    life: MediaFile, owner: Any, others_file: MediaFile, own_storage: ObjectStore
) -> None:
    Rendition.objects.filter(media=life).update(next_key=new_key("rendition", "webp"))
    before, files = _keys(own_storage), MediaFile.objects.filter(owner=owner).count()
    sizes = MediaVersion.objects.filter(media__owner=owner).aggregate(sum=Sum("size"))["sum"]
    sizes += Rendition.objects.filter(media__owner=owner).aggregate(sum=Sum("size"))["sum"]
    written = Rendition.objects.exclude(next_key="").count()
    assert files == 3
    assert written
    receipt = services.erase_user(user=owner, by=None)
    assert receipt["removed"]["media.mediafile"] == files
    assert receipt["removed"]["media.mediaversion"] == files + 1
    assert receipt["removed"]["media.collection"] == 2
    assert receipt["removed"]["media.grant"] == 3
    assert receipt["removed"]["media.sharelink"] == 1
    assert receipt["removed"]["users.user"] == 1
    assert receipt["bytes"] == sizes + 4
    pending = Tombstone.objects.filter(erasure=receipt["erasure"])
    assert receipt["pending"]["objects"] == pending.count() == written + 1  # what may be written
    assert receipt["storages"]["media"]["pending"] == pending.count()
    assert receipt["storages"]["media"]["objects"] == len(before - _keys_of(others_file)) + written
    assert receipt["pending"]["until"] == max(row.due_at for row in pending).isoformat()
    assert _keys(own_storage) - {row.key for row in pending} == _keys_of(others_file)
    event = AuditEvent.objects.get(act=AuditEvent.Act.ERASED)
    assert event.details == receipt
    assert (event.actor, event.actor_name) == (None, "")


def test_it_goes_on_wherever_it_was_killed(
    life: MediaFile,
    owner: Any,
    others_file: MediaFile,
    own_storage: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(erasing, "BATCH", 1)
    expected = selectors.count_belongings(user=owner)

    def killed(count: int) -> None:
        raise SystemExit

    erasure, runs = None, 0
    while erasure is None or Erasure.objects.get().finished_at is None:
        try:
            if erasure is None:
                services.erase_user(user=owner, by=None, on_progress=killed)
            else:
                services.run_erasure(erasure_id=erasure.pk, on_progress=killed)
        except SystemExit:
            erasure, runs = Erasure.objects.get(), runs + 1
    assert runs > 10
    _expect_nothing_of(owner, own_storage, others_file)
    removed = services.receipt_of(Erasure.objects.get())["removed"]
    for kind, count in expected.items():
        if kind != "media.auditevent":
            # Grants to others and what hangs on files go along and are counted then.
            assert removed[kind] >= count, kind
    assert removed["media.mediafile"] == expected["media.mediafile"]


def test_a_sweep_goes_on(life: MediaFile, owner: Any) -> None:
    def killed(count: int) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        services.erase_user(user=owner, by=None, on_progress=killed)
    assert services.sweep_erasures() == 0  # it may be at work
    Erasure.objects.update(updated_at=timezone.now() - erasing.ABANDONED_AFTER)
    assert services.sweep_erasures() == 1
    assert not get_user_model().objects.filter(pk=owner.pk).exists()
    assert services.sweep_erasures() == 0


def test_asking_closes_the_account_and_a_worker_does_the_rest(life: MediaFile, owner: Any) -> None:
    erasure = services.request_erasure(user=owner, by=owner)
    owner.refresh_from_db()
    assert not owner.is_active
    assert MediaFile.objects.filter(owner=owner).exists()
    assert services.request_erasure(user=owner, by=None).pk == erasure.pk
    receipt = services.run_erasure(erasure_id=erasure.pk)
    assert receipt["finished_at"]
    assert services.run_erasure(erasure_id=erasure.pk) == receipt


def test_who_kept_the_account_may_still_have_it_erased(life: MediaFile, owner: Any) -> None:
    erasure = services.request_erasure(user=owner, by=owner, keep_account=True)
    owner.refresh_from_db()
    assert owner.is_active
    assert services.request_erasure(user=owner, by=owner).pk == erasure.pk
    owner.refresh_from_db()
    assert not owner.is_active
    services.request_erasure(user=owner, by=None, keep_account=True)  # takes nothing back
    receipt = services.run_erasure(erasure_id=erasure.pk)
    assert receipt["account"] == "removed"
    assert not get_user_model().objects.filter(pk=owner.pk).exists()


def test_even_while_everything_else_goes(life: MediaFile, owner: Any) -> None:
    def ask(count: int) -> None:
        if get_user_model().objects.filter(pk=owner.pk, is_active=True).exists():
            services.request_erasure(user=owner, by=None)

    receipt = services.erase_user(user=owner, by=None, keep_account=True, on_progress=ask)
    assert receipt["account"] == "removed"
    assert not get_user_model().objects.filter(pk=owner.pk).exists()
    assert AuditEvent.objects.filter(act=AuditEvent.Act.ERASED).count() == 1


def test_running_work_is_cancelled(life: MediaFile, owner: Any) -> None:
    assert Job.objects.filter(state=Job.State.QUEUED).exists()
    job = Job.objects.filter(state=Job.State.QUEUED, media__owner=owner).first()
    services.erase_user(user=owner, by=None)
    assert not Job.objects.filter(media__owner=owner).exists()
    assert services.run_job(job.pk) is False


def test_the_trail_is_removed_where_that_is_the_rule(
    life: MediaFile, owner: Any, stranger: Any, settings: Any
) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "ERASED_TRAIL": "remove"}
    owners = set(MediaFile.objects.filter(owner=owner).values_list("pk", flat=True))
    services.erase_user(user=owner, by=None)
    left = AuditEvent.objects.exclude(act=AuditEvent.Act.ERASED)
    assert left.exists()
    assert set(left.values_list("actor", flat=True)) == {stranger.pk}
    assert not left.filter(media_id__in=owners).exists()


def test_names_give_way_to_a_pseudonym(life: MediaFile, owner: Any) -> None:
    count = AuditEvent.objects.filter(actor=owner).count()
    assert count
    services.erase_user(user=owner, by=None)
    name = Erasure.objects.get().pseudonym
    assert AuditEvent.objects.filter(actor=None, actor_name=name).count() == count


class TestWho:
    def test_by_whom(self, owner: Any, staff: Any) -> None:
        services.erase_user(user=owner, by=staff)
        event = AuditEvent.objects.get(act=AuditEvent.Act.ERASED)
        assert event.actor == staff

    def test_a_stranger_may_not(self, life: MediaFile, owner: Any, stranger: Any) -> None:
        with pytest.raises(ForbiddenError):
            services.erase_user(user=owner, by=stranger)
        assert not Erasure.objects.exists()
        assert MediaFile.objects.filter(owner=owner).count() == 3
        owner.refresh_from_db()
        assert owner.is_active

    def test_staff_may_not_erase_staff(self, owner: Any, staff: Any) -> None:
        get_user_model().objects.filter(pk=owner.pk).update(is_staff=True)
        owner.refresh_from_db()
        with pytest.raises(ForbiddenError):
            services.erase_user(user=staff, by=owner)

    def test_where_only_staff_delete(self, owner: Any, settings: Any) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "DELETION": "staff"}
        with pytest.raises(ForbiddenError):
            services.erase_user(user=owner, by=owner)


class TestCommand:
    def _run(self, *arguments: str) -> str:
        said = io.StringIO()
        call_command("media_erase_user", *arguments, stdout=said)
        return said.getvalue()

    def test_dry_run(self, life: MediaFile, owner: Any) -> None:
        said = self._run(NAME, "--dry-run")
        assert "3 media.mediafile" in said
        assert said.endswith("Nothing was removed.\n")
        assert MediaFile.objects.filter(owner=owner).count() == 3
        assert not Erasure.objects.exists()

    def test_without_yes(self, life: MediaFile, owner: Any) -> None:
        with pytest.raises(CommandError, match="--yes"):
            self._run(NAME)
        assert MediaFile.objects.filter(owner=owner).count() == 3

    def test_the_receipt(self, life: MediaFile, tmp_path: Path) -> None:
        assert self._run(NAME, "--yes", "--receipt", str(tmp_path / "r.json")) == ""
        receipt = json.loads((tmp_path / "r.json").read_text())
        assert receipt["removed"]["media.mediafile"] == 3
        assert NAME not in json.dumps(receipt)
        with pytest.raises(CommandError, match="no user"):
            self._run(NAME, "--yes")

    def test_the_receipt_is_never_lost(self, life: MediaFile, tmp_path: Path) -> None:
        said = io.StringIO()
        missing = str(tmp_path / "missing" / "r.json")
        with pytest.raises(CommandError, match="No such file"):
            call_command("media_erase_user", NAME, "--yes", "--receipt", missing, stdout=said)
        assert json.loads(said.getvalue())["removed"]["media.mediafile"] == 3

    def test_the_account_goes_after_all(self, life: MediaFile, owner: Any) -> None:
        """An erasure that was begun to keep it is no reason to keep it, nor not to ask."""
        services.request_erasure(user=owner, by=owner, keep_account=True)
        with pytest.raises(CommandError, match="--yes"):
            self._run(NAME)
        assert json.loads(self._run(NAME, "--yes"))["account"] == "removed"
        assert not get_user_model().objects.filter(pk=owner.pk).exists()

    def test_who_took_the_name_since_is_asked_about(
        self, life: MediaFile, owner: Any, stranger: Any
    ) -> None:
        Erasure.objects.create(subject=str(owner.pk), subject_name=stranger.username)
        with pytest.raises(CommandError, match="--yes"):
            self._run(stranger.username)
        assert get_user_model().objects.filter(pk=stranger.pk, is_active=True).exists()

    def test_goes_on_when_the_account_is_gone_already(
        self, life: MediaFile, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(erasing, "_finish", lambda pk: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                self._run(NAME, "--yes")
        assert not get_user_model().objects.filter(username=NAME).exists()
        assert json.loads(self._run(NAME))["removed"]["users.user"] == 1

    def test_help(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            call_command("media_erase_user", "--help")
        assert "--keep-account" in capsys.readouterr().out


def test_what_others_made_is_not_counted_as_gone(
    life: MediaFile, owner: Any, stranger: Any, others_file: MediaFile
) -> None:
    services.erase_user(user=owner, by=None)
    assert not Grant.objects.exists()
    assert not ShareLink.objects.exists()
    assert not Tag.objects.exists()
    assert get_user_model().objects.filter(pk=stranger.pk).exists()
