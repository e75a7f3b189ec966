"""What can be known of posts; each returns only what its visitor may see. Writes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import Prefetch, Q, QuerySet

from apps.media import selectors as media
from apps.media.models import MediaFile
from apps.posts.exceptions import PostNotVisibleError
from apps.posts.models import Audience, Post, PostMedia
from apps.posts.policies import Visitor, meant_for, visible_to, ways_into_feed
from apps.users.models import Follow, User
from apps.users.selectors import followed_by, show_faces


def with_details(posts: QuerySet[Post]) -> QuerySet[Post]:
    """`posts` with all that showing them needs: a fixed number of queries, however many posts.

    They are read for somebody by `posts_shown_to`.
    """
    files = media.with_details(MediaFile.objects.all())
    # What its owner has thrown away is shown to nobody.
    attachments = PostMedia.objects.filter(media__deleted_at=None).prefetch_related(
        Prefetch("media", queryset=files.prefetch_related("captions"))
    )
    return posts.select_related("author").prefetch_related(
        Prefetch("attachments", queryset=attachments)
    )


def posts_shown_to(user: Visitor, posts: Iterable[Post]) -> list[Post]:
    """`posts` with details as `user` gets them: with the files that they may have, in the version
    that they may have (see `apps.media.selectors.shown_to`), and the faces of authors. These rows
    must not be saved."""
    kept = list(posts)
    media.shown_to(user, [use.media for post in kept for use in post.attachments.all()])
    show_faces(user, [post.author for post in kept])
    return kept


def list_posts(*, by: User | None = None, followed_of: Visitor | None = None) -> QuerySet[Post]:
    """Posts with details, newest first, those of one person or of all whom somebody follows; for
    somebody to see only together with `ways_to_posts`."""
    posts = with_details(Post.objects.all())
    if by is not None:
        posts = posts.filter(author=by)
    if followed_of is not None:
        posts = posts.filter(author__in=followed_by(user=followed_of))
    return posts.order_by("-pk")


def ways_to_posts(*, user: Visitor) -> list[Q]:
    """What lists show to `user`, as conditions of which one is enough: for `read_page`."""
    return ways_into_feed(user)


def get_visible_post(*, user: Visitor, post_id: uuid.UUID | str) -> Post:
    """The post with details, if `user` may see it; hidden and missing both raise
    `PostNotVisibleError`."""
    post = with_details(Post.objects.filter(visible_to(user), pk=post_id)).first()
    if post is None:
        raise PostNotVisibleError(post_id)
    return posts_shown_to(user, [post])[0]


# -- for whoever tells of posts ----------------------------------------------------------------


def list_followers_of(*, post: Post) -> QuerySet[User]:
    """Those who follow its author and may see the post."""
    following = Follow.objects.filter(followed=post.author_id)
    people = User.objects.filter(pk__in=following.values("follower"), is_active=True)
    return people.none() if post.audience == Audience.ONLY_ME else people


def list_followed_posts(*, user: User, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Post]:
    """Those of the posts that `user` may see and whose authors they follow, by id."""
    rows = Post.objects.filter(meant_for(user), pk__in=list(ids), author__in=followed_by(user=user))
    return {post.pk: post for post in rows.select_related("author")}


def list_files_of(*, post: Post) -> list[MediaFile]:
    """Its files in order, without those in the trash."""
    uses = PostMedia.objects.filter(post=post, media__deleted_at=None).select_related("media")
    return [use.media for use in uses]
