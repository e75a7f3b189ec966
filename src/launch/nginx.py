"""Where nginx is, which Debian keeps off the path of ordinary users."""

from __future__ import annotations

import os
import shutil


def nginx_program() -> str | None:
    """The path of the program, or None where it is not installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
