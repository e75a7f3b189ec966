"""Where messages go is known at the start, and who is there is asked for a certificate."""

from __future__ import annotations

from ssl import CERT_NONE, CERT_REQUIRED
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from kombu import Connection

from config.brokers import broker_settings


def test_without_one_messages_go_nowhere() -> None:
    assert broker_settings("")["CELERY_BROKER_URL"] == "memory://"


@pytest.mark.parametrize(
    "url",
    [
        "redis://:p%2Fw@broker:6379/0",
        "redis://[::1]:6379/0",
        "redis+socket:///run/broker.sock",
        "sentinel://a:26379;sentinel://b:26379",
        "amqp://user:word@broker:5672//",
        "amqps://broker",
    ],
)
def test_brokers_that_celery_knows(url: str) -> None:
    assert broker_settings(url)["CELERY_BROKER_URL"] == url


@pytest.mark.parametrize(
    "url",
    ["bogus", "broker:6379", "http://broker", "unix:///run/broker.sock", "redis://:hush/hush@h/0"],
)
def test_others_stop_the_start(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CELERY_BROKER_URL") as refused:
        broker_settings(url)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("rediss://broker:6379/0", CERT_REQUIRED),
        ("rediss://broker:6379/0?ssl_cert_reqs=none", CERT_NONE),
    ],
)
def test_a_certificate_is_asked_for_unless_the_url_says_otherwise(url: str, asked: Any) -> None:
    found = broker_settings(url)
    connection = Connection(url, ssl=found["CELERY_BROKER_USE_SSL"])
    assert connection.ssl["ssl_cert_reqs"] == asked
