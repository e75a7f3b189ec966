"""Dangers that a look at the code or the set-up shows, each under the requirement in `asvs.py`."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads, prepare_accept_content

from apps.core.storage import new_key
from apps.media.models.share_link import new_share_token
from apps.media.models.upload import new_token
from config.celery import app
from config.tests.test_architecture import CODE

PICKLE = "application/x-python-serialize"
WORTH_GUESSING = r"(?:token|signature|digest|secret|password|mac)\b"


def _lines() -> list[tuple[str, str]]:
    return [
        (path.name, line.partition("#")[0])
        for path in CODE
        for line in path.read_text().splitlines()
    ]


def test_messages_with_code_in_them_are_refused() -> None:
    """What a message of that kind would do when it was read is never done."""
    accepted = prepare_accept_content(app.conf.accept_content)
    assert accepted == {"application/json"}
    with pytest.raises(ContentDisallowed):
        loads(b"cos\nsystem\n(S'true'\ntR.", PICKLE, "binary", accept=accepted)
    assert loads('{"a": 1}', "application/json", "utf-8", accept=accepted) == {"a": 1}


def test_secrets_are_compared_in_constant_time() -> None:
    pattern = re.compile(rf"\b\w*{WORTH_GUESSING}\s*[=!]=|[=!]=\s*\w*{WORTH_GUESSING}")
    assert [found for found in _lines() if pattern.search(found[1])] == []


def test_md5_and_sha1_secure_nothing() -> None:
    pattern = re.compile(r"hashlib\.(md5|sha1)\((?!.*usedforsecurity=False)")
    assert [found for found in _lines() if pattern.search(found[1])] == []


@pytest.mark.parametrize("make", [new_share_token, new_token])
def test_what_must_not_be_guessed_is_long_and_random(make: Callable[[], str]) -> None:
    """128 bits are 22 characters of 64."""
    made = {make() for _ in range(1000)}
    assert len(made) == 1000
    assert min(len(token) for token in made) >= 22


def test_keys_tell_nothing_and_cannot_be_guessed() -> None:
    made = {new_key("original") for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"original/[0-9a-f]{2}/[0-9a-f]{32,}", key) for key in made)


def test_the_storage_is_asked_for_nothing_beside_its_own_bucket() -> None:
    pattern = re.compile(r"list_buckets|create_bucket|delete_bucket|put_bucket|list_containers")
    assert [found for found in _lines() if pattern.search(found[1])] == []
