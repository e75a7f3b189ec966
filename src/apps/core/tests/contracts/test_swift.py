"""What only a server can prove that checks signatures: nobody sends what we did not sign."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from apps.core.storage import SignedPart
from apps.core.storage.s3 import S3Store
from apps.core.tests.contracts.test_direct import Direct, send
from apps.core.tests.storages import keys_of, put

pytestmark = pytest.mark.swift

REFUSED = {400, 403}


@pytest.fixture(params=[True, False], ids=["single", "parts"])
def direct(request: pytest.FixtureRequest, swift_store: S3Store) -> Direct:
    return Direct(swift_store, single=request.param)


def expect_nothing_arrived(direct: Direct) -> None:
    assert direct.listed() == []
    assert keys_of(direct.store) == []


def changed(part: SignedPart, old: str, new: str) -> SignedPart:
    assert old in part.url
    return SignedPart(part.number, part.url.replace(old, new), part.headers)


def test_another_object(direct: Direct) -> None:
    token = direct.key.rpartition("/")[2]
    assert send(changed(direct.sign(1, 3), token, "f" * 32), b"abc") in REFUSED
    expect_nothing_arrived(direct)


def test_a_longer_life(direct: Direct) -> None:
    part = changed(direct.sign(1, 3), "X-Amz-Expires=3600", "X-Amz-Expires=7200")
    assert send(part, b"abc") in REFUSED
    expect_nothing_arrived(direct)


@pytest.mark.parametrize("data", [b"ab", b"abcd", b""])
def test_another_size(direct: Direct, data: bytes) -> None:
    assert send(direct.sign(1, 3), data) in REFUSED
    expect_nothing_arrived(direct)


def test_another_part(swift_store: S3Store) -> None:
    direct = Direct(swift_store)
    assert send(changed(direct.sign(1, 3), "partNumber=1", "partNumber=2"), b"abc") in REFUSED
    expect_nothing_arrived(direct)


def test_another_type(swift_store: S3Store) -> None:
    direct = Direct(swift_store, single=True)
    part = direct.sign(1, 3)
    html = SignedPart(1, part.url, {**part.headers, "Content-Type": "text/html"})
    assert send(html, b"abc") in REFUSED
    expect_nothing_arrived(direct)


def test_too_late(direct: Direct) -> None:
    part = direct.store.sign_part(direct.key, state=direct.state, number=1, size=3, expires_in=1)
    deadline = time.monotonic() + 30
    while (status := send(part, b"abc")) == 200 and time.monotonic() < deadline:
        pass  # it came in time once more
    assert status in REFUSED


def test_when_an_upload_began(swift_store: S3Store) -> None:
    Direct(swift_store)
    (found,) = swift_store.walk_unfinished()
    assert abs(found.started - datetime.now(UTC)) < timedelta(minutes=1)


def test_reading_what_was_not_signed(swift_store: S3Store) -> None:
    mine, other = put(swift_store, b"mine"), put(swift_store, b"other")
    url = swift_store.presigned_get(
        mine, expires_in=60, content_type="image/png", content_disposition="inline"
    )
    for forged in (
        url.replace(mine, other),
        url.replace("image%2Fpng", "text%2Fhtml"),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
    ):
        assert forged != url
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(forged)
        assert caught.value.code in REFUSED
        caught.value.close()
