"""One run of the project: everything between "the place is free" and "it answers", and back."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from rich.console import Console

from config.env import DEVELOPMENT_SECRET, Environment, read_environment
from launch import samples
from launch.broker import socket_path, stop_leftover
from launch.errors import LaunchError
from launch.place import Place, publish, read_secret, take
from launch.processes import Plan, Supervisor, manage, start_command, supervised
from launch.readiness import free_port, is_free, wait_until_ready

READY_SECONDS = 90


@dataclass(frozen=True)
class Session:
    """A running, ready project."""

    address: str
    place: Place
    supervisor: Supervisor
    plan: Plan


def read_settings() -> Environment:
    """Return the typed environment; raise `LaunchError` when it is refused."""
    try:
        return read_environment()
    except ImproperlyConfigured as error:
        raise LaunchError(str(error)) from error


def stop_on_signals() -> None:
    """Let a request to end (SIGTERM, a closed terminal) arrive as Ctrl-C does.

    Ctrl-C itself is named too: a shell's background job starts with it ignored.
    """
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


def choose_port(environment: Environment, *, any_port: bool) -> int:
    """Return the port to serve on; raise `LaunchError` when it is taken and no other will do."""
    if is_free(environment.port):
        return environment.port
    if any_port:
        return free_port()
    raise LaunchError(
        f"Port {environment.port} is in use. Stop what uses it, or choose another: PORT=8001"
    )


def plan_run(environment: Environment, place: Place, *, port: int, socket: Path) -> Plan:
    """Return the plan for serving `place` on `port`."""
    own_secret = environment.secret_key == DEVELOPMENT_SECRET
    return Plan(
        place=place,
        port=port,
        secret_key=read_secret(place) if own_secret else environment.secret_key,
        broker_url=environment.broker_url,
        socket=socket,
    )


def prepare(plan: Plan, environment: Environment) -> None:
    """Bring the database, and in production the static files, up to date."""
    if not manage(plan, "migrate", "--noinput", "--verbosity", "0"):
        raise LaunchError("The database could not be brought up to date (see above)")
    if not environment.debug and not manage(plan, "collectstatic", "--noinput", "--verbosity", "0"):
        raise LaunchError("The static files could not be collected (see above)")


@contextmanager
def populating(plan: Plan, environment: Environment, *, with_samples: bool) -> Iterator[None]:
    """Beside the block, create the demo account, and its sample media; in development only."""
    if not environment.debug:
        yield
        return
    files = samples.ensure_samples(plan.place.samples) if with_samples else []
    with start_command(plan, "bootstrap_demo", *map(str, files)) as process:
        yield
        if process.wait() != 0:
            raise LaunchError("The demo account could not be created (see above)")


@contextmanager
def serving(
    environment: Environment, console: Console, *, any_port: bool, with_samples: bool
) -> Iterator[Session]:
    """Run the project for the length of the block, which starts when it is ready.

    Raises `TakenError` when another copy runs on the same data, `LaunchError` when it cannot start.
    """
    place = Place(environment.data_dir)
    place.make()
    with take(place) as lock, socket_path(place) as socket:
        shutil.rmtree(place.counts, ignore_errors=True)
        port = choose_port(environment, any_port=any_port)
        plan = plan_run(environment, place, port=port, socket=socket)
        if not plan.broker_url:
            stop_leftover(socket)
        with console.status("Bringing the database up to date"):
            prepare(plan, environment)
        with supervised(plan, lock, warn=warner(console)) as supervisor:
            publish(lock, supervisor.pid)
            with (
                console.status("Starting the processes"),
                populating(plan, environment, with_samples=with_samples),
            ):
                await_readiness(plan, supervisor)
            publish(lock, supervisor.pid, plan.address)
            yield Session(plan.address, place, supervisor, plan)


def warner(console: Console) -> Callable[[str], None]:
    """Return what prints one line of the supervisor's as a warning."""
    return lambda line: console.print(line, style="yellow", markup=False, highlight=False)


def await_readiness(plan: Plan, supervisor: Supervisor) -> None:
    """Return when the server answers that it is ready; raise `LaunchError` when it does not."""
    try:
        wait_until_ready(plan.address, is_alive=supervisor.is_alive, seconds=READY_SECONDS)
    except LaunchError as error:
        raise LaunchError(f"{error}\nThe logs are in {plan.place.show(plan.place.log)}/") from error
