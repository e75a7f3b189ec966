"""A seal fits one message, one purpose, and the keys that count."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core.seals import SEAL_BYTES, is_sealed, seal


def test_it_fits_its_message_and_purpose_alone() -> None:
    made = seal(b"words", purpose="one")
    assert len(made) == SEAL_BYTES
    assert is_sealed(b"words", made, purpose="one")
    assert not is_sealed(b"words", made, purpose="two")
    assert not is_sealed(b"word", made, purpose="one")
    for wrong in (b"", made[:-1], made + b"\0", bytes(SEAL_BYTES)):
        assert not is_sealed(b"words", wrong, purpose="one")
    for index in range(SEAL_BYTES * 8):
        flipped = bytearray(made)
        flipped[index // 8] ^= 1 << index % 8
        assert not is_sealed(b"words", bytes(flipped), purpose="one")


def test_keys_overlap_while_they_are_changed(settings: Any) -> None:
    old, made = settings.SECRET_KEY, seal(b"words", purpose="one")
    settings.SECRET_KEY = "a-new-key-of-some-length-that-nobody-has-seen"
    assert not is_sealed(b"words", made, purpose="one")
    settings.SECRET_KEY_FALLBACKS = [old]
    assert is_sealed(b"words", made, purpose="one")
    assert seal(b"words", purpose="one") != made


def test_every_key_is_tried_whichever_fits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the time does not tell whether an old key fits."""
    from apps.core import seals

    settings.SECRET_KEY_FALLBACKS = ["second", "third"]
    compared: list[bytes] = []
    real = seals.constant_time_compare

    def compare(given: bytes, own: bytes) -> bool:
        compared.append(own)
        return real(given, own)

    monkeypatch.setattr(seals, "constant_time_compare", compare)
    made = seal(b"words", purpose="one")
    for given in (made, bytes(SEAL_BYTES)):
        compared.clear()
        is_sealed(b"words", given, purpose="one")
        assert len(compared) == 3
