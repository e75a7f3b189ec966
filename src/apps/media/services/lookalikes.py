"""Noting which pictures of an owner look the same, and settling which of them stay."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from apps.media import selectors
from apps.media.models import MediaFile
from apps.media.policies import Visitor
from apps.media.services.selections import Outcome, delete_many

MARKED_AT_ONCE = 500


def note_look(*, media: MediaFile) -> None:
    """Note which pictures of its owner look like `media`, whose likeness is saved.

    Compares before it locks. Of two that come at once at least one sees the other, and both name
    the older one.
    """
    near = selectors.find_lookalikes(media=media)
    look = min((look or pk for pk, look in near), default=None)
    if look is not None:
        look = min(look, media.pk)
    with transaction.atomic():
        MediaFile.objects.filter(pk=media.pk, likeness=media.likeness).update(look=look)
        if look is None:
            return
        fresh = MediaFile.objects.filter(
            pk__in=[pk for pk, known in near if known is None][:MARKED_AT_ONCE], look=None
        )
        # Never waits for another file while this one is locked: who is being changed looks itself.
        locked = (
            fresh.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True)
        )
        MediaFile.objects.filter(pk__in=list(locked)).update(look=look)


def keep_of_lookalikes(
    *,
    user: Visitor,
    kept: Collection[uuid.UUID],
    shown: Sequence[uuid.UUID],
    moment: datetime | None = None,
) -> list[Outcome]:
    """Move to the trash what of `shown` looks like one of `kept` and is none of them itself.

    Only where one is kept: a group of which none is chosen stays as it is.
    """
    staying = MediaFile.objects.filter(owner=user.pk, deleted_at=None, pk__in=kept)
    looks = {look for look in staying.values_list("look", flat=True) if look is not None}
    going = selectors.list_of_look(user=user, looks=looks).filter(pk__in=shown)
    ids = list(going.exclude(pk__in=kept).order_by("pk").values_list("pk", flat=True))
    return delete_many(user=user, ids=ids, moment=moment)


def part_lookalikes(*, user: Visitor, look: uuid.UUID) -> int:
    """These are different pictures: they are no group any more; return how many there were."""
    return selectors.list_of_look(user=user, looks=[look]).update(look=None)
