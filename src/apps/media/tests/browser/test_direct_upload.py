"""Uploading straight to the storage: the page sends the parts, the app only opens and closes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from apps.core.storage.s3 import S3Store
from apps.core.tests.swift import swift_server, swift_store
from apps.media.models import MediaFile, Upload
from apps.media.services import direct
from apps.media.tests import samples
from apps.media.tests.browser.test_upload import MIB, choose, tray

__all__ = ["swift_server", "swift_store"]
At = Callable[[str], str]
pytestmark = pytest.mark.swift
# What the rules of a bucket for other origins (CORS) say.
RULES = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "PUT",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Expose-Headers": "ETag",
}


@pytest.fixture
def bucket(
    swift_store: S3Store, settings: Any, monkeypatch: pytest.MonkeyPatch, context: Any
) -> tuple[str, list[str]]:
    """The app's storage is a bucket, whose rules the driver adds; the parts it was sent."""
    monkeypatch.setattr("apps.media.storage.object_store", lambda alias: swift_store)
    monkeypatch.setattr(direct, "PART_SIZE", 5 * MIB)
    monkeypatch.setattr(direct, "SINGLE_LIMIT", 5 * MIB)
    origin = swift_store.client.meta.endpoint_url
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {
        "DIRECTIVES": {**policy, "connect-src": [*policy["connect-src"], origin]}
    }
    sent: list[str] = []

    def serve(route: Route) -> None:
        if route.request.method == "OPTIONS":
            route.fulfill(status=204, headers=RULES)
            return
        sent.append(route.request.url)
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, **RULES})

    context.route(f"{origin}/**", serve)
    return origin, sent


@pytest.mark.parametrize("size", [1, 12], ids=["one request", "three parts"])
def test_straight_to_the_storage(
    size: int,
    bucket: tuple[str, list[str]],
    site: Page,
    at: At,
    tmp_path: Path,
    complaints: list[str],
    run_jobs: Callable[[], int],
) -> None:
    origin, sent = bucket
    file = tmp_path / "straight.jpg"
    file.write_bytes(samples.photo_jpeg(640, 480) + b"\0" * (size * MIB))
    site.goto(at("/library/upload/"))
    choose(site, file)
    expect(tray(site)).to_contain_text("1 file uploaded", timeout=30_000)
    assert len(sent) == (1 if size == 1 else 3)
    run_jobs()
    media = MediaFile.objects.get()
    assert media.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert Upload.objects.get().source == Upload.Source.DIRECT
    assert all(line.startswith(f"left the host: {origin}") for line in complaints), complaints
    complaints.clear()
