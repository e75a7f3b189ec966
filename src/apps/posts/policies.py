"""Who may read and change which post, for one and as a query; and what that opens of media."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any, TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from apps.media.policies import Description, HostUse
from apps.posts.models import Audience, Post, PostMedia
from apps.users.models import User
from apps.users.selectors import followed_by

Visitor: TypeAlias = User | AnonymousUser
_LOOKING = ("view_post", "change_post", "delete_post")


def ways_into_feed(user: Visitor) -> list[Q]:
    """Conditions of which one is enough for a post to be meant for `user`, none itself a choice:
    for `read_page`."""
    public = Q(audience=Audience.PUBLIC)
    alive = Q(author__is_active=True)
    if not _is_active(user):
        return [alive & public]
    followed = Q(audience=Audience.FOLLOWERS, author__in=followed_by(user=user))
    return [alive & public, alive & Q(author=user.pk), alive & followed]


def meant_for(user: Visitor) -> Q:
    """Every post that `user` wrote, or that was written for them to see."""
    return reduce(operator.or_, ways_into_feed(user))


def visible_to(user: Visitor) -> Q:
    """Every post that `user` may open: what is meant for them, and everything for moderators."""
    if any(_has_perm(user, name) for name in _LOOKING):
        return Q()
    return meant_for(user)


def may_edit(user: Visitor, post: Post) -> bool:
    """Whether `user` may change the post: nobody puts words into the mouth of another."""
    return _is_active(user) and post.author_id == user.pk


def may_delete(user: Visitor, post: Post) -> bool:
    """Whether `user` may remove the post: who wrote it, and moderators."""
    return may_edit(user, post) or _has_perm(user, "delete_post")


def media_in_visible_posts(user: Visitor) -> QuerySet[PostMedia, Any]:
    """Ids of the files in posts that `user` may open: the rule that media asks.

    Only of their authors' own: who may edit a file of another may not show it to others.
    """
    posts = Post.objects.filter(visible_to(user)).values("pk")
    own = PostMedia.objects.filter(media__owner=F("post__author"))
    return own.filter(post__in=posts).values("media")


def describe_posts(user: Visitor, uses: Sequence[HostUse]) -> list[Description | None]:
    """What posts that use a file are called to those who may open them: one query."""
    posts = [use.host for use in uses]
    rows = Post.objects.filter(visible_to(user), pk__in=[post.pk for post in posts])
    seen = set(rows.values_list("pk", flat=True))
    return [
        Description(str(post), post.get_absolute_url(), _("post")) if post.pk in seen else None
        for post in posts
    ]


def _is_active(user: Visitor) -> bool:
    return bool(user.is_authenticated and user.is_active)


def _has_perm(user: Visitor, name: str) -> bool:
    return _is_active(user) and user.has_perm(f"posts.{name}")
