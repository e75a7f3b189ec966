"""Which authorities the programs trust that fetch something: those that the machine trusts, one of
which may be a company's own. What the environment says already stays."""

from __future__ import annotations

import os
import ssl
from pathlib import Path


def trusting_environment(*, first_in_path: str = "") -> dict[str, str]:
    """Return the environment of a program that fetches; its own directory comes first in PATH."""
    paths = ssl.get_default_verify_paths()
    path = os.environ.get("PATH", os.defpath)
    directory = str(Path(first_in_path).parent) if first_in_path else ""
    return {
        "NODE_USE_SYSTEM_CA": "1",
        "UV_SYSTEM_CERTS": "true",
        "REQUESTS_CA_BUNDLE": paths.cafile or paths.capath or "",
        **os.environ,
        "PATH": os.pathsep.join(filter(None, (directory, path))),
    }
