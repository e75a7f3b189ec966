"""Every surface on which a file of an event could be seen, asked as one visitor."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

from django.test import Client

from apps.events.models import Event
from apps.media.models import MediaFile


def _body(answer: Any) -> bytes:
    return b"".join(answer) if answer.streaming else answer.content


def _gives(client: Client, path: str) -> bool:
    answer = client.get(path)
    assert answer.status_code in {200, 404}, (path, answer.status_code)
    return answer.status_code == 200


def _tells(client: Client, path: str, *words: str) -> bool:
    """Whether the answer names the file, by any of its names."""
    answer = client.get(path)
    assert answer.status_code in {200, 404}, (path, answer.status_code)
    return any(word.encode() in _body(answer) for word in words)


def _packs(client: Client, path: str, name: str) -> bool:
    answer = client.get(path)
    if answer.status_code == 404:
        return False
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(_body(answer))) as archive:
        assert archive.testzip() is None
        return any(name in entry for entry in archive.namelist())


def _counts(client: Client, event: Event) -> bool:
    answer = client.get(f"/api/v1/events/{event.pk}/")
    return answer.status_code == 200 and answer.json()["photo_count"] > 0


def surfaces(event: Event, media: MediaFile, twin: MediaFile) -> dict[str, Callable[..., bool]]:
    """Name → whether a client is shown `media` there, a film of the gallery. `twin` is public and
    looks the same."""
    pk, name = str(media.pk), media.original_name
    root, api = f"/media/{pk}", f"/api/v1/events/{event.pk}"
    return {
        "original": lambda c: _gives(c, f"{root}/original"),
        "download": lambda c: _gives(c, f"{root}/original?download=1"),
        "rendition": lambda c: _gives(c, f"{root}/r/thumb.webp"),
        "master playlist": lambda c: _gives(c, f"{root}/hls/master.m3u8"),
        "playlist": lambda c: _gives(c, f"{root}/hls/240p.m3u8"),
        "track": lambda c: _gives(c, f"{root}/hls/240p.mp4"),
        "page": lambda c: _gives(c, f"/library/{pk}/"),
        "api": lambda c: _gives(c, f"/api/v1/media/{pk}/"),
        "similar of it": lambda c: _gives(c, f"/api/v1/media/{pk}/similar/"),
        "similar of its twin": lambda c: _tells(c, f"/api/v1/media/{twin.pk}/similar/", pk, name),
        "list": lambda c: _tells(c, "/api/v1/media/", pk, name),
        "search": lambda c: _tells(c, "/api/v1/media/?q=hidden", pk, name),
        "archive of some": lambda c: _packs(c, f"/media/zip?ids={pk}", name),
        "archive of the event": lambda c: _packs(c, f"{api}/photos/archive/", name),
        "gallery": lambda c: _tells(c, f"{api}/photos/", pk, name),
        "event page": lambda c: _tells(c, f"/events/{event.pk}/", pk, name),
        "cards": lambda c: _tells(c, f"/events/{event.pk}/photos/", pk, name),
        "card": lambda c: _tells(c, f"/events/{event.pk}/photos/{pk}/", pk, name),
        "count": lambda c: _counts(c, event),
    }


def seen_by(client: Client, event: Event, media: MediaFile, twin: MediaFile) -> dict[str, bool]:
    return {name: sees(client) for name, sees in surfaces(event, media, twin).items()}
