"""What forms say of files is looked at again: whose they are, what they are, how many."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.datastructures import MultiValueDict

from apps.media import services
from apps.media.exceptions import NotVisibleError
from apps.media.fields import Crop
from apps.media.forms import MediaFormField
from apps.media.models import MediaFile
from apps.media.services import AttachmentItem
from apps.media.tests.hosts.forms import MemberForm, NoteForm
from apps.media.tests.hosts.models import Member, Note, NoteAttachment
from apps.media.tests.samples import photo_jpeg

pytestmark = pytest.mark.django_db
Upload = Callable[..., MediaFile]


@pytest.fixture
def photo(upload: Upload) -> Callable[..., MediaFile]:
    return lambda name="a.jpg", **fields: upload(photo_jpeg(32, 24), name, **fields)


def noted(user: Any, items: Any, *, note: Note | None = None, **files: Any) -> NoteForm:
    """The form of a note as a script sends it."""
    text = items if isinstance(items, str) else json.dumps(items)
    data = {"text": "words", "attachments-sent": "1", "attachments-items": text}
    return NoteForm(data, MultiValueDict(files), user=user, instance=note)


def codes(form: Any, field: str = "attachments") -> list[str]:
    return [error.code for error in form.errors.as_data().get(field, [])]


def files_of(note: Note) -> list[MediaFile]:
    return [row.media for row in NoteAttachment.objects.filter(note=note).order_by("position")]


def test_a_list_is_saved_in_its_order_with_its_words(owner: Any, photo: Any) -> None:
    first, second = photo("1.jpg"), photo("2.jpg")
    items = [
        {"media": str(second.pk), "alt_text": " a hill ", "crop": "0100-0200-0500-0500"},
        {"media": str(first.pk), "caption": "seen", "focal": "0.25,1"},
    ]
    form = noted(owner, items)
    assert form.is_valid(), form.errors
    note = form.save()
    rows = list(NoteAttachment.objects.filter(note=note).order_by("position"))
    assert [row.media for row in rows] == [second, first]
    assert (rows[0].alt_text, rows[0].crop) == ("a hill", Crop(0.1, 0.2, 0.5, 0.5))
    assert (rows[1].caption, rows[1].focal_x, rows[1].focal_y) == ("seen", 0.25, 1)


def test_a_form_that_does_not_show_the_field_changes_nothing_of_it(owner: Any, photo: Any) -> None:
    note = noted(owner, [{"media": str(photo().pk), "alt_text": "kept"}]).save()
    form = NoteForm({"text": "new words"}, user=owner, instance=note)
    assert form.is_valid()
    form.save()
    assert [row.alt_text for row in NoteAttachment.objects.filter(note=note)] == ["kept"]
    form = noted(owner, [], note=note)
    assert form.is_valid()
    form.save()
    assert not NoteAttachment.objects.exists()


def test_without_script_each_file_has_fields_of_its_own(owner: Any, photo: Any) -> None:
    gone, last, first = photo("1.jpg"), photo("2.jpg"), photo("3.jpg")
    data = MultiValueDict(
        {
            "text": ["words"],
            "attachments": [str(media.pk) for media in (gone, last, first)],
            f"attachments-{gone.pk}-remove": ["1"],
            f"attachments-{last.pk}-position": ["2"],
            f"attachments-{first.pk}-position": ["1"],
            f"attachments-{first.pk}-alt_text": ["first of all"],
        }
    )
    files = MultiValueDict({"attachments-files": [SimpleUploadedFile("n.jpg", photo_jpeg(16, 16))]})
    form = NoteForm(data, files, user=owner)
    assert form.is_valid(), form.errors
    note = form.save()
    found = files_of(note)
    assert found[:2] == [first, last]
    assert found[2].original_name == "n.jpg"
    assert NoteAttachment.objects.get(media=first).alt_text == "first of all"


def test_managers_choose_files_of_their_own_like_anybody(staff: Any, photo: Any) -> None:
    form = noted(staff, [{"media": str(photo(user=staff).pk)}])
    assert form.is_valid(), form.errors


def test_hidden_is_missing(owner: Any, stranger: Any, photo: Any) -> None:
    mine = photo()
    hidden, missing = ({"media": str(pk)} for pk in (mine.pk, uuid4()))
    forms = [noted(stranger, [item]) for item in (hidden, missing)]
    assert [codes(form) for form in forms] == [["missing"], ["missing"]]
    assert forms[0].errors == forms[1].errors
    assert "a.jpg" not in str(forms[0]["attachments"])


def test_seen_is_not_yet_allowed_to_be_used(owner: Any, stranger: Any, photo: Any) -> None:
    media = photo(visibility="public")
    MediaFile.objects.update(usable=True, status="ready")
    form = noted(stranger, [{"media": str(media.pk)}])
    assert codes(form) == ["cannot_attach"]


def test_what_another_has_attached_stays(owner: Any, stranger: Any, photo: Any) -> None:
    media = photo()
    note = noted(owner, [{"media": str(media.pk)}]).save()
    form = noted(stranger, [{"media": str(media.pk), "alt_text": "said later"}], note=note)
    assert form.is_valid(), form.errors
    form.save()
    assert NoteAttachment.objects.get().alt_text == "said later"


def test_kinds_counts_and_twins(owner: Any, photo: Any, upload: Upload) -> None:
    ids = [str(photo(f"{n}.jpg").pk) for n in range(4)]
    assert codes(noted(owner, [{"media": pk} for pk in ids])) == ["too_many_files"]
    assert codes(noted(owner, [{"media": ids[0]}] * 2)) == ["attached_twice"]
    many = [{"media": str(uuid4())} for _ in range(50)]
    assert "too_many_files" in codes(noted(owner, many))
    form = MemberForm({"name": "M", "avatar": str(upload(b"words", "a.txt").pk)}, user=owner)
    assert codes(form, "avatar") == ["wrong_kind"]


@pytest.mark.parametrize(
    "text",
    ["", "no json", "{}", "[1]", '[{"media": 1}]', '[{"media": null}]', "[" * 100_000, "null"],
)
def test_what_is_no_list_of_files_is_refused(text: str, owner: Any) -> None:
    assert codes(noted(owner, text)) == ["unreadable"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"crop": "9999-0000-0500-0500"}, "invalid_crop"),
        ({"crop": "left"}, "invalid_crop"),
        ({"focal": "2,0"}, "invalid_focal"),
        ({"focal": "nan,0"}, "invalid_focal"),
        ({"focal": "1"}, "invalid_focal"),
        ({"alt_text": "a" * 2_001}, "max_length"),
        ({"caption": "a\0b"}, "null_characters_not_allowed"),
        ({"caption": 1}, "unreadable"),
        ({"alt_text": "half of a character: \ud83d"}, "unreadable"),
        ({"crop": "\udfff"}, "unreadable"),
    ],
)
def test_nonsense_about_a_file_is_told(said: Any, code: str, owner: Any, photo: Any) -> None:
    form = noted(owner, [{"media": str(photo().pk), **said}])
    assert codes(form) == [code]
    assert str(form["attachments"])


def test_an_invalid_form_shows_again_what_was_chosen(owner: Any, photo: Any) -> None:
    media = photo("chosen.jpg")
    items = json.dumps([{"media": str(media.pk), "alt_text": "a hill"}])
    files = MultiValueDict({"attachments-files": [SimpleUploadedFile("n.jpg", photo_jpeg(16, 16))]})
    form = NoteForm({"text": "", "attachments-items": items}, files, user=owner)
    assert not form.is_valid()
    shown = str(form["attachments"])
    assert "a hill" in shown
    arrived = MediaFile.objects.exclude(pk=media.pk).get()
    assert str(arrived.pk) in shown
    again = noted(owner, [{"media": str(arrived.pk)}])
    assert files_of(again.save()) == [arrived]


def test_a_refused_file_is_told_of_by_its_name(owner: Any) -> None:
    bad = SimpleUploadedFile("bad.exe", b"MZ" + b"\0" * 100)
    good = SimpleUploadedFile("good.jpg", photo_jpeg(16, 16))
    form = noted(owner, [], **{"attachments-files": [bad, good]})
    assert not form.is_valid()
    (message,) = form.errors["attachments"]
    assert message.startswith("bad.exe: ")
    assert MediaFile.objects.get().original_name == "good.jpg"


def test_one_file_with_its_crop_is_replaced_and_removed(owner: Any, photo: Any) -> None:
    first, second = photo("1.jpg"), photo("2.jpg")
    item = json.dumps([{"media": str(first.pk), "crop": "0000-0000-0500-0500"}])
    form = MemberForm({"name": "M", "avatar-items": item}, user=owner)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["avatar"] == AttachmentItem(first, crop=Crop(0, 0, 0.5, 0.5))
    member = form.save()
    assert Member.objects.get().avatar_crop == Crop(0, 0, 0.5, 0.5)
    again = MemberForm({"name": "M", "avatar": str(second.pk)}, user=owner, instance=member)
    assert again.is_valid() and again.has_changed()
    again.save()
    saved = Member.objects.get()
    assert (saved.avatar, saved.avatar_crop) == (second, None)
    gone = MemberForm({"name": "M", "avatar-sent": "1"}, user=owner, instance=saved)
    assert gone.is_valid()
    gone.save()
    assert Member.objects.get().avatar is None


def test_a_file_with_the_form_takes_the_place_of_the_one_before(owner: Any, photo: Any) -> None:
    before = photo("before.jpg")
    files = MultiValueDict({"avatar-files": [SimpleUploadedFile("n.jpg", photo_jpeg(16, 16))]})
    form = MemberForm({"name": "M", "avatar": str(before.pk)}, files, user=owner)
    assert form.is_valid(), form.errors
    assert form.save().avatar.original_name == "n.jpg"


def test_saving_later_attaches_later(owner: Any, photo: Any) -> None:
    form = noted(owner, [{"media": str(photo().pk)}])
    note = form.save(commit=False)
    note.save()
    assert files_of(note) == []
    form.save_m2m()
    assert len(files_of(note)) == 1


def test_an_object_is_not_saved_without_its_files(owner: Any, photo: Any) -> None:
    media = photo()
    form = noted(owner, [{"media": str(media.pk)}])
    assert form.is_valid()
    services.delete_media(user=owner, media=media, permanent=True)
    with pytest.raises(NotVisibleError):
        form.save()
    assert not Note.objects.exists()


def test_a_field_that_knows_nobody_says_so() -> None:
    with pytest.raises(ImproperlyConfigured):
        str(MediaFormField().prepare_value(None))


def test_the_number_of_queries_does_not_grow_with_the_list(
    owner: Any, photo: Any, django_assert_num_queries: Any
) -> None:
    def queries(count: int) -> int:
        note = noted(owner, [{"media": str(photo().pk)} for _ in range(count)]).save()
        with CaptureQueriesContext(connection) as captured:
            str(NoteForm(user=owner, instance=note)["attachments"])
        return len(captured)

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    assert queries(1) == queries(3)
