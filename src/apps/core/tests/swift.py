"""A bucket of OpenStack Swift, which checks signatures, expiry and sizes as Amazon does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.core.storage.s3 import S3Store
from apps.core.tests.storages import S3Server, free_port, fresh_bucket, wait_for_port
from apps.core.tests.swift_server import ACCESS_KEY, SECRET_KEY


@pytest.fixture(scope="session")
def swift_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    pytest.importorskip("swift", reason="requirements/dev.txt is not installed")
    folder, port = tmp_path_factory.mktemp("swift"), free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "apps.core.tests.swift_server", str(folder), str(port)],
        cwd=Path(__file__).resolve().parents[3],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process)
        yield S3Server(f"http://127.0.0.1:{port}", ACCESS_KEY, SECRET_KEY)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def swift_store(swift_server: S3Server) -> Iterator[S3Store]:
    with fresh_bucket(swift_server) as bucket:
        store = swift_server.store(bucket, location="some/prefix")
        yield store
        store.client.close()
