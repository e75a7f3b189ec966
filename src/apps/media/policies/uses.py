"""Whoever may see an object that uses a file may see the file, if that object's app says so.

An app registers one rule. None registered means no. It may also say how to name its objects to
somebody; what it does not name is not told of but by its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from django.db.models import Model, Q, QuerySet

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


# What to call an object that uses a file, and where it is; None if this visitor may not know of it.
UseDescriber: TypeAlias = Callable[[Visitor, Model], "tuple[str, str] | None"]
_DESCRIBERS: dict[str, UseDescriber] = {}


def register_use_describer(app_label: str, describer: UseDescriber) -> None:
    """Have the objects of an app named where their files' uses are listed; call it in
    `AppConfig.ready`. `describer(user, host)` returns a name and an address (or empty), or None for
    a visitor who may not see the object."""
    _DESCRIBERS[app_label] = describer


def forget_use_describer(app_label: str) -> None:
    _DESCRIBERS.pop(app_label, None)


def named_to(user: Visitor, host: Model) -> tuple[str, str] | None:
    """Name and address of an object for `user`; None where its app does not tell."""
    describer = _DESCRIBERS.get(host._meta.app_label)
    return describer(user, host) if describer else None


def used_where_visible(user: Visitor) -> list[Q]:
    """A condition for each app: of files that are used by what `user` may see."""
    return [Q(pk__in=rule(user)) for _, rule in sorted(_RULES.items())]
