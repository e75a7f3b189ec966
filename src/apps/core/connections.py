"""Connections to the database, which are few, and slow work, which is long."""

from __future__ import annotations

from django.db import connection


def lend_connection() -> None:
    """Give the connection of this thread back while it waits for a line or a store.

    The next query takes one again. Inside a transaction it stays.
    """
    if not connection.in_atomic_block:
        connection.close()
