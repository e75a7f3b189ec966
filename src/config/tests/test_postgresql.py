"""A connection asks its server to give it up when its host is lost or its process frozen.

That it does is seen in `apps/media/tests/flows/test_hosts.py`.
"""

from __future__ import annotations

import pytest
from django.db import connection

from config.postgresql import SERVER_SIDE


@pytest.mark.django_db
def test_a_connection_is_given_up_by_its_server() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("DATABASE_URL is no PostgreSQL")
    with connection.cursor() as cursor:
        for name, value in SERVER_SIDE.items():
            cursor.execute("SELECT current_setting(%s)", [name])
            assert cursor.fetchone() == (value,)
