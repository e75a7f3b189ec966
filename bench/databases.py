"""A PostgreSQL database of a benchmark's own, and rows in it by the hundred thousand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg


@contextmanager
def own_database(address: str, name: str) -> Iterator[None]:
    """Inside, DATABASE_URL names an empty database on the server at `address`; dropped at the end.

    Enter it before Django is set up.
    """
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name}")
        os.environ["DATABASE_URL"] = urlunsplit(urlsplit(address)._replace(path=f"/{name}"))
        try:
            yield
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def copied(model: type, **others: str | None) -> dict[str, str]:
    """Each column with what it is filled with: as in the template `t`, unless said otherwise.

    None leaves the column to the database.
    """
    columns = {field.column: f"t.{field.column}" for field in model._meta.local_concrete_fields}  # type: ignore[attr-defined]
    told = columns | {name: value for name, value in others.items() if value}
    return {name: value for name, value in told.items() if others.get(name, "") is not None}
