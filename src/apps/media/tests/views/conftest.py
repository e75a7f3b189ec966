"""A film as the pipeline leaves it, without running an engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.core.storage import ObjectStore, new_key
from apps.media.models import MediaFile, MediaVersion, Rendition
from apps.media.tests import samples

HEAD, SEGMENTS = 10, [[4.0, 20], [2.0, 12]]
AUDIO = {"codec": "aac", "channels": 2, "sample_rate": 48_000, "bit_rate": 128_000}


@pytest.fixture
def film(upload: Callable[..., MediaFile]) -> MediaFile:
    """A ready, private film of six seconds with sound, as yet without a track."""
    media = upload(samples.photo_jpeg(64, 48), "Holiday.jpg")
    MediaFile.objects.filter(pk=media.pk).update(
        status="ready", usable=True, media_type="video", duration=6.0
    )
    metadata = {"video": {"codec": "h264"}, "audio": AUDIO, "camera": "Camera 3000"}
    MediaVersion.objects.filter(media=media).update(metadata=metadata)
    return MediaFile.objects.get(pk=media.pk)


@pytest.fixture
def add_rendition(own_storage: ObjectStore) -> Callable[..., Rendition]:
    """Give a media file a rendition of this name that is served."""

    def add(media: MediaFile, name: str, data: bytes = b"words", **fields: Any) -> Rendition:
        key = new_key("rendition")
        with own_storage.writer(key) as writer:
            writer.write(data)
        row, _ = Rendition.objects.update_or_create(
            media=media,
            version=media.version,
            name=name,
            defaults={
                "state": "ready",
                "storage": "media",
                "key": key,
                "size": len(data),
                **fields,
            },
        )
        return row

    return add


@pytest.fixture
def add_track(add_rendition: Callable[..., Rendition]) -> Callable[..., Rendition]:
    """Give a film a track: a picture of that height, or the sound."""

    def add(media: MediaFile, name: str, *, height: int = 0, peak: int = 200_000) -> Rendition:
        size = HEAD + sum(size for _, size in SEGMENTS)
        return add_rendition(
            media,
            f"hls/{name}.mp4",
            (name.encode() * size)[:size],
            mime_type="video/mp4" if height else "audio/mp4",
            width=height * 16 // 9 or None,
            height=height or None,
            details={
                "codecs": "avc1.4d401e" if height else "mp4a.40.2",
                "frame_rate": 25.0 if height else 0.0,
                "head": HEAD,
                "peak": peak,
                "average": peak // 2,
                "segments": SEGMENTS,
            },
        )

    return add
