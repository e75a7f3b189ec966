"""Every address × every kind of visitor × every audience, for posts and for the files in them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.media import selectors as media_selectors
from apps.media import services as media_services
from apps.media.models import MediaFile
from apps.media.services import AttachmentItem
from apps.posts import services
from apps.posts.models import Audience, Post
from apps.posts.urls import urlpatterns
from apps.users.models import User
from apps.users.services import unfollow_user

ROLES = ("anonymous", "stranger", "follower", "author", "staff")
LISTING = {"posts:feed", "posts:more", "posts:api-posts"}
SHOWING = {"posts:post", "posts:api-post"}
CHANGING = {"posts:edit", "posts:delete", "posts:api-post"}
MAKING = {"posts:new", "posts:api-posts"}
# The bytes of the file in the post, and what tells of it.
BYTES = ("original", "r/thumb.webp", "hls/master.m3u8", "hls/240p.m3u8", "hls/240p.mp4")
CAPTIONS = ("hls/captions-en.m3u8", "hls/captions-en.vtt")
Visit = Callable[[str], Client]


def _meant_for(role: str, audience: str) -> bool:
    return {
        "public": True,
        "followers": role in {"follower", "author"},
        "only_me": role == "author",
    }[audience]


def _may_open(role: str, audience: str) -> bool:
    """This staff is a superuser, hence a moderator."""
    return role == "staff" or _meant_for(role, audience)


def test_every_address_has_its_row() -> None:
    names = {f"posts:{entry.name}" for entry in urlpatterns}
    assert names == LISTING | SHOWING | CHANGING | MAKING


@pytest.mark.parametrize("audience", Audience.values)
@pytest.mark.parametrize("role", ROLES)
class TestReading:
    def test_lists(self, role: str, audience: str, post: Post, visit: Visit) -> None:
        Post.objects.update(audience=audience)
        client = visit(role)
        for address in (*map(reverse, sorted(LISTING)), "/users/olga/"):
            text = client.get(address).content.decode()
            assert ("Secret words" in text) == _meant_for(role, audience), address
            assert (str(post.pk) in text) == _meant_for(role, audience), address

    def test_one(self, role: str, audience: str, post: Post, visit: Visit) -> None:
        Post.objects.update(audience=audience)
        client = visit(role)
        for name in sorted(SHOWING):
            answer = client.get(reverse(name, args=[post.pk]))
            missing = client.get(reverse(name, args=[uuid.uuid4()]))
            assert answer.status_code == (200 if _may_open(role, audience) else 404)
            if answer.status_code == 404:
                assert answer.content == missing.content
                assert set(answer.headers) == set(missing.headers)

    def test_the_file_in_it(
        self, role: str, audience: str, post: Post, photo: MediaFile, visit: Visit
    ) -> None:
        Post.objects.update(audience=audience)
        _assert_file_is_seen(visit(role), photo, seen=_may_open(role, audience))


def _assert_file_is_seen(client: Client, photo: MediaFile, *, seen: bool) -> None:
    """On every surface: bytes, renditions, streams, pages, lists, search, archives."""
    status = 200 if seen else 404
    for place in (*BYTES, *CAPTIONS):
        assert client.get(f"/media/{photo.pk}/{place}").status_code == status, place
    for address in (f"/library/{photo.pk}/", f"/api/v1/media/{photo.pk}/"):
        assert client.get(address).status_code == status, address
    for query in ({}, {"q": "secret"}, {"media_type": "image"}):
        found = client.get("/api/v1/media/", query).json()["results"]
        assert [one["id"] for one in found] == ([str(photo.pk)] if seen else []), query
    archive = client.get("/media/zip", {"ids": str(photo.pk)})
    packed = b"".join(archive) if archive.streaming else b""
    assert (b"Secret name" in packed) == seen


class TestWithdrawing:
    """What opens a file ends at once with what it was opened by."""

    def _check(self, visit: Visit, photo: MediaFile, *, seen: bool) -> None:
        _assert_file_is_seen(visit("follower"), photo, seen=seen)

    def test_by_another_audience(
        self, owner: User, post: Post, photo: MediaFile, visit: Visit
    ) -> None:
        self._check(visit, photo, seen=True)
        services.update_post(user=owner, post=post, audience="only_me")
        self._check(visit, photo, seen=False)
        services.update_post(user=owner, post=post, audience="public")
        _assert_file_is_seen(visit("anonymous"), photo, seen=True)

    def test_by_taking_it_out(
        self, owner: User, post: Post, photo: MediaFile, visit: Visit
    ) -> None:
        services.update_post(user=owner, post=post, attachments=[])
        self._check(visit, photo, seen=False)

    def test_by_unfollowing(
        self, owner: User, follower: User, post: Post, photo: MediaFile, visit: Visit
    ) -> None:
        unfollow_user(user=follower, person=owner)
        self._check(visit, photo, seen=False)

    def test_by_deleting(self, owner: User, post: Post, photo: MediaFile, visit: Visit) -> None:
        services.delete_post(user=owner, post=post)
        self._check(visit, photo, seen=False)

    def test_by_raw_deletes(self, post: Post, photo: MediaFile, visit: Visit) -> None:
        Post.objects.all().delete()
        self._check(visit, photo, seen=False)

    def test_by_switching_the_author_off(
        self, owner: User, post: Post, photo: MediaFile, visit: Visit
    ) -> None:
        Post.objects.update(audience="public")
        User.objects.filter(pk=owner.pk).update(is_active=False)
        self._check(visit, photo, seen=False)


@pytest.mark.parametrize("audience", Audience.values)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", ["edit", "delete", "PATCH", "DELETE"])
def test_changing(act: str, role: str, audience: str, post: Post, visit: Visit) -> None:
    Post.objects.update(audience=audience)
    before = list(Post.objects.values())
    answer = _change(visit(role), act, post)
    may = role == "author" or (role == "staff" and act in {"delete", "DELETE"})
    if may:
        assert answer.status_code in {200, 204, 302}
        assert list(Post.objects.values()) != before
        return
    if role == "anonymous":
        assert answer.status_code in {302, 401}
        assert answer.get("Location", "/accounts/login/").startswith("/accounts/login/")
    else:
        assert answer.status_code == (403 if _may_open(role, audience) else 404)
    assert list(Post.objects.values()) == before


def _change(client: Client, act: str, post: Post) -> Any:
    body = {"text": "new", "audience": "public"}
    api = reverse("posts:api-post", args=[post.pk])
    match act:
        case "PATCH":
            return client.patch(api, body, content_type="application/json")
        case "DELETE":
            return client.delete(api)
    return client.post(reverse(f"posts:{act}", args=[post.pk]), body)


@pytest.mark.parametrize("name", sorted(MAKING))
def test_writing_needs_a_sign_in(name: str, db: None) -> None:
    answer = Client().post(reverse(name), {"text": "words", "audience": "public"})
    assert answer.status_code in {302, 401}
    assert not Post.objects.exists()


@pytest.mark.parametrize("act", ["edit"])
def test_the_form_of_a_post_is_its_authors(act: str, post: Post, visit: Visit) -> None:
    Post.objects.update(audience="public")
    url = reverse(f"posts:{act}", args=[post.pk])
    statuses = {role: visit(role).get(url).status_code for role in ROLES}
    assert statuses == {
        "anonymous": 302,
        "stranger": 403,
        "follower": 403,
        "author": 200,
        "staff": 403,
    }


def test_v8_2_3_uses_are_named_to_whoever_may_see_the_post(
    owner: Any,
    stranger: Any,
    photo: MediaFile,
    post: Post,
    browser_of: Callable[[Any], Client],
    django_assert_max_num_queries: Any,
) -> None:
    media_services.grant_access(user=owner, media=photo, to=stranger, permission="edit")
    page = browser_of(owner).get(photo.get_absolute_url()).content.decode()
    assert f'<a href="{post.get_absolute_url()}">Secret words</a>' in page
    assert "Secret words" in _why(photo)
    (hidden,) = media_selectors.describe_usage(user=stranger, media=photo)
    assert (hidden.kind, hidden.name, hidden.url) == ("post", "", "")
    for number in range(20):
        items = [AttachmentItem(photo)]
        services.create_post(author=owner, text=str(number), attachments=items)
    with django_assert_max_num_queries(10):  # one for each field that may use it, one for posts
        assert len(media_selectors.describe_usage(user=owner, media=photo)) == 21


def _why(media: MediaFile) -> str:
    return "\n".join(media_services.explain(what=str(media.pk)))
