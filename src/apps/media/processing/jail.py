"""What a child gives up before it looks at a stranger's file.

Written for Linux; on other systems it does what they can.
Called in a forked child, never in the worker. Nothing here can be taken back. Two steps: what needs
no job is done ahead (`cut_off`), what the job decides when it has come (`enter`).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from apps.media.processing import guard
from apps.media.processing.types import Limits

_LIBC = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_CLONE_NEWIPC = 0x08000000
_NOBODY = 65_534

OPEN_FILES = 64
PROCESSES = 128  # threads included: a ladder of seven rungs takes some 60 on many cores
NICENESS = 5


def cut_off() -> None:
    """Own session, no secrets, no network, and no power over other processes' memory, as far as
    the kernel allows it.

    The user namespace is what hides /proc/…/environ of the worker, which has the same user.
    """
    os.setsid()
    _die_with_parent()
    os.environ.clear()
    os.umask(0o077)
    os.nice(NICENESS)
    _unshare()


def enter(work_dir: Path, limits: Limits, *, may_write: bool) -> bool:
    """The kernel's word for every limit, and `work_dir` as the current and temporary directory;
    if the child `may_write`, then only there. Returns whether the kernel sees to that.

    While there is one thread only, and before the engine opens the file.
    """
    is_guarded = guard.forbid_writing(but=work_dir if may_write else None)
    os.environ.update(TMPDIR=str(work_dir), LANG="C.UTF-8")
    os.chdir(work_dir)
    _limit(limits, may_write=may_write)
    return is_guarded


def can_guard() -> bool:
    """Whether such a child can be kept from writing where it should not; only a child may ask."""
    _unshare()
    return guard.forbid_writing(but=Path(tempfile.gettempdir()))


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


def _unshare() -> None:
    if sys.platform != "linux":
        return
    _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    user, group = os.geteuid(), os.getegid()
    if _LIBC.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC) == 0:
        _become_nobody(user, group)
        # Counted per namespace, so the user's other processes do not use it up.
        _lower(resource.RLIMIT_NPROC, PROCESSES)


def _become_nobody(user: int, group: int) -> None:
    """The namespace's name for the account. Whoever has none in it may make none within it, which
    `guard` does; and whoever is not root has no power left in it once a program was started.
    """
    for file, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{_NOBODY} {user} 1"),
        ("gid_map", f"{_NOBODY} {group} 1"),
    ):
        with suppress(OSError):  # no /proc: `guard` says what it can do without
            Path("/proc/self", file).write_text(line)


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
