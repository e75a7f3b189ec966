"""Addresses at a CDN: plain ones, and those that two vendors ask to be signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from apps.core.cdn import A_DAY, cdn_from_url

PATH = "/media/1/r/thumb.webp?v=abc"
PEM = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
SECRET = bytes(range(16))


@pytest.fixture(scope="module")
def private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_a_plain_one() -> None:
    cdn = cdn_from_url("https://cdn.example.org/", key_id="", key="")
    assert cdn
    assert not cdn.signs
    assert cdn.address(PATH) == f"https://cdn.example.org{PATH}"
    assert not cdn_from_url("", key_id="", key="")


def test_cloudfront(private: rsa.RSAPrivateKey) -> None:
    key = private.private_bytes(*PEM).decode()
    cdn = cdn_from_url("cloudfront+https://d111.example.net", key_id="K123", key=key)
    url = cdn.address(PATH)
    assert url.startswith(f"https://d111.example.net{PATH}&Expires=")
    said = parse_qs(urlsplit(url).query)
    expires = int(said["Expires"][0])
    assert A_DAY <= expires - time.time() <= 1.25 * A_DAY + 1
    assert said["Key-Pair-Id"] == ["K123"]
    # What CloudFront makes of the address, and compares.
    resource = f"https://d111.example.net{PATH}"
    condition = f'{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}'
    policy = f'{{"Statement":[{{"Resource":"{resource}","Condition":{condition}}}]}}'
    signature = base64.b64decode(said["Signature"][0].translate(str.maketrans("-_~", "+=/")))
    public = private.public_key()
    public.verify(signature, policy.encode(), padding.PKCS1v15(), hashes.SHA1())
    with pytest.raises(InvalidSignature):
        public.verify(signature, policy.upper().encode(), padding.PKCS1v15(), hashes.SHA1())


def test_google() -> None:
    key = base64.urlsafe_b64encode(SECRET).decode()
    cdn = cdn_from_url("google+https://cdn.example.org", key_id="name", key=key)
    for path, separator in ((PATH, "&"), ("/media/1/original", "?")):
        said, _, signature = cdn.address(path).partition("&Signature=")
        assert said.startswith(f"https://cdn.example.org{path}{separator}Expires=")
        assert said.endswith("&KeyName=name")
        made = hmac.new(SECRET, said.encode(), hashlib.sha1).digest()
        assert base64.urlsafe_b64decode(signature) == made


def test_the_same_address_for_a_while() -> None:
    key = base64.urlsafe_b64encode(SECRET).decode()
    cdn = cdn_from_url("google+https://cdn.example.org", key_id="name", key=key)
    expiries = {parse_qs(urlsplit(cdn.address(f"/{n}")).query)["Expires"][0] for n in range(50)}
    assert len(expiries) <= 2  # a window may have ended just now


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(*PEM).decode()


@pytest.mark.parametrize(
    ("url", "key_id", "key"),
    [
        ("cdn.example.org", "", ""),
        ("ftp://cdn.example.org", "", ""),
        ("akamai+https://cdn.example.org", "a", "b"),
        ("google+ftp://cdn.example.org", "a", "b"),
        ("https://user:word@cdn.example.org", "", ""),
        ("https://cdn.example.org/?a=b", "", ""),
        ("https://", "", ""),
        ("google+https://cdn.example.org", "", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("google+https://cdn.example.org", "name", ""),
        ("google+https://cdn.example.org", "name", "too-short"),
        ("cloudfront+https://cdn.example.org", "K1", "no key"),
        ("cloudfront+https://cdn.example.org", "K1", _pem(ec.generate_private_key(ec.SECP256R1()))),
    ],
)
def test_what_is_none_stops_the_start(url: str, key_id: str, key: str) -> None:
    with pytest.raises(ValueError):  # whichever words: settings add theirs
        cdn_from_url(url, key_id=key_id, key=key)
