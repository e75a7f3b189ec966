"""What a child gives up before it looks at a stranger's file.

Written for Linux; on other systems it does what they can.
Called once, in a forked child, never in the worker. Nothing here can be taken back.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from apps.media.processing.types import Limits

_LIBC = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_CLONE_NEWIPC = 0x08000000

OPEN_FILES = 64
PROCESSES = 128  # threads included: a ladder of seven rungs takes some 60 on many cores
NICENESS = 5


def enter(work_dir: Path, limits: Limits, *, may_write: bool) -> None:
    """Own session, no secrets, no network, and the kernel's word for every limit.

    `work_dir` becomes the current and the temporary directory. `limits` must be set before the
    engine opens the file. The order matters: a user namespace comes before its process limit.
    """
    os.setsid()
    _die_with_parent()
    _isolate()
    os.environ.clear()
    os.environ.update(TMPDIR=str(work_dir), LANG="C.UTF-8")
    os.chdir(work_dir)
    os.umask(0o077)
    os.nice(NICENESS)
    _limit(limits, may_write=may_write)


def adopt_orphans() -> None:
    """Descendants whose parent ends become children of this process, wherever they have gone."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> set[int]:
    """The process ids of this (single-threaded) process's children; Linux only."""
    own = os.getpid()
    try:
        with Path(f"/proc/{own}/task/{own}/children").open() as file:
            return set(map(int, file.readline().split()))
    except OSError:
        return set()


def _die_with_parent() -> None:
    """Death of the (single-threaded) fork server kills the child, even if it happened just now."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent == 1:
        os._exit(1)


def _isolate() -> None:
    """No network and no power over other processes' memory, where the kernel allows it.

    The user namespace is what hides /proc/…/environ of the worker, which has the same user.
    """
    if sys.platform != "linux":
        return
    _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if _LIBC.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC) == 0:
        # Counted per namespace, so the user's other processes do not use it up.
        _lower(resource.RLIMIT_NPROC, PROCESSES)


def _limit(limits: Limits, *, may_write: bool) -> None:
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    _lower(resource.RLIMIT_FSIZE, limits.output_bytes if may_write else 0)
    # One second between the signal that names the reason and the one that cannot be ignored.
    _lower(resource.RLIMIT_CPU, limits.cpu_seconds, hard=limits.cpu_seconds + 1)
    if sys.platform == "linux":  # macOS counts shared libraries differently and refuses
        _lower(resource.RLIMIT_AS, limits.memory_bytes)


def _lower(which: int, soft: int, *, hard: int | None = None) -> None:
    """Sets both bounds (equal unless `hard` says otherwise), never above what was given."""
    _, given = resource.getrlimit(which)
    ceiling = soft if hard is None else hard
    if given != resource.RLIM_INFINITY:
        ceiling = min(ceiling, given)
    resource.setrlimit(which, (min(soft, ceiling), ceiling))
