"""Whoever may see an object that uses a file may see the file, if that object's app says so.

An app registers one rule. None registered means no. It may also say how to name its objects to
somebody; what it does not name is not told of but by its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.db.models import Q, QuerySet

from apps.media.policies.roles import Visitor

# Ids of the files (a queryset of one column) that are used by what this visitor may see.
UseRule: TypeAlias = Callable[[Visitor], QuerySet[Any]]
_RULES: dict[str, UseRule] = {}


def register_use_rule(app_label: str, rule: UseRule) -> None:
    """Have the objects of an app open the files they use; call it in `AppConfig.ready`.

    `rule(user)` must stay a query: it becomes part of every list. Once registered, it replaces the
    one before.
    """
    _RULES[app_label] = rule


def forget_use_rule(app_label: str) -> None:
    _RULES.pop(app_label, None)


@dataclass(frozen=True)
class HostUse:
    """One object that uses a file; `field` is the name of its field, or empty where the file is one
    of its attachments."""

    host: Any
    field: str = ""


@dataclass(frozen=True)
class Description:
    """What to call an object that uses a file, and where it is (or empty). `kind` says in a few
    words what it is, where that is more than the name of its model."""

    name: str
    url: str = ""
    kind: str = ""


# Says it of each of these objects, in their order; None of those that this visitor may not see.
UseDescriber: TypeAlias = Callable[[Visitor, Sequence[HostUse]], "Sequence[Description | None]"]
_DESCRIBERS: dict[str, UseDescriber] = {}


def register_use_describer(app_label: str, describer: UseDescriber) -> None:
    """Have the objects of an app named where their files' uses are listed; call it in
    `AppConfig.ready`. `describer(user, uses)` is asked once for all of a list: it should take a
    fixed number of queries."""
    _DESCRIBERS[app_label] = describer


def forget_use_describer(app_label: str) -> None:
    _DESCRIBERS.pop(app_label, None)


def describe_hosts(user: Visitor, uses: Sequence[HostUse]) -> list[Description | None]:
    """How each of these is called for `user`; None where its app does not tell."""
    found: list[Description | None] = [None] * len(uses)
    for label, describer in _DESCRIBERS.items():
        places = [n for n, use in enumerate(uses) if use.host._meta.app_label == label]
        said = describer(user, [uses[n] for n in places]) if places else ()
        for place, description in zip(places, said, strict=True):
            found[place] = description
    return found


def used_where_visible(user: Visitor) -> list[Q]:
    """A condition for each app: of files that are used by what `user` may see."""
    return [Q(pk__in=rule(user)) for _, rule in sorted(_RULES.items())]
