"""Files of posts in the administration: shown, chosen and put in order by way of the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.media.models import MediaFile
from apps.media.services import AttachmentItem
from apps.media.tests import samples
from apps.posts import services
from apps.posts.models import Post
from apps.users.models import User

pytestmark = pytest.mark.django_db
Make = Callable[..., MediaFile]


@pytest.fixture
def client(staff: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(staff)


@pytest.fixture
def make(upload: Callable[..., MediaFile]) -> Make:
    """A file that is ready, without pictures."""

    def made(number: int, **fields: Any) -> MediaFile:
        media = upload(samples.photo_jpeg(32, 24 + number), f"{number}.jpg", **fields)
        MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True)
        media.refresh_from_db()
        return media

    return made


@pytest.fixture
def post(owner: User, make: Make) -> Post:
    items = [AttachmentItem(make(number, for_use=True)) for number in range(3)]
    return services.create_post(author=owner, text="Words", attachments=items)


def url_of(post: Post) -> str:
    return reverse("admin:posts_post_change", args=[post.pk])


def form_of(post: Post, *rows: dict[str, Any], initial: int = 3) -> dict[str, Any]:
    form = {"author": post.author_id, "text": post.text, "audience": post.audience}
    form |= {"attachments-TOTAL_FORMS": len(rows), "attachments-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        form |= {f"attachments-{number}-{name}": value for name, value in row.items()}
    return form


def rows_of(post: Post) -> list[dict[str, Any]]:
    return [
        {"id": row.pk, "media": row.media_id, "position": row.position, "post": post.pk}
        for row in post.attachments.all()
    ]


def test_the_page_costs_no_query_for_each_file(
    client: Client, owner: User, post: Post, make: Make
) -> None:
    client.get(url_of(post))  # what Django keeps is read once
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = client.get(url_of(post))
        counts.append(len(queries))
        assert page.status_code == 200
        items = [AttachmentItem(make(10 + number)) for number in range(9)]
        services.update_post(user=owner, post=post, attachments=items)
    assert counts[0] == counts[1]
    assert b'<img src="' in page.content


def test_changes_go_through_the_services(client: Client, post: Post, make: Make) -> None:
    first, second, third = rows_of(post)
    new = make(5, for_use=True)
    rows = [
        {**first, "position": 2, "alt_text": "A boat"},
        {**second, "DELETE": "on"},
        {**third, "position": 1},
        {"media": new.pk, "position": 0, "post": post.pk},
    ]
    answer = client.post(url_of(post), form_of(post, *rows))
    assert answer.status_code == 302, answer.context["errors"]
    kept = list(post.attachments.all())
    assert [row.media_id for row in kept] == [new.pk, third["media"], first["media"]]
    assert kept[2].alt_text == "A boat"
    new.refresh_from_db()
    assert new.expires_at is None


def test_what_came_meanwhile_stays(client: Client, post: Post, make: Make, owner: User) -> None:
    form = form_of(post, *({**row, "caption": "Sea"} for row in rows_of(post)))
    items = [AttachmentItem(row.media) for row in post.attachments.all()]
    late = make(5)
    services.update_post(user=owner, post=post, attachments=[AttachmentItem(late), *items])
    assert client.post(url_of(post), form).status_code == 302
    kept = list(post.attachments.all())
    assert kept[-1].media_id == late.pk
    assert [row.caption for row in kept] == ["Sea", "Sea", "Sea", ""]


@pytest.mark.parametrize("why", ["a stranger's", "thrown away", "too many", "a document"])
def test_v8_2_1_refusals_change_nothing(
    why: str, client: Client, post: Post, make: Make, stranger: Any
) -> None:
    before = rows_of(post)
    new = [make(20 + number) for number in range(8 if why == "too many" else 1)]
    changed: dict[str, dict[str, Any]] = {
        "a stranger's": {"owner": stranger},
        "thrown away": {"deleted_at": timezone.now()},
        "a document": {"media_type": "document"},
        "too many": {},
    }
    if changed[why]:
        MediaFile.objects.filter(pk=new[0].pk).update(**changed[why])
    more = [{"media": one.pk, "position": 9, "post": post.pk} for one in new]
    answer = client.post(url_of(post), form_of(post, *before, *more))
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert rows_of(post) == before


@pytest.mark.parametrize("may_see", [True, False])
def test_v8_2_1_the_search_offers_what_fits_to_those_who_may_see_it(
    may_see: bool, make: Make, browser_of: Callable[[Any], Client]
) -> None:
    files = [make(number) for number in range(3)]
    MediaFile.objects.filter(pk=files[1].pk).update(media_type="document")
    MediaFile.objects.filter(pk=files[2].pk).update(deleted_at=timezone.now())
    person = User.objects.create_user(username="clara", is_staff=True)
    names = ["change_post", *(["view_mediafile"] if may_see else [])]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    asked = {"app_label": "posts", "model_name": "postmedia", "field_name": "media", "term": "jpg"}
    answer = browser_of(person).get(reverse("admin:autocomplete"), asked)
    if may_see:
        assert [row["id"] for row in answer.json()["results"]] == [str(files[0].pk)]
    else:
        assert answer.status_code == 403
