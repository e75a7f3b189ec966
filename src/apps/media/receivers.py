"""Cleanup that must happen however a row disappears: service, admin, cascade or bulk delete.

These receivers run inside the deleting transaction and only write: a tombstone for every object
that the row explained, and the owner's account corrected.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import pre_delete
from django.dispatch import receiver

from apps.media.models import Caption, MediaFile, MediaVersion, Rendition, Upload
from apps.media.services.deletion import announce_deletion, raise_tombstone
from apps.media.services.quotas import release_reservation, release_used


@receiver(pre_delete, sender=MediaVersion)
def forget_version(sender: type, instance: MediaVersion, **kwargs: Any) -> None:
    raise_tombstone(storage=instance.storage, key=instance.key)
    release_used(owner_id=instance.media.owner_id, size=instance.size)


@receiver(pre_delete, sender=Rendition)
def forget_rendition(sender: type, instance: Rendition, **kwargs: Any) -> None:
    raise_tombstone(storage=instance.storage, key=instance.key)
    raise_tombstone(storage=instance.storage, key=instance.next_key, still_written=True)


@receiver(pre_delete, sender=Caption)
def forget_caption(sender: type, instance: Caption, **kwargs: Any) -> None:
    raise_tombstone(storage=instance.storage, key=instance.key)


@receiver(pre_delete, sender=Upload)
def forget_upload(sender: type, instance: Upload, **kwargs: Any) -> None:
    if instance.state == Upload.State.COMPLETED:
        return
    raise_tombstone(storage=instance.storage, key=instance.key, still_written=True)
    raise_tombstone(storage=instance.storage, key=instance.final_key, still_written=True)
    release_reservation(owner_id=instance.owner_id, size=instance.reserved)


@receiver(pre_delete, sender=MediaFile)
def tell_deleted(sender: type, instance: MediaFile, **kwargs: Any) -> None:
    announce_deletion(instance)
