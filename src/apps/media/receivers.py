"""Cleanup that must happen however a row disappears: service, admin, cascade or bulk delete.

These receivers run inside the deleting transaction and only write: a tombstone for every object
that the row explained, and the owner's account corrected.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import receiver

from apps.media import selectors
from apps.media.models import Caption, Collection, MediaFile, MediaVersion, Rendition, Upload
from apps.media.services.deletion import (
    announce_deletion,
    announce_withdrawal,
    raise_late_tombstone,
    raise_tombstone,
)
from apps.media.services.quotas import release_bytes, release_file, release_reservation
from apps.media.services.releasing import release_later
from apps.media.services.trees import lift_out_of


def watch_uses() -> None:
    """Notice at once when a row that uses a file goes; call it when all models are there.

    Connected model by model: a receiver for all of them would make every deletion of the project
    read its rows first.
    """
    for model in selectors.using_models():
        post_delete.connect(note_use_gone, sender=model, dispatch_uid="media.use_gone")


def note_use_gone(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    used = {getattr(instance, name) for name in selectors.using_columns(sender)} - {None}
    if used:
        release_later(used)


@receiver(pre_delete, sender=MediaVersion)
def forget_version(sender: type, instance: MediaVersion, **kwargs: Any) -> None:
    for storage, key in _held(instance, "storage", "key"):
        raise_late_tombstone(storage=storage, key=key)
    release_bytes(instance)


@receiver(pre_delete, sender=Rendition)
def forget_rendition(sender: type, instance: Rendition, **kwargs: Any) -> None:
    for storage, key, next_key in _held(instance, "storage", "key", "next_key"):
        raise_tombstone(storage=storage, key=key)
        raise_tombstone(storage=storage, key=next_key, still_written=True)


@receiver(pre_delete, sender=Caption)
def forget_caption(sender: type, instance: Caption, **kwargs: Any) -> None:
    for storage, key in _held(instance, "storage", "key"):
        raise_late_tombstone(storage=storage, key=key)


@receiver(pre_delete, sender=Upload)
def forget_upload(sender: type, instance: Upload, **kwargs: Any) -> None:
    # As it is now: another request may have written more since, or have made a file of it.
    upload = Upload.objects.select_for_update().filter(pk=instance.pk).first()
    if upload is None or upload.state == Upload.State.COMPLETED:
        return
    raise_tombstone(
        storage=upload.storage,
        key=upload.key,
        still_written=True,
        due_at=upload.expires_at if upload.source == Upload.Source.DIRECT else None,
        storage_state=upload.storage_state,
    )
    if upload.final_key != upload.key:
        raise_tombstone(storage=upload.storage, key=upload.final_key, still_written=True)
    release_reservation(upload)


@receiver(pre_delete, sender=Collection)
def forget_collection(sender: type, instance: Collection, **kwargs: Any) -> None:
    lift_out_of(instance)


@receiver(pre_delete, sender=MediaFile)
def forget_media(sender: type, instance: MediaFile, **kwargs: Any) -> None:
    release_file(instance)
    announce_withdrawal(instance)
    announce_deletion(instance)


def _held(instance: Model, *names: str) -> QuerySet[Any, tuple[Any, ...]]:
    """What stands in those columns now, locked until the transaction ends: the row may have moved
    to another storage since `instance` was read. Nothing where it is gone."""
    rows = type(instance)._default_manager.select_for_update().filter(pk=instance.pk)
    return rows.values_list(*names)
