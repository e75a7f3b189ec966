"""`python -m apps.media.tests.flows.deployed ADDRESS`: a visitor of a site that was deployed.

Not a test of the suite; `bin/try-deployment` starts it. Uploads a picture and fetches what is made
of it; then sends files in pieces, and goes on after every failure as a tus client does, while
`--meanwhile`, a shell command, does something to the site. Says what was answered in that time.
Name and password come in `VISITOR`, with a colon between.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import subprocess
import sys
import threading
from collections import Counter
from typing import Any

import httpx

from apps.media.tests import samples
from apps.media.tests.flows.clients import TIMEOUT, send
from apps.media.tests.flows.tus import BASE, BYTES, VERSION
from apps.media.tests.flows.waiting import eventually

PIECE = 1_000_000  # bytes
PIECES = 20  # of one file
NAME = base64.b64encode(b"words.txt").decode()
READY_SECONDS = 120.0
PULSE_SECONDS = 0.05


def anybody(address: str, host: str) -> httpx.Client:
    """A client without a token. Certificates of a trial are nobody's, so none is looked at."""
    headers = {"Host": host} if host else {}
    return httpx.Client(
        base_url=address, headers=headers, timeout=TIMEOUT, trust_env=False, verify=False
    )


def here(url: str) -> str:
    """What follows the host, which the visitor calls by an address instead of its name."""
    return httpx.URL(url).raw_path.decode()


def visitor(address: str, host: str) -> httpx.Client:
    client = anybody(address, host)
    name, _, password = os.environ["VISITOR"].partition(":")
    answer = client.post("/api/v1/auth/token/", data={"username": name, "password": password})
    assert answer.status_code == 200, (answer.status_code, answer.text[:500])
    client.headers["Authorization"] = f"Token {answer.json()['token']}"
    return client


def see_picture(client: httpx.Client) -> str:
    """Upload one that is new, wait until it is ready, fetch a rendition; return its type."""
    data = samples.photo_jpeg() + os.urandom(8)
    answer = send(client, "picture.jpg", [data], size=len(data))
    assert answer.status_code == 201, (answer.status_code, answer.text[:500])
    media = eventually(lambda: settled(client, answer.headers["Location"]), within=READY_SECONDS)
    assert media["status"] == "ready", media
    shown = client.get(f"/media/{media['id']}/r/thumb.webp")
    assert shown.status_code == 200, shown.status_code
    assert client.get(here(media["urls"]["original"])).content == data
    return str(shown.headers["Content-Type"])


def settled(client: httpx.Client, url: str) -> dict[str, Any]:
    """The file, once its processing has ended; nothing until then."""
    media: dict[str, Any] = client.get(here(url)).json()
    return {} if media["status"] in {"pending", "processing"} else media


class Pulse(threading.Thread):
    """Asks whether the site answers, again and again; counts by status, 0 being no answer."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self.client = client
        self.seen: Counter[int] = Counter()
        self.slowest = 0.0  # seconds
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(PULSE_SECONDS):
            try:
                answer = self.client.get("/healthz")
            except httpx.TransportError:
                self.seen[0] += 1
            else:
                self.seen[answer.status_code] += 1
                self.slowest = max(self.slowest, answer.elapsed.total_seconds())


class Sender:
    """Sends files in pieces by tus, from where the server stands."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.sent = 0  # files that are stored as they were sent
        self.failed: Counter[int] = Counter()  # requests by status, 0 being no answer

    def send_file(self) -> None:
        data = os.urandom(PIECE * PIECES // 2).hex().encode()
        said = {"Upload-Length": str(len(data)), "Upload-Metadata": f"filename {NAME}"}
        url = self.insist("POST", BASE, headers=said).headers["Location"]
        while (offset := self.offset(url)) < len(data):
            said = {"Upload-Offset": str(offset), "Content-Type": BYTES}
            self.ask("PATCH", url, headers=said, content=data[offset : offset + PIECE])
        media = self.insist("GET", self.insist("HEAD", url).headers["Content-Location"]).json()
        stored = self.insist("GET", media["urls"]["original"]).content
        assert hashlib.sha256(stored).digest() == hashlib.sha256(data).digest()
        self.sent += 1

    def offset(self, url: str) -> int:
        return int(self.insist("HEAD", url).headers["Upload-Offset"])

    def insist(self, method: str, url: str, **said: Any) -> httpx.Response:
        answer = eventually(lambda: self.ask(method, url, **said), within=READY_SECONDS)
        assert answer is not None
        return answer

    def ask(self, method: str, url: str, **said: Any) -> httpx.Response | None:
        """The answer, or nothing where it does not help."""
        headers = {**VERSION, **said.pop("headers", {})}
        try:
            answer = self.client.request(method, here(url), headers=headers, **said)
        except httpx.TransportError:
            self.failed[0] += 1
            return None
        if answer.status_code >= 400:
            self.failed[answer.status_code] += 1
            return None
        return answer


def send_meanwhile(client: httpx.Client, pulse: Pulse, command: str) -> None:
    """Files, one after another, for as long as `command` takes, and one more."""
    sender = Sender(client)
    pulse.start()
    try:
        running = subprocess.Popen(command, shell=True)
        while running.poll() is None:
            sender.send_file()
        sender.send_file()
    finally:
        pulse.ended.set()
        pulse.join()
    assert running.returncode == 0, command
    say(f"{sender.sent} files sent and stored; requests that failed: {dict(sender.failed)}")
    say(f"/healthz meanwhile: {dict(pulse.seen)}, the slowest after {pulse.slowest:.1f} s")


def say(words: str) -> None:
    sys.stdout.write(f"  {words}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--host", default="", help="the name of the site, where it is another")
    parser.add_argument("--meanwhile", default="", help="what a shell does while files are sent")
    options = parser.parse_args()
    client = visitor(options.address, options.host)
    if options.meanwhile:
        pulse = Pulse(anybody(options.address, options.host))
        send_meanwhile(client, pulse, options.meanwhile)
    say(f"a picture became {see_picture(client)}")


if __name__ == "__main__":
    main()
