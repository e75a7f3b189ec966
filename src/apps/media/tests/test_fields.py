"""The fields that other apps declare: what they keep, and what they say at the start."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.core.serializers import deserialize, serialize
from django.db import connection, models
from django.test.utils import isolate_apps

from apps.media.fields import Crop, CropField, MediaField
from apps.media.models import Accepts, MediaAttachment, MediaFile
from apps.media.tests.hosts.models import Member, Note, NoteAttachment


@pytest.mark.django_db
def test_a_crop_comes_back_as_it_was_saved() -> None:
    crop = Crop(0, 0.1, 0.5, 0.9)
    member = Member.objects.create(name="M", avatar_crop=crop)
    assert Member.objects.get(pk=member.pk).avatar_crop == crop
    assert Member.objects.filter(avatar_crop=crop).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT avatar_crop FROM hosts_member")
        assert cursor.fetchone() == ("0000-0100-0500-0900",)


@pytest.mark.django_db
def test_no_crop_is_none() -> None:
    assert Member.objects.get(pk=Member.objects.create(name="M").pk).avatar_crop is None


@pytest.mark.django_db
def test_crops_can_be_dumped_and_loaded() -> None:
    member = Member.objects.create(name="M", avatar_crop=Crop(0, 0.1, 0.5, 0.9))
    (loaded,) = deserialize("json", serialize("json", [member]))
    assert loaded.object.avatar_crop == member.avatar_crop


def test_a_wrong_crop_is_a_validation_error() -> None:
    member = Member(name="M", avatar_crop={"left": 2})
    with pytest.raises(ValidationError) as caught:
        member.full_clean()
    assert set(caught.value.message_dict) == {"avatar_crop"}


def test_limits_need_no_migration() -> None:
    _, path, _, kwargs = MediaField(
        kinds=("video",), max_size=5, recipe="a", crop_field="b"
    ).deconstruct()
    assert path == "apps.media.fields.MediaField"
    assert not {"kinds", "max_size", "recipe", "crop_field"} & set(kwargs)


def test_a_field_is_empty_when_its_file_goes_and_names_nothing_on_it() -> None:
    field = Member._meta.get_field("avatar")
    assert (field.null, field.blank) == (True, True)
    assert field.remote_field.on_delete is models.SET_NULL
    assert field.remote_field.hidden


def test_a_field_that_goes_with_its_file_is_required() -> None:
    field = MediaField(on_delete=models.CASCADE)
    assert (field.null, field.blank) == (False, False)


def _ids(model: type[models.Model]) -> list[str]:
    return [found.id or "" for found in model.check() if (found.id or "").startswith("media.")]


def test_what_hosts_declare_is_sound() -> None:
    assert _ids(Member) == _ids(Note) == _ids(NoteAttachment) == []


@isolate_apps("apps.media.tests.hosts", "apps.media")
def test_a_wrong_declaration_is_told_at_the_start() -> None:
    class Wrong(models.Model):  # noqa: DJ008
        picture = MediaField(to="hosts.Wrong", kinds=("picture",), crop_field="name")  # type: ignore[arg-type]
        name = models.CharField(max_length=5)

        class Meta:
            app_label = "hosts"

    assert _ids(Wrong) == ["media.E010", "media.E011"]


@isolate_apps("apps.media.tests.hosts", "apps.media")
def test_an_attachment_needs_one_host_and_is_there_once() -> None:
    class Host(models.Model):  # noqa: DJ008
        class Meta:
            app_label = "hosts"

    class Twice(MediaAttachment):
        host_object = models.ForeignKey(Host, on_delete=models.CASCADE)

        class Meta:
            app_label = "hosts"

    class Nowhere(MediaAttachment):
        class Meta:
            app_label = "hosts"

    assert _ids(Twice) == ["media.E013"]
    assert _ids(Nowhere) == ["media.E012"]


def test_an_attachment_knows_its_host() -> None:
    note = Note(pk=7, text="n")
    row = NoteAttachment(note=note)
    assert (row.host, row.host_id) == (note, 7)
    assert NoteAttachment.accepts == Accepts(
        kinds=("image", "document"), max_count=3, recipe="banner.webp"
    )


def test_words_of_the_use_come_before_those_of_the_file() -> None:
    media = MediaFile(alt_text="a dog", caption="Rex", focal_x=0.2, focal_y=0.3)
    row = NoteAttachment(media=media)
    assert (row.shown_alt_text, row.shown_caption) == ("a dog", "Rex")
    assert row.shown_focal == (0.2, 0.3)
    row.alt_text, row.caption, row.focal_x, row.focal_y = "our dog", "Rex, again", 0.0, 1.0
    assert (row.shown_alt_text, row.shown_caption) == ("our dog", "Rex, again")
    assert row.shown_focal == (0.0, 1.0)


def test_a_crop_field_says_nothing_twice() -> None:
    assert CropField().deconstruct()[3] == {}
