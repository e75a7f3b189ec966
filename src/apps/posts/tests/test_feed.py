"""The feed: what it costs, its pages, and what somebody's own page shows of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.core.ids import new_id
from apps.core.storage import ObjectStore
from apps.media.models import Caption, MediaFile, MediaVersion, Rendition
from apps.media.tests.views.test_access_matrix import TRACK
from apps.posts import services
from apps.posts.models import Post, PostMedia
from apps.users.models import User

PICTURES = ("w320.webp", "w640.webp", "w640.jpg", "w1280.webp", "thumb.webp")
TRACKS = ("hls/240p.mp4", "hls/480p.mp4", "hls/sound.mp4")
PER_POST = 4


def _media(owner: User, kind: str) -> MediaFile:
    types = {"image": "image/jpeg", "video": "video/mp4"}
    return MediaFile(
        owner=owner,
        original_name=f"{kind}.bin",
        alt_text="What it shows",
        media_type=kind,
        mime_type=types[kind],
        size=1000,
        width=1280,
        height=720,
        duration=6.0 if kind == "video" else None,
        status="ready",
        usable=True,
        published_version=1,
        progress=100,
    )


def _renditions(media: MediaFile) -> list[Rendition]:
    names = (*PICTURES, *(TRACKS if media.media_type == "video" else ()))
    return [
        Rendition(
            media=media,
            version=1,
            name=name,
            state="ready",
            storage="media",
            key=f"{media.pk}/{name}",
            size=10,
            width=640,
            height=360,
            mime_type="video/mp4" if name.startswith("hls") else "image/webp",
            details=TRACK if name.startswith("hls") else {},
        )
        for name in names
    ]


def _version(media: MediaFile) -> MediaVersion:
    return MediaVersion(
        media=media,
        number=1,
        storage="media",
        key=str(media.pk),
        original_name=media.original_name,
        mime_type=media.mime_type,
        size=media.size,
        scan="clean",
        complete=True,
    )


@pytest.fixture
def write_posts(db: None) -> Callable[[int], list[Post]]:
    """So many public posts of as many authors with a picture of theirs, each with three photos and
    a film with captions: rows alone."""

    def write(count: int) -> list[Post]:
        authors = [
            User.objects.create(username=f"author{new_id().hex}", display_name="A B")
            for _ in range(count)
        ]
        posts = Post.objects.bulk_create(
            [
                Post(author=one, text="Words", audience="public", created_at=timezone.now())
                for one in authors
            ]
        )
        kinds = ("image", "image", "video", "image")
        rows = [_media(post.author, kind) for post in posts for kind in kinds]
        faces = [_media(author, "image") for author in authors]
        MediaFile.objects.bulk_create([*rows, *faces])
        MediaVersion.objects.bulk_create(map(_version, [*rows, *faces]))
        Rendition.objects.bulk_create(
            [item for media in [*rows, *faces] for item in _renditions(media)]
        )
        Caption.objects.bulk_create(
            Caption(media=media, language="en", storage="media", key=f"{media.pk}.vtt", size=10)
            for media in rows
            if media.media_type == "video"
        )
        PostMedia.objects.bulk_create(
            PostMedia(post=posts[n // PER_POST], media=media, position=n % PER_POST)
            for n, media in enumerate(rows)
        )
        for author, face in zip(authors, faces, strict=True):
            author.avatar = face
            author.save(update_fields=["avatar"])
        return posts

    return write


@pytest.fixture
def storage_calls(own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the calls that the storage gets."""
    calls: list[str] = []
    kind = type(own_storage)
    for name in dir(kind):
        method = getattr(kind, name)
        if name.startswith("_") or not callable(method):
            continue

        def call(*args: Any, name: str = name, method: Any = method, **kwargs: Any) -> Any:
            calls.append(name)
            return method(*args, **kwargs)

        monkeypatch.setattr(own_storage, name, call.__get__(own_storage))
    return calls


def _queries(client: Client, address: str) -> int:
    client.get(address)  # what is remembered for later requests
    with CaptureQueriesContext(
        connection,
    ) as found:
        answer = client.get(address)
    assert answer.status_code == 200
    return len(found)


class TestCosts:
    """A page costs the same however much stands on it, and never asks the storage."""

    @pytest.mark.parametrize("role", ["anonymous", "signed in"])
    @pytest.mark.parametrize("name", ["posts:feed", "posts:more", "posts:api-posts"])
    def test_queries(
        self,
        name: str,
        role: str,
        write_posts: Any,
        stranger: User,
        browser_of: Any,
        storage_calls: list[str],
    ) -> None:
        client = browser_of(stranger if role == "signed in" else None)
        write_posts(5)
        few = _queries(client, reverse(name))
        write_posts(15)
        page = client.get(reverse(name)).content.decode()
        assert page.count("w1280.webp") >= 20 * (PER_POST - 1)
        assert _queries(client, reverse(name)) == few
        assert few <= 24
        assert storage_calls == []

    def test_what_stands_on_it(self, write_posts: Any, stranger: User, browser_of: Any) -> None:
        write_posts(20)
        page = browser_of(stranger).get("/posts/").content.decode()
        assert page.count("<article") == 20
        assert page.count("<media-player ") == 20
        assert page.count('kind="subtitles"') == 20
        assert page.count('class="mosaic__link"') == 60
        assert page.count("face__picture") == 20


def test_pages_follow_each_other(owner: User, browser_of: Any) -> None:
    for number in range(45):
        services.create_post(author=owner, text=f"Number {number:02}.")
    client = browser_of(owner)
    address, seen = "/posts/", []
    while address:
        page = client.get(address)
        listing = page.context["listing"]
        seen += [post.text for post in listing.items]
        address = listing.next_url
    assert seen == [f"Number {number:02}." for number in reversed(range(45))]
    assert client.get("/posts/?cursor=nonsense", headers={"Accept": "text/html"}).status_code == 400


def test_those_whom_one_follows(
    owner: User, stranger: User, follower: User, browser_of: Any
) -> None:
    services.create_post(author=owner, text="By Olga", audience="followers")
    services.create_post(author=stranger, text="By Sam", audience="public")
    client = browser_of(follower)
    everybody, followed = (
        client.get(f"/posts/{end}").content.decode() for end in ("", "?of=following")
    )
    assert "By Olga" in everybody
    assert "By Sam" in everybody
    assert "By Olga" in followed
    assert "By Sam" not in followed


def test_words_are_text_and_never_markup(owner: User, browser_of: Any) -> None:
    post = services.create_post(
        author=owner, text="<script>x</script> https://example.org/ javascript:alert(1)"
    )
    page = browser_of(owner).get(post.get_absolute_url()).content.decode()
    assert "<script>x" not in page
    assert '<a href="https://example.org/" rel="nofollow">' in page
    assert 'href="javascript' not in page


def test_files_that_cannot_be_shown_yet(
    owner: User, upload: Any, follower: User, browser_of: Any
) -> None:
    from apps.media.services import AttachmentItem
    from apps.media.tests import samples

    media = upload(samples.photo_png(8, 8), "Secret name.png", alt_text="Secret words")
    post = services.create_post(author=owner, attachments=[AttachmentItem(media)])
    page = browser_of(follower).get(post.get_absolute_url()).content.decode()
    assert "Being processed" in page
    assert "Secret" not in page
