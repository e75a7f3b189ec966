"""The pages as answers: what they contain, whom they let in, how much they ask the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.media import services
from apps.media.models import MediaFile
from apps.media.tests import samples
from apps.media.views import listing

Upload = Callable[..., MediaFile]


@pytest.fixture
def client(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    """The owner's browser."""
    return browser_of(owner)


def _file(name: str = "a.txt", data: bytes = b"words") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def _names(answer: Any) -> list[str]:
    found = re.findall(r'card__caption">([^<]*)<', answer.content.decode())
    return [name.strip() for name in found]


def test_the_uploads_know_where_the_project_has_its_pages(client: Client, settings: Any) -> None:
    settings.LOGIN_URL = "admin:login"
    page = client.get("/library/").content.decode()
    for name, address in (
        ("sign-in", "/admin/login/"),
        ("trash", "/library/trash/"),
        ("library", "/library/"),
    ):
        assert f'data-{name}="{address}"' in page


# -- library ----------------------------------------------------------------------------------


def test_the_library_shows_only_the_visitors_own_files(
    client: Client, upload: Upload, stranger: Any
) -> None:
    upload(b"mine", "mine.txt")
    upload(b"theirs", "theirs.txt", user=stranger, visibility="public")
    assert _names(client.get("/library/")) == ["mine.txt"]


def test_the_library_costs_the_same_however_many_files(
    client: Client, upload: Upload, django_assert_num_queries: Any
) -> None:
    upload(b"words", "0.txt", tags=["a", "b"])
    # Session, user, collections and tags for the bar, files, tags, pictures; and the bell.
    with django_assert_num_queries(8):
        client.get("/library/")
    for number in range(1, 8):
        upload(b"words", f"{number}.txt", tags=["a", f"t{number}"])
    with django_assert_num_queries(8):
        assert len(_names(client.get("/library/"))) == 8


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"media_type": "image"}, ["photo.jpg"]),
        ({"media_type": "document"}, ["b.txt", "a.txt"]),
        ({"tag": "red"}, ["b.txt"]),
        ({"q": "PHOTO"}, ["photo.jpg"]),
        ({"q": "", "media_type": "", "tag": ""}, ["photo.jpg", "b.txt", "a.txt"]),
        ({"ordering": "original_name"}, ["a.txt", "b.txt", "photo.jpg"]),
        ({"ordering": "-size"}, ["photo.jpg", "b.txt", "a.txt"]),
        ({"ordering": "password"}, ["photo.jpg", "b.txt", "a.txt"]),
        ({"media_type": "nonsense"}, ["photo.jpg", "b.txt", "a.txt"]),
        ({"status": "failed"}, []),
        ({"q": "zero\0byte"}, ["photo.jpg", "b.txt", "a.txt"]),
    ],
)
def test_filters_and_sorts(
    query: dict[str, str], expected: list[str], client: Client, upload: Upload
) -> None:
    upload(b"short", "a.txt")
    upload(b"rather longer", "b.txt", tags=["red"])
    upload(samples.photo_jpeg(64, 64), "photo.jpg")
    assert _names(client.get("/library/", query)) == expected


def test_following_the_pages_shows_everything_once(
    client: Client, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 2)
    for number in range(5):
        upload(b"words", f"{number}.txt", tags=["x"])
    upload(b"words", "other.txt")
    seen, address = [], "/library/?tag=x"
    while address:
        answer = client.get(address)
        seen += _names(answer)
        found = re.search(r'href="([^"]*cursor=[^"]*)"[^>]*>\s*Show more', answer.content.decode())
        address = found[1].replace("&amp;", "&") if found else ""
    assert seen == ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt"]


def test_the_cards_alone_carry_what_follows_them(
    client: Client, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 1)
    upload(b"words", "a.txt")
    upload(b"words", "b.txt")
    text = client.get("/library/cards/").content.decode()
    assert "<html" not in text
    assert 'hx-swap-oob="true"' in text
    assert "/library/cards/?cursor=" in text


@pytest.mark.parametrize("path", ["/library/", "/library/cards/", "/library/trash/"])
def test_a_forged_cursor_is_a_bad_request(path: str, client: Client) -> None:
    assert client.get(path, {"cursor": "AAAA"}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/", "/accounts/login/", "/library/", "/library/upload/", "/library/trash/", "detail"]
)
def test_pages_have_nothing_inline_and_are_kept_by_nobody(
    path: str, client: Client, upload: Upload, run_jobs: Callable[[], int]
) -> None:
    media = upload(samples.photo_jpeg(400, 300), "a.jpg", visibility="public")
    run_jobs()
    visitor = Client() if path in {"/", "/accounts/login/"} else client
    answer = visitor.get(media.get_absolute_url() if path == "detail" else path)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//(?!testserver/)', text)


