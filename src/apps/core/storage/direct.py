"""Comparing what a client says it has sent with what has arrived."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apps.core.storage.growing import StoredPart


def check_parts(parts: Sequence[StoredPart], *, found: Iterable[StoredPart]) -> list[StoredPart]:
    """The store's own description of `parts`; ValueError if one is not there as described."""
    there = {part.number: part for part in found}
    if not parts or [part.number for part in parts] != list(range(1, len(parts) + 1)):
        raise ValueError("Parts are numbered from 1, without gaps")
    for part in parts:
        if not _is_same(part, there.get(part.number)):
            raise ValueError(f"Part {part.number} is not there as described")
    return [there[part.number] for part in parts]


def _is_same(part: StoredPart, found: StoredPart | None) -> bool:
    if found is None or part.size != found.size:
        return False
    return not part.etag or part.etag.strip('"') == found.etag
