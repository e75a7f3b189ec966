"""Nothing is compared or removed while an app that may use files is missing."""

from __future__ import annotations

from apps.media.exceptions import HostMissingError
from apps.media.selectors.hosts import list_unknown_references


def ensure_hosts_known() -> None:
    """Raise `HostMissingError` when the database has uses of files of no installed app."""
    if unknown := list_unknown_references():
        raise HostMissingError(*unknown, values={"tables": ", ".join(unknown)})
