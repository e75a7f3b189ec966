"""Takes files through the HTTP API as any client would: log in, upload, watch, read the result."""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from launch.errors import LaunchError
from launch.outcomes import Meter, Outcome

CREDENTIALS = {"username": "demo", "password": "demo-password"}
# Enough to keep two workers busy while the next files are on their way.
PARALLEL_FILES = 4
POLL_SECONDS = 0.25
# Seconds before a file that came too fast is sent again; then the refusal stands.
SLOWER = (2, 10, 30)
UNSETTLED = frozenset({"pending", "processing"})


@dataclass(frozen=True)
class Carrier:
    """How files are carried: through `client`; given up when nothing moves for `seconds`."""

    client: httpx.Client
    seconds: float


@contextmanager
def log_in(address: str, *, username: str = CREDENTIALS["username"]) -> Iterator[httpx.Client]:
    """Yield a client of the API at `address`, logged in as `username`, its token for this."""
    timeout = httpx.Timeout(30, read=300, write=300)
    with httpx.Client(base_url=f"{address}/api/v1/", timeout=timeout, trust_env=False) as client:
        answer = client.post("auth/token/", json={**CREDENTIALS, "username": username})
        if not answer.is_success:
            raise LaunchError(f"{username} cannot log in: {answer.status_code} {answer.text}")
        client.headers["Authorization"] = f"Token {answer.json()['token']}"
        yield client
        client.delete("auth/token/")


def carry_all(files: list[Path], carrier: Carrier, console: Console) -> list[Outcome]:
    """Return what became of each file, in the given order; shows progress meanwhile."""
    with Meter(console, files) as meter, ThreadPoolExecutor(PARALLEL_FILES) as pool:
        return list(pool.map(lambda file: carry(file, carrier, meter), files))


def carry(file: Path, carrier: Carrier, meter: Meter) -> Outcome:
    """Upload one file, wait until it is settled, and return what became of it."""
    started = time.monotonic()
    try:
        answer = upload(file, carrier.client, meter)
        media = watch(answer.json(), carrier, file, meter) if answer.is_success else {}
        outcome = settled(media) if media else refused(answer)
    except (httpx.HTTPError, OSError) as error:
        outcome = Outcome(status="error", code=type(error).__name__)
    outcome = outcome.of(file, seconds=time.monotonic() - started)
    meter.finish(file, outcome)
    return outcome


def upload(file: Path, client: httpx.Client, meter: Meter) -> httpx.Response:
    """Send `file` in pieces, never whole in memory; slows down when the server asks for it."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    for pause in (*SLOWER, None):
        with meter.open(file) as content:
            answer = client.post("media/", files={"file": (file.name, content, kind)})
        if pause is None or answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            break
        time.sleep(pause)
    return answer


def watch(media: dict[str, Any], carrier: Carrier, file: Path, meter: Meter) -> dict[str, Any]:
    """Poll until `media` is settled or nothing has moved for too long; return its last state."""
    seen, deadline = None, 0.0
    while media["status"] in UNSETTLED:
        moved = (media["status"], media.get("progress") or 0)
        if moved != seen:
            seen, deadline = moved, time.monotonic() + carrier.seconds
        elif time.monotonic() >= deadline:
            break
        meter.processing(file, moved[1])
        time.sleep(POLL_SECONDS)
        answer = carrier.client.get(f"media/{media['id']}/")
        media = answer.raise_for_status().json()
    return media


def settled(media: dict[str, Any]) -> Outcome:
    """Return the outcome of an accepted file."""
    return Outcome(
        mime_type=media["mime_type"],
        size=media["size"],
        status=media["status"],
        code=(media.get("failure") or {}).get("code", ""),
        renditions=len(media["renditions"]),
    )


def refused(answer: httpx.Response) -> Outcome:
    """Return the outcome of a file that the server did not take."""
    is_problem = "json" in answer.headers.get("Content-Type", "")
    problem = answer.json() if is_problem else {}
    return Outcome(status="refused", code=problem.get("code", f"http_{answer.status_code}"))
