"""Pieces of the page scripts, run by Node: for what needs no browser to be known."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from launch.node import node_command
from launch.place import ROOT

PROGRAM = Path(__file__).with_name("scripts.mjs")
SECONDS = 60
EMPTY_PAGE = """
globalThis.document = {documentElement: {lang: "en"}, querySelector: () => null};
globalThis.location = new URL("https://media.example.org/library/?q=sea");
"""


def run_script(source: str, *, page: str = "") -> Any:
    """What `source` (TypeScript, beside frontend/src) logs as JSON, on a page that is there first:
    an empty one, and what `page` (JavaScript) adds to it."""
    command = [*node_command(), str(PROGRAM), EMPTY_PAGE + page]
    done = subprocess.run(
        command,
        cwd=ROOT,
        input=source,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
