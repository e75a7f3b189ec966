"""Connections to the database, which are few, and slow work, which is long."""

from __future__ import annotations

from django.db import connection


def lend_connection() -> None:
    """Give the connection of this thread back while it waits for a line or a store.

    The next query takes one again. Inside a transaction it stays, and so does one that is kept
    between requests (`CONN_MAX_AGE`) until it is old: SQLite's are not few, and the last one to be
    closed writes the log back and syncs, in the middle of a request.
    """
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
