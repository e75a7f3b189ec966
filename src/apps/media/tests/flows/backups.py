"""Copies of a site's database and of its objects, made while it runs, and what was lost made anew.

With the tools that the operations page names: `pg_dump` and `pg_restore`, or SQLite's own backup;
`cp` for a directory, copies on the server for a bucket.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import boto3
import psycopg

from apps.media.tests.flows.servers import Site


def dump_database(site: Site, dump: Path) -> None:
    """A consistent copy of one moment, while others write."""
    if site.database_url.startswith("postgres"):
        _run("pg_dump", "--format=custom", f"--file={dump}", site.database_url)
        return
    live = sqlite3.connect(site.database_url.removeprefix("sqlite:///"))
    copy = sqlite3.connect(dump)
    with contextlib.closing(live), contextlib.closing(copy):
        live.backup(copy)


@contextlib.contextmanager
def restored_database(site: Site, dump: Path) -> Iterator[str]:
    """The URL of a new database with what is in `dump`, dropped afterwards."""
    if not site.database_url.startswith("postgres"):
        yield f"sqlite:///{dump}"
        return
    name = f"media_restored_{secrets.token_hex(6)}"
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            url = urlunsplit(urlsplit(site.database_url)._replace(path=f"/{name}"))
            _run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={url}", str(dump))
            yield url
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def copy_objects(site: Site, directory: Path) -> str:
    """Everything that lies in the storage, or has until now; returns the URL of the copy."""
    if site.storage_url.startswith("file://"):
        # What is removed while it is at work makes it complain, and is not needed.
        command = ["cp", "-a", f"{site.storage_dir}/.", str(directory)]
        subprocess.run(command, stderr=subprocess.DEVNULL, check=False)
        return f"file://{directory}"
    return _copy_prefix(site.storage_url)


def _copy_prefix(url: str) -> str:
    parts = urlsplit(url)
    said = {name: values[0] for name, values in parse_qs(parts.query).items()}
    client: Any = boto3.client("s3", **said)
    bucket, prefix = parts.netloc, parts.path.strip("/")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            key = f"{prefix}-backup{found['Key'].removeprefix(prefix)}"
            with contextlib.suppress(client.exceptions.NoSuchKey):
                source = {"Bucket": bucket, "Key": found["Key"]}
                client.copy_object(Bucket=bucket, Key=key, CopySource=source)
    return urlunsplit(parts._replace(path=f"/{prefix}-backup"))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
