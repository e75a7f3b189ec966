"""The page of one file: what it shows to whom, what can be changed on it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.html import escape

from apps.media import selectors, services
from apps.media.forms import MediaEditForm, TagNamesField
from apps.media.models import MediaFile
from apps.media.tests import recordings, samples

Upload = Callable[..., MediaFile]


@pytest.fixture
def client(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    """The owner's browser."""
    return browser_of(owner)


def test_status_is_silent_while_nothing_changes(client: Client, upload: Upload) -> None:
    media = upload(samples.photo_jpeg(64, 64), "a.jpg")
    address = f"/library/{media.pk}/status/"
    seen = f"{media.status}-{media.progress}"
    assert client.get(address, {"seen": seen}).status_code == 204
    card = client.get(address, {"seen": "elsewhere"}).content.decode()
    assert f"?seen={seen}" in card
    assert "data-poll" in card
    preview = client.get(address, {"part": "preview"}).content.decode()
    found = re.search(r"part=preview&amp;seen=([^\"]+)", preview)
    assert found
    asked = {"part": "preview", "seen": found[1]}
    assert client.get(address, asked).status_code == 204


def test_a_finished_card_asks_no_more(
    client: Client, upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(samples.photo_jpeg(64, 64), "a.jpg")
    run_jobs()
    card = client.get(f"/library/{media.pk}/status/").content.decode()
    assert "data-poll" not in card
    assert "hx-get" not in card


def test_a_failure_is_explained(
    client: Client, upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(samples.truncated_jpeg(), "broken.jpg")
    run_jobs()
    media.refresh_from_db()
    assert escape(media.failure_message) in client.get(media.get_absolute_url()).content.decode()


def test_the_owner_of_a_failed_file_reads_what_to_do_and_may_try_again(
    client: Client, upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(samples.truncated_jpeg(), "broken.jpg")
    run_jobs()
    assert "save a new copy" in client.get(media.get_absolute_url()).content.decode()
    answer = client.post(f"/library/{media.pk}/reprocess/")
    assert answer["Location"] == media.get_absolute_url()
    media.refresh_from_db()
    assert media.status == "pending"


def test_a_file_in_quarantine_cannot_be_fetched_from_its_page(
    client: Client, upload: Upload
) -> None:
    media = upload(b"words", "a.txt")
    MediaFile.objects.filter(pk=media.pk).update(
        status="quarantined", failure_code="malware_found", failure_message="It is bad."
    )
    text = client.get(media.get_absolute_url()).content.decode()
    assert "It is bad." in text
    assert "upload a clean copy" in text
    assert "Download" not in text
    assert "Try again" not in text


def test_the_place_of_a_picture_is_shared_by_choice_alone(
    client: Client, upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(samples.geotagged_jpeg(), "there.jpg")
    plain = upload(samples.photo_jpeg(64, 64), "nowhere.jpg")
    run_jobs()
    assert 'name="place"' in client.get(media.get_absolute_url()).content.decode()
    assert 'name="place"' not in client.get(plain.get_absolute_url()).content.decode()
    for sent, shared in (("shared", True), ("", True), ("hidden", False)):
        client.post(f"/library/{media.pk}/edit/", {"title": "x", "place": sent})
        media.refresh_from_db()
        assert media.share_location is shared


def test_what_a_file_says_of_people_is_for_those_who_may_edit_it(
    client: Client, upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(recordings.with_words(), "walk.mp4", visibility="public")
    run_jobs()
    owners, others = (
        one.get(media.get_absolute_url()).content.decode() for one in (client, Client())
    )
    assert "H.264" in others
    assert "A walk" not in others
    assert "A walk" in owners
    assert "says where it was taken" in owners
    for text in (owners, others):
        assert "Out &lt;1&gt;" in text  # a chapter
        assert "+48.1" not in text


def test_a_visitor_of_a_public_file_finds_no_way_to_change_it(
    upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(samples.photo_jpeg(64, 64), "a.jpg", visibility="public")
    run_jobs()
    text = Client().get(media.get_absolute_url()).content.decode()
    assert 'class="stack"' not in text  # no form but the choice of a language
    assert "Delete" not in text
    assert "Download" in text


def test_names_are_text_and_never_markup(client: Client, upload: Upload) -> None:
    media = upload(b"words", "a.txt", title="<script>x</script>", tags=['"><b>'])
    for address in ("/library/", media.get_absolute_url()):
        text = client.get(address).content.decode()
        assert "<script>x" not in text
        assert '"><b>' not in text


def test_editing_changes_what_was_sent_and_nothing_else(client: Client, upload: Upload) -> None:
    media = upload(b"words", "a.txt", caption="kept", tags=["old"], visibility="unlisted")
    answer = client.post(
        f"/library/{media.pk}/edit/", {"title": "New", "tags": 'x, "y, z"', "visibility": ""}
    )
    media.refresh_from_db()
    assert answer["Location"] == media.get_absolute_url()
    assert (media.title, media.caption, media.visibility) == ("New", "kept", "unlisted")
    assert {tag.name for tag in media.tags.all()} == {"x", "y, z"}


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"title": "x" * 256}, "id_title"), ({"tags": "x" * 65}, "id_tags")],
)
def test_what_cannot_be_saved_is_said_at_its_field(
    sent: dict[str, str], field: str, client: Client, upload: Upload
) -> None:
    media = upload(b"words", "a.txt", title="before")
    answer = client.post(f"/library/{media.pk}/edit/", {"caption": "lost?", **sent})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="{field}_error"' in text
    assert "lost?" in text  # what was typed is not lost
    media.refresh_from_db()
    assert (media.title, media.caption) == ("before", "")


def test_tags_with_commas_survive_the_form(owner: Any, upload: Upload) -> None:
    media = upload(b"words", "a.txt", tags=["plain", "with, comma", 'with "quotes"'])
    media = selectors.with_details(MediaFile.objects.filter(pk=media.pk)).get()
    shown = MediaEditForm.of(media)["tags"].value()
    assert set(TagNamesField().clean(shown)) == {"plain", "with, comma", 'with "quotes"'}


# -- captions ---------------------------------------------------------------------------------

CAPTIONS = b"1\n00:00:00,000 --> 00:00:01,000\nWords\n"


def _captions(data: bytes = CAPTIONS, **fields: str) -> dict[str, Any]:
    return {
        "file": SimpleUploadedFile("a.srt", data),
        "language": "de",
        "kind": "subtitles",
        **fields,
    }


@pytest.fixture
def film(upload: Upload) -> MediaFile:
    return upload(recordings.film(), "walk.mp4")


@pytest.fixture(params=["film", "sound"])
def playable(request: pytest.FixtureRequest, upload: Upload) -> MediaFile:
    if request.param == "film":
        return upload(recordings.film(), "walk.mp4")
    return upload(recordings.song(), "song.mp3")


def test_captions_come_and_go(client: Client, playable: MediaFile) -> None:
    film, address = playable, f"/library/{playable.pk}/captions/"
    assert f'action="{address}"' in client.get(film.get_absolute_url()).content.decode()
    answer = client.post(address, _captions(label="Deutsch", default="on"))
    assert answer["Location"] == film.get_absolute_url()
    caption = film.captions.get()
    assert (caption.language, caption.label, caption.default) == ("de", "Deutsch", True)
    assert "Deutsch" in client.get(film.get_absolute_url()).content.decode()
    client.post(f"{address}{caption.pk}/delete/")
    assert not film.captions.exists()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"data": b"nothing to read"}, "id_file_error"),
        ({"data": b"x" * 3_000_000}, "Choose a file of at most 2 MiB."),
        ({"language": "not a language"}, "Use a language tag"),
        ({"kind": "karaoke"}, "id_kind_error"),
    ],
)
def test_captions_that_cannot_be_taken_are_refused_at_their_field(
    sent: dict[str, Any], said: str, client: Client, film: MediaFile
) -> None:
    answer = client.post(f"/library/{film.pk}/captions/", _captions(**sent))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not film.captions.exists()


