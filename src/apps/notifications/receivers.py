"""What other apps tell becomes what people are told.

It is written down in the transaction in which it happens, one row in a savepoint; workers tell the
people (`announcing`).
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from apps.events.models import Event, Invitation
from apps.events.signals import guest_invited, photos_added
from apps.media import signals
from apps.media.models import Grant, MediaFile, Webhook
from apps.notifications import announcing, dispatch, services
from apps.notifications.kinds import Kind
from apps.posts.models import Post
from apps.posts.signals import post_published


@receiver(signals.media_ready.inside, dispatch_uid="notifications.ready")
def tell_ready(sender: type, media: MediaFile, **kwargs: Any) -> None:
    announcing.announce_later(Kind.MEDIA_READY, subject_id=media.pk, actor_id=media.owner_id)


@receiver(signals.media_rejected.inside, dispatch_uid="notifications.refused")
def tell_refused(sender: type, media: MediaFile, **kwargs: Any) -> None:
    announcing.announce_later(Kind.MEDIA_REFUSED, subject_id=media.pk, actor_id=media.owner_id)


@receiver(signals.media_not_remade.inside, dispatch_uid="notifications.not_remade")
def tell_not_remade(sender: type, media: MediaFile, asked: bool, **kwargs: Any) -> None:
    if asked:
        announcing.announce_later(
            Kind.MEDIA_NOT_REMADE, subject_id=media.pk, actor_id=media.owner_id
        )


@receiver(signals.access_granted.inside, dispatch_uid="notifications.shared")
def tell_shared(sender: type, grant: Grant, **kwargs: Any) -> None:
    announcing.announce_later(Kind.SHARED, subject_id=grant.pk, actor_id=grant.granted_by_id)


@receiver(post_published.inside, dispatch_uid="notifications.post")
def tell_followers(sender: type, post_id: uuid.UUID, author_id: Any, **kwargs: Any) -> None:
    announcing.announce_later(Kind.POST, subject_id=post_id, actor_id=author_id)


@receiver(photos_added.inside, dispatch_uid="notifications.photos")
def tell_guests(
    sender: type, event_id: uuid.UUID, media_ids: list[uuid.UUID], added_by_id: Any, **kwargs: Any
) -> None:
    announcing.announce_photos(event_id=event_id, media_ids=media_ids, added_by_id=added_by_id)


@receiver(guest_invited.inside, dispatch_uid="notifications.invited")
def tell_invited(sender: type, invitation: Invitation, invited_by_id: Any, **kwargs: Any) -> None:
    announcing.announce_later(
        Kind.INVITED,
        subject_id=invitation.event_id,
        actor_id=invited_by_id,
        recipient_id=invitation.user_id,
    )


@receiver(signals.webhook_disabled.inside, dispatch_uid="notifications.webhook")
def tell_webhook_off(sender: type, webhook: Webhook, **kwargs: Any) -> None:
    announcing.announce_later(Kind.WEBHOOK_OFF, subject_id=webhook.pk, actor_id=webhook.owner_id)


@receiver(signals.media_deleted, dispatch_uid="notifications.gone")
def forget_media(sender: type, media_id: Any, **kwargs: Any) -> None:
    """After the commit: nobody waits for it, and what a dead process leaves is swept."""
    services.forget_media(media_id=media_id)


@receiver(post_delete, sender=Post, dispatch_uid="notifications.post_gone")
@receiver(post_delete, sender=Event, dispatch_uid="notifications.event_gone")
def forget_target(sender: type, instance: Post | Event, **kwargs: Any) -> None:
    """However it was deleted. Until a worker has come to it, nobody may see it anyway."""
    dispatch.forget_target_later(instance.pk)
