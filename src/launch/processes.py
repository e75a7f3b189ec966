"""Starts and stops the processes of one machine through supervisord.

supervisord keeps them alive; this module only describes what it shall start, passes its warnings
on, and ends it.
"""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from launch.broker import broker_url, find_program
from launch.place import ROOT, Place

CONFIGURATION = ROOT / "deploy/supervisor/embedded.conf"
# supervisord itself kills what does not stop: 8 seconds for the application, 5 for the broker.
STOP_SECONDS = 20
# What is served here behaves as in production, but on this machine and straight from the sources.
LOCAL_SERVICE = {"DEBUG": "false", "HTTPS": "false", "STATIC_FROM_SOURCE": "true"}
OPEN_FIGURES = {"METRICS_OPEN": "true"}  # unless somebody has decided that this is production


@dataclass(frozen=True)
class Plan:
    """What one run shall start. `broker_url` empty means the embedded broker on `socket`."""

    place: Place
    port: int
    secret_key: str
    broker_url: str
    socket: Path

    @property
    def address(self) -> str:
        """The URL under which the web process answers."""
        return f"http://127.0.0.1:{self.port}"


def project_environment(plan: Plan) -> dict[str, str]:
    """Return the environment for every process of the project, management commands included."""
    return {
        **LOCAL_SERVICE,
        **({} if "DEBUG" in os.environ else OPEN_FIGURES),
        "METRICS_DIR": str(plan.place.counts),
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(plan.place.data),
        "PORT": str(plan.port),
        "SECRET_KEY": plan.secret_key,
        "CELERY_BROKER_URL": plan.broker_url or broker_url(plan.socket),
    }


def supervisor_environment(plan: Plan) -> dict[str, str]:
    """Return the project's environment and what only the supervisor's configuration reads."""
    embedded = not plan.broker_url
    return {
        **project_environment(plan),
        "LAUNCH_ROOT": str(ROOT),
        "LAUNCH_PYTHON": sys.executable,
        "LAUNCH_BROKER": "true" if embedded else "false",
        "LAUNCH_BROKER_PROGRAM": str(find_program()) if embedded else "none",
        "LAUNCH_BROKER_SOCKET": str(plan.socket),
        "LAUNCH_MEMORY_DIR": memory_directory(plan.place),
    }


def memory_directory(place: Place) -> str:
    """Return a directory for gunicorn's heartbeat files: in memory, so that no slow disk blocks."""
    shared = Path("/dev/shm")  # noqa: S108  # gunicorn makes private, unlinked files in it
    return str(shared if os.access(shared, os.W_OK) else place.run)


def start_command(plan: Plan, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a management command and return its process."""
    command = [sys.executable, "-m", "django", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=project_environment(plan))  # noqa: S603


def manage(plan: Plan, *arguments: str) -> bool:
    """Run a management command to its end; return whether it succeeded."""
    with start_command(plan, *arguments) as process:
        return process.wait() == 0


def supervisor_command() -> list[str]:
    """Return the command that starts supervisord in the foreground."""
    command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(CONFIGURATION)]
    # Naming the user that runs it anyway keeps supervisord from warning about root.
    return [*command, "-u", pwd.getpwuid(0).pw_name] if os.geteuid() == 0 else command


class Supervisor:
    """A running supervisord. Make one with `supervised`."""

    def __init__(self, plan: Plan, lock: TextIO, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._process = subprocess.Popen(  # noqa: S603
            supervisor_command(),
            cwd=ROOT,
            env=supervisor_environment(plan),
            # Held open for as long as it lives: nobody else may use the place meanwhile.
            stdin=lock,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Ctrl-C shall reach the launcher alone, which then stops everything in order.
            start_new_session=True,
        )
        self._relay = threading.Thread(target=self._relay_warnings, daemon=True)
        self._relay.start()

    @property
    def pid(self) -> int:
        """The process to end when everything shall end."""
        return self._process.pid

    def _relay_warnings(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if " INFO " not in line and "exit request" not in line:
                self._warn(line.rstrip())

    def is_alive(self) -> bool:
        """Return whether supervisord still runs."""
        return self._process.poll() is None

    def wait(self) -> int:
        """Wait until supervisord ends by itself and return its exit status."""
        return self._process.wait()

    def stop(self) -> None:
        """Stop all processes; return when they are gone."""
        self._warn = lambda _line: None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._relay.join()


@contextmanager
def supervised(plan: Plan, lock: TextIO, warn: Callable[[str], None]) -> Iterator[Supervisor]:
    """Run the processes of `plan` for the length of the block."""
    supervisor = Supervisor(plan, lock, warn)
    try:
        yield supervisor
    finally:
        # A second Ctrl-C while things stop would leave half of them running.
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        supervisor.stop()
        signal.signal(signal.SIGINT, previous)
