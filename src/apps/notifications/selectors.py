"""What can be known of notifications: by their recipient alone. Writes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext

from apps.events.selectors import list_events_of
from apps.media import selectors as media_selectors
from apps.media.models import MediaFile, Rendition
from apps.notifications.exceptions import NotThereError
from apps.notifications.kinds import DEFAULTS, Email, Kind, Ways
from apps.notifications.models import Notification, Preference
from apps.posts.selectors import list_followed_posts
from apps.users.selectors import show_faces

MOST_COUNTED = 100  # the bell says "99+"
PREVIEWS = ("w640.jpg", "w320.jpg", "poster.jpg", "cover.jpg", "thumb.webp")  # the best for mails
LARGEST_PREVIEW = 512 * 1024  # bytes
LONGEST_QUOTE = 80  # characters of a post


@dataclass(frozen=True)
class Shown:
    """A notification with the file, and the post, event or collection, that its reader may see of
    it."""

    row: Notification
    media: MediaFile | None
    subject: Any = None

    @property
    def text(self) -> str:
        """On one line, whatever is in the names: in mails, lines of text are ours alone."""
        return " ".join(_TEXTS[Kind(self.row.kind)](self).split())

    @property
    def url(self) -> str:
        """Where it leads to."""
        if self.row.count > 1 and self.row.target == "media":
            return reverse("media:library")
        if self.row.count > 1 and self.row.kind == Kind.POST and self.row.actor is not None:
            return self.row.actor.get_absolute_url()
        thing = self.media if self.row.target == "media" else self.subject
        if thing is not None:
            return str(thing.get_absolute_url())
        return reverse("notifications:list")

    @property
    def icon(self) -> str:
        """The sign that stands for it where there is no picture."""
        return _ICONS.get(self.row.target, "bell")

    @property
    def is_there(self) -> bool:
        """Whether its reader may still see what it tells of."""
        if self.row.target == "media":
            return self.media is not None
        return self.row.target not in _SUBJECTS or self.subject is not None

    @property
    def who(self) -> str:
        return self.row.actor.shown_name if self.row.actor else gettext("Somebody")


def _ready(shown: Shown) -> str:
    count = shown.row.count
    if count > 1:
        words = ngettext(
            "%(count)s of your files is ready", "%(count)s of your files are ready", count
        )
        return words % {"count": count}
    if shown.media is None:
        return gettext("Ready: a file that is no longer there")
    return gettext("Ready: “%(file)s”") % {"file": shown.media}


def _refused(shown: Shown) -> str:
    count = shown.row.count
    if count > 1:
        words = ngettext(
            "%(count)s of your files was refused", "%(count)s of your files were refused", count
        )
        return words % {"count": count}
    if shown.media is None:
        return gettext("Refused: a file that is no longer there.")
    values = {"file": shown.media, "reason": shown.media.failure_message}
    return (gettext("Refused: “%(file)s”. %(reason)s") % values).strip()


def _not_remade(shown: Shown) -> str:
    count = shown.row.count
    if count > 1:
        words = ngettext(
            "%(count)s change of your files could not be made",
            "%(count)s changes of your files could not be made",
            count,
        )
        return words % {"count": count}
    if shown.media is None:
        return gettext("A change could not be made of a file that is no longer there")
    words = gettext("A change of “%(file)s” could not be made; it is as it was")
    return words % {"file": shown.media}


def _shared(shown: Shown) -> str:
    return _shared_words(shown) % {
        "who": shown.who,
        "count": shown.row.count,
        "file": shown.media,
        "title": shown.subject.title if shown.subject else "",
    }


def _shared_words(shown: Shown) -> str:
    count = shown.row.count
    if count > 1:
        return ngettext(
            "%(who)s shared %(count)s thing with you",
            "%(who)s shared %(count)s things with you",
            count,
        )
    if shown.row.target == "collection":
        if shown.subject is None:
            return gettext("%(who)s shared a collection with you")
        return gettext("%(who)s shared the collection “%(title)s” with you")
    if shown.media is None:
        return gettext("%(who)s shared a file that is no longer there with you")
    return gettext("%(who)s shared “%(file)s” with you")


def _posted(shown: Shown) -> str:
    text = " ".join(shown.subject.text.split()) if shown.subject else ""
    return _posted_words(shown) % {
        "who": shown.who,
        "count": shown.row.count,
        "text": Truncator(text).chars(LONGEST_QUOTE),
    }


def _posted_words(shown: Shown) -> str:
    count = shown.row.count
    if count > 1:
        return ngettext("%(who)s wrote %(count)s post", "%(who)s wrote %(count)s posts", count)
    if shown.subject is None:
        return gettext("%(who)s wrote a post that you can no longer see")
    if shown.subject.text:
        return gettext("%(who)s posted: “%(text)s”")
    if shown.media is not None and shown.media.media_type == "video":
        return gettext("%(who)s posted a video")
    return gettext("%(who)s posted a photo")


def _added(shown: Shown) -> str:
    values = {"who": shown.who, "count": shown.row.count, "event": shown.subject}
    return _added_words(shown) % values


def _added_words(shown: Shown) -> str:
    count = shown.row.count
    if shown.subject is None:
        return ngettext(
            "%(who)s added a photo to an event that you can no longer see",
            "%(who)s added %(count)s photos to an event that you can no longer see",
            count,
        )
    return ngettext(
        "%(who)s added a photo to “%(event)s”",
        "%(who)s added %(count)s photos to “%(event)s”",
        count,
    )


def _invited(shown: Shown) -> str:
    if shown.subject is None:
        words = gettext("%(who)s invited you to an event that you can no longer see")
    else:
        words = gettext("%(who)s invited you to “%(event)s”")
    return words % {"who": shown.who, "event": shown.subject}


def _turned_off(shown: Shown) -> str:
    return gettext("A webhook of yours was turned off: nothing was accepted there")


_TEXTS = {
    Kind.MEDIA_READY: _ready,
    Kind.MEDIA_REFUSED: _refused,
    Kind.MEDIA_NOT_REMADE: _not_remade,
    Kind.SHARED: _shared,
    Kind.POST: _posted,
    Kind.EVENT_MEDIA: _added,
    Kind.INVITED: _invited,
    Kind.WEBHOOK_OFF: _turned_off,
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


def count_unread_of(user_ids: Iterable[Any]) -> dict[Any, int]:
    """The same of many people, by their keys, without those who have none: one query."""
    rows = Notification.objects.filter(recipient__in=list(user_ids), in_page=True, read_at=None)
    counted = rows.order_by().values_list("recipient").annotate(count=Count("pk"))
    return {key: min(count, MOST_COUNTED) for key, count in counted}


def get_notification(*, user: Any, notification_id: uuid.UUID) -> Notification:
    """Raises `NotThereError`."""
    found = list_notifications(user=user).filter(pk=notification_id).first()
    if found is None:
        raise NotThereError(notification_id)
    return found


def show(user: Any, rows: Iterable[Notification]) -> list[Shown]:
    """`rows` with what `user` may see of their files and subjects, and the faces of those who did
    it: a fixed number of queries."""
    kept = list(rows)
    show_faces(user, [row.actor for row in kept if row.actor is not None])
    files = _visible(user, list({row.media_id for row in kept if row.media_id}))
    subjects = _visible_subjects(user, kept)
    return [_shown(row, files.get(row.media_id), subjects.get(row.target_id)) for row in kept]


def _shown(row: Notification, media: MediaFile | None, subject: Any) -> Shown:
    """A picture of what they may not see is not shown, whoever else shows it to them."""
    is_hidden = row.target in _SUBJECTS and subject is None
    return Shown(row, None if is_hidden else media, subject)


def _visible_subjects(user: Any, rows: Sequence[Notification]) -> dict[uuid.UUID | None, Any]:
    found: dict[uuid.UUID | None, Any] = {}
    for target, read in _SUBJECTS.items():
        ids = {row.target_id for row in rows if row.target == target and row.target_id}
        found |= read(user, ids) if ids else {}
    return found


def _collections(user: Any, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Any]:
    rows = media_selectors.list_visible_collections(user=user).filter(pk__in=ids)
    return {row.pk: row for row in rows}


_ICONS = {"media": "photos", "collection": "folder", "post": "posts", "event": "calendar"}
_SUBJECTS: dict[str, Callable[[Any, Iterable[uuid.UUID]], Mapping[uuid.UUID, Any]]] = {
    "collection": _collections,
    "post": lambda user, ids: list_followed_posts(user=user, ids=ids),
    "event": lambda user, ids: list_events_of(user=user, ids=ids),
}


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


def ways_of_many(users: Iterable[Any], kind: Kind) -> dict[Any, Ways]:
    """How each of `users` wants to be told of `kind`, by their keys: one query."""
    keys = [user.pk for user in users]
    rows = Preference.objects.filter(user__in=keys, kind=kind)
    said = {row.user_id: Ways(in_page=row.in_page, email=Email(row.email)) for row in rows}
    return {key: said.get(key, DEFAULTS[kind]) for key in keys}


def find_preview(*, media: MediaFile) -> Rendition | None:
    """A small picture of a detailed file that is fit for others, if there is one."""
    if not media.usable:
        return None
    rows = {row.name: row for row in media.current_renditions}
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
