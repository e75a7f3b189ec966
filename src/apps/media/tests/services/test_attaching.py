"""Files are put to use by those who may, where they fit, completely or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.media import services
from apps.media.exceptions import (
    AttachedTwiceError,
    CannotAttachError,
    NotVisibleError,
    TooLargeHereError,
    TooManyAttachedError,
    WrongKindError,
)
from apps.media.fields import Crop
from apps.media.models import MediaFile
from apps.media.services import AttachmentItem
from apps.media.tests.hosts.models import Leaflet, Member, Note, NoteAttachment
from apps.media.tests.samples import photo_jpeg

Upload = Callable[..., MediaFile]
pytestmark = pytest.mark.django_db
CROP = Crop(0, 0, 0.5, 0.5)


@pytest.fixture
def media(upload: Upload) -> MediaFile:
    return upload(photo_jpeg(32, 24))


@pytest.fixture
def member() -> Member:
    return Member.objects.create(name="M")


@pytest.fixture
def note() -> Note:
    return Note.objects.create(text="n")


def _make_usable(media: MediaFile, **fields: Any) -> MediaFile:
    MediaFile.objects.filter(pk=media.pk).update(usable=True, status="ready", **fields)
    media.refresh_from_db()
    return media


def test_a_field_takes_a_file_and_its_crop(owner: Any, media: MediaFile, member: Member) -> None:
    services.attach_media(user=owner, media=media, to=member, field="avatar", crop=CROP)
    assert member.avatar == media
    saved = Member.objects.get()
    assert (saved.avatar, saved.avatar_crop) == (media, CROP)
    services.detach_media(user=owner, to=member, field="avatar")
    saved = Member.objects.get()
    assert (saved.avatar, saved.avatar_crop) == (None, None)


def test_attaching_changes_nothing_else_of_the_object(
    owner: Any, media: MediaFile, member: Member
) -> None:
    Member.objects.update(name="changed meanwhile")
    services.attach_media(user=owner, media=media, to=member, field="avatar")
    assert Member.objects.get().name == "changed meanwhile"


def test_any_foreign_key_takes_a_file(owner: Any, media: MediaFile, upload: Upload) -> None:
    leaflet = Leaflet.objects.create(sheet=upload(b"text", "a.txt"))
    services.attach_media(user=owner, media=media, to=leaflet, field="sheet")
    assert Leaflet.objects.get().sheet == media


def test_attaching_stops_the_clock(owner: Any, media: MediaFile, member: Member) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    MediaFile.objects.filter(pk=media.pk).update(expires_at=soon)
    services.attach_media(user=owner, media=media, to=member, field="avatar")
    media.refresh_from_db()
    assert media.expires_at is None


def _assert_refused(error: type[Exception], user: Any, media: MediaFile, member: Member) -> None:
    with pytest.raises(error):
        services.attach_media(user=user, media=media, to=member, field="avatar")
    assert Member.objects.get().avatar is None


def test_what_a_stranger_may_not_see_is_not_there(
    stranger: Any, media: MediaFile, member: Member
) -> None:
    _assert_refused(NotVisibleError, stranger, media, member)


def test_who_may_only_look_may_not_attach(stranger: Any, media: MediaFile, member: Member) -> None:
    _assert_refused(CannotAttachError, stranger, _make_usable(media, visibility="public"), member)


def test_who_may_edit_may_attach(
    owner: Any, stranger: Any, media: MediaFile, member: Member
) -> None:
    services.grant_access(user=owner, media=_make_usable(media), to=stranger, permission="edit")
    services.attach_media(user=stranger, media=media, to=member, field="avatar")
    assert Member.objects.get().avatar == media


def test_other_kinds_are_refused(owner: Any, upload: Upload, member: Member) -> None:
    _assert_refused(WrongKindError, owner, upload(b"words", "a.txt"), member)


def test_too_large_is_refused(owner: Any, media: MediaFile, member: Member) -> None:
    MediaFile.objects.filter(pk=media.pk).update(size=1_000_001)
    _assert_refused(TooLargeHereError, owner, media, member)


@pytest.mark.parametrize("status", ["failed", "quarantined"])
def test_what_nobody_gets_is_refused(
    status: str, owner: Any, media: MediaFile, member: Member
) -> None:
    MediaFile.objects.filter(pk=media.pk).update(status=status, failure_code="corrupt_file")
    _assert_refused(CannotAttachError, owner, media, member)


def test_what_is_in_the_trash_is_refused(owner: Any, media: MediaFile, member: Member) -> None:
    services.delete_media(user=owner, media=media)
    _assert_refused(CannotAttachError, owner, media, member)


def test_what_has_gone_is_refused(owner: Any, media: MediaFile, member: Member) -> None:
    services.delete_media(user=owner, media=MediaFile.objects.get(), permanent=True)
    _assert_refused(NotVisibleError, owner, media, member)


def test_an_object_that_has_gone_takes_nothing(
    owner: Any, media: MediaFile, member: Member
) -> None:
    Member.objects.all().delete()
    member.pk = 7
    with pytest.raises(NotVisibleError):
        services.attach_media(user=owner, media=media, to=member, field="avatar")


def test_what_is_there_already_is_not_checked_anew(
    owner: Any, stranger: Any, media: MediaFile, member: Member
) -> None:
    services.attach_media(user=owner, media=media, to=member, field="avatar")
    services.attach_media(user=stranger, media=media, to=member, field="avatar", crop=CROP)
    assert Member.objects.get().avatar_crop == CROP


# -- lists ----------------------------------------------------------------------------------------


@pytest.fixture
def files(upload: Upload) -> list[MediaFile]:
    return [upload(photo_jpeg(32 + number, 24)) for number in range(4)]


def _set(user: Any, note: Note, *items: AttachmentItem) -> list[NoteAttachment]:
    return services.set_attachments(user=user, to=note, through=NoteAttachment, items=items)


def _listed(note: Note) -> list[MediaFile]:
    return [row.media for row in note.attachments.all()]


def test_a_list_is_kept_in_order_with_its_words(
    owner: Any, note: Note, files: list[MediaFile]
) -> None:
    one, two, *_ = files
    item = AttachmentItem(two, alt_text="a", caption="c", crop=CROP, focal=(0.1, 0.2))
    rows = _set(owner, note, item, AttachmentItem(one))
    assert [row.pk for row in rows] == [row.pk for row in note.attachments.all()]
    first, second = note.attachments.all()
    assert (first.media, first.alt_text, first.caption, first.crop) == (two, "a", "c", CROP)
    assert (first.focal_x, first.focal_y) == (0.1, 0.2)
    assert (second.media, second.alt_text, second.focal_x) == (one, "", None)


def test_a_list_is_replaced_and_rows_that_stay_are_the_same(
    owner: Any, note: Note, files: list[MediaFile]
) -> None:
    one, two, three, _ = files
    before = _set(owner, note, AttachmentItem(one, alt_text="old"), AttachmentItem(two))
    after = _set(owner, note, AttachmentItem(three), AttachmentItem(one, alt_text="new"))
    assert _listed(note) == [three, one]
    assert after[1].pk == before[0].pk
    assert note.attachments.get(media=one).alt_text == "new"


def test_a_list_may_be_emptied(owner: Any, note: Note, files: list[MediaFile]) -> None:
    _set(owner, note, AttachmentItem(files[0]))
    _set(owner, note)
    assert _listed(note) == []


def test_only_new_files_of_a_list_are_checked(
    owner: Any, stranger: Any, note: Note, files: list[MediaFile], upload: Upload
) -> None:
    _set(owner, note, AttachmentItem(files[0]), AttachmentItem(files[1]))
    own = upload(photo_jpeg(32, 24), user=stranger)
    _set(stranger, note, AttachmentItem(own), AttachmentItem(files[1]))
    assert _listed(note) == [own, files[1]]


@pytest.mark.parametrize(
    ("error", "choose"),
    [
        (TooManyAttachedError, lambda files, hidden, film: files),
        (AttachedTwiceError, lambda files, hidden, film: [files[0], files[0]]),
        (NotVisibleError, lambda files, hidden, film: [files[0], hidden]),
        (WrongKindError, lambda files, hidden, film: [files[0], film]),
    ],
)
def test_a_refused_list_changes_nothing(
    error: type[Exception],
    choose: Callable[..., list[MediaFile]],
    owner: Any,
    stranger: Any,
    note: Note,
    files: list[MediaFile],
    upload: Upload,
) -> None:
    _set(owner, note, AttachmentItem(files[3]))
    hidden, film = upload(photo_jpeg(32, 24), user=stranger), upload(photo_jpeg(20, 24))
    MediaFile.objects.filter(pk=film.pk).update(media_type="video")
    with pytest.raises(error):
        _set(owner, note, *map(AttachmentItem, choose(files, hidden, film)))
    assert _listed(note) == [files[3]]


def test_unusable_words_change_nothing(owner: Any, note: Note, files: list[MediaFile]) -> None:
    with pytest.raises(ValidationError):
        _set(owner, note, AttachmentItem(files[0]), AttachmentItem(files[1], focal=(2.0, 0.0)))
    assert _listed(note) == []


def test_attaching_a_list_stops_the_clock(owner: Any, note: Note, files: list[MediaFile]) -> None:
    MediaFile.objects.update(expires_at=timezone.now())
    _set(owner, note, *map(AttachmentItem, files[:2]))
    assert set(MediaFile.objects.filter(expires_at=None)) == set(files[:2])
