"""What is due goes, by hand as by the clock, and says why; what is there says what keeps it."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.core.errors import StorageUnavailableError
from apps.core.storage import ObjectStore, new_key
from apps.media import services
from apps.media.models import MediaFile, Tombstone, Upload
from apps.media.tests.hosts.models import Leaflet

TEXT = b"A few plain words.\n"
LONG_AGO = timezone.now() - timedelta(days=400)


def _run(name: str, *arguments: str) -> str:
    said = io.StringIO()
    call_command(name, *arguments, stdout=said, stderr=said)
    return said.getvalue()


@pytest.fixture
def due(owner: Any, upload: Callable[..., MediaFile], own_storage: ObjectStore) -> dict[str, Any]:
    """One of each that is due, and one file that stays."""
    trashed, unused, used, kept = (upload(TEXT, f"{number}.txt") for number in range(4))
    files = MediaFile.objects
    files.filter(pk=trashed.pk).update(deleted_at=LONG_AGO)
    files.filter(pk__in=[unused.pk, used.pk]).update(lifetime="used", expires_at=LONG_AGO)
    Leaflet.objects.create(sheet=used)
    key = new_key("incoming")
    with own_storage.writer(key) as writer:
        writer.write(b"half")
    half = Upload.objects.create(
        owner=owner,
        source="tus",
        original_name="half.bin",
        storage="media",
        key=key,
        expires_at=LONG_AGO,
    )
    return {"trashed": trashed, "unused": unused, "used": used, "kept": kept, "half": half}


class TestCleanup:
    def test_dry_run_tells_and_does_nothing(self, due: dict[str, Any]) -> None:
        said = _run("media_cleanup", "--dry-run")
        assert "uploads: 1 would go" in said
        assert "trash: 1 would go: in the trash for more than 30 days" in said
        assert "unused: 1 would go" in said
        assert str(due["trashed"].pk) in said
        assert str(due["used"].pk) not in said
        assert MediaFile.objects.count() == 4
        assert Upload.objects.filter(pk=due["half"].pk).exists()

    def test_what_is_due_goes(self, due: dict[str, Any]) -> None:
        said = _run("media_cleanup")
        assert "trash: 1 gone" in said
        assert "unused: 1 gone" in said
        assert set(MediaFile.objects.all()) == {due["used"], due["kept"]}
        assert not Upload.objects.filter(pk=due["half"].pk).exists()
        assert not Tombstone.objects.filter(due_at__lte=timezone.now()).exists()
        assert "0 would go" in _run("media_cleanup", "--dry-run", "--only", "trash")

    def test_one_rule_only(self, due: dict[str, Any]) -> None:
        _run("media_cleanup", "--only", "trash")
        assert MediaFile.objects.count() == 3
        assert Upload.objects.filter(pk=due["half"].pk).exists()


class TestStorageThatTheSiteHasLeft:
    @pytest.fixture
    def key(self, own_storage: ObjectStore, db: None) -> str:
        key = new_key("original")
        Tombstone.objects.create(storage="gone", key=key, due_at=LONG_AGO)
        return key

    def test_is_told(self, key: str) -> None:
        assert "1 objects wait in the storage gone, which is not in STORAGES" in _run(
            "media_cleanup"
        )
        assert Tombstone.objects.exists()

    def test_is_forgotten_at_the_operators_word(self, key: str) -> None:
        Tombstone.objects.create(storage="media", key=key, due_at=LONG_AGO)
        _run("media_cleanup", "--forget", "gone", "--dry-run")
        assert Tombstone.objects.count() == 2
        assert _run("media_cleanup", "--forget", "gone") == "1 of gone forgotten.\n"
        assert Tombstone.objects.get().storage == "media"

    @pytest.mark.parametrize("alias", ["media", "nowhere"])
    def test_nothing_else_is_forgotten(self, key: str, alias: str) -> None:
        Tombstone.objects.create(storage="media", key=key, due_at=LONG_AGO)
        with pytest.raises(CommandError, match="Nothing waits"):
            _run("media_cleanup", "--forget", alias)
        assert Tombstone.objects.count() == 2

    def test_why_says_so(self, key: str) -> None:
        for what in (key, f"gone:{key}"):
            said = _run("media_why", what)
            assert f"object gone:{key}: nobody can tell, the storage is not in STORAGES" in said
            assert "media_cleanup --forget gone" in said

    def test_why_of_another_key(self, key: str) -> None:
        with pytest.raises(CommandError, match="Nothing is known"):
            _run("media_why", new_key("original"))


class TestWhy:
    def test_a_file_in_use(self, due: dict[str, Any]) -> None:
        said = _run("media_why", str(due["used"].pk))
        assert "used by hosts.leaflet" in said
        assert said.endswith("stays for as long as something uses it\n")

    def test_a_file_that_goes(self, due: dict[str, Any]) -> None:
        assert "unless it is restored" in _run("media_why", str(due["trashed"].pk))
        assert "nothing uses it" in _run("media_why", str(due["unused"].pk))
        assert "its owner's library" in _run("media_why", str(due["kept"].pk))

    def test_what_keeps_it(self, due: dict[str, Any], owner: Any, stranger: Any) -> None:
        media = due["kept"]
        shelf = services.create_collection(user=owner, title="shelf")
        services.add_items(user=owner, collection=shelf, media_ids=[media.pk])
        services.grant_access(user=owner, media=media, to=stranger)
        services.create_share_link(user=owner, media=media)
        said = _run("media_why", str(media.pk))
        for word in (f"in collection {shelf.pk}", "grant ", "share link ", "version 1 (current)"):
            assert word in said

    def test_an_upload(self, due: dict[str, Any]) -> None:
        assert "uploads past their time" in _run("media_why", str(due["half"].pk))

    def test_a_key(self, due: dict[str, Any], own_storage: ObjectStore) -> None:
        key = due["kept"].current.key
        assert f"version 1 of file {due['kept'].pk}" in _run("media_why", key)
        due["kept"].delete()
        assert "its row is gone" in _run("media_why", f"media:{key}")
        Tombstone.objects.all().delete()
        assert "no row explains it" in _run("media_why", key)

    def test_a_storage_that_is_away(
        self, due: dict[str, Any], own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(key: str) -> int:
            raise StorageUnavailableError(key)

        monkeypatch.setattr(own_storage, "size_of", away)
        said = _run("media_why", due["kept"].current.key)
        assert "the storage is away" in said
        assert "version 1 of file" in said

    def test_what_is_gone(self, due: dict[str, Any], owner: Any) -> None:
        pk = due["kept"].pk
        services.delete_media(user=owner, media=due["kept"], permanent=True)
        assert "is gone: deleted at" in _run("media_why", str(pk))

    @pytest.mark.parametrize("what", ["../etc", "original/00/nothing", f"{'0' * 32}"])
    def test_what_never_was(self, db: None, what: str) -> None:
        with pytest.raises(CommandError, match="Nothing is known"):
            _run("media_why", what)


def _raw(table: str, pk: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE media_id = %s",
            [pk if connection.vendor == "postgresql" else pk.hex],
        )


class TestWhatNobodyNoted:
    """Rows that went by raw SQL or in bulk without signals: the comparison finds what they left."""

    def test_rows_of_versions_that_went_raw(
        self, upload: Callable[..., MediaFile], run_jobs: Any, own_storage: ObjectStore
    ) -> None:
        media = upload(TEXT, "a.txt")
        run_jobs()
        media.jobs.all()._raw_delete("default")
        Upload.objects.all()._raw_delete("default")
        for table in ("media_rendition", "media_mediaversion"):
            _raw(table, media.pk)
        MediaFile.objects.filter(pk=media.pk)._raw_delete("default")
        assert list(own_storage.walk())
        assert not Tombstone.objects.exists()
        call_command("media_reconcile", "--fix", "--grace", "1", stdout=io.StringIO())
        self._age_and_fix()
        assert list(own_storage.walk()) == []
        assert list(services.find_inconsistencies(before=timezone.now())) == []

    def _age_and_fix(self) -> None:
        ahead = timedelta(seconds=-60)  # whatever is there is old enough
        for violation in services.find_storage_violations("media", grace=ahead):
            if violation.repair:
                violation.repair()
        Tombstone.objects.update(due_at=LONG_AGO)
        services.bury_tombstones()

    def test_a_host_that_went_raw(self, due: dict[str, Any]) -> None:
        MediaFile.objects.filter(pk=due["used"].pk).update(expires_at=None)
        Leaflet.objects.all()._raw_delete("default")
        assert services.mark_unused() == 1
        MediaFile.objects.filter(pk=due["used"].pk).update(expires_at=LONG_AGO)
        services.expire_unused()
        assert not MediaFile.objects.filter(pk=due["used"].pk).exists()
