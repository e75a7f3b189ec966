"""What is known of a file is added to by several jobs: none forgets what another has told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.media.models import MediaFile, MediaVersion
from apps.media.processing.types import Facts
from apps.media.services.facts import forget_sound, keep_facts
from apps.media.services.probing import enqueue_inspection
from apps.media.tests import recordings


def test_an_inspection_keeps_what_only_renderings_tell() -> None:
    """Of an office document, how many pages it has."""
    version = MediaVersion(metadata={"loudness": -23.0, "pages": 3, "has_cover": True})
    keep_facts(version, Facts(0, 0))
    assert (version.metadata["loudness"], version.metadata["pages"]) == (-23.0, 3)
    assert "has_cover" not in version.metadata


@pytest.mark.django_db
def test_a_sound_inspected_again_is_as_loud(
    upload: Callable[..., MediaFile], run_jobs: Any
) -> None:
    media = upload(recordings.song(), "song.mp3")
    run_jobs()
    before = MediaVersion.objects.get(media=media).metadata
    assert "loudness" in before
    enqueue_inspection(media)
    run_jobs()
    assert MediaVersion.objects.get(media=media).metadata == before


@pytest.mark.django_db
def test_a_sound_that_is_not_there_takes_nothing_else_along(
    upload: Callable[..., MediaFile],
) -> None:
    upload(b"words", "a.txt")
    early = MediaVersion.objects.get()
    MediaVersion.objects.update(metadata={"loudness": -23.0, "audio": {}})
    forget_sound(early)
    assert MediaVersion.objects.get().metadata == {"loudness": -23.0, "audio": None}
