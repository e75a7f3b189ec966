"""What can be done with posts. Each writes in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from apps.core.signals import Outgoing
from apps.media.services import AttachmentItem, set_attachments
from apps.posts.exceptions import (
    EmptyPostError,
    NotYoursError,
    PostForbiddenError,
    PostNotVisibleError,
)
from apps.posts.models import Audience, Post, PostMedia
from apps.posts.policies import may_delete, may_edit
from apps.posts.signals import post_deleted, post_published
from apps.users.models import User


@transaction.atomic
def create_post(
    *,
    author: User,
    text: str = "",
    audience: str = Audience.FOLLOWERS,
    attachments: Sequence[AttachmentItem] = (),
) -> Post:
    """Write a post. Raises `EmptyPostError`, `NotYoursError`, and what media says of the files."""
    post = Post(author_id=author.pk, text=text.strip(), audience=audience)
    post.full_clean(validate_unique=False)
    post.save(force_insert=True)
    _attach(author, post, attachments)
    _refuse_empty(post)
    _announce(post_published, post)
    return post


@transaction.atomic
def update_post(
    *,
    user: User,
    post: Post,
    text: str | None = None,
    audience: str | None = None,
    attachments: Sequence[AttachmentItem] | None = None,
) -> Post:
    """Change what is given and leave the rest. Raises `PostForbiddenError` and what `create_post`
    raises."""
    locked = _lock(post)
    if not may_edit(user, locked):
        raise PostForbiddenError(post.pk)
    audience_before = locked.audience
    locked.text = locked.text if text is None else text.strip()
    locked.audience = audience or locked.audience
    locked.edited_at = timezone.now()
    locked.full_clean(validate_unique=False)
    locked.save(update_fields=["text", "audience", "edited_at"])
    if attachments is not None:
        _attach(user, locked, attachments)
    _refuse_empty(locked)
    if locked.audience != audience_before:
        _announce(post_published, locked)
    return locked


@transaction.atomic
def delete_post(*, user: User, post: Post) -> None:
    """Remove a post with its uses of files; those that were uploaded for it go with it.

    Raises `PostForbiddenError`.
    """
    locked = _lock(post)
    if not may_delete(user, locked):
        raise PostForbiddenError(post.pk)
    _announce(post_deleted, locked)
    locked.delete()


def _attach(user: User, post: Post, items: Sequence[AttachmentItem]) -> None:
    """Media judges first, which answers for hidden files as for missing ones."""
    set_attachments(user=user, to=post, through=PostMedia, items=items)
    if any(item.media.owner_id != post.author_id for item in items):
        raise NotYoursError(post.pk)


def _refuse_empty(post: Post) -> None:
    if not post.text and not post.attachments.exists():
        raise EmptyPostError(post.pk)


def _lock(post: Post) -> Post:
    locked = Post.objects.select_for_update().filter(pk=post.pk).first()
    if locked is None:
        raise PostNotVisibleError(post.pk)
    return locked


def _announce(signal: Outgoing, post: Post) -> None:
    signal.tell(Post, post_id=post.pk, author_id=post.author_id)
