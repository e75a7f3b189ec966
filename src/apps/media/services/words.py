"""The words by which a file is found: by everybody who sees it, hence those of what others get."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.media.models import MediaFile, MediaVersion, Tag

AT_ONCE = 100  # files, with the words of as many documents in memory


def refresh_search_text(media: MediaFile) -> None:
    """After what it is made of has changed."""
    media.search_text = searchable(media)
    MediaFile.objects.filter(pk=media.pk).update(search_text=media.search_text)


def refresh_search_texts(rows: Sequence[MediaFile]) -> None:
    """The same of many files, some in each query; they are changed now."""
    now = timezone.now()
    for start in range(0, len(rows), AT_ONCE):
        batch = rows[start : start + AT_ONCE]
        tags, shown = _tags_of(batch), _shown_of(batch)
        for media in batch:
            name, text = shown.get(media.pk, (media.original_name, ""))
            media.search_text = _joined(media, name, [*tags[media.pk], text])
            media.updated_at = now
        MediaFile.objects.bulk_update(batch, ["search_text", "updated_at"])


def refresh_search_texts_of(tag: Tag) -> None:
    """The same of all files with that tag, however many these are."""
    ids = list(tag.media_files.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), AT_ONCE):
        batch = MediaFile.objects.filter(pk__in=ids[start : start + AT_ONCE])
        refresh_search_texts(list(batch.defer("search_text", "owner_text")))


def _tags_of(rows: Sequence[MediaFile]) -> dict[object, list[str]]:
    tags: dict[object, list[str]] = defaultdict(list)
    carried = MediaFile.tags.through.objects.filter(mediafile__in=[media.pk for media in rows])
    for pk, name in carried.order_by("pk").values_list("mediafile", "tag__name"):
        tags[pk].append(name)
    return tags


def _shown_of(rows: Sequence[MediaFile]) -> dict[object, tuple[str, str]]:
    shown = MediaVersion.objects.filter(
        media__in=[media.pk for media in rows],
        number=Coalesce(F("media__published_version"), F("media__version")),
    )
    return {
        pk: (name, text) for pk, name, text in shown.values_list("media", "original_name", "text")
    }


def searchable(media: MediaFile) -> str:
    """The words a media file is found by: what its owner says of it, and those in a document.

    While a new version is not yet good, the name and the words of the last good one.
    """
    name, more = media.original_name, []
    if not media._state.adding:
        number = media.published_version or media.version
        shown = media.versions.filter(number=number).values_list("original_name", "text").first()
        name, text = shown or (name, "")
        more = [*media.tags.values_list("name", flat=True), text]
    return _joined(media, name, more)


def _joined(media: MediaFile, name: str, more: list[str]) -> str:
    parts = [media.title, media.caption, media.alt_text, name, *more]
    return " ".join(part for part in parts if part).casefold()
