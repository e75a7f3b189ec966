"""Ports, and when a server counts as ready."""

from __future__ import annotations

import socket

import httpx
import pytest

from launch.errors import LaunchError
from launch.readiness import ask, free_port, is_free, wait_until_ready


def test_port_in_use_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not is_free(taken.getsockname()[1])


def test_free_port_is_free() -> None:
    assert is_free(free_port())


@pytest.mark.parametrize(
    ("healthz", "readyz", "missing"),
    [(200, 200, ""), (200, 503, "/readyz answers 503"), (500, 200, "/healthz answers 500")],
)
def test_ready_when_both_checks_pass(healthz: int, readyz: int, missing: str) -> None:
    codes = {"/healthz": healthz, "/readyz": readyz}
    transport = httpx.MockTransport(lambda request: httpx.Response(codes[request.url.path]))
    with httpx.Client(base_url="http://testserver", transport=transport) as client:
        assert ask(client).startswith(missing)
        assert bool(ask(client)) == bool(missing)


def test_processes_that_ended_are_not_waited_for() -> None:
    with pytest.raises(LaunchError, match="ended"):
        wait_until_ready(f"http://127.0.0.1:{free_port()}", is_alive=lambda: False, seconds=60)


def test_time_is_limited() -> None:
    with pytest.raises(LaunchError, match="no answer yet"):
        wait_until_ready(f"http://127.0.0.1:{free_port()}", is_alive=lambda: True, seconds=0)
