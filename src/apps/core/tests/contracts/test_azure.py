"""What only Azure's store does, and what its emulator refuses to those whom we signed nothing."""

from __future__ import annotations

import os
import pickle
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobClient

from apps.core.errors import ObjectMissingError, StorageUnavailableError
from apps.core.storage import SignedPart, StoredPart, new_key
from apps.core.storage.azure import AzureStore
from apps.core.storage.azure_client import LIMITS
from apps.core.tests.azurite import ACCOUNT, KEY
from apps.core.tests.contracts.test_appending import Growth, expect_only
from apps.core.tests.contracts.test_direct import Direct, send
from apps.core.tests.storages import free_port, get, keys_of, put

MIB = 1024 * 1024
IMPATIENT = {"connection_timeout": 1, "read_timeout": 1, "retry_total": 0}
REFUSED = {401, 403}


@pytest.fixture(params=[True, False], ids=["single", "parts"])
def direct(request: pytest.FixtureRequest, azure_store: AzureStore) -> Direct:
    return Direct(azure_store, single=request.param)


class TestSigning:
    def test_presigned_get(self, azure_store: AzureStore) -> None:
        key = put(azure_store, b"abc")
        url = azure_store.presigned_get(
            key,
            expires_in=60,
            content_type="image/png",
            content_disposition='attachment; filename="a.png"',
        )
        with urllib.request.urlopen(url) as answer:
            assert answer.read() == b"abc"
            assert answer.headers["Content-Type"] == "image/png"
            assert answer.headers["Content-Disposition"] == 'attachment; filename="a.png"'
        forged = url.replace("image/png", "text/html")
        assert forged != url
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(forged)
        assert caught.value.code in REFUSED
        caught.value.close()

    def test_another_object(self, direct: Direct) -> None:
        part, token = direct.sign(1, 3), direct.key.rpartition("/")[2]
        forged = SignedPart(1, part.url.replace(token, "f" * 32), part.headers)
        assert send(forged, b"abc") in REFUSED
        assert direct.listed() == []
        assert keys_of(direct.store) == []

    def test_too_late(self, direct: Direct) -> None:
        part = direct.store.sign_part(
            direct.key, state=direct.state, number=1, size=3, expires_in=1
        )
        deadline = time.monotonic() + 30
        while (status := send(part, b"abc")) == 201 and time.monotonic() < deadline:
            pass  # it came in time once more
        assert status in REFUSED

    def test_reading_with_what_was_signed_for_writing(self, azure_store: AzureStore) -> None:
        direct = Direct(azure_store, single=True)
        direct.send(1, b"abc")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(direct.sign(1, 3).url)
        assert caught.value.code in REFUSED
        caught.value.close()


class TestBlocks:
    def test_two_at_once_are_no_mixture(self, azure_store: AzureStore) -> None:
        """Whoever lost the lock loses what it wrote, not what the other did."""
        growth = Growth(azure_store)
        growth.step(b"abc")
        late = growth.open()
        late.write(b"late")
        growth.step(b"def")
        with pytest.raises((FileExistsError, StorageUnavailableError, ObjectMissingError)):
            late.close()
        late.abort()
        growth.seal()
        expect_only(growth, b"abcdef")

    @pytest.mark.parametrize("size", [3, 17 * MIB])
    def test_a_lost_answer_is_recognised_as_success(
        self, azure_store: AzureStore, size: int, twice: None
    ) -> None:
        data = os.urandom(size)
        growth = Growth(azure_store)
        growth.step(data)
        growth.step(b"end")
        growth.seal()
        expect_only(growth, data + b"end")
        assert get(azure_store, put(azure_store, data)) == data

    def test_a_lost_answer_of_completing(self, azure_store: AzureStore, twice: None) -> None:
        direct = Direct(azure_store)
        direct.send(1, b"abc")
        direct.complete([StoredPart(1, 3)])
        assert get(azure_store, direct.key) == b"abc"

    def test_a_stored_type_is_never_honest(self, azure_store: AzureStore) -> None:
        promoted = new_key("original", "html")
        azure_store.promote(put(azure_store, b"<html>"), promoted)
        found = azure_store._objects.get(promoted)
        assert found.content_settings.content_type == "application/octet-stream"


class TestTrouble:
    def test_nobody_there(self) -> None:
        _expect_unavailable(f"http://127.0.0.1:{free_port()}/{ACCOUNT}")

    def test_a_server_in_trouble(self, broken_server: str) -> None:
        _expect_unavailable(f"{broken_server}/{ACCOUNT}")

    def test_limits_are_set(self, azure_store: AzureStore) -> None:
        assert azure_store.limits is LIMITS
        assert (LIMITS["connection_timeout"], LIMITS["read_timeout"]) == (3, 30)
        assert azure_store.overwrite_files is False

    def test_credentials_come_from_the_variables_of_azure(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "mine")
        monkeypatch.setenv("AZURE_STORAGE_KEY", KEY)
        store = AzureStore(azure_container="box")
        assert store.client.url == "https://mine.blob.core.windows.net/box"
        store.client.close()

    def test_a_connection_string(self, monkeypatch: pytest.MonkeyPatch) -> None:
        text = f"AccountName=mine;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:9/mine"
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
        store = AzureStore(azure_container="box")
        assert store.client.url == "http://127.0.0.1:9/mine/box"
        assert store.account_key == KEY
        store.client.close()

    def test_copies_of_the_store_work(self, azure_store: AzureStore) -> None:
        key = put(azure_store, b"abc")
        copy = pickle.loads(pickle.dumps(azure_store))
        assert get(copy, key) == b"abc"
        copy.client.close()


@pytest.fixture
def twice(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every list of blocks is committed twice; the first answer is lost."""
    send_list = BlobClient.commit_block_list

    def commit(client: BlobClient, *args: object, **kwargs: object) -> object:
        send_list(client, *args, **kwargs)
        return send_list(client, *args, **kwargs)

    monkeypatch.setattr(BlobClient, "commit_block_list", commit)
    yield


def _expect_unavailable(endpoint: str) -> None:
    store = AzureStore(
        azure_container="box",
        endpoint=endpoint,
        account_name=ACCOUNT,
        account_key=KEY,
        limits=IMPATIENT,
    )
    key = new_key("test")
    for call in (
        lambda: put(store, b"x"),
        lambda: store.exists(key),
        lambda: store.size_of(key),
        lambda: store.open_object(key),
        lambda: store.read_range(key, 0, 1),
        lambda: store.promote(key, new_key("test")),
        lambda: store.remove(key),
        lambda: list(store.walk()),
    ):
        with pytest.raises(StorageUnavailableError):
            call()
    store.client.close()
