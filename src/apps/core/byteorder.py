"""Texts in the order of their bytes, as object stores list keys, whatever a database sorts by.

PostgreSQL compares by the language of the database, but has operators that compare bytes. An index
with `varchar_pattern_ops` serves them, and equality besides: Django makes one of each unique text,
all others name the class. Other databases that the project runs on compare bytes anyway.
"""

from __future__ import annotations

from typing import Any

from django.db.models import OrderBy
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual

PATTERN_OPS = "varchar_pattern_ops"  # of an index; ignored where it means nothing


class ByBytes(OrderBy):
    """Ascending order of an expression, by bytes."""

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        # PostgreSQL takes no direction behind an operator, and Django searches its SQL for one.
        return self.as_sql(compiler, connection, template="%(expression)s USING ~<~ /* ASC */")


class BytesBehind(GreaterThan):
    """Whether a text comes behind another, by bytes."""

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return f"~>~ {rhs}" if _has_operators(connection) else super().get_rhs_op(connection, rhs)


class BytesFrom(GreaterThanOrEqual):
    """Whether a text comes behind another or is the same, by bytes."""

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return f"~>=~ {rhs}" if _has_operators(connection) else super().get_rhs_op(connection, rhs)


def _has_operators(connection: Any) -> bool:
    return bool(connection.vendor == "postgresql")
