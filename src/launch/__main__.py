"""`python -m launch COMMAND …`: each command is the `main` of the module that it names."""

from __future__ import annotations

import importlib
import sys

COMMANDS = {
    "run": "launch.run",
    "demo": "launch.demo",
    "draw": "launch.draw",
    "parts": "launch.parts",
    "bundle": "launch.bundle",
    "marks": "launch.marks",
    "screenshots": "launch.screenshots",
    "node": "launch.node",
    "npm": "launch.npm",
    "licences": "launch.licences",
    "reference": "launch.reference",
    "audit": "launch.audit",
    "release": "launch.release",
}


def main(arguments: list[str]) -> int:
    """Run the command that `arguments` name and return its exit status."""
    name, *rest = arguments or [""]
    if name not in COMMANDS:
        sys.stderr.write(f"usage: python -m launch {{{','.join(COMMANDS)}}} …\n")
        return 2
    # Only the named module is loaded: set-up calls `bundle` before every other command.
    command = importlib.import_module(COMMANDS[name])
    return int(command.main(rest))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
