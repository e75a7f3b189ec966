"""The embedded broker: where its program and its socket are, and a leftover of an earlier run."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
import redis

from launch import broker
from launch.broker import MAX_SOCKET_PATH, broker_url, find_program, socket_path, stop_leftover
from launch.errors import LaunchError
from launch.place import Place


def test_program_is_found_and_can_be_run() -> None:
    assert os.access(find_program(), os.X_OK)


def test_a_machine_without_a_broker_gets_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(broker.shutil, "which", lambda _name: None)
    with pytest.raises(LaunchError, match="CELERY_BROKER_URL"):
        find_program()


def test_socket_is_in_the_data_directory() -> None:
    place = Place(Path("/srv/media"))
    with socket_path(place) as path:
        assert path == place.run / "broker.sock"


def test_long_path_gets_a_private_directory_that_goes_away() -> None:
    place = Place(Path("/srv") / ("x" * MAX_SOCKET_PATH))
    with socket_path(place) as path:
        assert len(str(path)) < MAX_SOCKET_PATH
        assert path.parent.stat().st_mode & 0o077 == 0
    assert not path.parent.exists()


def test_url_keeps_odd_characters_of_the_path() -> None:
    assert broker_url(Path("/srv/a b#c/s")) == "redis+socket:///srv/a%20b%23c/s"


def test_no_leftover_is_no_error(tmp_path: Path) -> None:
    stop_leftover(tmp_path / "broker.sock")


def test_leftover_is_ended(tmp_path: Path) -> None:
    socket = tmp_path / "b.sock"
    command = [str(find_program()), "--port", "0", "--unixsocket", str(socket), "--save", ""]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as server:
        wait_for(socket)
        stop_leftover(socket)
        assert server.wait(10) == 0


def wait_for(socket: Path) -> None:
    """Return when a broker answers on `socket`."""
    client = redis.Redis(unix_socket_path=str(socket))
    deadline = time.monotonic() + 10
    while not answers(client):
        assert time.monotonic() < deadline, "the broker did not start"


def answers(client: redis.Redis) -> bool:
    """Return whether the broker takes commands."""
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False
