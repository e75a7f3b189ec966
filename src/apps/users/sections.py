"""What other apps show on a person's page: they register it, so that users import none of them.

A section is a template and the function that reads what it shows. No section registered means
that the page tells of the person alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.http import HttpRequest

from apps.users.models import User

# What the template gets as `section`, of this person for this visitor.
Read: TypeAlias = Callable[[HttpRequest, User], Mapping[str, Any]]


@dataclass(frozen=True)
class Section:
    """One part of the page, as it is shown."""

    template: str
    shown: Mapping[str, Any]


_REGISTERED: dict[str, tuple[str, Read]] = {}


def register_profile_section(app_label: str, *, template: str, read: Read) -> None:
    """Show `template` on every person's page; call it in `AppConfig.ready`.

    It gets what `read(request, person)` returns as `section`. Once registered, it replaces the one
    before.
    """
    _REGISTERED[app_label] = (template, read)


def read_sections(request: HttpRequest, person: User) -> list[Section]:
    """The sections of `person` for whoever asks, by the labels of their apps."""
    registered = (_REGISTERED[label] for label in sorted(_REGISTERED))
    return [Section(template, read(request, person)) for template, read in registered]