def test_home_sends_those_who_are_in_to_their_library(client: Client) -> None:
    assert client.get("/")["Location"] == "/library/"


def test_the_home_page_shows_strangers_what_is_public(
    upload: Upload, run_jobs: Callable[[], int], owner: Any
) -> None:
    upload(samples.photo_jpeg(64, 64), "open.jpg", visibility="public")
    upload(samples.photo_jpeg(64, 64), "closed.jpg")
    gone = upload(samples.photo_jpeg(64, 64), "gone.jpg", visibility="public")
    run_jobs()
    services.delete_media(user=owner, media=gone)
    assert _names(Client().get("/")) == ["open.jpg"]


# -- trash ------------------------------------------------------------------------------------


def test_to_the_trash_and_back_and_away(client: Client, upload: Upload) -> None:
    media = upload(b"words", "a.txt")
    answer = client.post(f"/library/{media.pk}/delete/", follow=True)
    text = answer.content.decode()
    assert f'action="/library/{media.pk}/restore/"' in text  # undo
    assert _names(answer) == []
    trash = client.get("/library/trash/").content.decode().replace("\xa0", " ")
    assert "a.txt" in trash
    assert "goes in 4 weeks" in trash

    client.post(f"/library/{media.pk}/restore/")
    assert _names(client.get("/library/")) == ["a.txt"]
    assert client.post(f"/library/{media.pk}/restore/").status_code == 409

    client.post(f"/library/{media.pk}/delete/")
    client.post(f"/library/{media.pk}/purge/")
    assert not MediaFile.objects.exists()


@pytest.mark.parametrize("action", ["edit", "delete", "restore", "purge", "reprocess", "captions"])
def test_changes_are_posts(action: str, client: Client, upload: Upload) -> None:
    media = upload(b"words", "a.txt")
    assert client.get(f"/library/{media.pk}/{action}/").status_code == 405


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/library/?q=x", "/library/?q=x"),
        ("https://example.org/", "/library/"),
        ("//example.org/", "/library/"),
        ("javascript:alert(1)", "/library/"),
    ],
)
def test_the_way_back_stays_on_this_site(
    asked: str, given: str, client: Client, upload: Upload
) -> None:
    media = upload(b"words", "a.txt")
    answer = client.post(f"/library/{media.pk}/delete/", {"next": asked})
    assert answer["Location"] == given


# -- upload -----------------------------------------------------------------------------------


def test_several_files_with_what_is_said_of_all(client: Client) -> None:
    files = [_file("a.txt"), _file("b.txt", b"other words")]
    answer = client.post(
        "/library/upload/", {"files": files, "tags": "x, y", "visibility": "public"}
    )
    assert answer["Location"] == "/library/"
    for media in MediaFile.objects.all():
        assert media.visibility == "public"
        assert {tag.name for tag in media.tags.all()} == {"x", "y"}
    assert MediaFile.objects.count() == 2


def test_each_file_is_judged_alone(client: Client) -> None:
    files = [_file("page.jpg", samples.html_as_jpeg()), _file("empty.txt", b""), _file("ok.txt")]
    answer = client.post("/library/upload/", {"files": files})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "The content of the file is not what its name says." in text
    assert "The file is empty." in text
    assert MediaFile.objects.get().original_name == "ok.txt"


@pytest.mark.parametrize(
    "sent", [{}, {"files": [], "tags": "x"}, {"visibility": "everyone"}, {"tags": "x" * 5_000}]
)
def test_an_unusable_form_takes_nothing(
    sent: dict[str, Any], client: Client, nothing_happened: Callable[[], None]
) -> None:
    body = {"files": [_file()], **sent} if sent and "files" not in sent else sent
    assert client.post("/library/upload/", body).status_code == 422
    nothing_happened()


def test_a_tag_that_is_too_long_refuses_the_file_with_a_reason(
    client: Client, nothing_happened: Callable[[], None]
) -> None:
    answer = client.post("/library/upload/", {"files": [_file()], "tags": "x" * 65})
    assert answer.status_code == 422
    assert "Not uploaded" in answer.content.decode()
    nothing_happened()


def test_a_form_of_another_site_takes_nothing(
    owner: Any, nothing_happened: Callable[[], None]
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post("/library/upload/", {"files": [_file()]}).status_code == 403
    nothing_happened()


def test_our_own_form_passes_the_check(owner: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    page = client.get("/library/upload/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    body = {"csrfmiddlewaretoken": token[1], "files": [_file()]}
    assert client.post("/library/upload/", body).status_code == 302
    assert MediaFile.objects.count() == 1


def test_strangers_cannot_upload(db: None, nothing_happened: Callable[[], None]) -> None:
    answer = Client().post("/library/upload/", {"files": [_file()]})
    assert answer["Location"].startswith("/accounts/login/")
    nothing_happened()
