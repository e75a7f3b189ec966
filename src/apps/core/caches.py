"""A cache that all processes of one machine share, in which counting is exact.

Django's caches in files and in the database count by reading and then writing: of 1600 counts by
eight threads in two processes the first kept 203, and of 200 the second kept 28. Here each step is
one statement of SQLite. What is in it may be lost at any time: nothing waits for the disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.exceptions import ImproperlyConfigured
from redis.connection import parse_url
from redis.exceptions import RedisError

# What a cache that does not answer raises.
CACHE_AWAY = (RedisError, sqlite3.Error)
_BUSY_SECONDS = 5
_WRITES_BETWEEN_SWEEPS = 1000
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS entries (
        key TEXT PRIMARY KEY, value TEXT NOT NULL, ends REAL NOT NULL
    ) WITHOUT ROWID
"""
_SET = """
    INSERT INTO entries VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, ends = excluded.ends
"""
_ADD = f"{_SET} WHERE entries.ends <= ? RETURNING 1"
_COUNT = """
    UPDATE entries SET value = CAST(value AS INTEGER) + ? WHERE key = ? AND ends > ?
    RETURNING CAST(value AS INTEGER)
"""


class MachineCache(BaseCache):
    """`LOCATION` is the path of its file. Values are what JSON can say."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._path = Path(location)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._writes = 0

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        ends = self._ends(timeout)
        values = (self._key(key, version), json.dumps(value), ends, _now())
        return self._first(_ADD, *values) is not None

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        statement = "SELECT value FROM entries WHERE key = ? AND ends > ?"
        found = self._first(statement, self._key(key, version), _now())
        return default if found is None else json.loads(found)

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        self._first(_SET, self._key(key, version), json.dumps(value), self._ends(timeout))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        statement = "UPDATE entries SET ends = ? WHERE key = ? AND ends > ? RETURNING 1"
        values = (self._ends(timeout), self._key(key, version), _now())
        return self._first(statement, *values) is not None

    def delete(self, key: str, version: int | None = None) -> bool:
        statement = "DELETE FROM entries WHERE key = ? RETURNING ends"
        ends = self._first(statement, self._key(key, version))
        return bool(ends is not None and ends > _now())

    def clear(self) -> None:
        self._first("DELETE FROM entries")

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """As any cache, but in one step, and the time at which the entry ends stays."""
        counted = self._first(_COUNT, delta, self._key(key, version), _now())
        if counted is None:
            raise ValueError(f"Key {key!r} not found")
        return int(counted)

    def _key(self, key: str, version: int | None) -> str:
        return self.make_and_validate_key(key, version=version)

    def _ends(self, timeout: Any) -> float:
        ends = self.get_backend_timeout(timeout)
        return float("inf") if ends is None else ends

    def _first(self, statement: str, *values: Any) -> Any:
        """Run one statement; return the first value of its first row, if there is one."""
        with self._lock:
            row = self._open().execute(statement, values).fetchone()
            self._writes += not statement.startswith("SELECT")
            if self._writes >= _WRITES_BETWEEN_SWEEPS:
                self._writes = 0
                self._open().execute("DELETE FROM entries WHERE ends <= ?", (_now(),))
        return None if row is None else row[0]

    def _open(self) -> sqlite3.Connection:
        # A connection must not be carried over a fork.
        if self._connection is None or self._process != os.getpid():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite does not wait for others when it changes the journal: one at a time.
            with self._path.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._connection = self._connect()
            self._process = os.getpid()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_SCHEMA)
        return connection


def cache_from_url(url: str, *, folder: Path) -> Mapping[str, Any]:
    """The entry of `CACHES` for `url`: a Redis or Valkey, or without one a file in `folder`."""
    if not url:
        location = str(folder / "cache.sqlite3")
        return {"BACKEND": "apps.core.caches.MachineCache", "LOCATION": location}
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured("CACHE_URL must begin with redis://, rediss:// or unix://.")
    try:
        parse_url(url)  # type: ignore[no-untyped-call]
    except ValueError:  # whose words may hold a part of a password
        told = "CACHE_URL is redis://:password@host:6379/1, with %2F for / in a password and so on."
        raise ImproperlyConfigured(told) from None
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": url,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }


def _now() -> float:
    return time.time()
