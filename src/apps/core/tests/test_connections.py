"""Connections are given back for the time of slow work, where they are few."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from apps.core.connections import lend_connection

THREADS = 40


def _open_with(max_age: int | None, settings_of: Any) -> None:
    settings_of.setitem(connection.settings_dict, "CONN_MAX_AGE", max_age)
    connection.close()
    connection.ensure_connection()


@pytest.mark.django_db(transaction=True)
class TestLending:
    def test_gives_back_what_is_not_kept_between_requests(self, monkeypatch: Any) -> None:
        _open_with(0, monkeypatch)
        lend_connection()
        assert connection.connection is None

    @pytest.mark.parametrize("max_age", [60, None])
    def test_leaves_what_is_kept(self, monkeypatch: Any, max_age: int | None) -> None:
        _open_with(max_age, monkeypatch)
        kept = connection.connection
        lend_connection()
        assert connection.connection is kept

    def test_leaves_it_to_a_transaction(self, monkeypatch: Any) -> None:
        _open_with(0, monkeypatch)
        with transaction.atomic():
            lend_connection()
            assert connection.is_usable()
        assert connection.connection is not None


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's connections are files")
@pytest.mark.django_db(transaction=True)
class TestSharing:
    def test_many_threads_make_do_with_few(self) -> None:
        together = Barrier(THREADS)

        def ask(_: int) -> int:
            together.wait()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (pid,) = cursor.fetchone()
            connection.close()
            return int(pid)

        with ThreadPoolExecutor(THREADS) as threads:
            servers = set(threads.map(ask, range(THREADS)))
        assert len(servers) <= connection.settings_dict["OPTIONS"]["pool"]["max_size"]
