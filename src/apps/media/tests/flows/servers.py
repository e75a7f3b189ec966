"""A whole site of real processes for a test: broker, web, workers, beat, each to kill or stop.

The command lines are those that `make run` gives to its supervisor, so that what is proved here
is what is run. Everything is the test's own: port, directory, broker, database.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from configparser import RawConfigParser
from pathlib import Path
from typing import IO, Any

import httpx
import psutil
import redis

from apps.media.tests.flows.clients import Person
from apps.media.tests.flows.databases import SETTINGS, own_database
from apps.media.tests.flows.state import State
from apps.media.tests.flows.waiting import eventually
from launch.broker import socket_path
from launch.place import ROOT, Place
from launch.processes import CONFIGURATION, Plan, supervisor_environment
from launch.readiness import free_port

SLOW, TRANSFER = "worker-slow", "worker-transfer"
PROGRAMS = ("broker", "web", "worker", SLOW, TRANSFER, "beat")
QUEUES = ("media.fast", "media.slow", "media.transfer")
OBSERVER = "apps.media.tests.flows.observer"
SPARE, SPARE_SLOW = "spare", "spare-slow"  # second workers
START_SECONDS = 120
STOP_SECONDS = 30
LOG_TAIL = 6_000  # bytes


class Observer:
    """The other end of `observer`: a call per command. It runs where `beyond` leads."""

    def __init__(
        self,
        module: str,
        environment: dict[str, str],
        errors: IO[bytes],
        beyond: Sequence[str] = (),
    ) -> None:
        self._process = subprocess.Popen(
            [*beyond, sys.executable, "-m", module],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )

    def ask(self, command: str, *arguments: object) -> Any:
        """Return what the command returns; fails when the observer does."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([command, *arguments], default=str) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the observer died of {command!r}"
        return json.loads(answer)

    def ask_to_death(self, command: str, *arguments: object) -> None:
        """Give a command that ends in the death of the observer."""
        with contextlib.suppress(AssertionError):
            self.ask(command, *arguments)
            raise RuntimeError(f"the observer survived {command!r}")
        assert self._process.wait(STOP_SECONDS) == -signal.SIGKILL

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


class Watched:
    """What a test sees of a site, wherever its processes are, by its `observer`."""

    address: str
    observer: Observer

    def state(self) -> State:
        return State(**self.observer.ask("state"))

    def person(self) -> Person:
        """A new account of its own with a token."""
        told = self.observer.ask("person", f"p{secrets.token_hex(6)}")
        return Person(address=self.address, **told)

    def statuses(self, person: Person) -> list[str]:
        return [row["status"] for row in self.observer.ask("media", person.id)]


