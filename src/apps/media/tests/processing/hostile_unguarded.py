"""The hostile fork server on a machine whose kernel has neither namespaces nor Landlock."""

from __future__ import annotations

from apps.media.processing import guard
from apps.media.tests.processing import hostile

if __name__ == "__main__":
    guard.forbid_writing = lambda *, but: False
    hostile.main()
