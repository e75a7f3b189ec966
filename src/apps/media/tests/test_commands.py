"""The commands that go through all files: what they take, how they wait, and how they go on."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.media.management import bulk
from apps.media.models import Job, MediaFile, MediaVersion
from apps.media.tests.services.test_jobs import ARCHIVE


@pytest.fixture
def files(upload: Callable[..., MediaFile], run_jobs: Any) -> list[MediaFile]:
    made = [upload(ARCHIVE, f"{number}.zip") for number in range(5)]
    run_jobs()
    Job.objects.all().delete()
    return made


def _run(name: str, *arguments: str) -> str:
    said = io.StringIO()
    call_command(name, *arguments, stdout=said)
    return said.getvalue()


def _queued() -> list[tuple[Any, str]]:
    jobs = Job.objects.filter(state="queued").order_by("media_id")
    return list(jobs.values_list("media_id", "kind"))


@pytest.mark.parametrize("name", ["media_reprocess", "media_rescan"])
def test_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command(name, "--help")
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(option in said for option in ("--after", "--limit", "--at-once", "--dry-run"))


class TestReprocess:
    def test_everything(self, files: list[MediaFile], run_jobs: Any) -> None:
        assert _run("media_reprocess") == "Done: 5 of 5 files.\n"
        assert _queued() == [(media.pk, "inspect") for media in files]
        assert set(Job.objects.values_list("priority", flat=True)) == {-10}
        run_jobs()
        assert set(MediaFile.objects.values_list("status", flat=True)) == {"ready"}

    def test_what_is_named(self, files: list[MediaFile]) -> None:
        chosen = [str(files[index].pk) for index in (1, 3)]
        assert _run("media_reprocess", "--id", chosen[0], "--id", chosen[1]).startswith("Done: 2")
        assert [str(pk) for pk, _ in _queued()] == chosen

    def test_what_failed(self, files: list[MediaFile], run_jobs: Any) -> None:
        failed = MediaFile.objects.filter(pk=files[0].pk)
        failed.update(status="failed", failure_code="corrupt_file", usable=False)
        assert _run("media_reprocess", "--status", "failed") == "Done: 1 of 1 files.\n"
        run_jobs()
        assert failed.get().status == "ready"

    def test_only_what_changed(self, files: list[MediaFile]) -> None:
        assert _run("media_reprocess", "--changed") == "Done: 0 of 5 files.\n"
        assert _queued() == []

    def test_a_dry_run_changes_nothing(self, files: list[MediaFile]) -> None:
        assert _run("media_reprocess", "--dry-run") == "Would take: 5 of 5 files.\n"
        assert _queued() == []

    def test_goes_on_where_it_stopped(self, files: list[MediaFile]) -> None:
        assert _run("media_reprocess", "--limit", "2") == "Done: 2 of 2 files.\n"
        _run("media_reprocess", "--after", str(files[1].pk), "--limit", "2")
        assert [pk for pk, _ in _queued()] == [media.pk for media in files[:4]]

    @pytest.mark.parametrize(
        "wrong", [("--id", "x"), ("--limit", "0"), ("--status", "gone"), ("--at-once", "-1")]
    )
    def test_nonsense_is_refused(self, db: None, wrong: tuple[str, str]) -> None:
        with pytest.raises(CommandError):
            _run("media_reprocess", *wrong)

    def test_an_unknown_owner_is_told(self, files: list[MediaFile]) -> None:
        with pytest.raises(CommandError, match="no user 'nobody'"):
            _run("media_reprocess", "--owner", "nobody")


class TestWaiting:
    def test_never_more_than_so_many_jobs_wait(
        self, files: list[MediaFile], run_jobs: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waiting = []

        def work(_seconds: float) -> None:
            waiting.append(len(_queued()))
            run_jobs()

        monkeypatch.setattr(bulk.time, "sleep", work)
        _run("media_reprocess", "--at-once", "2")
        assert waiting == [2, 2]
        assert len(_queued()) == 1

    def test_fresh_uploads_do_not_count(
        self, files: list[MediaFile], upload: Callable[..., MediaFile]
    ) -> None:
        upload(ARCHIVE, "fresh.zip", user=files[0].owner)
        assert _run("media_reprocess", "--at-once", "50", "--limit", "5").startswith("Done: 5")

    def test_ctrl_c_says_where_to_go_on(
        self, files: list[MediaFile], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bulk.time, "sleep", lambda _: signal.raise_signal(signal.SIGINT))
        # Whoever started the tests in the background has them ignore it.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(CommandError, match=f"--after {files[2].pk}") as ended:
            _run("media_reprocess", "--at-once", "3")
        signal.signal(signal.SIGINT, before)
        assert ended.value.returncode == 130
        assert [pk for pk, _ in _queued()] == [media.pk for media in files[:3]]


class TestRescan:
    def test_everything(self, files: list[MediaFile], run_jobs: Any) -> None:
        before = timezone.now()
        assert _run("media_rescan", "--all") == "Done: 5 of 5 files.\n"
        assert {kind for _, kind in _queued()} == {"scan"}
        assert set(MediaFile.objects.values_list("status", flat=True)) == {"ready"}
        run_jobs()
        assert MediaVersion.objects.filter(scanned_at__gte=before).count() == 5

    @pytest.mark.parametrize(
        ("since", "count"),
        [("2000-01-31", 5), ("2000-01-31T10:00:00Z", 5), ("2999-01-01", 0)],
    )
    def test_since(self, files: list[MediaFile], since: str, count: int) -> None:
        assert _run("media_rescan", "--since", since).startswith(f"Done: {count}")

    def test_what_is_in_quarantine_comes_free_by_newer_rules(
        self, files: list[MediaFile], run_jobs: Any
    ) -> None:
        held = MediaFile.objects.filter(pk=files[0].pk)
        held.update(status="quarantined", failure_code="malware_found", usable=False)
        assert _run("media_rescan", "--quarantined") == "Done: 1 of 1 files.\n"
        run_jobs()
        assert (held.get().status, held.get().usable) == ("ready", True)

    @pytest.mark.parametrize(
        "wrong",
        [(), ("--since", "yesterday"), ("--since", "2026-13-01"), ("--all", "--quarantined")],
    )
    def test_says_which(self, db: None, wrong: tuple[str, ...]) -> None:
        with pytest.raises(CommandError):
            _run("media_rescan", *wrong)
