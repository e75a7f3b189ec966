"""The real pip-audit and npm, asking a service on this machine that knows what a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from apps.core.tests.storages import free_port
from launch import audit
from launch.audit import Outcome, ask, audit_python, audit_scripts

HASH = "0" * 64
PYTHON_WEAKNESS = {
    "vulns": [
        {
            "id": "PYSEC-2026-1",
            "summary": "Reads what it should not.",
            "affected": [
                {
                    "package": {"name": "tiny", "ecosystem": "PyPI"},
                    "ranges": [
                        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}
                    ],
                }
            ],
        }
    ]
}
SCRIPT_WEAKNESS = {
    "tiny": [
        {
            "id": 1,
            "url": "https://example.org/1",
            "title": "Reads what it should not",
            "severity": "high",
            "vulnerable_versions": "<1.1.0",
        }
    ]
}


@pytest.fixture
def service() -> Iterator[Callable[[Any], str]]:
    """Call it with what every question is answered with; it returns the service's address."""
    started: list[ThreadingHTTPServer] = []

    def start(answer: Any) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.fixture
def python_lock(tmp_path: Path) -> Path:
    lock = tmp_path / "tiny.txt"
    lock.write_text(f"tiny==1.0 \\\n    --hash=sha256:{HASH}\n")
    return lock


@pytest.fixture
def script_lock(tmp_path: Path) -> Path:
    package = {"name": "site", "version": "1.0.0", "dependencies": {"tiny": "1.0.0"}}
    (tmp_path / "package.json").write_text(json.dumps(package))
    lock = {
        "name": "site",
        "version": "1.0.0",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {"": package, "node_modules/tiny": {"version": "1.0.0", "license": "MIT"}},
    }
    path = tmp_path / "package-lock.json"
    path.write_text(json.dumps(lock))
    return path


def osv(address: str) -> list[str]:
    return ["--vulnerability-service", "osv", "--osv-url", address]


def registry(address: str) -> list[str]:
    return ["--registry", address, "--fetch-retries", "0"]


def test_a_known_weakness_of_a_python_package_is_found(
    service: Callable[[Any], str], python_lock: Path
) -> None:
    outcome = audit_python(python_lock, *osv(service(PYTHON_WEAKNESS)))
    assert outcome.found == ("tiny 1.0: PYSEC-2026-1, mended in 1.1",)
    assert outcome.unknown == ""


def test_a_python_package_of_which_nothing_is_known_is_fine(
    service: Callable[[Any], str], python_lock: Path
) -> None:
    assert audit_python(python_lock, *osv(service({}))) == Outcome("tiny.txt")


def test_a_known_weakness_of_a_script_package_is_found(
    service: Callable[[Any], str], script_lock: Path
) -> None:
    outcome = audit_scripts(script_lock, *registry(service(SCRIPT_WEAKNESS)))
    assert outcome.found == ("tiny: high, Reads what it should not",)
    assert outcome.unknown == ""


def test_a_script_package_of_which_nothing_is_known_is_fine(
    service: Callable[[Any], str], script_lock: Path
) -> None:
    outcome = audit_scripts(script_lock, *registry(service({})))
    assert outcome == Outcome("package-lock.json")


def test_a_service_that_is_away_is_told_and_not_taken_for_a_good_answer(
    python_lock: Path, script_lock: Path
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    asked_python = audit_python(python_lock, *osv(nowhere))
    asked_scripts = audit_scripts(script_lock, *registry(nowhere))
    for outcome in (asked_python, asked_scripts):
        assert outcome.unknown
        assert outcome.found == ()


def test_who_does_not_answer_is_not_asked_again() -> None:
    asked: list[Path] = []

    def away(lock: Path) -> Outcome:
        asked.append(lock)
        return Outcome(lock.name, unknown="away")

    outcomes = list(ask([Path("a.txt"), Path("b.txt")], away))
    assert asked == [Path("a.txt")]
    assert [bool(outcome.unknown) for outcome in outcomes] == [True, True]


@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [
        (Outcome("a"), 0, ["ok", "nothing known"]),
        (Outcome("a", found=("tiny 1.0: X",)), 1, ["WEAK", "tiny 1.0: X"]),
        (Outcome("a", unknown="away"), 0, ["NOT AUDITED, away", "AUDIT INCOMPLETE"]),
        (Outcome("a", found=("tiny 1.0: X",), unknown="in part"), 1, ["WEAK", "AUDIT INCOMPLETE"]),
    ],
)
def test_only_a_weakness_fails_and_silence_is_loud(
    outcome: Outcome,
    status: int,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(audit, "ask", lambda *args: [outcome])
    assert audit.main([]) == status
    told = capsys.readouterr().err
    assert all(word in told for word in words)
