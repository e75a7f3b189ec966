"""`python -m launch npm …`: npm by the same Node that builds the front end."""

from __future__ import annotations

from launch.node import npm_command, run_tool


def main(arguments: list[str]) -> int:
    """Run npm with `arguments`."""
    return run_tool([*npm_command(), *arguments])
