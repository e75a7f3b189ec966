"""Large files pass through the web process, never into it."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator

import pytest

from apps.media.tests.flows.clients import Person, download_digest, send
from apps.media.tests.flows.servers import Site
from apps.media.tests.flows.waiting import eventually

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="reads peaks of memory from /proc"),
]

MIB = 1024 * 1024
LIMIT = 200 * MIB
# An S3 server made for tests keeps objects in memory itself, and is slow.
IS_LOCAL = os.environ.get("MEDIA_STORAGE_URL", "file:").startswith("file:")
UPLOAD = (2048 if IS_LOCAL else 512) * MIB
# RFC 1952 §2.3: a member that is deflated, and nothing else said of it. Nothing is made of such a
# file, so that it becomes ready when it is hashed and scanned.
HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


class Archive:
    """A body that says it is an archive, made while it is sent; `digest` counts what was sent."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.digest = hashlib.sha256()

    def pieces(self) -> Iterator[bytes]:
        noise = os.urandom(MIB)
        sent = 0
        while sent < self.size:
            piece = (HEAD + noise if not sent else noise)[: self.size - sent]
            self.digest.update(piece)
            sent += len(piece)
            yield piece


def test_large_files_do_not_pass_through_memory(site: Site, person: Person) -> None:
    archive = Archive(UPLOAD)
    started = time.monotonic()
    with person.client() as client:
        answer = send(client, "all.gz", archive.pieces(), size=archive.size)
    seconds = time.monotonic() - started
    assert answer.status_code == 201, answer.text
    media = answer.json()
    assert (media["mime_type"], media["size"]) == ("application/gzip", archive.size)
    eventually(lambda: site.statuses(person) == ["ready"], within=300)
    with person.client() as client:
        assert download_digest(client, media["urls"]["original"]) == (
            archive.size,
            archive.digest.hexdigest(),
        )
        assert client.delete(media["urls"]["self"] + "?permanent=true").status_code == 204
    peaks = site.peak_memory()
    shown = ", ".join(f"{name} {peak / MIB:.0f}" for name, peak in peaks.items())
    sys.stdout.write(f"\n{archive.size // MIB} MiB in {seconds:.1f} s; peaks in MiB: {shown}\n")
    assert all(peak < LIMIT for peak in peaks.values()), shown
