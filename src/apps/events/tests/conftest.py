"""What the tests of events share: an event, its people, and photos that cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from django.utils import timezone

from apps.core.storage import ObjectStore, new_key
from apps.events import services
from apps.events.models import Event, EventPhoto
from apps.media.models import MediaFile, Rendition
from apps.media.processing.recipes import THUMBNAIL
from apps.media.tests import samples


@cache
def _pictures(size: tuple[int, int]) -> tuple[bytes, bytes]:
    """The same photograph as it is uploaded and as it is shown."""
    return samples.photo_jpeg(*size), samples.photo_webp(*size)


@pytest.fixture
def guest(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user(username="gina")


@pytest.fixture
def event(owner: Any) -> Event:
    """A private event of the owner, in a week."""
    return services.create_event(
        user=owner,
        title="Secret party",
        text="Bring cake",
        place="The shed",
        starts_at=timezone.now() + timedelta(days=7),
    )


@pytest.fixture
def ready(upload: Callable[..., MediaFile], own_storage: ObjectStore) -> Callable[..., MediaFile]:
    """A file that is ready, with pictures of it, without running an engine; `size` in pixels,
    further fields as in `services.upload_media`."""

    def make(
        name: str = "photo.jpg", *, size: tuple[int, int] = (64, 48), **fields: Any
    ) -> MediaFile:
        original, data = _pictures(size)
        media = upload(original, name, **fields)
        facts = {"status": "ready", "usable": True, "progress": 100}
        facts |= {"width": size[0], "height": size[1]}
        MediaFile.objects.filter(pk=media.pk).update(**facts)
        for rendition in ("thumb.webp", f"w{size[0]}.webp"):
            key = new_key("rendition")
            with own_storage.writer(key) as writer:
                writer.write(data)
            Rendition.objects.create(
                media=media,
                version=1,
                name=rendition,
                state="ready",
                mime_type="image/webp",
                width=size[0],
                height=size[1],
                fingerprint=THUMBNAIL.fingerprint,
                storage="media",
                key=key,
                size=len(data),
            )
        media.refresh_from_db()
        return media

    return make


@pytest.fixture
def photos(owner: Any) -> Callable[[int], list[MediaFile]]:
    """Many files at the price of one: rows without bytes."""

    def make(count: int) -> list[MediaFile]:
        rows = [
            MediaFile(
                owner=owner,
                original_name=f"{n:03}.jpg",
                media_type="image",
                mime_type="image/jpeg",
                size=1,
                width=600,
                height=400,
                status="ready",
                usable=True,
            )
            for n in range(count)
        ]
        return MediaFile.objects.bulk_create(rows)

    return make


def names(event: Event) -> list[str]:
    """The gallery by the names of its files, in its order."""
    rows = EventPhoto.objects.filter(event=event).order_by("position", "pk")
    return list(rows.values_list("media__original_name", flat=True))
