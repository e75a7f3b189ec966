"""The kernel's calls about mounts and namespaces, which Python does not have. Linux only.

For the sandbox's child alone, in a user namespace of its own (see `jail`): what is mounted there is
seen by nobody else and ends with the child. Everything raises `OSError`.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)

NEW_MOUNTS, NEW_USER = 0x00020000, 0x10000000  # for `unshare`
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_MNT_DETACH = 2
_MOUNT_SETATTR = 442  # the system call's number, the same on every architecture
_AT_FDCWD, _AT_RECURSIVE, _ATTR_RDONLY = -100, 0x8000, 1


def unshare(flags: int) -> None:
    """Leave the namespaces of those kinds for new ones."""
    checked(LIBC.unshare(flags), "unshare")


def keep_apart() -> None:
    """From now on nothing that is mounted here or elsewhere shows on the other side."""
    _mount(None, Path("/"), _MS_REC | _MS_PRIVATE)


def bind(source: Path, target: Path, *, with_below: bool = False) -> None:
    """Show `source` at `target`, too; `with_below` takes along what is mounted below it."""
    _mount(source, target, _MS_BIND | (_MS_REC if with_below else 0))


def forbid_writing(target: Path, *, with_below: bool = False) -> None:
    """To the mount at `target`, and to those below it; an older call knows nothing of those."""
    _set_attributes(target, _AT_RECURSIVE if with_below else 0, (_ATTR_RDONLY, 0, 0, 0))


def allow_writing(target: Path) -> None:
    """To the mount at `target` again."""
    _set_attributes(target, 0, (0, _ATTR_RDONLY, 0, 0))


def detach(target: Path) -> None:
    """Take down what is mounted at `target` and below it."""
    checked(LIBC.umount2(os.fsencode(target), _MNT_DETACH), target)


def checked(result: int, what: object) -> int:
    """What a call has returned. Raises `OSError` when that is its word for failure."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(what))
    return result


def _mount(source: Path | None, target: Path, flags: int) -> None:
    name = None if source is None else os.fsencode(source)
    checked(LIBC.mount(name, os.fsencode(target), None, ctypes.c_ulong(flags), None), target)


def _set_attributes(target: Path, depth: int, values: tuple[int, int, int, int]) -> None:
    attributes = (ctypes.c_uint64 * 4)(*values)  # set, clear, propagation, user namespace
    result = LIBC.syscall(
        ctypes.c_long(_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(target),
        ctypes.c_uint(depth),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    checked(result, target)
