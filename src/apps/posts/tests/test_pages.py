"""The form of a post, used as a browser without script uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from apps.media import services as media_services
from apps.media.models import MediaFile, Upload
from apps.media.rates import UploadRate
from apps.media.tests import samples
from apps.posts.models import Post, PostMedia
from apps.posts.services import create_post
from apps.users.models import User
from apps.users.services import follow_user


@pytest.fixture
def client(owner: User, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(owner)


def body(*names: str, **fields: Any) -> dict[str, Any]:
    """A form with as many photos as there are names."""
    files = [SimpleUploadedFile(name, samples.photo_png(8, 8)) for name in names]
    return {"audience": "public", "attachments-sent": "1", "attachments-files": files, **fields}


def attached(post: Post) -> list[str]:
    rows = PostMedia.objects.filter(post=post).select_related("media")
    return [row.media.original_name for row in rows]


def test_written_and_changed(client: Client, owner: User) -> None:
    assert client.post("/posts/new/", body("a.png", "b.png"))["Location"] == "/posts/"
    post = Post.objects.get()
    assert (attached(post), post.audience) == (["a.png", "b.png"], "public")
    first, second = PostMedia.objects.order_by("position").values_list("media", flat=True)
    said = {
        "text": "Two hills",
        "attachments": [first, second],
        f"attachments-{first}-position": 2,
        f"attachments-{second}-position": 1,
        f"attachments-{second}-alt_text": "a hill",
        f"attachments-{second}-caption": "At noon",
        f"attachments-{second}-crop": "0000-0000-0500-0500",
    }
    client.post(f"/posts/{post.pk}/edit/", body(**said))
    assert attached(post) == ["b.png", "a.png"]
    row = PostMedia.objects.get(media=second)
    assert (row.alt_text, row.caption, str(row.crop)) == (
        "a hill",
        "At noon",
        "0000-0000-0500-0500",
    )
    assert {one.lifetime for one in MediaFile.objects.all()} == {"used"}
    client.post(f"/posts/{post.pk}/edit/", {"text": "One", "audience": "public"})  # not a word
    assert len(attached(post)) == 2


def test_what_is_refused_keeps_what_was_chosen_and_expires_if_abandoned(
    client: Client, run_jobs: Callable[[], int]
) -> None:
    files = [*body("a.png")["attachments-files"], SimpleUploadedFile("b.txt", b"words")]
    answer = client.post("/posts/new/", {**body(), "attachments-files": files, "text": "Words"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "b.txt:" in page
    kept = MediaFile.objects.get(original_name="a.png")
    assert f'name="attachments" value="{kept.pk}"' in page
    assert "Words</textarea>" in page
    assert not Post.objects.exists()
    assert kept.expires_at is not None
    assert timedelta(0) < kept.expires_at - timezone.now() <= timedelta(days=1)
    MediaFile.objects.update(expires_at=timezone.now())
    media_services.expire_unused(limit=10)
    assert not MediaFile.objects.exists()


def test_more_than_ten_are_refused(client: Client) -> None:
    answer = client.post("/posts/new/", body(*(f"{n}.png" for n in range(11))))
    assert answer.status_code == 422
    assert "at most 10 are accepted" in answer.content.decode()
    assert not MediaFile.objects.exists()


def test_files_of_others_stay_theirs(
    client: Client, upload: Any, stranger: User, owner: User
) -> None:
    media = upload(samples.photo_png(8, 8), "a.png", user=stranger)
    chosen = body(text="Mine now", attachments=[media.pk])
    hidden = client.post("/posts/new/", chosen)
    assert "is not there any more" in hidden.content.decode()
    media_services.grant_access(user=stranger, media=media, to=owner, permission="edit")
    granted = client.post("/posts/new/", chosen)
    assert "files of your own" in granted.content.decode()
    assert not Post.objects.exists()


def test_the_feed_shows_the_part_that_was_chosen(
    client: Client, upload: Any, run_jobs: Callable[[], int]
) -> None:
    media = upload(samples.photo_jpeg(200, 100))
    crop = "0000-0000-0500-1000"
    chosen = {
        "attachments": [media.pk],
        f"attachments-{media.pk}-crop": crop,
        f"attachments-{media.pk}-alt_text": "a hill",
    }
    client.post("/posts/new/", body(**chosen))
    run_jobs()
    page = client.get("/posts/").content.decode()
    assert f"part@{crop}.webp" in page
    assert 'width="100" height="100"' in page
    assert 'alt="a hill"' in page


def test_posts_are_written_and_read_in_german(client: Client) -> None:
    german = {"accept-language": "de"}
    empty = client.post("/posts/new/", {"audience": "public"}, headers=german)
    assert "Bitte etwas schreiben oder ein Foto oder Video hinzufügen." in empty.content.decode()
    said = {"audience": "only_me", "text": "Zwei Hügel"}
    page = client.post("/posts/new/", said, follow=True, headers=german).content.decode()
    assert "Veröffentlicht." in page
    assert "· Nur Sie" in page


def test_others_are_told_of_followers_as_such(
    client: Client, owner: User, stranger: User, browser_of: Callable[[Any], Client]
) -> None:
    follow_user(user=stranger, person=owner)
    post = create_post(author=owner, text="Two hills", audience="followers")
    Post.objects.filter(pk=post.pk).update(created_at=timezone.now() - timedelta(days=2))
    german = {"accept-language": "de"}
    page = browser_of(stranger).get("/posts/", headers=german).content.decode()
    assert "· Follower" in page
    assert "vor 2 Tagen" in page.replace("\xa0", " ")
    form = client.get("/posts/new/", headers=german).content.decode()
    assert "Ihre Follower" in form


def test_half_of_a_character_is_told(client: Client, owner: User) -> None:
    media = media_services.upload_media(
        user=owner, file=SimpleUploadedFile("a.png", samples.photo_png(8, 8))
    )
    for word in ("alt_text", "caption", "crop", "focal"):
        items = json.dumps([{"media": str(media.pk), word: "\ud83d"}])
        answer = client.post("/posts/new/", {"text": "", **body(), "attachments-items": items})
        assert answer.status_code == 422
        assert "could not be read" in answer.content.decode()
    assert not Post.objects.exists()


def test_the_form_counts_as_an_upload(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UploadRate, "rate", "1/min")
    assert client.post("/posts/new/", body("a.png")).status_code == 302
    post = Post.objects.get()
    for url in ("/posts/new/", f"/posts/{post.pk}/edit/"):
        refused = client.post(url, body("b.png"), headers={"Accept": "text/html"})
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) > 0
        assert b"<html" in refused.content
        assert client.get(url).status_code == 200
    assert attached(post) == ["a.png"]
    assert MediaFile.objects.count() == Upload.objects.count() == 1
