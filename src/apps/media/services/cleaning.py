"""What goes by itself, and by which rule; done by hand it is the same call as the sweep's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from apps.media.conf import options
from apps.media.models import MediaFile, Tombstone
from apps.media.selectors import is_used
from apps.media.services.deletion import (
    bury_tombstones,
    due_tombstones,
    due_trash,
    due_uploads,
    empty_trash,
    expire_uploads,
)
from apps.media.services.emptying import due_emptied, sweep_emptied
from apps.media.services.hosts import ensure_hosts_known
from apps.media.services.releasing import due_unused, expire_unused
from apps.media.services.versions import due_versions, expire_versions
from apps.media.storage import known_aliases

BATCH = 500
COUNTED = 10_000  # old versions are not counted farther
DAY = 24 * 3600


@dataclass(frozen=True)
class Rule:
    """One reason for something to go. `why` is for operators; `count` and `show` look only, `sweep`
    removes some and returns how many."""

    name: str
    why: Callable[[], str]
    count: Callable[[], int]
    show: Callable[[int], Iterable[str]]
    sweep: Callable[[], int]


def cleanup_rules() -> tuple[Rule, ...]:
    """All of them, in the order in which they are followed: what removes rows before objects."""
    return _RULES


def clean_up(rule: Rule) -> Iterator[int]:
    """Follow `rule` until nothing more goes; yields how many went in each step.

    Raises `HostMissingError`.
    """
    ensure_hosts_known()
    while count := rule.sweep():
        yield count


def tombstones_left() -> dict[str, int]:
    """How many objects wait to be removed from each storage that the settings do not know."""
    left = Tombstone.objects.exclude(storage__in=known_aliases()).order_by("storage")
    return dict(left.values_list("storage").annotate(count=Count("pk")))


def forget_storage(*, alias: str) -> int:
    """End the removal of objects from a storage that the site has left; return of how many.

    What is left there is the operator's. Nothing of a storage that the settings know is forgotten.
    """
    left = Tombstone.objects.exclude(storage__in=known_aliases())
    return left.filter(storage=alias).delete()[0]


def _rule(
    name: str, why: Callable[[], str], due: Callable[[], QuerySet[Any]], sweep: Callable[..., int]
) -> Rule:
    return Rule(
        name,
        why,
        count=lambda: due().count(),
        show=lambda limit: (f"{row.pk} {row}" for row in due()[:limit]),
        sweep=lambda: sweep(limit=BATCH),
    )


def _unused() -> QuerySet[MediaFile]:
    return due_unused().filter(~is_used())


def _trash_days() -> str:
    return f"in the trash for more than {options().trash_lifetime / DAY:g} days (TRASH_LIFETIME)"


def _old_versions() -> str:
    days, kept = options().version_lifetime / DAY, options().versions_kept
    return f"replaced more than {days:g} days ago, or by {kept} newer ones (VERSION_LIFETIME)"


_RULES: tuple[Rule, ...] = (
    _rule("uploads", lambda: "not complete when their time was over", due_uploads, expire_uploads),
    _rule("trash", _trash_days, due_trash, empty_trash),
    _rule("emptied", lambda: "their owners emptied the trash", due_emptied, sweep_emptied),
    Rule(
        "unused",
        lambda: "uploaded for a use, and nothing uses them (UNCLAIMED_LIFETIME, UNUSED_GRACE)",
        count=lambda: _unused().count(),
        show=lambda limit: (f"{row.pk} {row}" for row in _unused()[:limit]),
        sweep=lambda: expire_unused(limit=BATCH),
    ),
    Rule(
        "versions",
        _old_versions,
        count=lambda: len(due_versions(limit=COUNTED)),
        show=lambda limit: (
            f"{media_id} version {number}" for media_id, number in due_versions(limit=limit)
        ),
        sweep=lambda: expire_versions(limit=BATCH),
    ),
    _rule("objects", lambda: "their rows are gone", due_tombstones, bury_tombstones),
)
