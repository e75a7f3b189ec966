"""A bucket of an emulated Google Cloud Storage, and a key that signs for it."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.oauth2.service_account import Credentials

from apps.core.storage.gcs import GcsStore
from apps.core.tests.storages import free_port, wait_for_port

EMAIL = "tests@example.iam.gserviceaccount.com"


class UnknownAccount(Credentials):
    """A service account with a key of its own, for which nobody issues tokens."""

    def refresh(self, request: object) -> None:
        self.token = "token"
        self.expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)


@pytest.fixture(scope="session")
def gcs_credentials() -> Credentials:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    found: Credentials = UnknownAccount.from_service_account_info(
        {"client_email": EMAIL, "token_uri": "http://127.0.0.1:9", "private_key": pem.decode()}
    )
    return found


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "apps.core.tests.gcs_server", str(port)],
        cwd=Path(__file__).resolve().parents[3],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def gcs_store(gcs_server: str, gcs_credentials: Credentials) -> Iterator[GcsStore]:
    store = GcsStore(
        bucket_name=f"contract-{uuid.uuid4().hex[:16]}",
        location="some/prefix",
        endpoint=gcs_server,
        credentials=gcs_credentials,
        project_id="tests",
    )
    store.client.create_bucket(store.bucket_name)
    yield store
    store.client.bucket(store.bucket_name).delete(force=True)
    store.client.close()
