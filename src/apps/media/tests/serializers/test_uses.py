"""Files of other apps' objects in JSON: written by id, read whole, without a query for each."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.template import Context, Template
from rest_framework import serializers

from apps.media import selectors
from apps.media.fields import Crop
from apps.media.models import MediaFile
from apps.media.serializers import AttachmentsField, CropJsonField, MediaIdField, UsesMediaMixin
from apps.media.tests.hosts.models import Member, Note, NoteAttachment
from apps.media.tests.samples import photo_jpeg

Upload = Callable[..., MediaFile]
pytestmark = pytest.mark.django_db
CROP = {"left": 0.0, "top": 0.1, "width": 0.5, "height": 0.5}


class MemberSerializer(UsesMediaMixin, serializers.ModelSerializer[Member]):
    avatar = MediaIdField.of(Member, "avatar")
    avatar_crop = CropJsonField()

    class Meta:
        model = Member
        fields = ["id", "name", "avatar", "avatar_crop"]


class NoteSerializer(UsesMediaMixin, serializers.ModelSerializer[Note]):
    attachments = AttachmentsField(through=NoteAttachment)

    class Meta:
        model = Note
        fields = ["id", "text", "attachments"]


def _as(user: Any) -> dict[str, Any]:
    return {"request": SimpleNamespace(user=user, build_absolute_uri=lambda url: url)}


def _saved(kind: Any, data: dict[str, Any], user: Any, instance: Any = None) -> Any:
    form = kind(instance, data=data, context=_as(user), partial=instance is not None)
    form.is_valid(raise_exception=True)
    return form.save()


def test_a_file_is_written_by_id_and_read_whole(owner: Any, upload: Upload) -> None:
    media = upload(photo_jpeg(32, 24))
    member = _saved(
        MemberSerializer, {"name": "M", "avatar": str(media.pk), "avatar_crop": CROP}, owner
    )
    saved = Member.objects.get(pk=member.pk)
    assert (saved.avatar, saved.avatar_crop) == (media, Crop(0, 0.1, 0.5, 0.5))
    shown = MemberSerializer(saved, context=_as(owner)).data
    assert (shown["avatar"]["id"], shown["avatar_crop"]) == (str(media.pk), CROP)
    _saved(MemberSerializer, {"avatar": None}, owner, saved)
    assert Member.objects.get().avatar is None


@pytest.mark.parametrize(
    ("choose", "code"),
    [
        (lambda upload, stranger: uuid.uuid4(), "not_found"),
        (lambda upload, stranger: "7", "invalid"),
        (lambda upload, stranger: upload(photo_jpeg(30, 24), user=stranger).pk, "not_found"),
        (lambda upload, stranger: upload(b"words", "a.txt").pk, "wrong_kind"),
    ],
)
def test_what_may_not_be_attached_is_an_error_of_the_field(
    choose: Any, code: str, owner: Any, stranger: Any, upload: Upload
) -> None:
    data = {"name": "M", "avatar": str(choose(upload, stranger))}
    form = MemberSerializer(data=data, context=_as(owner))
    assert not form.is_valid()
    assert [error.code for error in form.errors["avatar"]] == [code]
    assert not Member.objects.exists()


def test_a_list_is_written_in_order_with_words(owner: Any, upload: Upload) -> None:
    one, two = upload(photo_jpeg(32, 24)), upload(photo_jpeg(33, 24))
    items = [
        {"media": str(two.pk), "alt_text": "two", "crop": CROP, "focal_point": {"x": 0, "y": 1}},
        {"media": str(one.pk)},
    ]
    note = _saved(NoteSerializer, {"text": "n", "attachments": items}, owner)
    shown = NoteSerializer(note, context=_as(owner)).data["attachments"]
    assert [item["media"]["id"] for item in shown] == [str(two.pk), str(one.pk)]
    assert (shown[0]["alt_text"], shown[0]["crop"]) == ("two", CROP)
    assert (shown[0]["focal_point"], shown[1]["focal_point"]) == ({"x": 0, "y": 1}, None)
    _saved(NoteSerializer, {"text": "other"}, owner, note)
    assert note.attachments.count() == 2


def test_a_refused_list_leaves_no_object(owner: Any, stranger: Any, upload: Upload) -> None:
    foreign = upload(photo_jpeg(32, 24), user=stranger)
    MediaFile.objects.update(visibility="public", usable=True, status="ready")
    form = NoteSerializer(
        data={"text": "n", "attachments": [{"media": str(foreign.pk)}]}, context=_as(owner)
    )
    assert form.is_valid()  # it may be seen
    with pytest.raises(serializers.ValidationError) as caught:
        form.save()
    assert caught.value.get_codes() == {"attachments": ["cannot_attach"]}
    assert not Note.objects.exists()


def test_a_page_of_hosts_takes_as_many_queries_as_one(
    owner: Any, upload: Upload, django_assert_max_num_queries: Any
) -> None:
    def page() -> Any:
        notes = list(Note.objects.prefetch_related(selectors.prefetch_attachments("attachments")))
        selectors.show_media_of(owner, notes, "attachments")
        return NoteSerializer(notes, many=True, context=_as(owner)).data

    for number in range(6):
        note = Note.objects.create(text=str(number))
        for position in (1, 0):
            media = upload(photo_jpeg(30 + number, 24 + position))
            NoteAttachment.objects.create(note=note, media=media, position=position)
    with django_assert_max_num_queries(6):
        found = page()
    assert all(
        item["media"]["permissions"]["edit"] for note in found for item in note["attachments"]
    )
    rows = NoteAttachment.objects.filter(note=found[0]["id"]).order_by("position")
    assert [item["media"]["id"] for item in found[0]["attachments"]] == [
        str(row.media_id) for row in rows
    ]


def test_a_picture_of_an_attachment_has_its_words(owner: Any, upload: Upload) -> None:
    media = upload(photo_jpeg(32, 24), alt_text="of the file")
    row = NoteAttachment(note=Note.objects.create(text="n"), media=media, alt_text="of the use")
    page = Template("{% load media %}{% media_picture row %}")
    assert 'alt="of the use"' in page.render(Context({"row": row}))
    row.alt_text = ""
    assert 'alt="of the file"' in page.render(Context({"row": row}))
