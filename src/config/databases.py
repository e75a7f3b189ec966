"""How connections to the database are made, kept and given up, by what the database is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

KEPT = 60  # seconds between requests


def database_settings(named: dict[str, Any], data_dir: Path) -> dict[str, Any]:
    """Django's settings for the database that a URL has `named`."""
    common = {**named, "CONN_HEALTH_CHECKS": True}
    engine = named["ENGINE"]
    if engine.endswith("sqlite3"):
        data_dir.mkdir(parents=True, exist_ok=True)
        return common | _sqlite(data_dir)
    # Slow lines are hundreds of threads: one that is done, or waits, gives its connection back.
    found = common | {"CONN_MAX_AGE": 0}
    if engine.endswith("postgresql"):
        found["OPTIONS"] = {**_postgresql(), **named.get("OPTIONS", {})}
    return found


def _sqlite(data_dir: Path) -> dict[str, Any]:
    return {
        # The last connection takes the write-ahead log along: it would be written back after every
        # request.
        "CONN_MAX_AGE": KEPT,
        # WAL lets readers go on beside the one writer; IMMEDIATE takes the write lock at BEGIN, so
        # that two transactions wait for each other instead of failing half-way (SQLite docs,
        # "WAL"). FULL syncs the log at every commit: what was acknowledged outlives a power cut.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
        # In a file, as in service: SQLite's shared memory database locks by other rules. The name
        # keeps test runs side by side apart.
        "TEST": {"NAME": data_dir / f"test-{os.getpid()}.sqlite3"},
    }


def _postgresql() -> dict[str, Any]:
    """What the URL says goes before. Seconds, but for milliseconds (libpq's parameters)."""
    from config.postgresql import Connection  # noqa: PLC0415  only where it is wanted

    return {
        # A server behind a dead line says nothing: whoever asks is told within seconds, not hours.
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,  # milliseconds
        # A connection costs more than most requests (a process at the server, TLS), and the server
        # has places for a hundred: those of a process are lent to its threads one after the other.
        "pool": {
            "min_size": 0,
            "max_size": 16,
            "timeout": 5,
            "reconnect_timeout": 5,
            "max_idle": 60,
            "connection_class": Connection,
        },
    }
