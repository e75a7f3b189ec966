"""The words by which a file is found: by everybody who sees it, hence those of what others get."""

from __future__ import annotations

from apps.media.models import MediaFile


def refresh_search_text(media: MediaFile) -> None:
    """After what it is made of has changed."""
    media.search_text = searchable(media)
    MediaFile.objects.filter(pk=media.pk).update(search_text=media.search_text)


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
    parts = [media.title, media.caption, media.alt_text, name, *more]
    return " ".join(part for part in parts if part).casefold()
