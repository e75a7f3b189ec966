"""The servers of the upload benchmark, each with its processes, in one directory.

Background workers do not run: their work would be measured with whatever is sent at the time. The
broker does, so that a job is handed over as it is in service.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from apps.media.tests.flows.nginx import running_nginx
from launch.broker import find_program, socket_path
from launch.node import node_command
from launch.parts import nginx_program
from launch.place import ROOT, Place
from launch.processes import Plan, memory_directory, project_environment
from launch.readiness import free_port

HERE = ROOT / "bench"
START_SECONDS = 120
NEW_PEOPLE = """
from django.contrib.auth import get_user_model
from knox.models import AuthToken
for number in range({count}):
    user = get_user_model().objects.create_user(username=f"sender{{number}}")
    print("token", AuthToken.objects.create(user)[1])
"""
DAV = """
daemon off; {user} worker_processes 1; pid {folder}/dav.pid; error_log {folder}/dav.log;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}/kept/temp; client_max_body_size 0;
    proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
    scgi_temp_path {folder}/s;
    server {{ listen 127.0.0.1:{port}; location / {{ root {folder}/kept; dav_methods PUT; }} }}
}}
"""


@dataclass
class Server:
    """Where it listens, the processes that work for it, and where it leaves the files."""

    port: int
    processes: list[psutil.Process]
    kept: tuple[Path, ...]
    tokens: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def manage(self, *arguments: str) -> str:
        """What a management command of this site prints."""
        return _manage(self.environment, *arguments)

    def family(self) -> list[psutil.Process]:
        return [each for one in self.processes for each in (one, *one.children(recursive=True))]

    def cpu_seconds(self) -> float:
        """Of its processes and of those of theirs that have ended."""
        total = 0.0
        for each in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(each.cpu_times()[:4])
        return total

    def memory(self) -> int:
        """Bytes: what its processes have for themselves, and their shares of what is common."""
        total = 0
        for each in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += each.memory_full_info().pss
        return total

    def sync(self) -> float:
        """Make the files durable; seconds."""
        began = time.perf_counter()
        for folder in self.kept:
            for path in filter(Path.is_file, folder.rglob("*")):
                with path.open("rb") as file:
                    os.fdatasync(file.fileno())
        return time.perf_counter() - began

    def forget(self) -> None:
        """Remove the files, and have the disk idle for whoever comes next."""
        for folder in self.kept:
            for path in folder.rglob("*"):
                if path.is_file():
                    path.unlink()
        os.sync()


class Watch:
    """The most memory that a server takes while the block runs; bytes."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            self.peak = max(self.peak, self._server.memory())
            if self._over.wait(0.2):
                return


@contextmanager
def started(command: list[str], port: int, **options: object) -> Iterator[psutil.Process]:
    """A process that listens on `port`, for the length of the block."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    try:
        _await(lambda: _listens(port), process)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _await(ready, process: subprocess.Popen[bytes]) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args} did not start")
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def gunicorn(application: str, place: Place) -> list[str]:
    """As `make run` starts it: the configuration is the project's for every Django here."""
    configuration = str(ROOT / "deploy/gunicorn.py")
    options = ["--config", configuration, "--worker-tmp-dir", memory_directory(place)]
    return [sys.executable, "-m", "gunicorn", *options, application]


