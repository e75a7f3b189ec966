"""Which keys are made, and which are let in."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.storage import check_key, new_key
from apps.core.tests.storages import BAD_KEYS


class TestKeys:
    def test_a_new_key_is_random_and_admitted(self) -> None:
        first, second = new_key("original", "jpg"), new_key("original", "jpg")
        assert first != second
        folder, shard, name = first.split("/")
        assert (folder, shard) == ("original", name[:2])
        assert len(name) == len("0" * 32 + ".jpg")
        assert check_key(first) == first

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_bad_keys_are_refused(self, key: str) -> None:
        with pytest.raises(ValueError, match="Not a storage key"):
            check_key(key)

    @pytest.mark.parametrize(
        ("prefix", "suffix"), [("..", ""), ("a", "../b"), ("a", ".b"), ("", "")]
    )
    def test_bad_parts_are_refused(self, prefix: str, suffix: str) -> None:
        with pytest.raises(ValueError, match="Not a"):
            new_key(prefix, suffix)

    @given(st.text(alphabet="a./\\-_%A\n\x00é", max_size=12))
    def test_an_admitted_key_stays_below_the_root(self, key: str) -> None:
        try:
            check_key(key)
        except ValueError:
            return
        assert os.path.normpath(f"/store/{key}") == f"/store/{key}"
