"""Connections to PostgreSQL that end at both ends when the line between is lost."""

from __future__ import annotations

from typing import Any

import psycopg

# What a host held locked when it was lost stays so until the server notices: by itself after hours;
# and for as long as a process is frozen. Nothing here takes its time within a transaction.
# Set on a connection that is made, for poolers refuse such words at its start (PostgreSQL's manual,
# "Connections and Authentication", TCP Settings, and "Statement Behavior").
SERVER_SIDE = {
    "tcp_keepalives_idle": "10",  # seconds
    "tcp_keepalives_interval": "5",  # seconds
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15000",  # milliseconds
    "idle_in_transaction_session_timeout": "2min",
}
_SETTING = "; ".join(f"SET {name} = '{value}'" for name, value in SERVER_SIDE.items())


class Connection(psycopg.Connection[Any]):
    """One that its server gives up, with all its locks, after some 25 seconds without a sign of its
    host, or two minutes within a transaction without a sign of its process."""

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Connection:
        connection = super().connect(*args, **{**kwargs, "autocommit": True})
        try:
            connection.execute(_SETTING)
            connection.autocommit = kwargs.get("autocommit", False)
        except BaseException:
            connection.close()
            raise
        return connection
