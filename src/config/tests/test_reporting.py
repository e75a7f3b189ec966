"""What is reported to Sentry tells what went wrong, and nothing that is somebody's."""

from __future__ import annotations

from typing import Any

import sentry_sdk
from sentry_sdk.transport import Transport

from apps.core.errors import AppError
from config.reporting import clean_event, start_reporting

SECRET = "verysecret"


class Kept(Transport):
    def __init__(self) -> None:
        super().__init__({})
        self.sent: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.sent.append(envelope.get_event())


def test_an_event_holds_no_secret() -> None:
    event = {
        "request": {
            "url": f"https://x.example/share/{SECRET}/",
            "query_string": f"token={SECRET}",
            "cookies": {"sessionid": SECRET},
            "data": {"password": SECRET},
            "env": {"REMOTE_ADDR": SECRET},
            "headers": {"Cookie": SECRET, "Authorization": SECRET, "User-Agent": "a browser"},
        },
        "user": {"ip_address": SECRET},
        "exception": {"values": [{"value": f"GET https://b.example/x?X-Amz-Signature={SECRET}"}]},
        "breadcrumbs": {"values": ({"message": f"/media/s/{SECRET}/1/original"},)},
    }
    found = clean_event(event, {})
    assert SECRET not in repr(found)
    assert found["request"]["headers"] == {"User-Agent": "a browser"}
    assert found["request"]["url"] == "https://x.example/share/***/"


def fail(password: str) -> None:
    raise AppError(f"/share/{password}/")


def test_an_error_is_reported_clean() -> None:
    kept = Kept()
    start_reporting("https://key@sentry.invalid/1", transport=kept, default_integrations=False)
    try:
        fail(SECRET)
    except AppError as error:
        sentry_sdk.capture_exception(error)
    finally:
        sentry_sdk.flush(2)
        sentry_sdk.get_client().close()
        sentry_sdk.init()
    assert "AppError" in repr(kept.sent)
    assert SECRET not in repr(kept.sent)
