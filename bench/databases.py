"""A PostgreSQL database of a benchmark's own, and rows in it by the hundred thousand."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
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


def copied(model: Any, **others: str | None) -> dict[str, str]:
    """Each column of `model` with what SQL fills it with: what the template row `t` has, unless
    `others` say otherwise; None leaves a column to the database."""
    columns = {field.column: f"t.{field.column}" for field in model._meta.local_concrete_fields}
    told = columns | {name: value for name, value in others.items() if value}
    return {name: value for name, value in told.items() if others.get(name, "") is not None}


@contextmanager
def without_indexes(cursor: Any, tables: Sequence[str], *, when: bool) -> Iterator[None]:
    """Inside, `tables` have only the indexes of their constraints, so that millions of rows come
    fast; `when` not, nothing is changed."""
    if not when:
        yield
        return
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN "
        "(SELECT conname FROM pg_constraint)",
        [list(tables)],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    cursor.execute("SET maintenance_work_mem = '2GB'")
    for _, definition in found:
        cursor.execute(definition)
