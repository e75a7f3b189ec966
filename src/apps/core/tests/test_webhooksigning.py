"""Signatures of the Standard Webhooks scheme."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from apps.core.webhooksigning import new_secret, signed_headers

# Of the scheme's own libraries (github.com/standard-webhooks, "sign function works").
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TEXT = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def signed(*keys: str, text: bytes = TEXT) -> dict[str, str]:
    return signed_headers(message_id=MESSAGE, timestamp=1614265330, text=text, keys=keys)


def test_the_published_vector() -> None:
    assert signed(SECRET) == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_each_key_signs() -> None:
    other = new_secret()
    both = signed(SECRET, other)["webhook-signature"].split(" ")
    assert both == [signed(key)["webhook-signature"] for key in (SECRET, other)]
    assert both[0] != both[1]


def test_a_changed_text_has_another_signature() -> None:
    assert signed(SECRET, text=TEXT + b" ") != signed(SECRET)


def test_secrets_are_long_random_and_in_the_schemes_form() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    key = made.pop()
    raw = base64.b64decode(key.removeprefix("whsec_"))
    assert len(raw) == 32
    wanted = hmac.new(raw, b"%s.1614265330.%s" % (MESSAGE.encode(), TEXT), hashlib.sha256).digest()
    assert signed(key)["webhook-signature"] == f"v1,{base64.b64encode(wanted).decode()}"


@pytest.mark.parametrize("key", ["", "whsec_", "whsec_#"])
def test_what_is_no_key_signs_nothing(key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        signed(key)
