"""Takes files through the running site as a client would, and says what became of each."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from apps.core.tests.corpus import CORPUS
from apps.media.tests.flows.clients import Person, problem_code, send
from apps.media.tests.flows.servers import Site
from apps.media.tests.flows.waiting import eventually

PARALLEL = 4
SETTLED = frozenset({"ready", "failed", "quarantined"})
# Longer than the longest job may take (MEDIA_APP: PROCESS_WALL_SECONDS), with some in the queue.
SETTLE_SECONDS = 400


@dataclass(frozen=True)
class Case:
    """One file to send: its name as the client says it, its bytes, what the corpus demands."""

    name: str
    data: bytes
    verdict: str
    label: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a case: a refusal with a code, or a media file in its final state."""

    case: Case
    status: int
    code: str = ""
    media: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> str:
        """`ready`, `failed:CODE` or `refused:CODE`."""
        if not self.media:
            return f"refused:{self.code or self.status}"
        if self.media["status"] != "failed":
            return str(self.media["status"])
        return f"failed:{self.media['failure']['code']}"

    @property
    def stored(self) -> bool:
        return bool(self.media)

    def __str__(self) -> str:
        return f"{self.case.label or self.case.name} [{self.case.verdict}] {self.end}"


def manifest(*groups: str) -> list[Case]:
    """The corpus's files of these groups with their verdicts."""
    lines = (CORPUS / "manifest.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["kind"] in groups]
    return [
        Case(
            name=row["file"].partition("/")[2],
            data=(CORPUS / row["file"]).read_bytes(),
            verdict=row["verdict"],
            label=row["file"],
        )
        for row in rows
    ]


def carry(site: Site, person: Person, cases: Iterable[Case]) -> list[Outcome]:
    """Upload every case and wait until each is settled; the site must stay whole meanwhile."""
    worker, web = site.process("worker"), site.process("web")
    with person.client() as client, ThreadPoolExecutor(PARALLEL) as pool:
        taken = list(pool.map(lambda case: _upload(client, case), cases))
    eventually(lambda: set(site.statuses(person)) <= SETTLED, within=SETTLE_SECONDS)
    # New connections: a server may close idle ones at the moment in which they are used again.
    with person.client() as client:
        outcomes = [_final(client, outcome) for outcome in taken]
    assert worker.is_running(), "the worker died"
    assert web.is_running(), "the web process died"
    site.wait_ready()
    return outcomes


def _upload(client: httpx.Client, case: Case) -> Outcome:
    answer = send(client, case.name, [case.data], size=len(case.data), fields=case.fields)
    if answer.status_code == httpx.codes.CREATED:
        return Outcome(case, answer.status_code, media=answer.json())
    return Outcome(case, answer.status_code, code=problem_code(answer))


def _final(client: httpx.Client, outcome: Outcome) -> Outcome:
    if not outcome.stored:
        return outcome
    answer = client.get(outcome.media["urls"]["self"])
    return Outcome(outcome.case, outcome.status, media=answer.raise_for_status().json())


def show(title: str, outcomes: list[Outcome]) -> None:
    """Print how many files came to which end; `pytest -s` shows it."""
    lines = [f"\n{title}: {len(outcomes)} files"]
    counted = Counter((outcome.case.verdict, outcome.end) for outcome in outcomes)
    lines += [
        f"  {verdict:6} {end:34} {count:4}" for (verdict, end), count in sorted(counted.items())
    ]
    sys.stdout.write("\n".join(lines) + "\n")
