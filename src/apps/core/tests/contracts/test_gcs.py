"""What only Google's store does. Its emulator checks no signatures: what is signed is read here."""

from __future__ import annotations

import pickle
from urllib.parse import parse_qs, urlsplit

import pytest
from google.cloud.storage import Blob
from google.cloud.storage.retry import DEFAULT_RETRY
from google.oauth2.service_account import Credentials

from apps.core.errors import StorageUnavailableError
from apps.core.storage import new_key
from apps.core.storage.gcs import GcsStore
from apps.core.storage.gcs_client import LIMITS, MOST_SOURCES
from apps.core.tests.contracts.test_appending import Growth, expect_only
from apps.core.tests.contracts.test_direct import Direct
from apps.core.tests.storages import free_port, get, keys_of, put

IMPATIENT = {"timeout": (1, 1), "retry": DEFAULT_RETRY.with_timeout(0.1)}


def query_of(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


class TestSigning:
    @pytest.mark.parametrize("single", [True, False])
    def test_size_and_type_are_signed(self, gcs_store: GcsStore, single: bool) -> None:
        part = Direct(gcs_store, single=single).sign(1, 123)
        assert part.headers == {
            "Content-Type": "application/octet-stream",
            "x-goog-content-length-range": "123,123",
        }
        query = query_of(part.url)
        assert query["X-Goog-SignedHeaders"] == ["content-type;host;x-goog-content-length-range"]
        assert query["X-Goog-Expires"] == ["3600"]
        assert query["X-Goog-Algorithm"] == ["GOOG4-RSA-SHA256"]

    def test_presigned_get(self, gcs_store: GcsStore) -> None:
        key = put(gcs_store, b"abc")
        url = gcs_store.presigned_get(
            key,
            expires_in=60,
            content_type="image/png",
            content_disposition='attachment; filename="a.png"',
        )
        query = query_of(url)
        assert query["response-content-type"] == ["image/png"]
        assert query["response-content-disposition"] == ['attachment; filename="a.png"']
        assert query["X-Goog-Expires"] == ["60"]
        assert urlsplit(url).path.endswith(f"/{gcs_store.bucket_name}/some/prefix/{key}")

    def test_a_part_has_an_address_of_its_own(self, gcs_store: GcsStore) -> None:
        direct = Direct(gcs_store)
        paths = {urlsplit(direct.sign(number, 3).url).path for number in (1, 2)}
        assert len(paths) == 2
        assert all(direct.key in path for path in paths)


class TestJoining:
    def test_more_parts_than_one_request_takes(self, gcs_store: GcsStore) -> None:
        direct = Direct(gcs_store)
        data = [bytes([number]) * 10 for number in range(2 * MOST_SOURCES + 3)]
        for number, piece in enumerate(data, start=1):
            direct.send(number, piece)
        direct.complete(direct.listed())
        assert get(gcs_store, direct.key) == b"".join(data)
        assert keys_of(gcs_store) == [direct.key]

    def test_few_bases_at_a_time(self, gcs_store: GcsStore) -> None:
        growth = Growth(gcs_store)
        for _ in range(5):
            growth.step(b"abc")
            assert len(keys_of(gcs_store)) <= 3
        growth.seal()
        expect_only(growth, b"abc" * 5)

    @pytest.mark.parametrize("lost", ["compose", "upload_from_file"])
    def test_a_lost_answer_is_recognised_as_success(
        self, gcs_store: GcsStore, lost: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send = getattr(Blob, lost)

        def twice(blob: Blob, source: object, **arguments: object) -> None:
            send(blob, source, **arguments)
            if hasattr(source, "seek"):
                source.seek(0)
            send(blob, source, **arguments)

        monkeypatch.setattr(Blob, lost, twice)
        growth = Growth(gcs_store)
        growth.step(b"abc")
        growth.step(b"def")
        growth.seal()
        expect_only(growth, b"abcdef")
        target = new_key("original")
        gcs_store.promote(put(gcs_store, b"xyz"), target)
        assert get(gcs_store, target) == b"xyz"


class TestTrouble:
    def test_nobody_there(self, gcs_credentials: Credentials) -> None:
        store = GcsStore(
            bucket_name="bucket",
            endpoint=f"http://127.0.0.1:{free_port()}",
            credentials=gcs_credentials,
            limits=IMPATIENT,
        )
        _expect_unavailable(store)
        store.client.close()

    def test_a_server_in_trouble(self, broken_server: str, gcs_credentials: Credentials) -> None:
        store = GcsStore(
            bucket_name="bucket",
            endpoint=broken_server,
            credentials=gcs_credentials,
            limits=IMPATIENT,
        )
        _expect_unavailable(store)
        store.client.close()

    def test_limits_are_set(self, gcs_store: GcsStore) -> None:
        assert gcs_store.limits is LIMITS
        assert LIMITS["timeout"] == (3, 30)
        assert LIMITS["retry"].timeout == 60

    def test_copies_of_the_store_work(self, gcs_store: GcsStore) -> None:
        key = put(gcs_store, b"abc")
        copy = pickle.loads(pickle.dumps(gcs_store))
        assert get(copy, key) == b"abc"
        copy.client.close()


def _expect_unavailable(store: GcsStore) -> None:
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
