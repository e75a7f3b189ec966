"""Asks a server from outside whether it is ready, and whether a port is free."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import httpx

from launch.errors import LaunchError

POLL_SECONDS = 0.1


def is_free(port: int) -> bool:
    """Return whether `port` of the loopback address can be bound."""
    with socket.socket() as probe:
        # As gunicorn does: connections of a server that has just stopped are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(client: httpx.Client) -> str:
    """Return an empty string when both health checks pass, else what is missing."""
    try:
        for path in ("/healthz", "/readyz"):
            answer = client.get(path)
            if not answer.is_success:
                return f"{path} answers {answer.status_code}: {answer.text[:500]}"
    except httpx.TransportError as error:
        return f"no answer yet ({error})"
    return ""


def wait_until_ready(address: str, *, is_alive: Callable[[], bool], seconds: float) -> None:
    """Return when the server at `address` is ready; raise `LaunchError` after `seconds`."""
    deadline = time.monotonic() + seconds
    with httpx.Client(base_url=address, timeout=5, trust_env=False) as client:
        while missing := ask(client):
            if not is_alive():
                raise LaunchError("The processes have ended")
            if time.monotonic() > deadline:
                raise LaunchError(f"The server does not become ready: {missing}")
            time.sleep(POLL_SECONDS)
