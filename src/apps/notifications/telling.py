"""What an announcement tells, and whom, as things are now. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import QuerySet

from apps.events.models import Invitation
from apps.events.selectors import list_files_in_gallery, list_people_of
from apps.media.models import Grant, MediaFile, Status, Webhook
from apps.notifications.kinds import Kind
from apps.notifications.models import Announcement
from apps.notifications.services import News
from apps.posts.models import Post
from apps.posts.selectors import list_files_of, list_followers_of
from apps.users.models import User

_REFUSED = (Status.FAILED, Status.QUARANTINED)


@dataclass(frozen=True)
class Telling:
    """What is told, and whom. `waits`: a picture of it is still to come."""

    news: News
    people: QuerySet[User]
    waits: bool = False


def read_telling(row: Announcement) -> Telling | None:
    """None where there is nothing to tell any more."""
    return _READERS[Kind(row.kind)](row)


def _read_own_file(row: Announcement) -> Telling | None:
    states = _REFUSED if row.kind == Kind.MEDIA_REFUSED else (Status.READY,)
    media = MediaFile.objects.filter(pk=row.subject_id, status__in=states).first()
    if media is None:
        return None
    news = News(
        kind=Kind(row.kind),
        key=f"{media.pk}:{media.version if row.kind != Kind.MEDIA_NOT_REMADE else row.pk}",
        group="own",
        media_id=media.pk,
        target="media",
        target_id=media.pk,
    )
    return Telling(news, _person(media.owner_id))


def _read_grant(row: Announcement) -> Telling | None:
    grant = Grant.objects.filter(pk=row.subject_id).first()
    if grant is None:
        return None
    target = "media" if grant.media_id else "collection"
    news = News(
        kind=Kind.SHARED,
        key=str(grant.pk),
        group=f"by:{row.actor_id}:{target}",
        actor_id=row.actor_id,
        media_id=grant.media_id,
        target=target,
        target_id=grant.media_id or grant.collection_id,
    )
    members = User.objects.filter(is_active=True, groups=grant.group_id)
    return Telling(news, _person(grant.user_id) if grant.user_id else members)


def _read_post(row: Announcement) -> Telling | None:
    posts = Post.objects.filter(pk=row.subject_id, author__is_active=True)
    post = posts.first()
    files = list_files_of(post=post) if post else []
    good = [media for media in files if media.usable]
    to_come = any(map(_is_to_come, files))
    if post is None or not (post.text or good or to_come):
        return None
    news = News(
        kind=Kind.POST,
        key=str(post.pk),
        group=f"by:{post.author_id}",
        actor_id=post.author_id,
        picture_id=good[0].pk if good else None,
        target="post",
        target_id=post.pk,
    )
    return Telling(news, list_followers_of(post=post), waits=to_come and not good)


def _read_photos(row: Announcement) -> Telling | None:
    announced = list(row.files.values_list("media_id", flat=True))
    files = list_files_in_gallery(event_id=row.subject_id, media_ids=announced)
    good = [media for media in files if media.usable]
    to_come = list(filter(_is_to_come, files))
    if not good and not to_come:
        return None
    news = News(
        kind=Kind.EVENT_MEDIA,
        key=str(row.pk),
        group=f"{row.subject_id}:{row.actor_id}",
        count=len(good) + len(to_come),
        actor_id=row.actor_id,
        picture_id=good[-1].pk if good else None,
        target="event",
        target_id=row.subject_id,
    )
    return Telling(news, list_people_of(event_id=row.subject_id), waits=bool(to_come))


def _read_invitation(row: Announcement) -> Telling | None:
    invitations = Invitation.objects.filter(
        event=row.subject_id, user=row.recipient_id, event__host__is_active=True
    )
    invitation = invitations.select_related("event").first()
    if invitation is None:
        return None
    news = News(
        kind=Kind.INVITED,
        key=str(row.subject_id),
        group=str(row.subject_id),
        actor_id=row.actor_id,
        picture_id=invitation.event.banner_id,
        target="event",
        target_id=row.subject_id,
    )
    return Telling(news, _person(row.recipient_id))


def _read_webhook(row: Announcement) -> Telling | None:
    webhook = Webhook.objects.filter(pk=row.subject_id, enabled=False).first()
    if webhook is None:
        return None
    news = News(kind=Kind.WEBHOOK_OFF, key=f"{webhook.pk}:{row.pk}")
    return Telling(news, _person(webhook.owner_id))


_READERS: dict[Kind, Callable[[Announcement], Telling | None]] = {
    Kind.MEDIA_READY: _read_own_file,
    Kind.MEDIA_REFUSED: _read_own_file,
    Kind.MEDIA_NOT_REMADE: _read_own_file,
    Kind.SHARED: _read_grant,
    Kind.POST: _read_post,
    Kind.EVENT_MEDIA: _read_photos,
    Kind.INVITED: _read_invitation,
    Kind.WEBHOOK_OFF: _read_webhook,
}


def _person(key: object) -> QuerySet[User]:
    return User.objects.filter(pk=key)


def _is_to_come(media: MediaFile) -> bool:
    return not media.usable and not media.is_finished
