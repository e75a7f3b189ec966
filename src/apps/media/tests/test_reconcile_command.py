"""`media_reconcile` as a long walk: it stops when told to, goes on later, and knows when not to."""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from apps.core.errors import StorageUnavailableError
from apps.core.storage import ObjectStore, storage_from_url
from apps.media import selectors, services
from apps.media.exceptions import HostMissingError
from apps.media.management import longrun
from apps.media.models import MediaFile, MediaVersion, Tombstone
from apps.media.services import reconciling
from apps.media.tests.services.test_jobs import ARCHIVE


@pytest.fixture
def files(upload: Callable[..., MediaFile], run_jobs: Any) -> list[str]:
    for number in range(5):
        upload(ARCHIVE, f"{number}.zip")
    run_jobs()
    return sorted(MediaVersion.objects.values_list("key", flat=True))


def _run(*arguments: str) -> str:
    said = io.StringIO()
    call_command("media_reconcile", "--grace", "1", *arguments, stdout=said, stderr=said)
    return said.getvalue()


class TestGoingOn:
    def test_behind_a_key(self, files: list[str], own_storage: ObjectStore) -> None:
        for key in files:
            own_storage.remove(key)
        said = _run("--storage", "media", "--after", files[2])
        assert "Found 2 violations" in said
        assert files[3] in said
        assert files[2] not in said

    def test_one_key_is_of_one_storage(
        self, files: list[str], settings: Any, tmp_path: Path
    ) -> None:
        other = storage_from_url(f"file://{tmp_path / 'other'}")
        settings.STORAGES = {**settings.STORAGES, "other": other}
        MediaVersion.objects.filter(key=files[0]).update(storage="other")
        with pytest.raises(CommandError, match="which one --after is of"):
            _run("--after", files[2])

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_stopped_by_a_signal(
        self,
        files: list[str],
        own_storage: ObjectStore,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        number: int,
    ) -> None:
        own_storage.remove(files[0])
        own_storage.remove(files[4])
        turn = longrun.Bookmark.turn_to

        def stop_at_the_third(self: Any, storage: str, key: str) -> None:
            turn(self, storage, key)
            if key == files[2]:
                os.kill(os.getpid(), number)

        state = tmp_path / "state.json"
        with monkeypatch.context() as patch:
            patch.setattr(longrun.Bookmark, "turn_to", stop_at_the_third)
            with pytest.raises(CommandError, match="The same command goes on") as ended:
                _run("--state", str(state))
        assert ended.value.returncode == 128 + number
        kept = json.loads(state.read_text())
        assert kept == {"storage": "media", "after": files[2], "found": 1, "fixed": 0}
        said = _run("--state", str(state))
        assert files[4] in said
        assert files[0] not in said
        assert "Found 2 violations" in said  # of both runs
        assert not state.exists()

    def test_the_key_is_told_without_a_file(
        self, files: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stop(self: Any, storage: str, key: str) -> None:
            self.storage, self.after = storage, key
            os.kill(os.getpid(), signal.SIGINT)

        monkeypatch.setattr(longrun.Bookmark, "turn_to", stop)
        with pytest.raises(CommandError, match=f"--storage media --after {files[0]}"):
            _run()

    def test_a_storage_that_goes_away_loses_nothing(
        self, files: list[str], own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        walk = own_storage.walk

        def away(prefix: str = "", *, after: str = "") -> Any:
            yield from itertools.islice(walk(prefix, after=after), 3)
            raise StorageUnavailableError(files[3])

        monkeypatch.setattr(own_storage, "walk", away)
        with pytest.raises(CommandError, match=f"--storage media --after {files[1]}"):
            _run()

    def test_stopped_among_rows_it_walks_along_no_keys_again(
        self, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stop(*, before: Any) -> Any:
            raise longrun.Stopped(signal.SIGINT)
            yield

        state = tmp_path / "state.json"
        with monkeypatch.context() as patch:
            patch.setattr(services, "find_inconsistencies", stop)
            with pytest.raises(CommandError, match=f"--storage media --after {files[4]}"):
                _run()
            with pytest.raises(CommandError, match="The same command goes on"):
                _run("--state", str(state))
        assert json.loads(state.read_text())["after"] == files[4]

    def test_stopped_between_two_storages(self) -> None:
        kept = longrun.Bookmark(None, after="a")
        assert kept.advice == "Nothing was done."
        kept.begin("first")
        assert kept.advice == "Go on with --storage first --after a"
        kept.turn_to("first", "b")
        kept.begin("second")
        assert kept.advice == "Go on with --storage second"

    @pytest.mark.parametrize("text", ["", "{", "7", "[1]"])
    def test_what_is_no_state_is_told(self, files: list[str], tmp_path: Path, text: str) -> None:
        (tmp_path / "state.json").write_text(text)
        with pytest.raises(CommandError, match=r"state\.json cannot be used"):
            _run("--state", str(tmp_path / "state.json"))

    def test_a_time_that_never_was_is_refused(self, db: None) -> None:
        with pytest.raises(CommandError, match="no positive whole number"):
            call_command("media_reconcile", "--grace", "99999999999999")

    def test_a_state_that_cannot_be_kept_is_told_at_once(
        self, files: list[str], tmp_path: Path
    ) -> None:
        with pytest.raises(CommandError, match="cannot be used"):
            _run("--state", str(tmp_path / "missing" / "state.json"))

    def test_handlers_are_put_back(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        with longrun.stoppable():
            assert signal.getsignal(signal.SIGTERM) != before
        assert signal.getsignal(signal.SIGTERM) == before


def test_nothing_is_fixed_after_a_disk_that_is_not_mounted(
    files: list[str], own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "GOOD_MANY", len(files))
    for key in files:
        own_storage.remove(key)
    assert "Found 5 violations" in _run("--fix", "--dry-run")
    with pytest.raises(CommandError, match="is it mounted"):
        _run("--fix")
    assert not MediaFile.objects.filter(status="failed").exists()
    assert "5 fixed" in _run("--fix", "--storage", "media")


def test_a_few_that_are_lost_are_fixed(files: list[str], own_storage: ObjectStore) -> None:
    for key in files:
        own_storage.remove(key)
    assert "5 fixed" in _run("--fix")


class TestStorageThatTheSiteHasLeft:
    def test_others_are_compared_and_it_is_told(
        self, files: list[str], own_storage: ObjectStore
    ) -> None:
        own_storage.remove(files[1])
        MediaVersion.objects.filter(key=files[0]).update(storage="gone")
        Tombstone.objects.create(storage="gone", key=files[2], due_at=timezone.now())
        said = _run()
        assert "I3 storage gone: is not in STORAGES, and 1 rows name objects there" in said
        assert "I2 storage gone: is not in STORAGES, and 1 objects there are to be removed" in said
        assert f"media:{files[1]} is not there" in said
        with pytest.raises(CommandError, match="There are violations"):
            _run("--strict")

    def test_what_keeps_no_objects_is_no_storage(self, db: None) -> None:
        with pytest.raises(CommandError, match="not an ObjectStore"):
            _run("--storage", "staticfiles")

    def test_it_cannot_be_asked_for(self, files: list[str]) -> None:
        Tombstone.objects.create(storage="gone", key=files[2], due_at=timezone.now())
        with pytest.raises(CommandError, match="no storage gone in STORAGES"):
            _run("--storage", "gone")
        assert "gone" not in _run("--storage", "media")


class TestMissingHosts:
    @pytest.fixture
    def foreign_table(self, db: None) -> None:
        """A table that an app left behind, or one of an app that is not installed here."""
        kind = MediaFile._meta.pk.db_type(connection)
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE shop_product (id integer PRIMARY KEY, picture_id {kind} "
                "REFERENCES media_mediafile (id))"
            )

    def test_nothing_is_missing(self, db: None) -> None:
        services.ensure_hosts_known()

    def test_it_refuses(self, foreign_table: None, files: list[str]) -> None:
        assert selectors.list_unknown_references() == ["shop_product.picture_id"]
        with pytest.raises(HostMissingError):
            next(services.find_storage_violations("media"))
        with pytest.raises(CommandError, match="shop_product"):
            _run("--fix")

    def test_an_app_that_was_taken_out(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        left = list(apps.get_models(include_auto_created=True))
        left = [model for model in left if model._meta.app_label != "hosts"]
        monkeypatch.setattr(apps, "get_models", lambda **kwargs: left)
        unknown = selectors.list_unknown_references()
        assert "hosts_member.avatar_id" in unknown
        assert "hosts_leaflet.sheet_id" in unknown
