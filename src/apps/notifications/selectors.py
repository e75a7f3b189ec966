"""What can be known of notifications: by their recipient alone. Writes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from apps.media import selectors as media_selectors
from apps.media.models import MediaFile, Rendition
from apps.notifications.exceptions import NotThereError
from apps.notifications.kinds import DEFAULTS, Kind, Ways
from apps.notifications.models import Notification, Preference

MOST_COUNTED = 100  # the bell says "99+"
PREVIEWS = ("w320.jpg", "w640.jpg", "poster.jpg", "cover.jpg", "thumb.webp")  # the best for mails
LARGEST_PREVIEW = 512 * 1024  # bytes


@dataclass(frozen=True)
class Shown:
    """A notification with the file that its reader may see of it."""

    row: Notification
    media: MediaFile | None

    @property
    def text(self) -> str:
        return _TEXTS[Kind(self.row.kind)](self)

    @property
    def url(self) -> str:
        """Where it leads to."""
        if self.row.count > 1 and self.row.target == "media":
            return reverse("media:library")
        if self.row.target == "media" and self.media is not None:
            return self.media.get_absolute_url()
        if self.row.target == "collection":
            return reverse("media:collection", args=[self.row.target_id])
        return reverse("notifications:list")

    @property
    def title(self) -> str:
        """What the file is called: as it is now, and only to those who may see it."""
        return f"“{self.media}”" if self.media is not None else "a file that is no longer there"

    @property
    def who(self) -> str:
        return self.row.actor.get_username() if self.row.actor else "Somebody"


def _ready(shown: Shown) -> str:
    if shown.row.count > 1:
        return f"{shown.row.count} of your files are ready"
    return f"Ready: {shown.title}"


def _refused(shown: Shown) -> str:
    if shown.row.count > 1:
        return f"{shown.row.count} of your files were refused"
    reason = shown.media.failure_message if shown.media else ""
    return f"Refused: {shown.title}. {reason}".strip()


def _shared(shown: Shown) -> str:
    if shown.row.count > 1:
        return f"{shown.who} shared {shown.row.count} things with you"
    if shown.row.target == "collection":
        return f"{shown.who} shared a collection with you"
    return f"{shown.who} shared {shown.title} with you"


_TEXTS = {
    Kind.MEDIA_READY: _ready,
    Kind.MEDIA_REFUSED: _refused,
    Kind.SHARED: _shared,
    Kind.WEBHOOK_OFF: lambda shown: "A webhook of yours was turned off: nothing was accepted there",
}


def list_notifications(*, user: Any, unread: bool = False) -> QuerySet[Notification]:
    """What `user` is told in the page, the newest first."""
    rows = Notification.objects.filter(recipient=user.pk, in_page=True)
    if unread:
        rows = rows.filter(read_at=None)
    return rows.select_related("actor").order_by("-pk")


def count_unread(*, user: Any) -> int:
    """How many are unread, at most `MOST_COUNTED`: one query."""
    return list_notifications(user=user, unread=True).order_by()[:MOST_COUNTED].count()


def get_notification(*, user: Any, notification_id: uuid.UUID) -> Notification:
    """Raises `NotThereError`."""
    found = list_notifications(user=user).filter(pk=notification_id).first()
    if found is None:
        raise NotThereError(notification_id)
    return found


def show(user: Any, rows: Iterable[Notification]) -> list[Shown]:
    """`rows` with what `user` may see of their files: a fixed number of queries."""
    kept = list(rows)
    ids = {row.media_id for row in kept if row.media_id}
    found = _visible(user, list(ids))
    return [Shown(row, found.get(row.media_id)) for row in kept]


def _visible(user: Any, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, MediaFile]:
    if not ids:
        return {}
    visible = media_selectors.list_media_by_ids(user=user, ids=ids)
    alive = [pk for pk, media in visible.items() if media.deleted_at is None]
    detailed = media_selectors.with_details(MediaFile.objects.filter(pk__in=alive))
    return {media.pk: media for media in media_selectors.shown_to(user, list(detailed))}


def ways_of(user: Any) -> dict[Kind, Ways]:
    """How `user` wants to be told of each kind."""
    rows = Preference.objects.filter(user=user.pk)
    said = {row.kind: Ways(in_page=row.in_page, email=row.email) for row in rows}  # type: ignore[arg-type]
    return {kind: said.get(kind, default) for kind, default in DEFAULTS.items()}


def find_preview(*, media: MediaFile) -> Rendition | None:
    """A small picture of a detailed file that is fit for others, if there is one."""
    if not media.usable:
        return None
    rows = {row.name: row for row in media.current_renditions}  # type: ignore[attr-defined]
    found = (rows.get(name) for name in PREVIEWS)
    return next((row for row in found if row and row.size <= LARGEST_PREVIEW), None)


def get_preview(*, token: str) -> tuple[MediaFile, Rendition]:
    """The picture that a mail shows: as long as its reader may see the file.

    Raises `NotThereError` for everything else.
    """
    rows = Notification.objects.filter(preview_token=token, recipient__is_active=True)
    row = None if "\0" in token else rows.select_related("recipient").first()
    if row is None:
        raise NotThereError("preview")
    (shown,) = show(row.recipient, [row])
    preview = shown.media and find_preview(media=shown.media)
    if shown.media is None or preview is None:
        raise NotThereError("preview")
    # As somebody else gets it: nobody knows who looks at a mail.
    media_selectors.get_signed_media(media_id=shown.media.pk, version=shown.media.version)
    return shown.media, preview
