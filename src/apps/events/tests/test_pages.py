"""The pages of events, used as a browser without script uses them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.events import services
from apps.events.models import Event, EventPhoto, Invitation
from apps.events.tests.conftest import names
from apps.events.views import pages
from apps.media.fields import Crop
from apps.media.models import MediaFile, Upload
from apps.media.rates import UploadRate
from apps.media.services import AttachmentItem
from apps.media.tests import samples
from apps.users.services import update_profile

FORM = {"title": "Lunch", "starts_at": "2030-01-01T10:00", "visibility": "public"}


@pytest.fixture
def client(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(owner)


def test_made_and_changed(client: Client, owner: Any) -> None:
    answer = client.post("/events/new/", FORM)
    event = Event.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/events/{event.pk}/")
    page = client.get(f"/events/{event.pk}/edit/").content.decode()
    assert 'value="2030-01-01T10:00"' in page
    wrong = client.post(f"/events/{event.pk}/edit/", {**FORM, "ends_at": "2029-01-01T10:00"})
    assert wrong.status_code == 422
    assert "ends after it has begun" in wrong.content.decode()
    picture = SimpleUploadedFile("a.jpg", samples.photo_jpeg(64, 48), "image/jpeg")
    said = {**FORM, "title": "Dinner", "place": "Here", "banner-sent": "1", "banner-files": picture}
    client.post(f"/events/{event.pk}/edit/", said)
    event.refresh_from_db()
    assert (event.title, event.place, event.host) == ("Dinner", "Here", owner)
    assert event.banner
    assert event.banner.original_name == "a.jpg"
    client.post(f"/events/{event.pk}/edit/", FORM)  # without a word of it
    event.refresh_from_db()
    assert event.banner


def test_photos_are_uploaded_for_the_event(
    client: Client, event: Event, django_capture_on_commit_callbacks: Any
) -> None:
    files = [
        SimpleUploadedFile("a.jpg", samples.photo_jpeg(64, 48), "image/jpeg"),
        SimpleUploadedFile("b.txt", b"words", "text/plain"),
    ]
    refused = client.post(f"/events/{event.pk}/photos/add/", {"photos-files": files})
    assert refused.status_code == 422
    assert "b.txt:" in refused.content.decode()
    kept = MediaFile.objects.get(original_name="a.jpg")  # one refusal does not cost the others
    assert f'name="photos" value="{kept.pk}"' in " ".join(refused.content.decode().split())
    said = {"photos-sent": "1", "photos": kept.pk, f"photos-{kept.pk}-caption": "At noon"}
    answer = client.post(f"/events/{event.pk}/photos/add/", said, follow=True)
    assert "1 photo added." in answer.content.decode()
    assert "At noon" in answer.content.decode()
    assert names(event) == ["a.jpg"]
    media = EventPhoto.objects.get().media
    assert (media.lifetime, media.expires_at) == ("used", None)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/events/{event.pk}/photos/order/", {"ids": [str(media.pk)]})
    assert names(event) == []
    assert MediaFile.objects.get(pk=media.pk).expires_at is not None


def test_guests_are_invited_and_answer(
    client: Client, event: Event, guest: Any, browser_of: Any
) -> None:
    refused = client.post(f"/events/{event.pk}/invite/", {"name": "nobody"})
    assert refused.status_code == 422
    assert "nobody of this name" in refused.content.decode()
    client.post(f"/events/{event.pk}/invite/", {"name": "gina"})
    theirs = browser_of(guest)
    assert "you are invited" in theirs.get("/events/").content.decode()
    theirs.post(f"/events/{event.pk}/answer/", {"answer": "yes"})
    assert "1 yes, 0 maybe, 0 no" in theirs.get(f"/events/{event.pk}/").content.decode()
    assert "gina" not in browser_of(None).get("/events/").content.decode()


def test_guests_beyond_the_first_are_on_pages_of_their_own(
    client: Client, owner: Any, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SHOWN_GUESTS", 2)
    for name in ("ann", "ben", "cleo"):
        type(owner).objects.create_user(username=name)
        services.invite_guest(user=owner, event=event, name=name)
    first = client.get(event.get_absolute_url()).content.decode()
    assert ("invitation of ben" in first, "invitation of cleo" in first) == (True, False)
    (more,) = re.findall(r'href="([^"]+[?]guests=[^"]+)"', first)
    rest = client.get(more).content.decode()
    assert ("invitation of ben" in rest, "invitation of cleo" in rest) == (False, True)
    assert '<details class="event__invited" open>' in rest
    (back,) = re.findall(r'href="([^"]+[?]guests=[^"]+)"', rest)
    assert "invitation of ben" in client.get(back).content.decode()
    assert client.get(f"{event.get_absolute_url()}?guests=x").status_code == 400


def test_the_order_without_script(client: Client, owner: Any, event: Event, photos: Any) -> None:
    ids = [one.pk for one in photos(3)]
    services.add_photos(user=owner, event=event, media_ids=ids)
    answer = client.post(f"/events/{event.pk}/photos/order/", {"later": str(ids[0])})
    assert answer["Location"].endswith(f"#later-{ids[0]}")
    assert names(event) == ["001.jpg", "000.jpg", "002.jpg"]


def test_photos_are_chosen_from_the_library_and_described(
    client: Client, owner: Any, event: Event, photos: Any, browser_of: Any, guest: Any
) -> None:
    first, second = (one.pk for one in photos(2))
    client.post(f"/events/{event.pk}/photos/add/", {"photos": [first, second]})
    assert names(event) == ["000.jpg", "001.jpg"]
    ticked = {"ids": [str(first), str(second)], "do": "describe"}
    address = client.post(f"/events/{event.pk}/photos/order/", ticked)["Location"]
    assert client.get(address).content.decode().count("Alternative text</label>") == 2
    said = {"ids": [first, second], f"{first}-alt_text": " a hill ", f"{second}-caption": "Noon"}
    answer = client.post(f"/events/{event.pk}/photos/words/", said)
    assert answer["Location"].endswith("#gallery")
    words = EventPhoto.objects.order_by("position").values_list("alt_text", "caption")
    assert list(words) == [("a hill", ""), ("", "Noon")]
    page = client.get(f"/events/{event.pk}/").content.decode()
    assert '<span class="card__caption">a hill</span>' in page
    wrong = {"ids": [first], f"{first}-alt_text": "x" * 2_001}
    assert client.post(f"/events/{event.pk}/photos/words/", wrong).status_code == 422
    services.invite_guest(user=owner, event=event, name="gina")
    assert browser_of(guest).post(f"/events/{event.pk}/photos/words/", said).status_code == 403
    assert client.get(f"/events/{event.pk}/photos/words/").status_code == 400


def test_the_banner_and_the_host_are_shown_by_their_crops(
    client: Client, event: Event, owner: Any, upload: Any, run_jobs: Any
) -> None:
    media, crop = upload(samples.photo_jpeg(200, 100)), Crop(0, 0, 0.5, 0.5)
    services.update_event(user=owner, event=event, banner=media, banner_crop=crop)
    update_profile(user=owner, avatar=AttachmentItem(media, crop=crop))
    run_jobs()
    for path in ("/events/", f"/events/{event.pk}/"):
        assert "banner@0000-0000-0500-0500.webp" in client.get(path).content.decode()
    page = client.get(f"/events/{event.pk}/").content.decode()
    assert "square@0000-0000-0500-0500.webp" in page[page.index("<main") :]
    told = client.get(f"/api/v1/events/{event.pk}/").json()
    assert told["banner_crop"] == crop.as_dict()


def test_the_administration_shows_banner_and_gallery(
    staff: Any, owner: Any, event: Event, ready: Any, browser_of: Any
) -> None:
    made = [ready(f"{number}.jpg") for number in range(2)]
    services.add_photos(user=owner, event=event, media_ids=[one.pk for one in made])
    services.update_event(user=owner, event=event, banner=made[0])
    page = browser_of(staff).get(f"/admin/events/event/{event.pk}/change/").content.decode()
    assert page.count("/r/thumb.webp") == 3


def test_the_administration_changes_an_event_with_many_photos_and_guests(
    admin_client: Client, owner: Any, event: Event, django_assert_max_num_queries: Any
) -> None:
    facts = {"media_type": "image", "mime_type": "image/jpeg", "size": 1, "usable": True}
    made = [MediaFile(owner=owner, original_name=f"{n}.jpg", **facts) for n in range(300)]
    EventPhoto.objects.bulk_create(
        EventPhoto(event=event, media=one, position=position, added_by=owner)
        for position, one in enumerate(MediaFile.objects.bulk_create(made))
    )
    people = [type(owner)(username=f"u{number}") for number in range(150)]
    Invitation.objects.bulk_create(
        Invitation(event=event, user=one) for one in type(owner).objects.bulk_create(people)
    )
    url = f"/admin/events/event/{event.pk}/change/"
    with django_assert_max_num_queries(25):
        page = admin_client.get(url).content.decode()
    tags = re.findall("<(?:input|select|textarea)[^>]*>", page)
    found = {tag: re.search(' name="([^"]+)"', tag) for tag in tags}
    values = {tag: re.search(' value="([^"]*)"', tag) for tag in tags}
    sent = {name[1]: (values[tag] or ["", ""])[1] for tag, name in found.items() if name}
    said = {"title": "Small party", "host": str(owner.pk), "visibility": "public"}
    assert admin_client.post(url, {**sent, **said}).status_code == 302
    event.refresh_from_db()
    assert (event.title, event.photos.count()) == ("Small party", 300)
    listed = admin_client.get("/admin/events/invitation/?q=u149").content.decode()
    assert "u149" in listed


def test_an_event_is_read_in_german(client: Client, event: Event, guest: Any) -> None:
    german = {"accept-language": "de"}
    services.invite_guest(user=event.host, event=event, name=guest.username)
    client.force_login(guest)
    answered = f"/events/{event.pk}/answer/"
    page = client.post(answered, {"answer": "yes"}, follow=True, headers=german).content.decode()
    assert "Ihre Antwort ist notiert." in page
    assert f">{event.host.shown_name}</a>, nur für Eingeladene" in page
    assert "1 ja, 0 vielleicht, 0 nein" in page
    listed = client.get("/events/", headers=german).content.decode()
    assert "<h1>Veranstaltungen</h1>" in listed
    assert "0 Fotos, nur für Eingeladene, Sie haben zugesagt" in listed


def test_forms_count_as_uploads(
    client: Client, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UploadRate, "rate", "1/min")
    assert client.post("/events/new/", FORM).status_code == 302
    picture = {"photos-files": SimpleUploadedFile("a.jpg", samples.photo_jpeg(64, 48))}
    base = f"/events/{event.pk}/"
    for url in ("/events/new/", f"{base}edit/", f"{base}photos/add/"):
        refused = client.post(url, {**FORM, **picture}, headers={"Accept": "text/html"})
        assert refused.status_code == 429
        assert b"<html" in refused.content
    assert Event.objects.count() == 2
    assert not Upload.objects.exists()
