"""An ffmpeg that is missing, hangs, dies or talks without end fails one film and no more.

Real programs in the real sandbox; only the time that a film may take is made short.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from apps.media.models import Job, MediaFile
from apps.media.services import allowances
from apps.media.tests import recordings, samples

MIB = 1024 * 1024
SECONDS = 8  # that a film may take where a test says so


@pytest.fixture
def programs(settings: Any, tmp_path: Path) -> Callable[..., None]:
    """Have films encoded by a script, under further options of `MEDIA_APP`."""

    def use(script: str, **options: object) -> None:
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        settings.MEDIA_APP = {**settings.MEDIA_APP, "FFMPEG": str(program), **options}

    return use


@pytest.fixture
def film(upload: Callable[..., MediaFile]) -> MediaFile:
    return upload(recordings.film(), "film.mp4")


def _outcome(film: MediaFile) -> tuple[str, str]:
    film.refresh_from_db()
    return film.status, film.failure_code


def _stream_job(film: MediaFile) -> Job:
    return Job.objects.filter(media=film, kind="stream").exclude(state="cancelled").latest("pk")


def _processes(mark: str) -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline"])
    return [process for process in found if mark in (process.info["cmdline"] or [])]


def _can_work(upload: Callable[..., MediaFile], run_jobs: Any) -> bool:
    """Whether the next file is done as if nothing had been."""
    photo = upload(samples.photo_jpeg(160, 120), "photo.jpg")
    run_jobs()
    return _outcome(photo) == ("ready", "")


def test_that_hangs_is_ended_with_all_it_started(
    programs: Callable[..., None],
    film: MediaFile,
    upload: Callable[..., MediaFile],
    run_jobs: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(allowances, "SHORTEST_FILM", SECONDS)
    monkeypatch.setattr(allowances, "FILM_EFFORT", 0)
    mark = f"9999.{secrets.randbelow(10**9)}"
    programs(f"sleep {mark} & sleep {mark}", PROCESS_WALL_SECONDS=SECONDS)
    run_jobs()
    assert _outcome(film) == ("failed", "processing_timeout")
    assert not _processes(mark)
    assert _can_work(upload, run_jobs)


def test_that_dies_of_a_signal_has_crashed(
    programs: Callable[..., None],
    film: MediaFile,
    upload: Callable[..., MediaFile],
    run_jobs: Any,
) -> None:
    programs("kill -SEGV $$")
    run_jobs()
    assert _outcome(film) == ("failed", "processing_crashed")
    assert _can_work(upload, run_jobs)


def test_that_talks_without_end_is_kept_short(
    programs: Callable[..., None],
    film: MediaFile,
    upload: Callable[..., MediaFile],
    run_jobs: Any,
) -> None:
    before = psutil.Process().memory_info().rss
    # What is kept of a gibibyte has to fit into the child, which then could not even start.
    programs("head -c 1073741824 /dev/zero >&2; exit 1", FILM_MEMORY=1000 * MIB)
    run_jobs()
    assert _outcome(film) == ("failed", "corrupt_file")
    assert len(_stream_job(film).error) <= 2000
    assert psutil.Process().memory_info().rss - before < 64 * MIB
    assert _can_work(upload, run_jobs)


def test_that_is_missing_is_waited_for(
    film: MediaFile, run_jobs: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "FFMPEG": str(tmp_path / "nothing")}
    run_jobs()
    assert _outcome(film)[0] == "processing"
    job = _stream_job(film)
    assert (job.state, job.error_code, job.attempts) == ("queued", "engine_away", 1)


def test_too_little_memory_ends_the_child_alone(
    film: MediaFile, upload: Callable[..., MediaFile], run_jobs: Any, settings: Any
) -> None:
    enough = settings.MEDIA_APP
    settings.MEDIA_APP = {**enough, "FILM_MEMORY": 100 * MIB}
    run_jobs()
    assert _outcome(film) == ("failed", "processing_crashed")
    settings.MEDIA_APP = enough
    assert _can_work(upload, run_jobs)
