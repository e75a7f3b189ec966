"""`make audit`: asks advisory services what is known of every locked package.

A known weakness fails. A service that does not answer, or knows none of the packages, is said in
capitals and fails nothing: a machine without a way to it must still be able to work.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from launch.node import npm_command
from launch.place import ROOT
from launch.trust import trusting_environment

# The smallest first: where the service knows nothing of it, the others are not asked about.
PYTHON_LOCKS = ("uv", "base", "dev")
SCRIPT_LOCKS = (".", "emulators", "bench/node")
PATIENCE = 300  # seconds for one lock


@dataclass(frozen=True)
class Outcome:
    """What was learned of one lock: the weaknesses found, or why nothing could be learned."""

    lock: str
    found: tuple[str, ...] = ()
    unknown: str = ""


def _run(command: list[str], directory: Path) -> tuple[str, str]:
    """Return what a program wrote to its output and to its errors; the status says nothing more."""
    try:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=directory,
            env=trusting_environment(first_in_path=command[0]),
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {PATIENCE} seconds"
    return done.stdout, done.stderr


def _shown(lock: Path) -> str:
    return str(lock.relative_to(ROOT) if lock.is_relative_to(ROOT) else lock.name)


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no answer")


def audit_python(lock: Path, *options: str) -> Outcome:
    """Ask of one file of `requirements/`; `options` go to pip-audit."""
    name = _shown(lock)
    program = Path(sys.executable).with_name("pip-audit")
    quiet = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    command = [str(program), *quiet, "--requirement", str(lock), *options]
    output, errors = _run(command, lock.parent)
    try:
        packages = json.loads(output)["dependencies"]
    except ValueError:
        return Outcome(name, unknown=_last_line(errors))
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped:
        return Outcome(
            name,
            _weaknesses(packages),
            f"{len(skipped)} of {len(packages)} packages are not known to the service",
        )
    return Outcome(name, _weaknesses(packages))


def _weaknesses(packages: list[dict]) -> tuple[str, ...]:
    return tuple(
        f"{package['name']} {package['version']}: {entry['id']}, "
        f"mended in {', '.join(entry['fix_versions']) or 'no version'}"
        for package in packages
        for entry in package.get("vulns", ())
    )


def audit_scripts(lock: Path, *options: str) -> Outcome:
    """Ask of a `package-lock.json`; `options` go to npm."""
    name = _shown(lock)
    command = [*npm_command(), "audit", "--json", "--package-lock-only", *options]
    output, errors = _run(command, lock.parent)
    try:
        answer = json.loads(output)
    except ValueError:
        return Outcome(name, unknown=_last_line(errors))
    if "vulnerabilities" not in answer:
        return Outcome(name, unknown=answer.get("message", "no answer"))
    known = answer["vulnerabilities"].items()
    return Outcome(name, tuple(f"{package}: {_titles(entry)}" for package, entry in known))


def _titles(entry: dict) -> str:
    """Return what npm says of one package: titles of advisories, or names of what it depends on."""
    via = (item["title"] if isinstance(item, dict) else item for item in entry["via"])
    return f"{entry['severity']}, {'; '.join(via)}"


def tell(outcome: Outcome, write: Callable[[str], object]) -> None:
    """Write what was learned of one lock."""
    for weakness in outcome.found:
        write(f"WEAK     {outcome.lock}: {weakness}\n")
    if outcome.unknown:
        write(f"UNKNOWN  {outcome.lock}: NOT AUDITED, {outcome.unknown}\n")
    elif not outcome.found:
        write(f"ok       {outcome.lock}: nothing known\n")


def ask(locks: Iterable[Path], audit: Callable[[Path], Outcome]) -> Iterator[Outcome]:
    """Audit one lock after another, as long as the service answers."""
    silent = False
    for lock in locks:
        if silent:
            yield Outcome(_shown(lock), unknown="not asked, as the service did not answer before")
            continue
        outcome = audit(lock)
        silent = bool(outcome.unknown)
        yield outcome


def main(arguments: list[str]) -> int:
    """Tell what is known of the locked packages; return 1 if any has a known weakness."""
    outcomes = [
        *ask([ROOT / f"requirements/{name}.txt" for name in PYTHON_LOCKS], audit_python),
        *ask([ROOT / name / "package-lock.json" for name in SCRIPT_LOCKS], audit_scripts),
    ]
    for outcome in outcomes:
        tell(outcome, sys.stderr.write)
    if any(outcome.unknown for outcome in outcomes):
        sys.stderr.write("\nAUDIT INCOMPLETE: an advisory service did not answer for all locks.\n")
    return 1 if any(outcome.found for outcome in outcomes) else 0
