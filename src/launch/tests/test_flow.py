"""The whole of `make run`, as a person meets it: start, refuse a second, stop, start again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from launch.carry import CREDENTIALS
from launch.place import ROOT
from launch.readiness import free_port

# Servers that CI names for other tests have no part in this one.
FOREIGN = ("DATABASE_URL", "CELERY_BROKER_URL", "MEDIA_STORAGE_URL", "DEBUG", "SECRET_KEY")


@dataclass(frozen=True)
class Copy:
    """One copy of the project: its files and its port."""

    data: Path
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        return {**kept, "DATA_DIR": str(self.data), "PORT": str(self.port)}

    def start(self) -> subprocess.Popen[str]:
        """Start the launcher; what it prints can be read from its `stdout`."""
        return subprocess.Popen(
            [sys.executable, "-m", "launch", "run"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def try_to_start(self) -> tuple[int, str]:
        """Start the launcher where it has to refuse; return its exit status and what it says."""
        with self.start() as process:
            printed, _ = process.communicate(timeout=60)
            return process.returncode, printed


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "data", free_port())


@contextmanager
def running(copy: Copy) -> Iterator[list[str]]:
    """Run `copy` for the block, which gets the printed lines; afterwards no process is left."""
    with copy.start() as process:
        printed = read_greeting(process)
        family = psutil.Process(process.pid).children(recursive=True)
        try:
            yield printed
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive


def read_greeting(process: subprocess.Popen[str]) -> list[str]:
    """Return the lines up to the one that tells how to stop."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            return lines
    pytest.fail("the project did not start:\n" + "".join(lines))


def owned(copy: Copy) -> list[str]:
    """Log in as the printed account and return the names in its library."""
    with httpx.Client(base_url=f"{copy.address}/api/v1/", trust_env=False) as client:
        token = client.post("auth/token/", json=CREDENTIALS).raise_for_status().json()["token"]
        answer = client.get("media/", headers={"Authorization": f"Token {token}"})
        return sorted(media["original_name"] for media in answer.json()["results"])


def test_start_stop_and_start_again_keeps_everything(copy: Copy) -> None:
    with running(copy) as printed:
        assert any(copy.address in line for line in printed)
        first = owned(copy)
        assert "media_app_requests" in httpx.get(f"{copy.address}/metrics", trust_env=False).text
        status, refusal = copy.try_to_start()
        assert (status, copy.address in refusal) == (1, True)
        status, refusal = Copy(copy.data.with_name("other"), copy.port).try_to_start()
        assert (status, f"Port {copy.port} is in use" in refusal) == (1, True)
    secret = (copy.data / "secret_key").read_text()
    with running(copy):
        assert owned(copy) == first
    assert first
    assert (copy.data / "secret_key").read_text() == secret
