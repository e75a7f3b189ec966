"""Stores for tests: a temporary directory, and a bucket of a real S3 server over HTTP.

`TEST_S3_ENDPOINT` names a running server (credentials from the AWS variables); without it a moto
server is started once per test process.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from apps.core.storage import Capability, ObjectStore, UnfinishedStore, new_key
from apps.core.storage.local import LocalStore
from apps.core.storage.memory import MemoryStore
from apps.core.storage.s3 import S3Store

_START_SECONDS = 60

BAD_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "a/../b",
    "..",
    "a//b",
    "a/",
    "./a",
    "a/./b",
    "A",
    "a b",
    "a\n",
    "a\x00b",
    "a\\b",
    "é",
    "%2e%2e/a",
    "a" * 256,
]


@dataclass(frozen=True)
class S3Server:
    """A running server. Credentials may be anything where the server does not check them."""

    endpoint: str
    access_key: str
    secret_key: str

    def store(self, bucket: str, *, location: str = "", **options: object) -> S3Store:
        return S3Store(
            bucket_name=bucket,
            location=location,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            addressing_style="path",
            access_key=self.access_key,
            secret_key=self.secret_key,
            **options,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def impatient_config() -> Config:
    """For tests of a server that is away: one attempt, short limits."""
    return Config(
        connect_timeout=1,
        read_timeout=1,
        retries={"mode": "standard", "total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)  # between two looks at the condition
    raise TimeoutError("The server did not start")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3 server that is not part of this process, so that memory is measured honestly."""
    given = os.environ.get("TEST_S3_ENDPOINT")
    if given:
        key = os.environ.get("AWS_ACCESS_KEY_ID", "test")
        yield S3Server(given, key, os.environ.get("AWS_SECRET_ACCESS_KEY", "test"))
        return
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process)
        yield S3Server(f"http://127.0.0.1:{port}", "test", "test")
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def fresh_bucket(server: S3Server) -> Iterator[str]:
    """A bucket of one test; emptied and deleted afterwards."""
    name = f"contract-{uuid.uuid4().hex[:16]}"
    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        config=Config(
            s3={"addressing_style": "path"}, request_checksum_calculation="when_required"
        ),
    )
    client.create_bucket(Bucket=name)
    yield name
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=name):
        for found in page.get("Uploads", ()):
            client.abort_multipart_upload(Bucket=name, Key=found["Key"], UploadId=found["UploadId"])
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
        for found in page.get("Contents", ()):
            client.delete_object(Bucket=name, Key=found["Key"])
    client.delete_bucket(Bucket=name)
    client.close()


@pytest.fixture
def s3_bucket(s3_server: S3Server) -> Iterator[str]:
    with fresh_bucket(s3_server) as name:
        yield name


@pytest.fixture
def broken_server() -> Iterator[str]:
    """Answers every request with 503."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def local_store(tmp_path: Path) -> LocalStore:
    return LocalStore(location=tmp_path / "objects")


@pytest.fixture
def memory_store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def s3_store(s3_server: S3Server, s3_bucket: str) -> Iterator[S3Store]:
    store = s3_server.store(s3_bucket, location="some/prefix")
    yield store
    store.client.close()


def put(store: ObjectStore, data: bytes, key: str | None = None) -> str:
    key = key or new_key("test")
    with store.writer(key) as writer:
        writer.write(data)
    return key


def get(store: ObjectStore, key: str) -> bytes:
    with store.open_object(key) as stream:
        return stream.read()


def keys_of(store: ObjectStore, prefix: str = "") -> list[str]:
    return [found.key for found in store.walk(prefix)]


def multipart_uploads(store: S3Store) -> list[object]:
    return list(store.client.list_multipart_uploads(Bucket=store.bucket_name).get("Uploads", ()))


def unfinished_of(store: ObjectStore) -> list[str]:
    """The keys of what was begun and is in no listing."""
    if Capability.UNFINISHED not in store.capabilities:
        return []
    assert isinstance(store, UnfinishedStore)
    return [found.key for found in store.walk_unfinished()]


def send_twice(store: S3Store, monkeypatch: pytest.MonkeyPatch, *operations: str) -> None:
    """Let every request of these operations arrive twice, and its first answer be lost."""
    for name in operations:
        send = getattr(store.client, name)

        def twice(*, _send: object = send, **arguments: object) -> object:
            body = arguments.get("Body")
            copy = {**arguments, "Body": bytes(body)} if isinstance(body, bytearray) else arguments
            _send(**copy)  # type: ignore[operator]
            if isinstance(body, io.IOBase):
                body.seek(0)
            return _send(**arguments)  # type: ignore[operator]

        monkeypatch.setattr(store.client, name, twice)
