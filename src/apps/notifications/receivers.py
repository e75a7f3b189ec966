"""What other apps tell, after commit, becomes what people are told."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete
from django.dispatch import receiver

from apps.events.models import Event, Invitation
from apps.events.signals import guest_invited, photos_added
from apps.media import signals
from apps.media.models import Grant, MediaFile, Webhook
from apps.notifications import announcing, dispatch, services
from apps.notifications.kinds import Kind
from apps.notifications.services import News
from apps.posts.models import Post
from apps.posts.signals import post_published

MOST_MEMBERS = 500  # of a group that something is shared with


@receiver(signals.media_ready, dispatch_uid="notifications.ready")
def tell_ready(sender: type, media: MediaFile, **kwargs: Any) -> None:
    _tell_owner(media, Kind.MEDIA_READY)


@receiver(signals.media_rejected, dispatch_uid="notifications.refused")
def tell_refused(sender: type, media: MediaFile, **kwargs: Any) -> None:
    _tell_owner(media, Kind.MEDIA_REFUSED)


def _tell_owner(media: MediaFile, kind: Kind) -> None:
    news = News(
        kind=kind,
        key=f"{media.pk}:{media.version}",
        group="own",
        media_id=media.pk,
        target="media",
        target_id=media.pk,
    )
    services.notify(recipient=media.owner, news=news)


@receiver(signals.access_granted, dispatch_uid="notifications.shared")
def tell_shared(sender: type, grant: Grant, **kwargs: Any) -> None:
    news = News(
        kind=Kind.SHARED,
        key=str(grant.pk),
        group=f"by:{grant.granted_by_id}",
        actor_id=grant.granted_by_id,
        media_id=grant.media_id,
        target="media" if grant.media_id else "collection",
        target_id=grant.media_id or grant.collection_id,
    )
    people = get_user_model()._default_manager.filter(is_active=True)
    chosen = people.filter(pk=grant.user_id) if grant.user_id else people.filter(groups=grant.group)
    for person in chosen[:MOST_MEMBERS]:
        services.notify(recipient=person, news=news)


@receiver(post_published, dispatch_uid="notifications.post")
def tell_followers(sender: type, post_id: uuid.UUID, author_id: Any, **kwargs: Any) -> None:
    announcing.announce_post(post_id=post_id, author_id=author_id)


@receiver(photos_added, dispatch_uid="notifications.photos")
def tell_guests(
    sender: type, event_id: uuid.UUID, media_ids: list[uuid.UUID], added_by_id: Any, **kwargs: Any
) -> None:
    announcing.announce_photos(event_id=event_id, media_ids=media_ids, added_by_id=added_by_id)


@receiver(guest_invited, dispatch_uid="notifications.invited")
def tell_invited(sender: type, invitation: Invitation, invited_by_id: Any, **kwargs: Any) -> None:
    event = invitation.event
    news = News(
        kind=Kind.INVITED,
        key=str(event.pk),
        group=str(event.pk),
        actor_id=invited_by_id,
        picture_id=event.banner_id,
        target="event",
        target_id=event.pk,
    )
    services.notify(recipient=invitation.user, news=news)


@receiver(signals.webhook_disabled, dispatch_uid="notifications.webhook")
def tell_webhook_off(sender: type, webhook: Webhook, **kwargs: Any) -> None:
    key = f"{webhook.pk}:{webhook.failing_since}"
    services.notify(recipient=webhook.owner, news=News(kind=Kind.WEBHOOK_OFF, key=key[:100]))


@receiver(signals.media_deleted, dispatch_uid="notifications.gone")
def forget_media(sender: type, media_id: Any, **kwargs: Any) -> None:
    services.forget_media(media_id=media_id)


@receiver(post_delete, sender=Post, dispatch_uid="notifications.post_gone")
@receiver(post_delete, sender=Event, dispatch_uid="notifications.event_gone")
def forget_target(sender: type, instance: Post | Event, **kwargs: Any) -> None:
    """However it was deleted. Until a worker has come to it, nobody may see it anyway."""
    dispatch.forget_target_later(instance.pk)
