"""Storage URLs and what they become."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.storage import StorageHandler

from apps.core.storage import storage_from_url
from apps.core.storage.azure import AzureStore
from apps.core.storage.gcs import GcsStore
from apps.core.storage.local import LocalStore
from apps.core.storage.s3 import S3Store
from apps.core.storage.urls import browser_origins


class TestUrls:
    def test_file(self) -> None:
        assert storage_from_url("file:///srv/my%20media") == {
            "BACKEND": "apps.core.storage.local.LocalStore",
            "OPTIONS": {"location": "/srv/my media"},
        }

    def test_memory(self) -> None:
        assert storage_from_url("memory://")["BACKEND"] == "apps.core.storage.memory.MemoryStore"
        with pytest.raises(ValueError, match="names nothing"):
            storage_from_url("memory://somewhere")

    def test_s3(self) -> None:
        assert storage_from_url("s3://bucket") == {
            "BACKEND": "apps.core.storage.s3.S3Store",
            "OPTIONS": {"bucket_name": "bucket", "location": "", "conditional_writes": True},
        }

    @pytest.mark.parametrize(
        "endpoint", ["https://s3.example:9000", "https%3A%2F%2Fs3.example%3A9000"]
    )
    def test_s3_elsewhere(self, endpoint: str) -> None:
        url = f"s3://my-bucket/some/prefix/?endpoint_url={endpoint}&region_name=nyc3"
        assert storage_from_url(f"{url}&conditional_writes=false")["OPTIONS"] == {
            "bucket_name": "my-bucket",
            "location": "some/prefix",
            "endpoint_url": "https://s3.example:9000",
            "region_name": "nyc3",
            "addressing_style": "path",
            "conditional_writes": False,
        }

    def test_google(self) -> None:
        assert storage_from_url("gs://bucket/some/prefix") == {
            "BACKEND": "apps.core.storage.gcs.GcsStore",
            "OPTIONS": {"bucket_name": "bucket", "location": "some/prefix"},
        }
        url = "gs://bucket?endpoint=http://127.0.0.1:9&iam_sign_blob=true&spool_dir=/srv/parts"
        assert storage_from_url(url)["OPTIONS"] == {
            "bucket_name": "bucket",
            "location": "",
            "endpoint": "http://127.0.0.1:9",
            "iam_sign_blob": True,
            "spool_dir": "/srv/parts",
        }

    def test_azure(self) -> None:
        url = "azure://container/prefix?account_name=mine&endpoint=https://here.example"
        assert storage_from_url(url) == {
            "BACKEND": "apps.core.storage.azure.AzureStore",
            "OPTIONS": {
                "azure_container": "container",
                "location": "prefix",
                "account_name": "mine",
                "endpoint": "https://here.example",
            },
        }

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("", "known are file://, s3://"),
            ("/srv/media", "known are file://, s3://"),
            ("ftp://bucket", "known are file://, s3://, gs://"),
            ("gs://", "bucket"),
            ("azure:///prefix", "bucket"),
            ("azure://container?account_key=hunter2", "Unknown option 'account_key'"),
            ("gs://bucket?endpoint=here", "endpoint must be"),
            ("gs://bucket?iam_sign_blob=perhaps", "iam_sign_blob"),
            ("gs://bucket?region_name=x", "Unknown option 'region_name'"),
            ("s3://bucket?spool_dir=here", "absolute directory"),
            ("file://srv/media", "absolute directory"),
            ("file:srv", "absolute directory"),
            ("file:///srv?x=1", "Unknown option 'x'"),
            ("s3:///prefix", "bucket"),
            ("s3://bucket:80/prefix", "bucket"),
            ("s3://bucket/a/../b", "dotted segment"),
            ("s3://bucket?acl=public", "Unknown option 'acl'"),
            ("s3://bucket?region_name=a&region_name=b", "twice"),
            ("s3://bucket?endpoint_url=ftp://x", "endpoint_url"),
            ("s3://bucket?conditional_writes=maybe", "conditional_writes"),
            ("s3://key:hunter2@bucket/", "credentials"),
            ("s3://bucket?endpoint_url=http://key:hunter2@x", "credentials"),
        ],
    )
    def test_refusals(self, url: str, message: str) -> None:
        with pytest.raises(ValueError, match=message) as caught:
            storage_from_url(url)
        assert "hunter2" not in str(caught.value)

    def test_the_entries_build_stores(self, tmp_path: Path) -> None:
        handler = StorageHandler(
            {
                "disk": storage_from_url(f"file://{tmp_path}"),
                "bucket": storage_from_url("s3://bucket/p?endpoint_url=http://127.0.0.1:9"),
                "azure": storage_from_url("azure://box/p?account_name=mine"),
                "google": storage_from_url("gs://bucket/p?endpoint=http://127.0.0.1:9"),
            }
        )
        assert isinstance(handler["disk"], LocalStore)
        assert isinstance(handler["bucket"], S3Store)
        assert isinstance(handler["google"], GcsStore)
        assert isinstance(handler["azure"], AzureStore)


@pytest.mark.parametrize(
    ("url", "origins"),
    [
        ("file:///srv/media", []),
        ("s3://bucket/a?endpoint_url=http://minio:9000/s3", ["http://minio:9000"]),
        ("azure://box/a?account_name=mine", ["https://mine.blob.core.windows.net"]),
        ("azure://box/a?endpoint=http://here:10000/mine", ["http://here:10000"]),
        ("gs://bucket/a", ["https://storage.googleapis.com"]),
        ("gs://bucket/a?endpoint=http://here:9000", ["http://here:9000"]),
        ("s3://bucket/a", ["https://bucket.s3.amazonaws.com", "https://s3.amazonaws.com"]),
    ],
)
def test_where_browsers_send_bytes(url: str, origins: list[str]) -> None:
    assert browser_origins(url) == origins


def test_where_browsers_send_bytes_in_a_region() -> None:
    origins = browser_origins("s3://bucket?region_name=eu-central-1")
    assert "https://bucket.s3.eu-central-1.amazonaws.com" in origins
