"""Renditions that are made when somebody asks for them, and kept up to date while served."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import timedelta

from django.utils import timezone

from apps.core.words import gettext_noop as _
from apps.media import selectors
from apps.media.conf import options
from apps.media.exceptions import NotVisibleError, RejectedError
from apps.media.models import MediaFile, Rendition, Status
from apps.media.processing.recipes import CHAPTERS, CLEAN, PAPER, TEXT, RecipeSet, is_for_uses
from apps.media.processing.types import Recipe
from apps.media.services.rendering import find_recipe, fingerprint_for, request_rendition

PAUSE = timedelta(minutes=10)  # before what could not be made is tried again
# Of one file, whoever asks: a book has a thousand pages, and its readers are not the only ones who
# wait. The next ones are made when they are asked for again.
MOST_AT_ONCE = 8


def find_or_request_rendition(
    *, media: MediaFile, name: str, admit: Callable[[], None] = lambda: None
) -> Rendition | None:
    """The rendition to serve under that name, or None while it is being made.

    `admit` is called before work is begun that is not under way, and may raise. The copy of an old
    recipe serves until the new one is there. Raises `NotVisibleError` for a name that such a file
    has no rendition of, and `RejectedError` with the code of what went wrong when it could not be
    made.
    """
    if name == CLEAN.name:  # its address is that of the original
        raise NotVisibleError(media.pk, name)
    row = selectors.find_rendition(media=media, name=name)
    if row is None:
        _request_missing(media, name, admit)
    elif media.status == Status.READY and _is_outdated(media, row):
        _request_again(media, name)
    return row


def _request_missing(media: MediaFile, name: str, admit: Callable[[], None]) -> None:
    recipe = find_recipe(media.current, name)
    if recipe is None or not _is_asked_for(media, name):
        raise NotVisibleError(media.pk, name)
    if media.status in {Status.FAILED, Status.QUARANTINED}:
        raise _failure(media.failure_code, media.failure_message)
    if not media.is_finished and recipe.when != "asked":
        return  # it is under way with all the others
    if code := _failed_lately(media, name):
        raise _failure(code, _("This could not be made of the file."))
    under_way = selectors.list_requested_names(media=media)
    if name not in under_way:
        if len(under_way) >= MOST_AT_ONCE:
            return
        admit()
    if not request_rendition(media=media, name=name):
        raise NotVisibleError(media.pk, name)


def _is_asked_for(media: MediaFile, name: str) -> bool:
    """What shows a use is made for uses only: nobody has a thousand crops made by their names."""
    return not is_for_uses(name) or name in selectors.list_use_names(media_id=media.pk)


def _request_again(media: MediaFile, name: str) -> None:
    if _failed_lately(media, name):
        return
    if len(selectors.list_requested_names(media=media)) < MOST_AT_ONCE:
        request_rendition(media=media, name=name)


def _failed_lately(media: MediaFile, name: str) -> str:
    """The code of the failure; empty when there was none."""
    job = selectors.find_failed_request(media=media, name=name, since=timezone.now() - PAUSE)
    return (job.error_code or RejectedError.code) if job else ""


def _failure(code: str, detail: str) -> RejectedError:
    error = RejectedError(code, detail=detail)
    error.code = code
    return error


def _is_outdated(media: MediaFile, row: Rendition) -> bool:
    """Whether the recipe of today would make something else.

    Nearly always a recipe of that name in any set says no; only else the version is read to find
    the one recipe that counts.
    """
    if row.name == Rendition.FALLBACK or is_for_uses(row.name):
        return False  # crops are made anew when their uses, or the file, change
    fingerprints = {fingerprint_for(one, media) for one in _every_recipe() if one.name == row.name}
    if row.fingerprint in fingerprints:
        return False
    version = media.current
    recipe = find_recipe(version, row.name)
    wanted = fingerprint_for(recipe, media, version.poster_at) if recipe else row.fingerprint
    return wanted != row.fingerprint


def _every_recipe() -> Iterator[Recipe]:
    chosen = options().recipes
    known = RecipeSet(images=chosen) if chosen else RecipeSet()
    for field in fields(known):
        yield from getattr(known, field.name)
    yield from (TEXT, PAPER, CHAPTERS)
