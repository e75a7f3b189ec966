"""Databases of sites under test: tables are made once by each test process, sites have copies."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from launch.place import ROOT

SETTINGS = "apps.media.tests.flows.settings"


def migrate(environment: dict[str, str]) -> None:
    """Make the tables of the database that `environment` names."""
    command = [sys.executable, "-m", "django", "migrate", "--noinput", "--verbosity", "0"]
    subprocess.run(command, env=environment, cwd=ROOT, check=True)


@contextlib.contextmanager
def own_database(directory: Path) -> Iterator[str]:
    """The URL of a database with empty tables: a file in `directory`, or one on the given
    PostgreSQL, which is dropped afterwards."""
    server = os.environ.get("DATABASE_URL", "")
    if server.startswith("postgres"):
        name = f"media_site_{secrets.token_hex(6)}"
        _execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{_template_on(server)}"')
        try:
            yield _beside(server, name)
        finally:
            _drop(server, name)
    else:
        copy = directory / "db.sqlite3"
        shutil.copyfile(_template_file(), copy)
        yield f"sqlite:///{copy}"


@functools.cache
def _template_file() -> Path:
    file = _scratch() / "db.sqlite3"
    _make_tables(f"sqlite:///{file}")
    return file


@functools.cache
def _template_on(server: str) -> str:
    """The name of a database to which nobody is connected, as copying wants it."""
    name = f"media_tables_{secrets.token_hex(6)}"
    atexit.register(_drop, server, name)
    _execute(server, f'CREATE DATABASE "{name}"')
    _make_tables(_beside(server, name))
    return name


@functools.cache
def _scratch() -> Path:
    folder = tempfile.mkdtemp(prefix="media-tables-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _make_tables(url: str) -> None:
    own = {
        "DATABASE_URL": url,
        "DATA_DIR": str(_scratch()),
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "PYTHONPATH": str(ROOT / "src"),
    }
    migrate({**os.environ, **own})


def _drop(server: str, name: str) -> None:
    _execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _beside(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def _execute(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)
