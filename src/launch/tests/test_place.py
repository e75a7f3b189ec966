"""One copy at a time on one place, whatever way the copy before it ended."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from launch.errors import TakenError
from launch.place import ROOT, Place, publish, read_secret, take


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "data")
    made.make()
    return made


def test_directories_are_for_their_owner_only(place: Place) -> None:
    assert stat.S_IMODE(place.run.stat().st_mode) == 0o700


def test_secret_stays_the_same_and_is_private(place: Place) -> None:
    first = read_secret(place)
    assert len(first) >= 64
    assert read_secret(place) == first
    assert stat.S_IMODE((place.data / "secret_key").stat().st_mode) == 0o600


def test_second_copy_learns_whom_to_stop(place: Place) -> None:
    with take(place) as lock:
        publish(lock, 4711, "http://127.0.0.1:8000")
        with pytest.raises(TakenError, match="4711") as caught:
            take(place)
    assert caught.value.address == "http://127.0.0.1:8000"


def test_second_copy_while_the_first_starts(place: Place) -> None:
    with take(place), pytest.raises(TakenError) as caught:
        take(place)
    assert caught.value.address == ""


def test_place_is_free_after_a_stop(place: Place) -> None:
    take(place).close()
    take(place).close()


def test_lock_lasts_as_long_as_a_process_that_inherited_it(place: Place) -> None:
    lock = take(place)
    with subprocess.Popen(
        [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"],
        stdin=lock,
        stdout=subprocess.PIPE,
    ) as child:
        lock.close()
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        with pytest.raises(TakenError):
            take(place)
        child.kill()
    take(place).close()


def test_paths_are_shown_from_the_repository_root(tmp_path: Path) -> None:
    assert Place(ROOT / "var").show(ROOT / "var/log") == "var/log"
    assert Place(tmp_path).show(tmp_path / "log") == str(tmp_path / "log")
