"""The only way to start an outside program, and only from within the sandbox's child.

There the kernel already holds every limit (see `jail`): no network, address space, CPU, file size,
number of processes, an almost empty environment, a private working directory, and one process
group that the worker can kill as a whole. Here: an argument list, no shell, no standard input, and
of what the program says only the end is kept, for the log.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from apps.media.exceptions import EngineAwayError, ProcessingCrashedError, ProcessingTimeoutError

KEPT_LINES = 40
LONGEST_LINE = 4_096  # bytes
_CHUNK = 65_536


class ProgramFailedError(Exception):
    """The program ended by itself with an error. `said` is the end of what it wrote."""

    def __init__(self, program: str, status: int, said: str) -> None:
        super().__init__(f"{program} ended with {status}: {said}")
        self.status = status
        self.said = said


def run_program(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    on_line: Callable[[str], None] | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    """Runs `argv` (whose first is an absolute path) in `cwd`; returns the end of its stderr.

    `on_line` gets each line of its stdout. `environment` is added to a nearly empty one. Raises
    `ProgramFailedError` for a status other than 0, `EngineAwayError` when it cannot be started or
    was killed from outside,
    `ProcessingTimeoutError` when it used up its CPU time, `ProcessingCrashedError` for any other
    signal.
    """
    command = [str(part) for part in argv]
    clean = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(cwd), "TMPDIR": str(cwd)}
    try:
        process = subprocess.Popen(  # noqa: S603 - the one place; argument list, no shell
            command,
            cwd=cwd,
            env=clean | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise EngineAwayError(error) from error
    with process:
        said = _listen(process, on_line)
    _judge(Path(command[0]).name, process.returncode, said)
    return said


def _listen(process: subprocess.Popen[bytes], on_line: Callable[[str], None] | None) -> str:
    """Reads both outputs until the program closes them; keeps the end of the second."""
    assert process.stdout is not None
    assert process.stderr is not None
    kept: deque[str] = deque(maxlen=KEPT_LINES)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, _Lines(on_line or _ignore))
        selector.register(process.stderr, selectors.EVENT_READ, _Lines(kept.append))
        while selector.get_map():
            for key, _ in selector.select():
                stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
                chunk = os.read(stream.fileno(), _CHUNK)
                key.data.feed(chunk)
                if not chunk:
                    selector.unregister(stream)
    return "\n".join(kept)


def _ignore(_: str) -> None:
    """What happens to lines nobody asked for."""


class _Lines:
    """Cuts bytes into lines of bounded length."""

    def __init__(self, take: Callable[[str], object]) -> None:
        self._take = take
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """`chunk` as it came; empty at the end."""
        *lines, rest = (self._rest + chunk).replace(b"\r", b"\n").split(b"\n")
        self._rest = rest[-LONGEST_LINE:]
        if not chunk and self._rest:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._take(line[:LONGEST_LINE].decode(errors="replace"))


def _judge(name: str, status: int, said: str) -> None:
    if status == 0:
        return
    if status == -signal.SIGXCPU:
        raise ProcessingTimeoutError(f"{name} used up its CPU time")
    if status == -signal.SIGKILL:  # by an operator, or a kernel short of memory: not its own fault
        raise EngineAwayError(f"{name} was killed")
    if status < 0:
        raise ProcessingCrashedError(f"{name} ended by signal {-status}: {said[-500:]}")
    raise ProgramFailedError(name, status, said)
