"""A container of Azurite, which checks signatures of addresses and conditions as Azure does."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.core.storage.azure import AzureStore
from apps.core.tests.storages import free_port, wait_for_port
from launch.node import node_command

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = ROOT / "emulators/node_modules/azurite/dist/src/blob/main.js"
ACCOUNT = "devstoreaccount1"
# The key that every Azurite has, known to everybody.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture(scope="session")
def azure_server() -> Iterator[str]:
    """The address of the account."""
    if not PROGRAM.is_file():
        pytest.skip("bin/setup dev installs Azurite")
    port = free_port()
    options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry"]
    process = subprocess.Popen(
        [*node_command(), str(PROGRAM), "--blobPort", str(port), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}/{ACCOUNT}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def azure_store(azure_server: str) -> Iterator[AzureStore]:
    store = AzureStore(
        azure_container=f"contract-{uuid.uuid4().hex[:16]}",
        location="some/prefix",
        endpoint=azure_server,
        account_name=ACCOUNT,
        account_key=KEY,
    )
    store.client.create_container()
    yield store
    store.client.delete_container()
    store.client.close()
