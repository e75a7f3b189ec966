"""A fork server whose engines do what decoders taken over by their input would do.

Run as a module by the sandbox's tests, never imported by the application.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from apps.media.processing import engines, forkserver, mounts
from apps.media.processing.types import Facts, Limits, Plan, Rendered
from apps.media.processing.veil import veiled

CHANNEL = 3


def _segfault(_: Path) -> None:
    ctypes.string_at(0)


def _abort(_: Path) -> None:
    os.abort()


def _exit_quietly(_: Path) -> None:
    os._exit(0)


def _allocate(_: Path) -> None:
    kept = []
    while True:
        kept.append(bytearray(16 * 1024 * 1024))


def _loop(_: Path) -> None:
    while True:
        pass


def _hang(_: Path) -> None:
    signal.pause()


def _hang_deaf(_: Path) -> None:
    """With a child of its own, in the same process group."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.fork():
        Path("pid").write_text(str(os.getpid()))
    time.sleep(600)


def _write_too_much(_: Path) -> None:
    with Path("big").open("wb") as file:
        while True:
            file.write(bytes(1024 * 1024))


def _scribble(path: Path) -> None:
    """Beside the source, which is not the child's to write."""
    (path.parent / "scribble").write_bytes(b"x")


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"taken over")


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def _remove(path: Path) -> None:
    path.unlink()


def _overwrite_by_another_name(path: Path) -> None:
    os.link(path, "mine")
    _overwrite(Path("mine"))


def _take_back(path: Path) -> None:
    """What may mount may make mounts writable, unless they are locked."""
    for place in (path, path.parent, Path("/")):
        with suppress(OSError):
            mounts.allow_writing(place)
    _overwrite(path)


def _take_back_elsewhere(path: Path) -> None:
    """In a namespace of one's own everybody may mount."""
    mounts.unshare(mounts.NEW_USER | mounts.NEW_MOUNTS)
    _take_back(path)


def _print(_: Path) -> None:
    print('{"result": "from print"}', flush=True)  # noqa: T201
    sys.stderr.write("noise\n")
    subprocess.run(["/bin/echo", "noise"], check=False)


def _bug(_: Path) -> None:
    raise KeyError("no error of ours")


def _say(line: bytes) -> Callable[[Path], None]:
    def say(_: Path) -> None:
        os.write(CHANNEL, line)
        os._exit(0)

    return say


def _endless_line(_: Path) -> None:
    while True:
        os.write(CHANNEL, b"x" * 65_536)


def _link_to_a_secret(_: Path) -> None:
    Path("w320.webp").symlink_to("/etc/passwd")


def _connect(_: Path) -> None:
    with socket.socket() as out:
        out.settimeout(5)
        out.connect(("127.0.0.1", int(Path("port").read_text())))


def _look_past_the_veil(_: Path) -> None:
    """Which hides the machine's files from outside programs, on top of all the jail does."""
    desk = Path("desk").absolute()
    desk.mkdir()
    with veiled(desk.with_name(".veil"), desk, ()) as is_hidden:
        if is_hidden and not Path("/etc/passwd").exists():
            Path("written").write_text("/tmp is the desk's, too")
            Path("/tmp/written").rename("/tmp/hidden")


MISDEEDS: dict[str, Callable[[Path], None]] = {
    "segfault": _segfault,
    "abort": _abort,
    "exit": _exit_quietly,
    "allocate": _allocate,
    "loop": _loop,
    "hang": _hang,
    "deaf": _hang_deaf,
    "write": _write_too_much,
    "scribble": _scribble,
    "overwrite": _overwrite,
    "empty": _empty,
    "remove": _remove,
    "rename": _overwrite_by_another_name,
    "remount": _take_back,
    "nest": _take_back_elsewhere,
    "print": _print,
    "bug": _bug,
    "link": _link_to_a_secret,
    "connect": _connect,
    "veil": _look_past_the_veil,
    "endless": _endless_line,
    "pickle": _say(b"\x80\x04\x95\x0b\x00\n"),
    "number": _say(b"7\n"),
    "nothing": _say(b"{}\n"),
    "code": _say(b'{"error": "quota_exceeded", "log": ""}\n'),
    "deep": _say(b"[" * 100_000 + b"\n"),
    "facts": _say(b'{"result": {"width": -1, "height": "<b>", "frames": 1, "pages": 0}}\n'),
}


def _initial_names() -> list[str]:
    """Of the variables that the process was started with, where it may read them."""
    try:
        lines = Path("/proc/self/environ").read_text().split("\0")
    except OSError:
        return []
    return [line.partition("=")[0] for line in lines]


def _surroundings() -> dict[str, str | int | float]:
    """What the child can see and reach, for the tests to compare with what it should."""
    parents = Path(f"/proc/{os.getppid()}/environ")
    return {
        "environ": json.dumps(sorted(os.environ)),
        "pid": os.getpid(),
        "initial": " ".join(_initial_names()),
        "parent_readable": int(os.access(parents, os.R_OK) and _readable(parents)),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "session": int(os.getsid(0) == os.getpid()),
        "cwd": str(Path.cwd()),
        "nice": os.nice(0),
    }


def _readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


def _probe(path: Path, mime: str, limits: Limits) -> Facts:
    del limits
    misdeed = mime.removeprefix("test/")
    if misdeed in MISDEEDS:
        MISDEEDS[misdeed](path)
    return Facts(1, 1, metadata=_surroundings())


def _render(path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Any) -> Rendered:
    progress(0.5)
    _probe(path, mime, limits)
    return Rendered((), "AAAA", "#000000")


def main() -> None:
    engine = SimpleNamespace(probe=_probe, render=_render)
    engines.load_engine = lambda mime: engine  # type: ignore[assignment, return-value]
    engines.load_all = lambda: None
    forkserver.main()


if __name__ == "__main__":
    main()
