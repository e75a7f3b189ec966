"""The process that forks a child per job: `python -m apps.media.processing.forkserver FD`.

Single-threaded, started by `sandbox` with an almost empty environment, with all engines imported
and nothing evaluated, so that a fork costs milliseconds and carries no secrets. Once there has been
a job, the child of the next one waits: cut off already, its code and memory at hand. It trusts the
worker, not its children. It must not decode anything itself, and it ends when the worker does.

Why not `multiprocessing`: its server keeps the worker's environment in readable memory, imports
the worker's main module into every child, and answers with pickles.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from apps.media.exceptions import EngineAwayError, MediaError
from apps.media.processing import engines, jail, libvips, wire

_ONLY = 3  # the child's only open file besides the three standard ones


@dataclass(frozen=True, slots=True)
class _Job:
    """A running child; `leash` is held by the worker, which lets go of it to have it killed."""

    pid: int
    leash: socket.socket


@dataclass(frozen=True, slots=True)
class _Spare:
    """A child without a job; it gets its channel through `door`."""

    pid: int
    door: socket.socket

    def take(self, channel: socket.socket) -> int:
        """Starts the job; returns the process id. Raises OSError when the child is gone."""
        socket.send_fds(self.door, [b"J"], [channel.fileno()])
        return self.pid


class ForkServer:
    """Forks on request, kills on demand, reports every end."""

    def __init__(self, control: socket.socket, *, guards: bool) -> None:
        self._control = control
        self._guards = guards
        self._jobs: dict[int, _Job] = {}
        self._spare: _Spare | None = None
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._signalled = socket.socketpair()
        self._signalled.setblocking(False)
        self._wakeup.setblocking(False)

    def serve(self) -> None:
        """Runs until the worker closes the control socket; then kills what still runs."""
        signal.set_wakeup_fd(self._signalled.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(self._control, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._reap)
        self._control.sendall(wire.GUARDED if self._guards else wire.READY)
        with contextlib.suppress(EOFError):
            while True:
                for key, _ in self._selector.select():
                    act: Callable[[], None] = key.data
                    act()
        for pid in self._known():
            _kill(pid)

    def _accept(self) -> None:
        marker, descriptors, _, _ = socket.recv_fds(self._control, 1, 2)
        if not marker:
            raise EOFError
        channel, leash = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        with channel:
            pid = self._hand_over(channel)
        self._jobs[pid] = _Job(pid, leash)
        self._selector.register(leash, selectors.EVENT_READ, lambda: self._let_go(pid))
        self._spare = self._fork()

    def _hand_over(self, channel: socket.socket) -> int:
        """To the child that waits, or to a new one should there be none, or none any more."""
        spare, self._spare = self._spare, None
        if spare is not None:
            with contextlib.suppress(OSError), spare.door:
                return spare.take(channel)
        spare = self._fork()
        with spare.door:
            return spare.take(channel)

    def _fork(self) -> _Spare:
        door, childs_door = socket.socketpair()
        with childs_door:
            pid = os.fork()
            if pid == 0:
                _become_child(childs_door, guarded=self._guards)
        return _Spare(pid, door)

    def _known(self) -> set[int]:
        return {*self._jobs, self._spare.pid} if self._spare else set(self._jobs)

    def _let_go(self, pid: int) -> None:
        """The worker closed its end, or a dead worker's kernel did."""
        job = self._jobs[pid]
        self._selector.unregister(job.leash)
        _kill(pid)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wakeup.recv(1024)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.wait4(-1, os.WNOHANG))[0]:
                self._report(*ended)
                self._kill_strays()

    def _kill_strays(self) -> None:
        """What left its job's process group is given to us when its parent ends (see `jail`)."""
        for pid in jail.children() - self._known():
            _kill(pid)

    def _report(self, pid: int, status: int, usage: os.struct_rusage) -> None:  # type: ignore[name-defined]
        if self._spare and self._spare.pid == pid:
            self._spare.door.close()
            self._spare = None
        job = self._jobs.pop(pid, None)
        if job is None:
            return
        _kill(pid)  # what is left of its process group
        with contextlib.suppress(KeyError):
            self._selector.unregister(job.leash)
        report = {
            "status": os.waitstatus_to_exitcode(status),
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss * 1024,
        }
        with contextlib.suppress(OSError), job.leash:
            job.leash.sendall(json.dumps(report).encode() + b"\n")


def _kill(pid: int) -> None:
    """The child's process group, and the child in case it has not made its own group yet."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _become_child(door: socket.socket, *, guarded: bool) -> NoReturn:
    """Waits for one job, runs it, and never returns into the server's loop."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        door = _keep_only(door.detach())
        jail.cut_off()
        libvips.rehearse()
        _, descriptors, _, _ = socket.recv_fds(door, 1, 1)
        if descriptors:
            door.detach()
            _run(_keep_only(descriptors[0]), guarded=guarded)
    finally:
        os._exit(0)


def _keep_only(descriptor: int) -> socket.socket:
    """Only this socket stays open; what engines print goes nowhere."""
    os.dup2(descriptor, _ONLY, inheritable=False)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.closerange(_ONLY + 1, os.sysconf("SC_OPEN_MAX"))
    return socket.socket(fileno=_ONLY)


def _run(channel: socket.socket, *, guarded: bool) -> None:
    with channel.makefile("rb") as lines:
        request = wire.decode_request(lines.readline())
    try:
        answer = wire.encode_result(_engine_result(request, channel, guarded=guarded))
    except MediaError as error:
        answer = wire.encode_error(error.code, repr(error.args))
    except BaseException:  # the edge of the process: whatever it is, the worker must hear of it
        answer = wire.encode_error("processing_crashed", traceback.format_exc())
    channel.sendall(answer)


def _engine_result(request: wire.Request, channel: socket.socket, *, guarded: bool) -> wire.Result:
    plan = request.plan
    work_dir = plan.out_dir if plan else Path("/")
    is_guarded = jail.enter(work_dir, request.limits, may_write=plan is not None)
    if guarded and not is_guarded:  # and the worker counts on it
        raise EngineAwayError("this child could write to its source")

    def progress(fraction: float) -> None:
        channel.sendall(wire.encode_progress(min(max(fraction, 0.0), 1.0)))

    return engines.perform(request, progress)


def _guards_children() -> bool:
    """Whether children cannot write where they should not: one of them tries."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if jail.can_guard() else 1)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the worker's business
    jail.adopt_orphans()
    guards = _guards_children()
    engines.load_all()
    libvips.look_up()
    gc.collect()
    gc.freeze()  # children then do not copy pages just to count references
    ForkServer(control, guards=guards).serve()


if __name__ == "__main__":
    main()
