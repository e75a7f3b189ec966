"""`media_import`: what it takes, what it refuses, how it goes on."""

from __future__ import annotations

import errno
import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.core.errors import StorageFullError
from apps.core.storage import ObjectStore
from apps.media import services
from apps.media.management.folders import find_files
from apps.media.models import Job, MediaFile, Quota, Upload
from apps.media.services import quotas
from apps.media.tests import samples

pytestmark = pytest.mark.django_db
PHOTO = samples.photo_jpeg(64, 48)


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a photograph, words below it, and a hidden file."""
    root = tmp_path / "holiday"
    (root / "notes" / "deep").mkdir(parents=True)
    (root / "photo.jpg").write_bytes(PHOTO)
    (root / "notes" / "a.txt").write_bytes(b"A few plain words.\n")
    (root / "notes" / "deep" / "b.txt").write_bytes(b"Other plain words.\n")
    (root / ".hidden.txt").write_bytes(b"Hidden plain words.\n")
    return root


def run(*arguments: object) -> str:
    said = io.StringIO()
    call_command("media_import", *map(str, arguments), "--owner", "olga", stdout=said)
    return said.getvalue()


def refused(*arguments: object) -> tuple[CommandError, str]:
    said = io.StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("media_import", *map(str, arguments), "--owner", "olga", stdout=said)
    return failed.value, re.sub(r"\s+", " ", said.getvalue())


def names() -> set[str]:
    return set(MediaFile.objects.values_list("original_name", flat=True))


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("media_import", "--help")
    said = capsys.readouterr().out
    for option in ("--owner", "--tag", "--visibility", "--no-recursive", "--dry-run"):
        assert option in said


def test_takes_a_tree(owner: Any, tree: Path) -> None:
    said = run(tree, "--tag", "sea", "--tag", "sun", "--visibility", "public")
    assert "Took 3 files; 0 were there, 0 refused, 1 hidden left out." in said
    assert names() == {"photo.jpg", "a.txt", "b.txt"}
    for media in MediaFile.objects.all():
        assert (media.owner, media.visibility) == (owner, "public")
        assert {tag.name for tag in media.tags.all()} == {"sea", "sun"}
    assert (tree / "photo.jpg").read_bytes() == PHOTO


def test_takes_single_files_and_flat_folders(owner: Any, tree: Path) -> None:
    run(tree / "notes", tree / "photo.jpg", "--no-recursive")
    assert names() == {"photo.jpg", "a.txt"}


def test_a_second_run_takes_what_is_new(owner: Any, tree: Path, run_jobs: Any) -> None:
    run(tree)
    assert "Took 0 files; 3 were there" in run(tree)
    run_jobs()
    Upload.objects.all().delete()  # as their time passes
    (tree / "c.txt").write_bytes(b"New plain words.\n")
    assert "Took 1 files; 3 were there" in run(tree)


def test_the_same_bytes_twice_are_one_file(owner: Any, tree: Path) -> None:
    (tree / "copy.jpg").write_bytes(PHOTO)
    assert "Took 3 files; 1 were there" in run(tree)


@pytest.mark.parametrize("looked_at", [False, True])
def test_what_is_in_the_trash_or_anothers_is_not_there(
    owner: Any, stranger: Any, tree: Path, upload: Any, run_jobs: Any, looked_at: bool
) -> None:
    upload(PHOTO, user=stranger)
    run(tree / "photo.jpg")
    if looked_at:
        run_jobs()
    for media in MediaFile.objects.filter(owner=owner):
        services.delete_media(user=owner, media=media)
    assert "Took 1 files; 0 were there" in run(tree / "photo.jpg")


def test_a_dry_run_takes_nothing(owner: Any, tree: Path, own_storage: ObjectStore) -> None:
    (tree / "bad.jpg").write_bytes(b"<html></html>")
    (tree / "empty.txt").touch()
    failed, said = refused(tree, "--dry-run")
    assert "Would take 3 files; 0 were there, 2 refused" in str(failed)
    assert "type_mismatch" in said
    assert "empty_file" in said
    assert not MediaFile.objects.exists()
    assert not Upload.objects.exists()
    assert not Job.objects.exists()
    assert list(own_storage.walk()) == []


def test_refused_files_stop_no_others(owner: Any, tree: Path, own_storage: ObjectStore) -> None:
    (tree / "bad.jpg").write_bytes(b"<html></html>")
    (tree / "bad.exe").write_bytes(b"MZ" + bytes(200))
    failed, said = refused(tree)
    assert failed.returncode == 1
    assert "Took 3 files; 0 were there, 2 refused" in str(failed)
    assert "type_mismatch" in said
    assert "unsupported_type" in said
    assert names() == {"photo.jpg", "a.txt", "b.txt"}
    assert len(list(own_storage.walk())) == 3


def test_links_do_not_lead_out(owner: Any, tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_bytes(b"Secret plain words.\n")
    (tree / "out.txt").symlink_to(outside / "secret.txt")
    (tree / "out").symlink_to(outside)
    (tree / "up").symlink_to(tree)
    (tree / "loop").symlink_to(tree / "loop")
    (tree / "nowhere.txt").symlink_to(tree / "missing.txt")
    (tree / "of-hidden.txt").symlink_to(tree / ".hidden.txt")
    (tree / "inside.txt").symlink_to(tree / "notes" / "a.txt")
    found = {item.path.name: item.code for item in find_files([tree], recursive=True) if item.code}
    assert found == {
        ".hidden.txt": "hidden",
        "of-hidden.txt": "hidden",
        "out.txt": "link_leads_out",
        "out": "link_leads_out",
        "loop": "unreadable",
        "nowhere.txt": "unreadable",
    }
    failed, said = refused(tree)
    assert "Took 3 files; 1 were there, 4 refused" in str(failed)
    assert "link_leads_out" in said
    assert "secret.txt" not in names()


def test_what_is_no_file_is_never_opened(owner: Any, tree: Path) -> None:
    os.mkfifo(tree / "pipe.txt")
    _, said = refused(tree)
    assert "no_file" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_told(owner: Any, tree: Path) -> None:
    (tree / "photo.jpg").chmod(0)
    _, said = refused(tree)
    assert "unreadable" in said


def test_a_folder_that_only_lists_its_names_stops_no_others(
    owner: Any, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut, look = tree / "shut", os.stat
    shut.mkdir()
    (shut / "a.jpg").touch()

    def refuse(path: Any, **more: Any) -> os.stat_result:
        if str(path).startswith(f"{shut}/"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return look(path, **more)

    monkeypatch.setattr(os, "stat", refuse)
    _, said = refused(tree)
    assert "unreadable" in said
    assert "photo.jpg" in names()


def test_names_cannot_speak_to_the_terminal(owner: Any, tree: Path) -> None:
    (tree / "\x1b[31m[bold]\udcff.jpg").write_bytes(b"<html></html>")
    _, said = refused(tree)
    assert "\x1b" not in said
    assert "[bold]" in said


def test_an_unknown_owner_or_path(owner: Any, tree: Path) -> None:
    with pytest.raises(CommandError, match="no user"):
        call_command("media_import", str(tree), "--owner", "nobody")
    for missing in ("missing", "x" * 300):  # no file can have the other name
        _, said = refused(tree / missing)
        assert "unreadable" in said
    assert not MediaFile.objects.exists()


def test_no_name_is_not_the_folder_that_one_is_in(
    owner: Any, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    with pytest.raises(CommandError, match="an empty name"):
        run("")
    assert not MediaFile.objects.exists()
    assert "Took 3 files" in run(".")


def test_one_who_may_not_upload(owner: Any, tree: Path) -> None:
    owner.is_active = False
    owner.save()
    failed, _ = refused(tree)
    assert "Took 0 files" in str(failed)
    assert not Upload.objects.exists()


def test_unusable_tags(owner: Any, tree: Path) -> None:
    refused(tree, "--tag", "x" * 200)
    assert not MediaFile.objects.exists()


def test_a_full_quota_is_told_per_file(owner: Any, tree: Path) -> None:
    Quota.objects.create(owner=owner, bytes_limit=len(PHOTO) - 1)
    _, said = refused(tree)
    assert "quota_exceeded" in said
    assert names() == {"a.txt", "b.txt"}


def test_a_full_storage_stops_it(owner: Any, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**kwargs: object) -> None:
        raise StorageFullError

    monkeypatch.setattr(quotas, "begin", full)
    failed, _ = refused(tree)
    assert "The file storage is full." in str(failed)
    assert "to go on" in str(failed)


def test_a_stopped_run_goes_on(owner: Any, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    def interrupted(**fields: Any) -> bool:
        if taken:
            raise KeyboardInterrupt
        taken.append(fields)
        return original(**fields)

    original = services.import_path_once
    with monkeypatch.context() as patch:
        patch.setattr(services, "import_path_once", interrupted)
        failed, _ = refused(tree)
    assert failed.returncode == 130
    assert "Took 1 files" in str(failed)
    assert "Took 2 files; 1 were there" in run(tree)


def test_many_refusals_are_counted(owner: Any, tmp_path: Path) -> None:
    for number in range(230):
        (tmp_path / f"{number}.exe").write_bytes(b"MZ" + bytes(200))
    _, said = refused(tmp_path)
    assert "and 30 more; in all unsupported_type: 230" in said