@contextmanager
def ours(folder: Path, people: int, more: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Web and broker, with `people` accounts that have a token, and `more` in the environment."""
    place = Place(folder)
    place.make()
    bodies = folder / "bodies"
    bodies.mkdir()
    with ExitStack() as stack:
        socket_at = stack.enter_context(socket_path(place))
        plan = Plan(place, free_port(), secrets.token_urlsafe(48), broker_url="", socket=socket_at)
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **_only_ours(plan),
            "MEDIA_BODY_DIR": str(bodies),
            **(more or {}),
        }
        stack.enter_context(_broker(place, socket_at))
        tokens = _prepare(environment, people)
        with (place.log / "web.log").open("wb") as log:
            options = {"env": environment, "cwd": ROOT, "stdout": log, "stderr": log}
            web = stack.enter_context(
                started(gunicorn("config.wsgi:application", place), plan.port, **options)
            )
        yield Server(plan.port, [web], (folder / "media", bodies), tokens, environment)


def _only_ours(plan: Plan) -> dict[str, str]:
    """Without what the caller's environment says of other databases and storages."""
    told = project_environment(plan)
    names = ("DJANGO_SETTINGS_MODULE", "DATA_DIR", "PORT", "SECRET_KEY", "CELERY_BROKER_URL")
    fixed = {"DEBUG": "false", "HTTPS": "false", "STATIC_FROM_SOURCE": "true"}
    return {name: told[name] for name in names} | fixed | {"MALLOC_ARENA_MAX": "2"}


@contextmanager
def _broker(place: Place, path: Path) -> Iterator[None]:
    command = [str(find_program()), "--port", "0", "--unixsocket", str(path), "--appendonly", "yes"]
    with (place.log / "broker.log").open("wb") as log:
        process = subprocess.Popen([*command, "--dir", str(place.broker)], stdout=log)
    try:
        _await(path.exists, process)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _prepare(environment: dict[str, str], people: int) -> list[str]:
    """The database, and a token for each of so many people."""
    _manage(environment, "migrate", "--verbosity", "0")
    made = _manage(environment, "shell", "--no-imports", "-c", NEW_PEOPLE.format(count=people))
    return [line.split()[1] for line in made.splitlines() if line.startswith("token ")]


def _manage(environment: dict[str, str], *arguments: str) -> str:
    """What a management command prints."""
    command = [sys.executable, "-m", "django", *arguments]
    done = subprocess.run(
        command, env=environment, cwd=ROOT / "src", check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


@contextmanager
def accelerated(folder: Path, behind: Server, *, receive_all: bool) -> Iterator[Server]:
    """nginx in front of `behind` by the shipped configuration; with `receive_all` its map sends
    bodies of any size the way that it has for small ones."""
    folder.mkdir()
    bodies = behind.kept[1]
    longest = r"{1,8}"
    with running_nginx(
        folder,
        application=f"127.0.0.1:{behind.port}",
        bodies=bodies,
        changes={longest: "{1,12}"} if receive_all else {},
    ) as address:
        port = int(address.rpartition(":")[2])
        yield Server(port, [program_at(port), *behind.processes], behind.kept, behind.tokens)


def program_at(port: int) -> psutil.Process:
    """The one of our children that listens there."""
    for process in psutil.Process().children():
        if any(one.laddr and one.laddr.port == port for one in process.net_connections()):
            return process
    raise RuntimeError(f"nobody listens on {port}")


@contextmanager
def plain(folder: Path, *, wal: bool = False) -> Iterator[Server]:
    """A plain Django project on the same gunicorn."""
    place, port = Place(folder), free_port()
    place.make()
    (folder / "media").mkdir()
    paths = f"{HERE}{os.pathsep}{ROOT / 'src'}"  # gunicorn's configuration loads our services
    environment = {**os.environ, "PLAIN_DIR": str(folder), "PORT": str(port), "PYTHONPATH": paths}
    environment |= {"PLAIN_WAL": "1"} if wal else {}
    subprocess.run([sys.executable, HERE / "plainsite.py"], env=environment, check=True)
    with (place.log / "web.log").open("wb") as log:
        options = {"env": environment, "cwd": HERE, "stdout": log, "stderr": log}
        command = [*gunicorn("plainsite:application", place)]
        command[command.index("--config") + 1] = str(plain_configuration(folder))
        with started(command, port, **options) as process:
            yield Server(port, [process], (folder / "media",))


def plain_configuration(folder: Path) -> Path:
    """Ours, but for what is said to our services when a worker ends."""
    path = folder / "gunicorn.conf.py"
    text = (ROOT / "deploy/gunicorn.py").read_text()
    path.write_text(text + "\n\ndel post_worker_init\n")
    return path


@contextmanager
def tus_node(folder: Path) -> Iterator[Server]:
    """`@tus/server` with `@tus/file-store`."""
    folder.mkdir()
    port = free_port()
    command = [*node_command(), str(HERE / "node/server.mjs"), str(port), str(folder)]
    with started(command, port, env={**os.environ, "NODE_ENV": "production"}) as process:
        yield Server(port, [process], (folder,))


@contextmanager
def dav(folder: Path) -> Iterator[Server]:
    """nginx alone, which writes a PUT to its place: what this machine can do over HTTP."""
    (folder / "kept/temp").mkdir(parents=True)
    port, program = free_port(), nginx_program()
    if program is None:
        raise FileNotFoundError("nginx is missing: it is what others are compared with")
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(DAV.format(folder=folder, port=port, user=user))
    command = [program, "-p", str(folder), "-c", str(configuration), "-e", f"{folder}/start.log"]
    with started(command, port) as process:
        yield Server(port, [process], (folder / "kept",))


def clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
