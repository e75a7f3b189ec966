"""Writing, changing and removing posts; a refusal leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.core.errors import AppError
from apps.media.models import Grant, MediaFile
from apps.media.services import AttachmentItem
from apps.media.tests import samples
from apps.posts import services, signals
from apps.posts.exceptions import EmptyPostError, NotYoursError, PostNotVisibleError
from apps.posts.models import Post, PostMedia
from apps.users.models import User


@pytest.fixture
def heard() -> Iterator[list[tuple[str, Any]]]:
    """What posts told others during the test."""
    calls: list[tuple[str, Any]] = []

    def published(sender: Any, post_id: Any, **kwargs: Any) -> None:
        calls.append(("published", post_id))

    def deleted(sender: Any, post_id: Any, **kwargs: Any) -> None:
        calls.append(("deleted", post_id))

    signals.post_published.connect(published)
    signals.post_deleted.connect(deleted)
    yield calls
    signals.post_published.disconnect(published)
    signals.post_deleted.disconnect(deleted)


@pytest.fixture
def pictures(upload: Callable[..., MediaFile]) -> Callable[[int], list[AttachmentItem]]:
    """So many files of the author, whose processing has not begun."""

    def make(count: int, **fields: Any) -> list[AttachmentItem]:
        data = samples.photo_png(8, 8)
        return [AttachmentItem(upload(data, f"{n}.png", **fields)) for n in range(count)]

    return make


@pytest.mark.django_db(transaction=True)
def test_a_post_is_told_after_the_commit(owner: User, heard: list[Any]) -> None:
    post = services.create_post(author=owner, text=" words ")
    assert (post.text, post.audience) == ("words", "followers")
    assert heard == [("published", post.pk)]
    services.delete_post(user=owner, post=post)
    assert heard[1:] == [("deleted", post.pk)]


@pytest.mark.django_db(transaction=True)
def test_whoever_keeps_a_row_of_it_is_told_inside_the_transaction(owner: User) -> None:
    seen: list[tuple[Any, bool]] = []

    def keep(sender: Any, post_id: Any, **kwargs: Any) -> None:
        seen.append((post_id, transaction.get_connection().in_atomic_block))

    signals.post_published.inside.connect(keep)
    post = services.create_post(author=owner, text="words")
    signals.post_published.inside.disconnect(keep)
    assert seen == [(post.pk, True)]


def test_files_keep_their_order(owner: User, pictures: Any) -> None:
    items = pictures(3)
    post = services.create_post(author=owner, attachments=items)
    assert [row.media_id for row in post.attachments.all()] == [one.media.pk for one in items]
    services.update_post(user=owner, post=post, attachments=items[::-1])
    assert [row.media_id for row in post.attachments.all()] == [one.media.pk for one in items[::-1]]


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "  "},
        {"text": "x" * 5_001},
        {"text": "x", "audience": "nobody"},
    ],
)
@pytest.mark.django_db(transaction=True)
def test_refusals(fields: dict[str, str], owner: User, heard: list[Any]) -> None:
    with pytest.raises((AppError, ValidationError)):
        services.create_post(author=owner, **fields)
    assert not Post.objects.exists()
    assert heard == []


@pytest.mark.parametrize("case", ["eleven", "text file", "other's", "other's hidden", "editable"])
def test_files_that_are_refused(
    case: str, owner: User, stranger: User, upload: Any, pictures: Any
) -> None:
    match case:
        case "eleven":
            items = pictures(11)
        case "text file":
            items = [AttachmentItem(upload(b"words", "a.txt"))]
        case "other's":
            items = pictures(1, user=stranger, visibility="public")
        case "other's hidden":
            items = pictures(1, user=stranger)
        case _:
            items = pictures(1, user=stranger)
            Grant.objects.create(media=items[0].media, user=owner, permission="edit")
    with pytest.raises(AppError):
        services.create_post(author=owner, text="words", attachments=items)
    assert not Post.objects.exists()
    assert not PostMedia.objects.exists()


def test_who_may_edit_a_file_may_not_publish_it(owner: User, stranger: User, pictures: Any) -> None:
    items = pictures(1, user=stranger)
    Grant.objects.create(media=items[0].media, user=owner, permission="edit")
    with pytest.raises(NotYoursError):
        services.create_post(author=owner, attachments=items)


class TestChanging:
    def test_says_that_it_was(self, owner: User) -> None:
        post = services.create_post(author=owner, text="words")
        assert post.edited_at is None
        changed = services.update_post(user=owner, post=post, text="other")
        assert (changed.text, changed.audience) == ("other", "followers")
        assert changed.edited_at is not None

    def test_never_to_nothing(self, owner: User, pictures: Any) -> None:
        post = services.create_post(author=owner, text="words", attachments=pictures(1))
        services.update_post(user=owner, post=post, text="")
        with pytest.raises(EmptyPostError):
            services.update_post(user=owner, post=post, attachments=[])
        assert post.attachments.count() == 1

    def test_what_has_gone(self, owner: User) -> None:
        post = services.create_post(author=owner, text="words")
        Post.objects.all().delete()
        for change in (services.update_post, services.delete_post):
            with pytest.raises(PostNotVisibleError):
                change(user=owner, post=post)


def test_an_account_takes_its_posts_along(owner: User, pictures: Any) -> None:
    services.create_post(author=owner, attachments=pictures(2))
    owner.delete()
    assert not Post.objects.exists()
    assert not PostMedia.objects.exists()
