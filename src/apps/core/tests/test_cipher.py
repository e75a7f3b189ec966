"""Secrets at rest."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core.cipher import UnreadableSecretError, conceal, renew, reveal

SECRET = "whsec_ünusual"


def test_is_read_again_and_not_in_what_is_stored() -> None:
    stored = conceal(SECRET, purpose="a")
    assert reveal(stored, purpose="a") == SECRET
    assert "whsec" not in stored
    assert stored != conceal(SECRET, purpose="a")


def test_another_purpose_opens_nothing() -> None:
    with pytest.raises(UnreadableSecretError):
        reveal(conceal(SECRET, purpose="a"), purpose="b")


@pytest.mark.parametrize("stored", ["", "x", "ü"])
def test_what_is_no_secret(stored: str) -> None:
    with pytest.raises(UnreadableSecretError):
        reveal(stored, purpose="a")


def test_keys_are_rotated_as_djangos(settings: Any) -> None:
    stored, old = conceal(SECRET, purpose="a"), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 50, [old]
    assert reveal(stored, purpose="a") == SECRET
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(UnreadableSecretError):
        reveal(stored, purpose="a")


def test_what_was_renewed_needs_no_old_key(settings: Any) -> None:
    stored, old = conceal(SECRET, purpose="a"), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 50, [old]
    fresh = renew(stored, purpose="a")
    settings.SECRET_KEY_FALLBACKS = []
    assert reveal(fresh, purpose="a") == SECRET
    with pytest.raises(UnreadableSecretError):
        renew(stored, purpose="a")