class Site(Watched):
    """The processes of one site. Make one with `running_site`."""

    def __init__(
        self,
        plan: Plan,
        environment: dict[str, str],
        programs: Sequence[str] = PROGRAMS,
        observer: str = OBSERVER,
    ) -> None:
        self._plan = plan
        self._observer_module = observer
        self.environment = environment
        self._health = "readyz" if set(programs) >= set(PROGRAMS) else "healthz"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._commands = _commands(environment)
        self._logs = plan.place.log
        self.address = plan.address
        self.database_url = environment["DATABASE_URL"]
        self.storage_url = environment["MEDIA_STORAGE_URL"]
        self.secret_key = environment["SECRET_KEY"]
        self.shows_partial_objects = environment["MEDIA_STORAGE_URL"].startswith("file:")
        self.work_dir = plan.place.data / "work"
        self.storage_dir = plan.place.data / "media"
        self.body_dir = body_directory(plan.place)
        self.observer = self.new_observer()

    def new_observer(self) -> Observer:
        """Another one, for what kills it."""
        with self._log("observer") as errors:
            return Observer(self._observer_module, self.environment, errors)

    # -- processes ----------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        for name in names:
            with self._log(name) as log:
                self._running[name] = subprocess.Popen(
                    self._commands[name],
                    env=self.environment,
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            if name == "broker":
                eventually(self._broker_answers, within=START_SECONDS)

    def _ended(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if name not in self.running()]

    def running(self) -> set[str]:
        """The names of what was started and has not ended."""
        return {name for name, process in self._running.items() if process.poll() is None}

    def ensure_running(self, *names: str) -> None:
        """Start again what has ended, as a supervisor does, until the site is whole.

        A worker whose broker has gone may end a while later.
        """

        def is_whole() -> bool:
            self.start(*self._ended(names))
            return self._is_ready()

        if self._ended(names):
            eventually(is_whole, within=START_SECONDS)

    def process(self, name: str) -> psutil.Process:
        return psutil.Process(self._running[name].pid)

    def children(self, name: str) -> list[psutil.Process]:
        """All descendants: gunicorn's workers, the fork server and its children."""
        return self.process(name).children(recursive=True)

    def encoders(self, *names: str) -> list[psutil.Process]:
        """The ffmpeg processes at work below the named workers."""
        return [
            process for name in names for process in self.children(name) if _is_encoder(process)
        ]

    def kill(self, name: str) -> None:
        """SIGKILL to the program itself; its children are left to notice."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def kill_family(self, name: str) -> None:
        """SIGKILL to the program and all its descendants at once, as a lost machine would."""
        family = self.children(name)
        self.kill(name)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def terminate(self, name: str) -> float:
        """SIGTERM, wait for the end, and return the seconds it took; fails after STOP_SECONDS."""
        process = self._running.pop(name)
        started = time.monotonic()
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return time.monotonic() - started

    def suspend_family(self, name: str) -> list[psutil.Process]:
        """SIGSTOP to the program and all its descendants; return them.

        Not in the middle of a transaction, where a frozen process would stop a whole database.
        """
        while True:
            family = [self.process(name), *self.children(name)]
            _each(family, psutil.Process.suspend)
            if self.observer.ask("nothing_is_locked"):
                return family
            _each(family, psutil.Process.resume)

    def wait_ready(self) -> None:
        eventually(self._is_ready, within=START_SECONDS)

    def stop(self) -> None:
        """End everything that still runs, the broker last."""
        self.observer.stop()
        for name in (SPARE, SPARE_SLOW, *reversed(PROGRAMS)):
            if name in self._running:
                family = self.children(name) if self._running[name].poll() is None else []
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.terminate(name)
                for process in family:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()

    def change(self, **variables: str) -> None:
        """What starts from now on has these variables."""
        self.environment |= variables

    def begin(self, *arguments: object) -> subprocess.Popen[bytes]:
        """A command of `manage.py`, to watch or to kill; the log is named after it."""
        with self._log(str(arguments[0])) as log:
            command = [sys.executable, "-m", "django", *map(str, arguments)]
            return subprocess.Popen(
                command, env=self.environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )

    def manage(self, *arguments: object) -> str:
        """What a command of `manage.py` says; fails where it does."""
        command = [sys.executable, "-m", "django", *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, check=True, capture_output=True, text=True
        )
        return done.stdout

    # -- what goes on inside ------------------------------------------------------------------

    def broker(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self._plan.socket), socket_timeout=5)

    def queued_messages(self) -> int:
        """Messages that wait in the broker or are held by a worker."""
        with self.broker() as client:
            counts = [*(client.llen(queue) for queue in QUEUES), client.hlen("unacked")]
        return sum(int(count) for count in counts)  # type: ignore[arg-type]

    def peak_memory(self) -> dict[str, int]:
        """The most bytes that each process of web and workers has had in memory; Linux only."""
        return {
            f"{name} {process.pid}": _peak_of(process.pid)
            for name in ("web", "worker", SLOW, TRANSFER)
            for process in (self.process(name), *self.children(name))
        }

    def logs(self) -> str:
        """The end of every log, for a failed test."""
        tails = [
            f"--- {path.name}\n{path.read_bytes()[-LOG_TAIL:].decode(errors='replace')}"
            for path in sorted(self._logs.iterdir())
        ]
        return "\n".join(tails)

    def _log(self, name: str) -> IO[bytes]:
        return (self._logs / f"{name}.log").open("ab")

    def _broker_answers(self) -> bool:
        with contextlib.suppress(redis.exceptions.ConnectionError), self.broker() as client:
            return bool(client.ping())
        return False

    def _is_ready(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(
                f"{self.address}/{self._health}", timeout=5, trust_env=False
            ).is_success
        return False


def _each(family: list[psutil.Process], act: Callable[[psutil.Process], None]) -> None:
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # a child whose job has just ended
            act(process)


@contextlib.contextmanager
def running_site(
    directory: Path,
    *,
    programs: Sequence[str] = PROGRAMS,
    change: Callable[[dict[str, str]], dict[str, str]] = lambda environment: environment,
    observer: str = OBSERVER,
    **options: object,
) -> Iterator[Site]:
    """A ready site that keeps everything in `directory`, for the length of the block.

    `options` are keys of `MEDIA_APP` that this site has otherwise than all others; `change` has
    the last word on its environment. With fewer `programs` it does less. `observer` is a module
    with other commands than those of media.
    """
    place = Place(directory)
    place.make()
    body_directory(place).mkdir(mode=0o700)
    with socket_path(place) as socket, own_database(directory) as database:
        plan = Plan(place, free_port(), secrets.token_urlsafe(48), broker_url="", socket=socket)
        environment = change(
            {
                **_environment(plan),
                "DATABASE_URL": database,
                "TEST_MEDIA_APP": json.dumps({"BODY_DIR": str(body_directory(place)), **options}),
            }
        )
        site = Site(plan, environment, programs, observer)
        try:
            site.start(*programs)
            if programs:
                site.wait_ready()
            yield site
            site.observer.ask("empty_storage")
        except BaseException:
            sys.stderr.write(site.logs())
            raise
        finally:
            site.stop()


def body_directory(place: Place) -> Path:
    """Where a proxy in front of the site leaves the bodies of requests."""
    return place.data / "bodies"


def lives(process: psutil.Process) -> bool:
    """Whether it runs or could run again."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _is_encoder(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.name().startswith("ffmpeg") and lives(process)
    return False


def _peak_of(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * 1024
    return 0  # it has just ended


def _environment(plan: Plan) -> dict[str, str]:
    return {
        **supervisor_environment(plan),
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "PYTHONPATH": str(ROOT / "src"),
        "DEBUG": "false",
        "HTTPS": "false",
        "MALLOC_ARENA_MAX": "2",
        "PYTHONUNBUFFERED": "1",
        "MEDIA_STORAGE_URL": _own_storage(plan.place.data),
    }


def _own_storage(directory: Path) -> str:
    url = os.environ.get("MEDIA_STORAGE_URL", "")
    if not url or url.startswith("file://"):
        return f"file://{directory / 'media'}"
    place, _, query = url.partition("?")
    return f"{place.rstrip('/')}/site-{secrets.token_hex(8)}?{query}"


def _commands(environment: dict[str, str]) -> dict[str, list[str]]:
    """The command lines of the supervisor's configuration, filled in as it would."""
    configuration = RawConfigParser()
    configuration.read(CONFIGURATION)
    values = {f"ENV_{name}": value for name, value in environment.items()}
    commands = {
        name: shlex.split(configuration[f"program:{name}"]["command"] % values) for name in PROGRAMS
    }
    spares = {
        spare: [*commands[name], "--hostname", f"{spare}@%h"]
        for spare, name in ((SPARE, "worker"), (SPARE_SLOW, SLOW))
    }
    return {**commands, **spares}
