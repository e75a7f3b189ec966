"""What is written down of who did what, whatever they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.media import services
from apps.media.models import AuditEvent, MediaFile


@pytest.mark.django_db
def test_a_name_may_be_an_email_address(
    owner: Any, upload: Callable[..., MediaFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is the name, it has up to 254 characters (RFC 5321 §4.5.3.1, erratum 1690)."""
    name = f"{'o' * 64}@{'x' * 185}.org"
    monkeypatch.setattr(type(owner), "get_username", lambda user: name)
    media = upload(b"words", "a.txt")
    services.update_media(user=owner, media=media, visibility="public")
    services.delete_many(user=owner, ids=[media.pk])
    AuditEvent._meta.get_field("actor_name").clean(name, None)  # what SQLite does not look at
    assert list(AuditEvent.objects.values_list("actor_name", flat=True)) == [name] * 2
