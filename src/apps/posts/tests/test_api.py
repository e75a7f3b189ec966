"""Posts over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from apps.media.models import MediaFile
from apps.media.tests import samples
from apps.posts import services
from apps.posts.models import Post
from apps.users.models import User

URL = "/api/v1/posts/"


def _create(api: Any, **body: Any) -> Any:
    return api.post(URL, body, format="json")


def test_writing_with_a_file(api: Any, photo: MediaFile) -> None:
    attachments = [{"media": str(photo.pk), "alt_text": "A hill"}]
    answer = _create(api, text="Words", audience="public", attachments=attachments)
    assert answer.status_code == 201
    body = answer.json()
    assert answer["Location"] == body["urls"]["self"]
    assert (body["text"], body["audience"], body["edited_at"]) == ("Words", "public", None)
    assert body["author"] == {"id": photo.owner_id, "username": "olga", "display_name": ""}
    assert body["permissions"] == {"edit": True, "delete": True}
    [one] = body["attachments"]
    assert one["alt_text"] == "A hill"
    assert one["media"]["id"] == str(photo.pk)
    assert [row["name"] for row in one["media"]["renditions"]] == ["thumb.webp"]
    assert api.get(body["urls"]["self"]).json() == body


def test_changing(api: Any, owner: User, photo: MediaFile, post: Post) -> None:
    answer = api.patch(f"{URL}{post.pk}/", {"text": "Other"}, format="json")
    assert answer.status_code == 200
    assert answer.json()["text"] == "Other"
    assert answer.json()["edited_at"]
    assert len(answer.json()["attachments"]) == 1
    bare = api.patch(f"{URL}{post.pk}/", {"attachments": []}, format="json").json()
    assert bare["attachments"] == []


def test_deleting(api: Any, post: Post) -> None:
    assert api.delete(f"{URL}{post.pk}/").status_code == 204
    assert api.get(f"{URL}{post.pk}/").status_code == 404


def test_lists(api: Any, owner: User, stranger: User) -> None:
    for text in ("first", "second", "third"):
        services.create_post(author=owner, text=text)
    services.create_post(author=stranger, text="other", audience="public")
    services.create_post(author=stranger, text="hidden", audience="followers")
    page = api.get(URL, {"page_size": 3}).json()
    assert [one["text"] for one in page["results"]] == ["other", "third", "second"]
    rest = api.get(page["next"]).json()
    assert [one["text"] for one in rest["results"]] == ["first"]
    assert rest["next"] is None
    of_sam = api.get(URL, {"author": "sam"}).json()["results"]
    assert [one["text"] for one in of_sam] == ["other"]
    assert api.get(URL, {"author": "nobody"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"text": " "}, 422, "empty_post"),
        ({"text": "x" * 5_001}, 400, "invalid"),
        ({"text": "x", "audience": "nobody"}, 400, "invalid"),
        ({"attachments": [{"media": str(uuid.uuid4())}]}, None, None),
        ({"attachments": "nonsense"}, 400, "invalid"),
    ],
)
def test_refusals(body: dict[str, Any], status: int | None, code: str, api: Any) -> None:
    answer = _create(api, **body)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.status_code == (status or answer.status_code)
    assert 400 <= answer.status_code < 500
    assert code in {None, answer.json()["code"]}
    assert not Post.objects.exists()


@pytest.mark.parametrize("case", ["other's", "hidden", "too many"])
def test_files_that_are_refused(case: str, api: Any, stranger: User, upload: Any) -> None:
    data = samples.photo_png(8, 8)
    visibility = {"other's": "public"}.get(case, "private")
    owner = {} if case == "too many" else {"user": stranger}
    count = 11 if case == "too many" else 1
    files = [upload(data, f"{n}.png", visibility=visibility, **owner) for n in range(count)]
    MediaFile.objects.update(status="ready", usable=True, published_version=1)
    answer = _create(api, attachments=[{"media": str(one.pk)} for one in files])
    assert 400 <= answer.status_code < 500
    assert not Post.objects.exists()
    if case == "hidden":
        missing = _create(api, attachments=[{"media": str(uuid.uuid4())}])
        assert answer.status_code == missing.status_code
        strip = (str(files[0].pk), "")
        assert answer.content.decode().replace(*strip)[:40] == missing.content.decode()[:40]
