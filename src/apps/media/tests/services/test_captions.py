"""Adding and removing captions: what is kept, what is refused, and what a failure leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from apps.core.errors import StorageUnavailableError
from apps.core.storage import ObjectStore
from apps.media import services
from apps.media.exceptions import (
    FileTooLargeError,
    ForbiddenError,
    UnreadableCaptionError,
    WrongStateError,
)
from apps.media.models import Caption, MediaFile, Tombstone
from apps.media.processing.captions import MAX_BYTES
from apps.media.services.captions import MAX_CAPTIONS, normalise_language
from apps.media.tests import samples

SUBRIP = b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"


@pytest.fixture
def film(upload: Callable[..., MediaFile]) -> MediaFile:
    """What the service takes for a film; captions need no more of it."""
    media = upload(samples.photo_jpeg(64, 48))
    MediaFile.objects.update(media_type="video", status="ready", usable=True)
    media.refresh_from_db()
    return media


@pytest.fixture
def add(owner: Any, film: MediaFile) -> Callable[..., Caption]:
    def add_one(data: bytes = SUBRIP, **fields: Any) -> Caption:
        fields = {"user": owner, "media": film, "language": "en", **fields}
        return services.add_caption(file=ContentFile(data), **fields)

    return add_one


@pytest.fixture
def unchanged(film: MediaFile, own_storage: ObjectStore) -> Callable[[], None]:
    """Assert that there is no caption and no object of one, once tombstones have had their time."""
    before = {item.key for item in own_storage.walk()}

    def check() -> None:
        Tombstone.objects.update(due_at="2000-01-01T00:00:00Z")
        services.bury_tombstones()
        assert not Caption.objects.exists()
        assert not Tombstone.objects.exists()
        assert {item.key for item in own_storage.walk()} == before

    return check


def test_is_stored_as_webvtt(add: Callable[..., Caption], own_storage: ObjectStore) -> None:
    caption = add(label=" English ", default=True)
    kept = Caption.objects.get()
    assert (kept.pk, kept.label, kept.kind, kept.default) == (
        caption.pk,
        "English",
        "subtitles",
        True,
    )
    with own_storage.open_object(kept.key) as file:
        data = file.read(MAX_BYTES)
    assert data.startswith(b"WEBVTT\n")
    assert b"Hello" in data
    assert len(data) == kept.size
    assert not Tombstone.objects.exists()


def test_one_of_each_language_and_kind(add: Callable[..., Caption]) -> None:
    add()
    add(kind="captions")
    add(language="de")
    with pytest.raises(WrongStateError):
        add(language="EN")
    assert Caption.objects.count() == 3


def test_there_is_one_default(add: Callable[..., Caption]) -> None:
    add(default=True)
    add(language="de", default=True)
    assert list(Caption.objects.filter(default=True).values_list("language", flat=True)) == ["de"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"data": b"no captions"}, UnreadableCaptionError),
        ({"data": b"x" * (MAX_BYTES + 1)}, FileTooLargeError),
        ({"language": "english language"}, ValidationError),
        ({"kind": "chapters"}, ValidationError),
        ({"label": "x" * 101}, ValidationError),
    ],
)
def test_refusals_leave_nothing(
    change: Any, error: type[Exception], add: Any, unchanged: Callable[[], None]
) -> None:
    with pytest.raises(error):
        add(**change)
    unchanged()


def test_only_editors_may(
    add: Any, stranger: Any, film: MediaFile, unchanged: Callable[[], None]
) -> None:
    MediaFile.objects.update(visibility="public")
    film.refresh_from_db()
    with pytest.raises(ForbiddenError):
        add(user=stranger)
    unchanged()


@pytest.mark.parametrize("kind", ["image", "document", "other"])
def test_only_recordings_have_captions(
    kind: str, add: Any, film: MediaFile, unchanged: Callable[[], None]
) -> None:
    MediaFile.objects.update(media_type=kind)
    film.refresh_from_db()
    with pytest.raises(WrongStateError):
        add()
    unchanged()


def test_there_is_an_end_to_captions(add: Any, film: MediaFile) -> None:
    rows = [
        Caption(media=film, language=f"x-{number}", storage="media", key=f"k{number}")
        for number in range(MAX_CAPTIONS)
    ]
    Caption.objects.bulk_create(rows)
    with pytest.raises(WrongStateError):
        add()


def test_a_storage_that_fails_leaves_nothing(
    add: Any, own_storage: ObjectStore, unchanged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(key: str) -> None:
        raise StorageUnavailableError(key)

    with monkeypatch.context() as broken, pytest.raises(StorageUnavailableError):
        broken.setattr(type(own_storage), "writer", lambda store, key: refuse(key))
        add()
    unchanged()


def test_a_film_that_goes_meanwhile_takes_its_caption_along(
    add: Any, film: MediaFile, owner: Any, own_storage: ObjectStore, monkeypatch: Any
) -> None:
    """Removed between the check and the record: the tombstone stays and does its work."""
    write = type(own_storage).writer

    def write_late(store: Any, key: str) -> Any:
        services.delete_media(user=owner, media=film, permanent=True)
        return write(store, key)

    monkeypatch.setattr(type(own_storage), "writer", write_late)
    with pytest.raises(Exception, match=str(film.pk)):
        add()
    Tombstone.objects.update(due_at="2000-01-01T00:00:00Z")
    services.bury_tombstones()
    assert list(own_storage.walk()) == []


def test_removing(add: Any, owner: Any, stranger: Any, unchanged: Callable[[], None]) -> None:
    caption = add()
    with pytest.raises(ForbiddenError):
        services.remove_caption(user=stranger, caption=caption)
    assert Caption.objects.exists()
    services.remove_caption(user=owner, caption=caption)
    unchanged()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("EN", "en"),
        ("pt_br", "pt-BR"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("de-CH-1996", "de-CH-1996"),
        ("es-419", "es-419"),
        ("en-u-hc-h12-x-PRIV", "en-u-hc-h12-x-priv"),
        ("zh-cmn", "zh-cmn"),
        (" fr ", "fr"),
    ],
)
def test_languages(given: str, kept: str) -> None:
    assert normalise_language(given) == kept


@pytest.mark.parametrize(
    "given", ["", "e", "english language", "en-", "en--US", "../x", "en.cc", "én", "x\0y"]
)
def test_no_languages(given: str) -> None:
    with pytest.raises(ValidationError):
        normalise_language(given)
