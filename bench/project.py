"""The project on a PostgreSQL of a benchmark's own, in this process."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import psycopg
from benchmark import SOURCE
from databases import own_database


def postgresql() -> str:
    """The address of the server (DATABASE_URL); ends the program where none is named."""
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        sys.stderr.write("This benchmark needs PostgreSQL: set DATABASE_URL\n")
        raise SystemExit(2)
    return address


def postgresql_version(address: str) -> str:
    with psycopg.connect(address) as server:
        return f"PostgreSQL {server.info.parameter_status('server_version')}"


@contextmanager
def own_project(name: str, address: str, **more: str) -> Iterator[Path]:
    """Inside, Django is set up on an empty database on the server at `address` and on the directory
    that is given, with `more` in the environment; both are gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="media-bench-") as folder,
        own_database(address, f"media_bench_{name}"),
    ):
        set_up(DATA_DIR=folder, MEDIA_STORAGE_URL=f"file://{folder}/media", **more)
        yield Path(folder)


def set_up(**environment: str) -> None:
    """Have the project on the path, here and in processes to come, and Django set up."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(SOURCE),
        **environment,
    }
    sys.path.insert(0, str(SOURCE))
    django.setup()
