"""Template tags for people: `{% load users %}`."""

from __future__ import annotations

from typing import Any

from django import template

from apps.media.models import MediaFile
from apps.media.templatetags.media import media_has_picture, media_url
from apps.users.models import User

register = template.Library()

HUES = 6  # colours that the style sheet knows for those who have no picture
LETTERS = 2
SIDES = {"small": 40, "large": 128}  # pixels


@register.inclusion_tag("users/parts/avatar.html")
def avatar(person: User, size: str = "small") -> dict[str, Any]:
    """The picture of `person`, or their initials, which cost no request. Says nothing to readers of
    screens: the name stands beside it.

    `size`: `small` (40 px) or `large` (128 px).
    """
    return {
        "person": person,
        "size": size,
        "side": SIDES[size],
        "picture": _picture(person.avatar),
    }


@register.filter
def hue(person: User) -> int:
    """Which of the style sheet's colours stands for somebody without a picture."""
    return int(person.pk) % HUES


@register.filter
def initials(person: User) -> str:
    """One letter or two of what the person is called."""
    words = person.shown_name.split() or ["?"]
    chosen = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0] for word in chosen[:LETTERS]).upper()


def _picture(media: MediaFile | None) -> str:
    """The address of the square picture; empty where there is none to show (yet)."""
    if media is None or media.deleted_at is not None or not media_has_picture(media):
        return ""
    return media_url(media, "thumb.webp")
