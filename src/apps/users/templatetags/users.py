"""Template tags for people: `{% load users %}`."""

from __future__ import annotations

from typing import Any

from django import template

from apps.media.links import rendition_url
from apps.users import selectors
from apps.users.models import User

register = template.Library()

HUES = 6  # colours that the style sheet knows for those who have no picture
LETTERS = 2
SIDES = {"bar": 36, "small": 40, "large": 128}  # pixels


@register.inclusion_tag("users/parts/avatar.html")
def avatar(person: User, size: str = "small") -> dict[str, Any]:
    """The picture of `person`, if `selectors.show_faces` found one, or their initials, which cost
    no request. Says nothing to readers of screens: the name stands beside it.

    `size`: `bar` (36 px), `small` (40 px) or `large` (128 px).
    """
    return {
        "person": person,
        "size": size,
        "side": SIDES[size],
        "picture": rendition_url(person.face.media, person.face) if person.face else "",
    }


@register.inclusion_tag("users/parts/avatar.html", takes_context=True)
def own_avatar(context: Any) -> dict[str, Any]:
    """The picture of whoever looks at the page, for the navigation: one query, none without one."""
    user = context["request"].user
    selectors.show_faces(user, [user])
    return avatar(user, "bar")


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
