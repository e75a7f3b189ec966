"""Many machines on one: each part of a site in a network namespace of its own, on one bridge.

A machine here has its own address, its own loopback, and a cable that can be pulled. What runs on
them are the real parts: PostgreSQL, a broker, an S3 server, nginx, web servers, workers. Needs root
on Linux with `ip`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg

from apps.media.tests.flows.databases import migrate
from apps.media.tests.flows.nginx import write_configuration
from apps.media.tests.flows.servers import OBSERVER, Observer, Watched
from apps.media.tests.flows.waiting import eventually
from launch.broker import find_program
from launch.nginx import nginx_program
from launch.place import ROOT

# Tests run side by side, in processes of which each may make its own machines.
NETWORK = f"10.213.{7 + int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw'))}"
DATABASE, BROKER, STORE, EDGE = "database", "broker", "store", "edge"
WEBS, WORKERS = ("web1", "web2"), ("worker1", "worker2")
MACHINES = (DATABASE, BROKER, STORE, EDGE, *WEBS, *WORKERS)
START_SECONDS = 120
STOP_SECONDS = 10
GUNICORN = ("-m", "gunicorn", "--config", str(ROOT / "deploy/gunicorn.py"), "--bind")
CELERY = ("-m", "celery", "-A", "config")
QUEUES = "media.fast,media.slow,media.transfer,celery"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def missing_part() -> str:
    """What this machine lacks to be many; empty where it has everything."""
    if shutil.which("ip") is None or not _may_make_machines():
        return "only root can make network namespaces, with ip"
    if _postgres_bin() is None:
        return "no PostgreSQL"
    return "" if nginx_program() else "no nginx"


class Network:
    """A bridge and machines on it, gone at the end of the block."""

    def __init__(self) -> None:
        self._mark = secrets.token_hex(2)
        self._bridge = f"mb{self._mark}"

    def __enter__(self) -> Network:
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("addr", "add", f"{NETWORK}.1/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        for number, machine in enumerate(MACHINES):
            self._add(machine, number)
        return self

    def __exit__(self, *error: object) -> None:
        for machine in MACHINES:
            subprocess.run(["ip", "netns", "del", self._space(machine)], check=False)
        _ip("link", "del", self._bridge)

    def address(self, machine: str) -> str:
        return f"{NETWORK}.{10 + MACHINES.index(machine)}"

    def command_on(self, machine: str, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self._space(machine), *command]

    @contextlib.contextmanager
    def without(self, machine: str) -> Iterator[None]:
        """Its cable is pulled: nothing goes in or out, and nothing on it knows why."""
        _ip("link", "set", self._cable(machine), "down")
        try:
            yield
        finally:
            _ip("link", "set", self._cable(machine), "up")

    def _add(self, machine: str, number: int) -> None:
        space, cable, end = self._space(machine), self._cable(machine), f"e{self._mark}{number}"
        _ip("netns", "add", space)
        _ip("link", "add", cable, "type", "veth", "peer", "name", end)
        _ip("link", "set", end, "netns", space)
        _ip("link", "set", cable, "master", self._bridge, "up")
        _ip("-n", space, "addr", "add", f"{self.address(machine)}/24", "dev", end)
        for device in ("lo", end):
            _ip("-n", space, "link", "set", device, "up")

    def _space(self, machine: str) -> str:
        return f"media-{self._mark}-{machine}"

    def _cable(self, machine: str) -> str:
        return f"c{self._mark}{MACHINES.index(machine)}"


class Hosts(Watched):
    """The site on these machines. `address` is that of nginx; each web server has one, too."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network = network
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self.address = f"http://{network.address(EDGE)}:8080"
        self.environment = self._environment()

    def address_of(self, web: str) -> str:
        return f"http://{self.network.address(web)}:8000"

    def start(self) -> None:
        self._start_postgres()
        self._start_broker()
        self._start_store()
        migrate(self.environment)
        self._start_application()
        self._start_edge()
        with self._log("observer") as errors:
            self.observer = Observer(OBSERVER, self.environment, errors)
        for address in (self.address, *map(self.address_of, WEBS)):
            eventually(lambda address=address: is_ready(address), within=START_SECONDS)

    def stop(self) -> None:
        if hasattr(self, "observer"):
            self.observer.stop()
        for process in reversed(self._running):
            process.terminate()
        for process in reversed(self._running):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            process.kill()

    def logs(self) -> str:
        """The end of every log, for a failed test."""
        return "\n".join(
            f"--- {path.name}\n{path.read_bytes()[-4000:].decode(errors='replace')}"
            for path in sorted(self._folder.glob("*.log"))
        )

    def observer_on(self, machine: str) -> Observer:
        """Another one, on one of the machines."""
        with self._log("observer") as errors:
            beyond = self.network.command_on(machine)
            return Observer(OBSERVER, self.environment, errors, beyond)

    # -- parts --------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        broker, store = self.network.address(BROKER), self.network.address(STORE)
        return {
            **os.environ,
            **KEYS,
            "AWS_DEFAULT_REGION": "us-east-1",
            "DJANGO_SETTINGS_MODULE": "apps.media.tests.flows.settings",
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",
            "DEBUG": "false",
            "HTTPS": "false",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": ",".join(map(self.network.address, (EDGE, *WEBS))),
            "WEB_WORKERS": "1",
            "DATABASE_URL": f"postgres://media@{self.network.address(DATABASE)}:5432/media",
            "CELERY_BROKER_URL": f"redis://{broker}:6379/0",
            "CACHE_URL": f"redis://{broker}:6379/1",
            "MEDIA_STORAGE_URL": f"s3://media/site?endpoint_url=http://{store}:5000"
            "&region_name=us-east-1",
        }

    def _start_postgres(self) -> None:
        cluster, programs = self._folder / "postgres", _postgres_bin()
        assert programs is not None
        cluster.mkdir()
        for above in (self._folder, *self._folder.parents[:3]):
            above.chmod(above.stat().st_mode | 0o011)  # for another user to pass through
        shutil.chown(cluster, "postgres")
        making = [f"{programs}/initdb", "-D", str(cluster), "-U", "media", "-A", "trust"]
        subprocess.run(_as_postgres(*making), check=True, capture_output=True, cwd="/")
        with (cluster / "pg_hba.conf").open("a") as access:
            access.write(f"host all all {NETWORK}.0/24 trust\n")
        said = ("listen_addresses=*", "unix_socket_directories=", "fsync=off")
        options = [word for each in said for word in ("-c", each)]
        self._run(DATABASE, *_as_postgres(f"{programs}/postgres", "-D", str(cluster), *options))
        url = f"postgres://media@{self.network.address(DATABASE)}:5432/postgres"
        eventually(lambda: _make_database(url), within=START_SECONDS)

    def _start_broker(self) -> None:
        said = ("--bind", "0.0.0.0", "--protected-mode", "no", "--save", "")
        self._run(BROKER, str(find_program()), *said)

    def _start_store(self) -> None:
        moto = str(Path(sys.executable).with_name("moto_server"))
        self._run(STORE, moto, "-H", "0.0.0.0", "-p", "5000")
        endpoint = f"http://{self.network.address(STORE)}:5000"
        eventually(lambda: _make_bucket(endpoint), within=START_SECONDS)

    def _start_application(self) -> None:
        for machine in WEBS:
            self._python(machine, *GUNICORN, "0.0.0.0:8000", "config.wsgi:application")
        for machine in WORKERS:
            said = (
                "worker",
                "--hostname",
                f"{machine}@%h",
                "--pool",
                "threads",
                "--queues",
                QUEUES,
            )
            self._python(machine, *CELERY, *said, "--concurrency", "2", "--loglevel", "INFO")
            schedule = str(self._folder / f"beat-{machine}")
            self._python(machine, *CELERY, "beat", "--schedule", schedule, "--pidfile=")

    def _start_edge(self) -> None:
        servers = " ".join(f"server {self.network.address(web)}:8000;" for web in WEBS)
        folder = self._folder / "nginx"
        folder.mkdir()
        write_configuration(
            folder,
            {
                "server 127.0.0.1:8000;  # yours: gunicorn": servers,
                '    "~^[0-9]{1,8}$" @media_received;  # up to 99 999 999 bytes\n': "",
                "/var/lib/media-app/bodies": str(folder / "bodies"),
                "/var/lib/media-app/media": str(folder / "none"),
                "/var/lib/media-app/cache": str(folder / "cache"),
            },
        )
        program = nginx_program()
        assert program is not None
        self._run(EDGE, program, "-p", str(folder), "-c", str(folder / "nginx.conf"))

    def _python(self, machine: str, *arguments: str) -> None:
        """One's own data directory on each machine: nothing is shared but what lies elsewhere."""
        own = self._folder / machine
        own.mkdir(exist_ok=True)
        self._run(machine, sys.executable, *arguments, DATA_DIR=str(own))

    def _run(self, machine: str, *command: str, **said: str) -> None:
        with self._log(machine) as log:
            self._running.append(
                subprocess.Popen(
                    self.network.command_on(machine, *command),
                    env={**self.environment, **said},
                    cwd="/" if machine == DATABASE else ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

    def _log(self, name: str) -> Any:
        return (self._folder / f"{name}.log").open("ab")


@contextlib.contextmanager
def running_hosts(folder: Path) -> Iterator[Hosts]:
    """A ready site on eight machines, for the length of the block."""
    with Network() as network:
        hosts = Hosts(network, folder)
        try:
            hosts.start()
            yield hosts
        except BaseException:
            sys.stderr.write(hosts.logs())
            raise
        finally:
            hosts.stop()


def is_ready(address: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{address}/readyz", timeout=5, trust_env=False).is_success
    return False


def _may_make_machines() -> bool:
    """Not in containers without the right to, be it as root."""
    name = f"media-{secrets.token_hex(2)}"
    made = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True)
    if made.returncode == 0:
        _ip("netns", "del", name)
    return made.returncode == 0


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _postgres_bin() -> Path | None:
    """Where the newest server's programs are, which Debian keeps off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _as_postgres(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command]


def _make_database(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
            connection.execute("CREATE DATABASE media")
        return True
    return False


def _make_bucket(endpoint: str) -> bool:
    keys = {name.lower(): value for name, value in KEYS.items()}
    client: Any = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    with contextlib.suppress(Exception):
        client.create_bucket(Bucket="media")
        return True
    return False
