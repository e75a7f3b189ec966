"""Which languages a project has, and which of them somebody reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import check_for_language, get_language_info


@dataclass(frozen=True)
class Offered:
    """A language to choose; `name` is what those call it who speak it."""

    code: str
    name: str


def offered_languages() -> list[Offered]:
    """All that the project is in, in the order of its settings."""
    return [Offered(code, _own_name(code, str(name))) for code, name in settings.LANGUAGES]


def _own_name(code: str, name: str) -> str:
    try:
        return str(get_language_info(code)["name_local"]).capitalize()
    except KeyError:  # one that Django does not know is called as the settings do
        return name


def is_offered(code: str) -> bool:
    return code in dict(settings.LANGUAGES) and check_for_language(code)


def language_of(person: Any) -> str:
    """What to write to `person` in while they are away: what they chose, else the site's language.

    A user model remembers it in a field `language`, or does not.
    """
    chosen = getattr(person, "language", "")
    return chosen if chosen and is_offered(chosen) else str(settings.LANGUAGE_CODE)
