"""Connections to PostgreSQL that end at both ends when the line between is lost."""

from __future__ import annotations

from typing import Any

import psycopg

# What a host held locked when it was lost stays so until the server notices: by itself after hours.
# Set on a connection that is made, for poolers refuse such words at its start (PostgreSQL's manual,
# "Connections and Authentication", TCP Settings).
SERVER_SIDE = (
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;"
    "SET tcp_user_timeout = 15000"  # milliseconds
)


class Connection(psycopg.Connection[Any]):
    """One whose server gives it up after some 25 seconds of silence, and all its locks with it."""

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Connection:
        connection = super().connect(*args, **{**kwargs, "autocommit": True})
        try:
            connection.execute(SERVER_SIDE)
            connection.autocommit = kwargs.get("autocommit", False)
        except BaseException:
            connection.close()
            raise
        return connection
