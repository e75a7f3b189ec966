"""What one small file costs the database: nothing is read that is known, nothing written twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken
from rest_framework.test import APIClient

URL = "/api/v1/media/"


@pytest.fixture
def client(owner: Any) -> APIClient:
    """A program with a token, whose owner has an account already."""
    client = APIClient(headers={"Authorization": f"Token {AuthToken.objects.create(owner)[1]}"})
    _send(client)
    return client


def _send(client: APIClient, **fields: Any) -> dict[str, Any]:
    file = SimpleUploadedFile("a.txt", b"A few plain words.\n")
    answer = client.post(URL, {"file": file, **fields}, format="multipart")
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def _statements(captured: CaptureQueriesContext) -> Counter[str]:
    words = (query["sql"].split(None, 1)[0].upper() for query in captured.captured_queries)
    return Counter(word for word in words if word in {"SELECT", "INSERT", "UPDATE", "DELETE"})


def test_statements_of_a_form(client: APIClient) -> None:
    with CaptureQueriesContext(connection) as captured:
        body = _send(client)
    # The token with its user, and the upload under its lock; upload, file, version and both jobs;
    # the account twice (set aside, charged), the upload.
    assert _statements(captured) == {"SELECT": 2, "INSERT": 4, "UPDATE": 3}
    assert client.get(body["urls"]["self"]).json() == body


def test_tags_are_all_that_is_read_for_the_answer(client: APIClient) -> None:
    body = _send(client, tags=["b", "a"])
    assert body["tags"] == ["a", "b"]
    assert client.get(body["urls"]["self"]).json() == body


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_kept_is_not_opened_anew(client: APIClient, monkeypatch: Any) -> None:
    opened: list[object] = []
    connect = connection.connect
    monkeypatch.setattr(connection, "connect", lambda: (opened.append(1), connect()))
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    connection.close()
    _send(client)
    assert len(opened) == 1
