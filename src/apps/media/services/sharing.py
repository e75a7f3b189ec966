"""Share links: made, taken back, and counted; and what has ended goes, grants as well."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from apps.core.words import gettext_noop as _
from apps.media import dispatch
from apps.media.exceptions import BadRequestError, NotVisibleError
from apps.media.models import AuditEvent, Grant, ShareLink
from apps.media.policies import Shared, Visitor
from apps.media.services.auditing import note
from apps.media.services.granting import (
    ensure_in_future,
    ensure_may_share,
    kind_of,
    lock_shared,
)

MAX_PASSWORD = 1024  # characters
BATCH = 500
ENDED_SHOWN = timedelta(days=30)  # so long do those who share still see what has ended


def create_share_link(
    *,
    user: Visitor,
    media: Shared,
    expires_at: datetime | None = None,
    password: str | None = None,
    max_downloads: int | None = None,
) -> ShareLink:
    """A new address that opens `media` to whoever has it, or a collection with all below it.

    `max_downloads` counts originals that are taken away. Raises `ForbiddenError` unless `user` may
    share it, `ExpiryInPastError`, `BadRequestError`.
    """
    ensure_may_share(user, media)
    ensure_in_future(expires_at)
    if max_downloads is not None and max_downloads < 1:
        raise BadRequestError(detail=_("A link is good for at least one download."))
    if password and len(password) > MAX_PASSWORD:
        raise BadRequestError(detail=_("This password is too long."))
    hashed = make_password(password) if password else ""  # slow: before anything is locked
    with transaction.atomic():
        locked = lock_shared(media)
        ensure_may_share(user, locked)
        link = ShareLink.objects.create(
            **kind_of(locked),
            created_by_id=user.pk or 0,
            expires_at=expires_at,
            password=hashed,
            max_downloads=max_downloads,
        )
        note(
            AuditEvent.Act.LINK_MADE,
            user=user,
            **kind_of(locked),
            link=str(link.pk),
            expires_at=expires_at.isoformat() if expires_at else None,
            has_password=link.has_password,
            max_downloads=max_downloads,
        )
    return link


@transaction.atomic
def revoke_share_link(*, user: Visitor, link: ShareLink) -> None:
    """End a link at once. Raises `ForbiddenError`; `NotVisibleError` when it is gone already."""
    shared = link.media or link.collection
    ensure_may_share(user, shared)
    gone, _ = ShareLink.objects.filter(pk=link.pk).delete()
    if not gone:
        raise NotVisibleError(link.pk)
    note(AuditEvent.Act.LINK_REVOKED, user=user, **kind_of(shared), link=str(link.pk))


def count_download(*, link: ShareLink) -> None:
    """Take one of the downloads that `link` is good for; as many as come at once, never one more.

    Raises `NotVisibleError` when none is left, or the link was taken back.
    """
    left = Q(max_downloads=None) | Q(downloads__lt=F("max_downloads"))
    rows = ShareLink.objects.filter(left, pk=link.pk)
    if not rows.update(downloads=F("downloads") + 1):
        raise NotVisibleError(link.pk)


def sweep_ended_shares(*, limit: int = BATCH) -> int:
    """Remove grants and links that ended more than `ENDED_SHOWN` ago, at most `limit` of each;
    return how many. They open nothing since they ended, so that nobody is told."""
    ended = Q(expires_at__lt=timezone.now() - ENDED_SHOWN)
    gone = _sweep(Grant, ended, limit) + _sweep(ShareLink, ended, limit)
    return dispatch.maybe_sweep_again(dispatch.SWEEP_ENDED_SHARES, done=gone, limit=limit)


def _sweep(model: type[Grant] | type[ShareLink], ended: Q, limit: int) -> int:
    rows = model._default_manager.filter(ended)
    due = list(rows.order_by("expires_at").values_list("pk", flat=True)[:limit])
    gone, _ = rows.filter(pk__in=due).delete()  # not what was prolonged meanwhile
    return gone
