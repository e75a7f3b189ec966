"""Leaves the sandbox's child one directory to write in: stored objects are not its to change.

On a local storage the child's source *is* the stored object under a second name, and the account
that runs the worker may write to all of them. Two ways, each of which cannot be undone by the
child: all mounts become read-only, where the kernel gives user namespaces; else Landlock, which
needs no right at all. Where there is neither, the worker hands out copies (see
`services.workplaces`).
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from operator import or_
from pathlib import Path

from apps.media.processing import mounts

# Landlock (kernel documentation, userspace-api/landlock.rst); the numbers of the system calls are
# the same on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
# The first version that knows of truncation; before, a file could still be emptied.
_OLDEST_VERSION = 3
_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
# Removing, making of all kinds, linking and renaming to elsewhere.
_CHANGE = reduce(or_, (1 << bit for bit in range(4, 14)), _WRITE_FILE | _TRUNCATE)


class _Beneath(ctypes.Structure):
    """`struct landlock_path_beneath_attr`."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def forbid_writing(*, but: Path | None) -> bool:
    """Nothing can be written, made or removed any more, but below the directory `but`.

    Returns whether that is so. Paths have to be opened anew afterwards, the current directory too.
    """
    if sys.platform != "linux":
        return False
    return _by_mounts(but) or _by_landlock(but)


def _by_mounts(but: Path | None) -> bool:
    try:
        mounts.unshare(mounts.NEW_MOUNTS)
        mounts.keep_apart()
        if but is not None:
            mounts.bind(but, but)
        mounts.forbid_writing(Path("/"), with_below=True)
        if but is not None:
            mounts.allow_writing(but)
        # Whoever may mount could take it back. One namespace further in, nobody can: what comes
        # from the one before is locked (mount_namespaces(7)).
        mounts.unshare(mounts.NEW_USER | mounts.NEW_MOUNTS)
    except OSError:
        return False
    return True


def _by_landlock(but: Path | None) -> bool:
    """Afterwards, nothing can be mounted either."""
    try:
        if _landlock(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION) < _OLDEST_VERSION:
            return False
        handled = ctypes.c_uint64(_CHANGE)
        size = ctypes.c_size_t(ctypes.sizeof(handled))
        with _closing(_landlock(_CREATE_RULESET, ctypes.byref(handled), size, 0)) as rules:
            _permit(rules, Path(os.devnull), _WRITE_FILE | _TRUNCATE)
            if but is not None:
                _permit(rules, but, _CHANGE)
            _landlock(_RESTRICT_SELF, rules, 0)
    except OSError:
        return False
    return True


def _permit(rules: int, path: Path, rights: int) -> None:
    with _closing(os.open(path, os.O_PATH | os.O_CLOEXEC)) as descriptor:
        beneath = _Beneath(rights, descriptor)
        _landlock(_ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(beneath), 0)


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _landlock(call: int, *arguments: object) -> int:
    result: int = mounts.LIBC.syscall(ctypes.c_long(call), *arguments)
    return mounts.checked(result, "landlock")
