"""Every kind of violation, planted: found, told in one line, put right without harm to others."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.core.errors import StorageUnavailableError
from apps.core.storage import ObjectStore, new_key
from apps.core.storage.growing import AppendingStore
from apps.core.storage.keys import new_piece_key
from apps.core.storage.s3 import S3Store
from apps.core.storage.spool import part_size
from apps.core.tests.storages import (  # noqa: F401  fixtures
    S3Server,
    multipart_uploads,
    s3_bucket,
    s3_server,
)
from apps.media import services
from apps.media.models import (
    Collection,
    CollectionPlace,
    Job,
    MediaFile,
    MediaVersion,
    Quota,
    Rendition,
    Tombstone,
    Upload,
)
from apps.media.services import reconciling
from apps.media.services.receiving import open_receipt
from apps.media.storage import store_of
from apps.media.tests import samples

TEXT = b"A few plain words.\n"
AT_ONCE = timedelta(seconds=-60)  # whatever is there is old enough
LATER = timezone.now() + timedelta(days=1)


@pytest.fixture
def photo(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    media = upload(samples.photo_jpeg(64, 48), "photo.jpg", visibility="public")
    run_jobs()
    Job.objects.all().delete()
    return MediaFile.objects.get(pk=media.pk)


def _find(*, grace: timedelta = AT_ONCE, **more: Any) -> list[services.Violation]:
    stored = services.find_storage_violations("media", grace=grace, **more)
    return [*stored, *services.find_inconsistencies(before=timezone.now() - grace)]


def _put(store: ObjectStore, key: str, data: bytes = TEXT) -> str:
    with store.writer(key) as writer:
        writer.write(data)
    return key


def _bury() -> None:
    Tombstone.objects.update(due_at="2000-01-01T00:00:00Z")
    services.bury_tombstones()


def _run(*arguments: str) -> str:
    said = io.StringIO()
    call_command("media_reconcile", *arguments, stdout=said)
    return said.getvalue()


def test_a_sound_site_has_none(photo: MediaFile, owner: Any) -> None:
    receipt = open_receipt(user=owner, name="a.txt", declared_size=5, source="form")
    receipt.write(TEXT)
    receipt.close()
    Rendition.objects.filter(name="thumb.webp").first().delete()  # its tombstone explains it
    assert _find(with_hashes=True) == []
    assert "Found 0 violations" in _run("--strict", "--hash")


class TestOrphans:
    def test_are_buried_and_nothing_else(self, photo: MediaFile, own_storage: ObjectStore) -> None:
        before = {item.key for item in own_storage.walk()}
        first, last = new_key("aaa"), new_key("zzz")
        orphans = {_put(own_storage, key) for key in (first, new_key("original"), last)}
        found = _find()
        assert [violation.rule for violation in found] == ["I2"] * 3
        assert {violation.what.rpartition(":")[2] for violation in found} == orphans
        assert {item.key for item in own_storage.walk()} == before | orphans
        assert all(violation.repair() for violation in found)
        assert _find() == []
        _bury()
        assert {item.key for item in own_storage.walk()} == before

    def test_that_are_young_may_be_under_way(self, own_storage: ObjectStore, db: None) -> None:
        _put(own_storage, new_key("original"))
        assert _find(grace=timedelta(hours=1)) == []

    def test_that_a_row_explains_meanwhile_are_none(
        self, own_storage: ObjectStore, owner: Any, django_db_blocker: Any
    ) -> None:
        receipt = open_receipt(user=owner, name="a.txt", declared_size=0, source="form")
        key = _put(own_storage, new_key("incoming"))
        (violation,) = _find()
        Upload.objects.filter(pk=receipt.upload.pk).update(key=key)
        assert not violation.repair()
        assert not Tombstone.objects.exists()

    def test_pieces_of_what_grows_stand_under_its_key(
        self, own_storage: ObjectStore, owner: Any
    ) -> None:
        receipt = open_receipt(user=owner, name="a.txt", declared_size=0, source="form")
        _put(own_storage, new_piece_key(receipt.upload.key))
        stray = _put(own_storage, new_piece_key(new_key("incoming")))
        assert [violation.what for violation in _find()] == [f"object media:{stray}"]


@pytest.mark.django_db
class TestIncoming:
    """A host that comes back after others have finished its upload may store what nobody names."""

    @pytest.fixture
    def stray(self, own_storage: ObjectStore) -> str:
        return _put(own_storage, new_piece_key(new_key("incoming")))

    def test_what_is_young_may_be_under_way(self, stray: str) -> None:
        assert services.sweep_unfinished() == 0
        assert not Tombstone.objects.exists()

    def test_what_is_old_and_unexplained_goes(
        self, stray: str, own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reconciling, "GRACE", AT_ONCE)
        assert services.sweep_unfinished() == 1
        assert services.sweep_unfinished() == 0  # its tombstone explains it now
        _bury()
        assert not own_storage.exists(stray)

    def test_a_storage_that_the_site_has_left_stops_no_other(
        self, stray: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reconciling, "GRACE", AT_ONCE)
        Tombstone.objects.create(storage="gone", key=new_key("original"), due_at=LATER)
        assert services.sweep_unfinished() == 1
        assert Tombstone.objects.filter(storage="media", key=stray).exists()

    def test_what_an_upload_explains_stays(
        self, photo: MediaFile, own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reconciling, "GRACE", AT_ONCE)
        receipt = open_receipt(user=photo.owner, name="a.txt", declared_size=0, source="tus")
        _put(own_storage, new_piece_key(receipt.upload.key))
        before = len(list(own_storage.walk()))
        assert services.sweep_unfinished() == 0
        _bury()
        assert len(list(own_storage.walk())) == before


class TestLostObjects:
    def test_an_original_fails_the_file(
        self, photo: MediaFile, own_storage: ObjectStore, upload: Callable[..., MediaFile]
    ) -> None:
        other = upload(TEXT, "other.txt")
        own_storage.remove(photo.current.key)
        (violation,) = _find(with_hashes=True)
        assert (violation.rule, violation.what) == ("I3", f"mediaversion {photo.current.pk}")
        assert violation.repair()
        photo.refresh_from_db()
        assert (photo.status, photo.failure_code) == ("failed", "object_missing")
        assert (photo.usable, photo.published_version) == (False, None)
        other.refresh_from_db()
        assert other.status == "pending"

    def test_an_old_version_leaves_the_file_alone(
        self, photo: MediaFile, own_storage: ObjectStore, run_jobs: Any
    ) -> None:
        services.replace_media(
            user=photo.owner, media=photo, file=ContentFile(TEXT, name="new.txt")
        )
        run_jobs()
        own_storage.remove(photo.versions.get(number=1).key)
        (violation,) = _find()
        assert violation.repair()
        assert MediaFile.objects.get(pk=photo.pk).status == "ready"
        assert photo.versions.get(number=1).failure_code == "object_missing"

    def test_a_rendition_is_made_again(
        self, photo: MediaFile, own_storage: ObjectStore, run_jobs: Any
    ) -> None:
        own_storage.remove(Rendition.objects.get(name="thumb.webp").key)
        (violation,) = _find()
        assert (violation.rule, "rendition" in violation.what) == ("I3", True)
        assert violation.repair()
        assert run_jobs()
        assert _find() == []
        assert Rendition.objects.get(name="thumb.webp").state == "ready"

    def test_another_size_is_told(self, photo: MediaFile, own_storage: ObjectStore) -> None:
        key = photo.current.key
        own_storage.remove(key)
        _put(own_storage, key)
        (violation,) = _find()
        assert violation.rule == "I3"
        assert f"has {len(TEXT)} bytes instead of {photo.size}" in violation.detail
        assert violation.repair is None

    def test_other_bytes_of_the_same_size_are_told_when_hashed(
        self, upload: Callable[..., MediaFile], run_jobs: Any, own_storage: ObjectStore
    ) -> None:
        media = upload(TEXT, "a.txt")
        run_jobs()
        own_storage.remove(media.current.key)
        _put(own_storage, media.current.key, TEXT.upper())
        assert _find() == []
        (violation,) = _find(with_hashes=True)
        assert (violation.rule, violation.what) == ("I1", f"mediaversion {media.current.pk}")

    def test_what_was_deleted_meanwhile_is_not_missed(
        self, photo: MediaFile, own_storage: ObjectStore
    ) -> None:
        walk = reconciling._side_by_side("media", own_storage)
        rows = [row for _, explained, _ in walk for row in explained]
        services.delete_media(user=photo.owner, media=photo, permanent=True)
        _bury()
        assert [found for row in rows for found in reconciling._lost("media", row)] == []


class TestRows:
    def test_a_stuck_file_is_looked_at_again(
        self, upload: Callable[..., MediaFile], run_jobs: Any
    ) -> None:
        media = upload(TEXT, "a.txt")
        assert _find() == []
        Job.objects.all().delete()
        (violation,) = _find()
        assert (violation.rule, violation.what) == ("I4", f"media {media.pk}")
        assert violation.repair()
        assert not violation.repair()
        run_jobs()
        assert MediaFile.objects.get(pk=media.pk).status == "ready"

    def test_an_upload_that_should_be_gone_is_told(self, owner: Any) -> None:
        receipt = open_receipt(user=owner, name="a.txt", declared_size=0, source="form")
        Upload.objects.update(expires_at="2000-01-01T00:00:00Z")
        (violation,) = _find()
        assert (violation.rule, violation.what) == ("I4", f"upload {receipt.upload.pk}")

    @pytest.mark.parametrize("wrong", [{"bytes_used": 1}, {"bytes_reserved": 9}, {"files_used": 7}])
    def test_an_account_is_counted_again(
        self, photo: MediaFile, wrong: dict[str, int], owner: Any
    ) -> None:
        right = Quota.objects.filter(owner=owner).values().get()
        Quota.objects.update(**wrong)
        (violation,) = _find()
        assert (violation.rule, violation.what) == ("I5", f"account {owner.pk}")
        assert violation.repair()
        assert Quota.objects.filter(owner=owner).values().get() == right

    def test_an_account_that_is_missing_is_made(self, photo: MediaFile, owner: Any) -> None:
        Quota.objects.all().delete()
        (violation,) = _find()
        assert violation.repair()
        assert Quota.objects.get().files_used == 1

    def test_renditions_of_no_version_go(self, photo: MediaFile, own_storage: ObjectStore) -> None:
        thumb = Rendition.objects.get(name="thumb.webp")
        Rendition.objects.filter(pk=thumb.pk).update(version=9)
        (violation,) = _find()
        assert violation.rule == "I6"
        assert violation.repair()
        _bury()
        assert _find() == []
        assert not own_storage.exists(thumb.key)

    def test_collections_are_put_where_their_parents_say(self, owner: Any) -> None:
        top = services.create_collection(user=owner, title="top", visibility="public")
        low = services.create_collection(user=owner, title="low", parent=top, visibility="public")
        lowest = services.create_collection(user=owner, title="lowest", parent=low)
        assert _find() == []
        places = list(CollectionPlace.objects.values_list("ancestor", "descendant", "depth"))
        CollectionPlace.objects.filter(descendant__in=[low.pk, lowest.pk]).delete()
        CollectionPlace.objects.create(ancestor=lowest, descendant=top, depth=3)
        Collection.objects.filter(pk=lowest.pk).update(open_to="public")
        for violation in _find():
            assert violation.rule == "I7"
            assert violation.repair()
        assert _find() == []
        found = CollectionPlace.objects.values_list("ancestor", "descendant", "depth")
        assert sorted(found) == sorted(places)
        assert Collection.objects.get(pk=lowest.pk).open_to == "private"


class TestCommand:
    @pytest.fixture
    def orphan(self, own_storage: ObjectStore, db: None, monkeypatch: pytest.MonkeyPatch) -> str:
        key = _put(own_storage, new_key("original"))
        monkeypatch.setattr(timezone, "now", lambda: LATER + timedelta(days=2))
        return key

    def test_reports_and_changes_nothing(self, orphan: str) -> None:
        said = _run()
        assert f"I2 object media:{orphan}: {len(TEXT)} bytes" in said
        assert "Found 1 violations, 0 fixed." in said
        assert not Tombstone.objects.exists()
        assert "[would be fixed]" in _run("--fix", "--dry-run")
        assert not Tombstone.objects.exists()

    def test_strict_ends_with_one(self, orphan: str) -> None:
        with pytest.raises(CommandError) as ended:
            _run("--strict")
        assert ended.value.returncode == 1

    def test_fix(self, orphan: str, own_storage: ObjectStore) -> None:
        assert "[fixed]" in _run("--fix")
        assert Tombstone.objects.get().key == orphan
        assert "Found 0" in _run("--strict")

    def test_one_storage_only(self, orphan: str) -> None:
        with pytest.raises(CommandError, match="nowhere"):
            _run("--storage", "nowhere")
        assert orphan in _run("--storage", "media")


class TestVerify:
    @pytest.fixture
    def files(self, upload: Callable[..., MediaFile], run_jobs: Any) -> list[MediaVersion]:
        made = [upload(TEXT * (number + 1), f"{number}.txt") for number in range(3)]
        run_jobs()
        return [media.current for media in made]

    def _run(self, *arguments: str) -> str:
        said = io.StringIO()
        try:
            call_command("media_verify", *arguments, stdout=said)
        except CommandError as error:
            said.write(f"{error} {error.returncode}")
        return said.getvalue()

    def test_one_in_a_storage_that_the_site_has_left_is_told(
        self, files: list[MediaVersion]
    ) -> None:
        MediaVersion.objects.filter(pk=files[0].pk).update(storage="gone")
        said = self._run()
        assert "the storage is not in STORAGES" in said
        assert "3 versions read, 1 wrong" in said

    def test_a_storage_that_goes_away_loses_nothing(
        self,
        files: list[MediaVersion],
        own_storage: ObjectStore,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        open_object = own_storage.open_object

        def away(key: str) -> Any:
            if key == files[1].key:
                raise StorageUnavailableError(key)
            return open_object(key)

        monkeypatch.setattr(own_storage, "open_object", away)
        assert f"1 versions read, 0 wrong. Go on with --after {files[0].pk} 1" in self._run()

    def test_what_a_run_says_that_was_stopped_at_once_is_taken(
        self, files: list[MediaVersion]
    ) -> None:
        assert self._run("--after", "0").startswith("Done: 3 versions read")

    def test_says_what_is_wrong(self, files: list[MediaVersion], own_storage: ObjectStore) -> None:
        assert self._run().startswith("Done: 3 versions read, 0 wrong.")
        own_storage.remove(files[0].key)
        own_storage.remove(files[2].key)
        _put(own_storage, files[2].key, TEXT.upper())
        said = self._run()
        assert f"media {files[0].media_id} version 1 (media:{files[0].key})" in said
        assert "the object is missing" in said
        assert "the bytes have changed" in said
        assert "3 versions read, 2 wrong." in said
        assert said.endswith("There are damaged files. 1")

    def test_goes_on_where_it_stopped(self, files: list[MediaVersion]) -> None:
        said = self._run("--limit", "2")
        assert f"2 versions read, 0 wrong. The last one was {files[1].pk}." in said
        assert self._run("--after", str(files[1].pk)).startswith("Done: 1 versions")


class TestS3:
    """A real listing over HTTP, pages and unfinished uploads in parts included."""

    @pytest.fixture
    def bucket(
        self,
        s3_server: S3Server,  # noqa: F811
        s3_bucket: str,  # noqa: F811
        settings: Any,
        db: None,
    ) -> Any:
        place = {
            "bucket_name": s3_bucket,
            "location": "some/prefix",
            "endpoint_url": s3_server.endpoint,
            "region_name": "us-east-1",
            "addressing_style": "path",
            "access_key": s3_server.access_key,
            "secret_key": s3_server.secret_key,
        }
        entry = {"BACKEND": "apps.core.storage.s3.S3Store", "OPTIONS": place}
        settings.STORAGES = {**settings.STORAGES, "s3": entry}
        settings.MEDIA_APP = {**settings.MEDIA_APP, "STORAGE_ALIAS": "s3"}
        return store_of("s3")

    def _begin(self, store: AppendingStore, key: str) -> dict[str, Any]:
        appender = store.appender(key, size=0, state={})
        appender.write(b"x" * (part_size(1) + 1))
        appender.close()
        return dict(appender.state)

    def _upload(self, owner: Any, key: str, state: dict[str, Any]) -> Upload:
        return Upload.objects.create(
            owner=owner,
            source="tus",
            original_name="a.bin",
            storage="s3",
            key=key,
            storage_state=state,
            expires_at=LATER,
        )

    def test_orphans_and_what_was_begun(self, bucket: S3Store, owner: Any) -> None:
        explained, forgotten = new_key("incoming"), new_key("incoming")
        self._upload(owner, explained, self._begin(bucket, explained))
        self._begin(bucket, forgotten)
        orphan = _put(bucket, new_key("original"))
        assert len(multipart_uploads(bucket)) == 2
        found = list(services.find_storage_violations("s3", grace=AT_ONCE))
        assert {violation.rule for violation in found} == {"I2"}
        named = " ".join(violation.what for violation in found)
        assert f"object s3:{orphan}" in named
        assert f"unfinished s3:{forgotten}" in named
        assert explained not in named
        for violation in found:
            violation.repair()
        _bury()
        assert len(multipart_uploads(bucket)) == 1
        assert list(services.find_storage_violations("s3", grace=AT_ONCE)) == []
        assert not Tombstone.objects.exists()

    def test_the_sweep_ends_old_ones_only(
        self, bucket: S3Store, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        explained, forgotten = new_key("incoming"), new_key("incoming")
        self._upload(owner, explained, self._begin(bucket, explained))
        self._begin(bucket, forgotten)
        with monkeypatch.context() as patch:
            # The server gives every upload the same date, years ago.
            patch.setattr(reconciling, "GRACE", timedelta(days=365 * 50))
            assert services.sweep_unfinished() == 0
        assert services.sweep_unfinished() == 1
        _bury()
        (left,) = bucket.walk_unfinished()
        assert left.key == explained

    def test_what_ends_while_it_is_swept_is_there_to_stay(self, bucket: S3Store) -> None:
        key = new_key("original")
        writer = bucket.writer(key)
        writer.write(b"x" * (part_size(1) + 1))
        # No row explains it to others while the transaction of its upload is open.
        assert services.sweep_unfinished() == 1
        writer.close()
        _bury()
        assert bucket.exists(key)

    @pytest.mark.parametrize("is_told", [True, False])
    def test_expiry_ends_what_grew(self, bucket: S3Store, owner: Any, is_told: bool) -> None:
        """Also where the process was killed after the first bytes, before a row told of them."""
        key = new_key("incoming")
        state = self._begin(bucket, key)
        self._upload(owner, key, state if is_told else {})
        Upload.objects.update(expires_at="2000-01-01T00:00:00Z")
        assert services.expire_uploads() == 1
        _bury()
        assert not Tombstone.objects.exists()
        assert multipart_uploads(bucket) == []
        assert list(bucket.walk()) == []
