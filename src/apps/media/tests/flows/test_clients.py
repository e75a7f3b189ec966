"""Clients that people really use, through lines that fail: what is stored is what they had.

tus-js-client, tuspy and curl, each over a clean line and over every bad one. Whatever happens on
the way, one file comes out of one upload, with the client's own hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tusclient.client import TusClient

from apps.media.tests.flows.badline import BadLine, Fault
from apps.media.tests.flows.clients import API, Person
from apps.media.tests.flows.servers import Site
from apps.media.tests.flows.state import assert_explained
from apps.media.tests.flows.tus import BASE, BYTES
from apps.media.tests.flows.waiting import eventually
from launch.node import node_command
from launch.place import ROOT

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

MIB = 1024 * 1024
SIZE = 3 * MIB + 12_345
PROGRAM = Path(__file__).with_name("tusjs.mjs")
SECONDS = 120

# On every line, requests that carry bytes fail; what a client cannot repeat is left alone.
LINES: dict[str, Callable[[], list[Fault]]] = {
    "clean": list,
    "cut": lambda: [Fault("cut", "^PATCH", at=MIB)],
    "delay": lambda: [Fault("delay", seconds=0.05)],
    "reset": lambda: [Fault("reset", "^PATCH", times=3, at=700_000)],
    "swallowed reply": lambda: [Fault("lost_reply", "^PATCH", times=2)],
}


@pytest.fixture
def line(site: Site) -> Iterator[BadLine]:
    with BadLine(site.address) as line:
        yield line


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A text of which no two pieces are alike."""
    path = tmp_path / "words.txt"
    path.write_bytes(os.urandom(SIZE // 2 + 1).hex().encode()[:SIZE])
    return path


def tus_js(line: BadLine, person: Person, path: Path, mode: str, **options: Any) -> dict[str, Any]:
    """What the program says of its upload."""
    said = {
        "endpoint": line.address + BASE,
        "token": person.token,
        "path": str(path),
        "name": path.name,
        "mode": mode,
        **options,
    }
    command = [*node_command(), str(PROGRAM), json.dumps(said)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


def tuspy(line: BadLine, person: Person, path: Path) -> None:
    client = TusClient(line.address + BASE, headers=person.headers)
    client.uploader(
        str(path),
        chunk_size=SIZE // 2,
        retries=60,
        retry_delay=0,
        metadata={"filename": path.name},
    ).upload()


def curl(line: BadLine, person: Person, path: Path) -> None:
    """A shell script's way: ask where it stands, send the rest, until all is there."""
    name = base64.b64encode(path.name.encode()).decode()
    begun = _curl(
        line.address + BASE,
        person,
        *("-X", "POST", "-H", f"Upload-Length: {SIZE}"),
        *("-H", f"Upload-Metadata: filename {name}"),
    )
    url = line.address + begun["location"]
    rest = path.with_suffix(".rest")
    while (offset := int(_curl(url, person, "--head")["upload-offset"])) < SIZE:
        rest.write_bytes(path.read_bytes()[offset:])
        _curl(
            url,
            person,
            *("-X", "PATCH", "-H", f"Upload-Offset: {offset}"),
            *("-H", f"Content-Type: {BYTES}", "--data-binary", f"@{rest}"),
        )


def _curl(url: str, person: Person, *arguments: str) -> dict[str, str]:
    """The headers of the answer, none where there was none."""
    command = ["curl", "-s", "-D", "-", "-o", "/dev/null", "--noproxy", "*", "--max-time", "60"]
    command += ["-H", f"Authorization: Token {person.token}", "-H", "Tus-Resumable: 1.0.0"]
    done = subprocess.run([*command, *arguments, url], capture_output=True, text=True, check=False)
    pairs = [text.split(": ", 1) for text in done.stdout.splitlines() if ": " in text]
    return {name.lower(): value for name, value in pairs}


CLIENTS: dict[str, Callable[[BadLine, Person, Path], Any]] = {
    "tus-js one request": partial(tus_js, mode="whole"),
    "tus-js chunked": partial(tus_js, mode="chunked"),
    "tus-js parallel": partial(tus_js, mode="parallel"),
    "tus-js deferred": partial(tus_js, mode="deferred"),
    "tuspy": tuspy,
    "curl": curl,
}


def assert_one_true_file(site: Site, person: Person, path: Path) -> None:
    """Exactly one media, with the client's bytes; whatever else is stored, rows explain."""
    with person.client() as client:
        found = client.get(API).json()["results"]
        assert [media["original_name"] for media in found] == [path.name]
        stored = client.get(found[0]["urls"]["original"]).content
    assert hashlib.sha256(stored).digest() == hashlib.sha256(path.read_bytes()).digest()
    assert_explained(site.state())


@pytest.mark.parametrize("fault", LINES)
@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_stored_is_what_was_sent(
    site: Site,
    person: Person,
    line: BadLine,
    path: Path,
    client: str,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    line.suffer(*LINES[fault]())
    outcome = CLIENTS[client](line, person, path)
    assert "error" not in (outcome or {}), outcome
    assert bool(line.hits) == (fault != "clean")
    assert_one_true_file(site, person, path)


@pytest.mark.parametrize("fault", ["clean", "reset"])
@pytest.mark.parametrize("mode", ["chunked", "parallel"])
def test_aborted_and_resumed(
    site: Site, person: Person, line: BadLine, path: Path, mode: str, fault: str
) -> None:
    line.suffer(*LINES[fault]())
    tus_js(line, person, path, mode, stop=1)
    assert_one_true_file(site, person, path)


@pytest.mark.parametrize("fault", ["clean", "cut"])
def test_resumed_by_another_process(
    site: Site, person: Person, line: BadLine, path: Path, tmp_path: Path, fault: str
) -> None:
    store = str(tmp_path / "addresses.json")
    stopped = tus_js(line, person, path, "chunked", stop=MIB, store=store)
    line.suffer(*LINES[fault]())
    resumed = tus_js(line, person, path, "chunked", store=store)
    assert resumed["url"] == stopped["url"]
    assert_one_true_file(site, person, path)


def test_the_answer_to_a_concatenation_is_lost(
    site: Site, person: Person, line: BadLine, path: Path, tmp_path: Path
) -> None:
    """The client gives up; started again it asks for its parts, which it has to find whole."""
    store = str(tmp_path / "addresses.json")
    line.suffer(Fault("lost_reply", r"^POST(.|\n)*Upload-Concat: final", times=1))
    assert "error" in tus_js(line, person, path, "parallel", store=store)
    assert len(line.hits) == 1
    assert "error" not in tus_js(line, person, path, "parallel", store=store)
    assert_one_true_file(site, person, path)


def test_f4_the_answer_to_the_last_bytes_is_lost(
    site: Site, person: Person, line: BadLine, path: Path
) -> None:
    line.suffer(Fault("lost_reply", "^PATCH", times=1))
    with httpx.Client(
        base_url=line.address,
        headers={**person.headers, "Tus-Resumable": "1.0.0"},
        trust_env=False,
        timeout=60,
    ) as client:
        name = base64.b64encode(path.name.encode()).decode()
        headers = {"Upload-Length": str(SIZE), "Upload-Metadata": f"filename {name}"}
        url = client.post(BASE, headers=headers).headers["Location"]
        with pytest.raises(httpx.TransportError):
            client.patch(
                url,
                content=path.read_bytes(),
                headers={"Upload-Offset": "0", "Content-Type": BYTES},
            )
        answer = client.head(url)
        assert answer.headers["Upload-Offset"] == str(SIZE)
        media = client.get(answer.headers["Content-Location"]).json()
    assert media["size"] == SIZE
    assert_one_true_file(site, person, path)
    eventually(lambda: site.statuses(person) == ["ready"])
