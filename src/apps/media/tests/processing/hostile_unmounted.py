"""The hostile fork server on a machine whose kernel gives no namespaces, as in many containers."""

from __future__ import annotations

from typing import Never

from apps.media.processing import mounts
from apps.media.tests.processing import hostile


def refuse(flags: int) -> Never:
    raise PermissionError(f"unshare({flags:#x})")


if __name__ == "__main__":
    mounts.unshare = refuse
    hostile.main()