@pytest.mark.parametrize("form", ["edit/", "captions/", f"captions/{uuid.UUID(int=1)}/delete/"])
def test_the_address_of_a_form_leads_to_its_page(form: str, client: Client, upload: Upload) -> None:
    page = upload(samples.photo_jpeg(64, 64), "a.jpg").get_absolute_url()
    as_people = {"Accept": "text/html"}
    assert client.get(f"{page}{form}").status_code == 405  # programs are told
    answer = client.get(f"{page}{form}?tag=a%20b", headers=as_people)
    assert (answer.status_code, answer["Location"]) == (302, f"{page}?tag=a%20b")
    for elsewhere in ("/library/trash/empty/", "/library/selection/"):
        answer = client.get(elsewhere, headers=as_people)
        assert elsewhere.startswith(answer["Location"])
        assert client.get(answer["Location"]).status_code == 200


def test_captions_of_others_stay(
    client: Client, film: MediaFile, stranger: Any, browser_of: Callable[[Any], Client]
) -> None:
    client.post(f"/library/{film.pk}/captions/", _captions())
    caption = film.captions.get()
    address = f"/library/{film.pk}/captions/"
    MediaFile.objects.filter(pk=film.pk).update(visibility="public", usable=True)
    other = browser_of(stranger)
    assert other.post(address, _captions(language="en")).status_code == 403
    assert other.post(f"{address}{caption.pk}/delete/").status_code == 403
    assert Client().post(f"{address}{caption.pk}/delete/")["Location"].startswith("/accounts/")
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(film.owner)
    assert forged.post(address, _captions(language="en")).status_code == 403
    assert list(film.captions.all()) == [caption]


def test_when_it_was_taken_is_said_first_to_whoever_may_edit_it(
    client: Client,
    stranger: Any,
    upload: Upload,
    run_jobs: Callable[[], int],
    browser_of: Callable[[Any], Client],
) -> None:
    media = upload(samples.geotagged_jpeg(), "a.jpg", visibility="public")
    run_jobs()
    shown = re.sub(r"\s+", " ", client.get(media.get_absolute_url()).content.decode())
    assert "6 May 2024, 07:08 · 800 × 600 · " in shown
    others = browser_of(stranger).get(media.get_absolute_url()).content.decode()
    assert "2024" not in others
    assert "· 800 × 600" in others


def test_a_file_is_put_into_a_collection_on_its_page(
    client: Client, owner: Any, stranger: Any, upload: Upload, browser_of: Callable[[Any], Client]
) -> None:
    media = upload(samples.photo_jpeg(64, 64), "a.jpg")
    page = media.get_absolute_url()
    shelf = services.create_collection(user=owner, title="Summer")
    form = {"ids": str(media.pk), "next": page, "do": "collect"}
    for more in ({"collection": str(shelf.pk)}, {"title": "Winter"}):
        answer = client.post("/library/selection/", {**form, **more})
        assert answer["Location"].startswith("/collections/")
    response = client.get(page)
    assert [str(one) for one in response.context["shelves"]] == ["Summer", "Winter"]
    assert f'href="{shelf.get_absolute_url()}"' in response.content.decode()
    services.grant_access(user=owner, media=media, to=stranger)
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True, published_version=1)
    others = browser_of(stranger).get(page).content.decode()
    assert "Summer" not in others  # which is the owner's own
    assert "Add to collection" in others
    services.delete_media(user=owner, media=media)
    assert "Add to collection" not in client.get(page).content.decode()
