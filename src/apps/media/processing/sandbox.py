"""The only way to run an engine: in a child that may crash, hang or be taken over.

The worker stays whole whatever the file does. One fork server per worker process, started at the
first use; any number of threads may ask at once. Nothing in this module decodes anything.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from apps.media.exceptions import (
    EngineAwayError,
    MediaError,
    ProcessingCrashedError,
    ProcessingTimeoutError,
)
from apps.media.processing import answers, wire
from apps.media.processing.edits import Edited, EditPlan
from apps.media.processing.findings import Finding
from apps.media.processing.streamtypes import MuxPlan, Streamed, StreamPlan
from apps.media.processing.types import Facts, Limits, Plan, Progress, Rendered

logger = logging.getLogger(__name__)

IDLE_SECONDS = 1.0  # `on_idle` is called at least this often
_START_SECONDS = 30.0
_DYING_SECONDS = 5.0
_ROOT = Path(__file__).resolve().parents[3]  # what must be importable: the parent of `apps`

# All that the fork server gets to know. Two arenas halve libvips' memory; the job is the unit of
# parallel work, so libraries keep to one thread. A child's memory is all new, and each of its pages
# costs at the first touch: they are large ones, and what was given back is kept for the next use.
_ENVIRONMENT = {
    "GLIBC_TUNABLES": ":".join(
        (
            "glibc.malloc.hugetlb=1",
            "glibc.malloc.mmap_threshold=33554432",
            "glibc.malloc.trim_threshold=1073741824",
            "glibc.malloc.top_pad=16777216",
        )
    ),
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "PYTHONPATH": str(_ROOT),
    "PYTHONDONTWRITEBYTECODE": "1",
    "MALLOC_ARENA_MAX": "2",
    "OPENBLAS_NUM_THREADS": "1",
    "VIPS_CONCURRENCY": "1",
}


def _ignore(*_: object) -> None:
    """What happens on progress and idleness when nobody asked."""


def run_probe(
    path: Path | str,
    mime: str,
    limits: Limits | None = None,
    *,
    on_idle: Callable[[], None] = _ignore,
) -> Facts:
    """The facts of the file, from its headers.

    Raises the limit errors, `CorruptFileError`, `PasswordProtectedError`, `UnsafeContentError`,
    `UnsupportedTypeError` (no engine), `ProcessingCrashedError`, `ProcessingTimeoutError`, and
    `EngineAwayError` when trying again may help. What `on_idle` raises ends the child and passes.
    """
    limits = limits or Limits()
    run = _Run(_request("probe", path, mime, limits), _ignore, on_idle)
    answer = run.result()
    with _only_our_values():
        return answers.decode_facts(answer["result"], limits)


def run_render(
    path: Path | str,
    mime: str,
    *,
    plan: Plan,
    limits: Limits | None = None,
    on_progress: Progress = _ignore,
    on_idle: Callable[[], None] = _ignore,
) -> Rendered:
    """Makes every recipe as a file in the plan's directory, which must exist, empty and private.

    `on_progress` gets fractions 0..1, `on_idle` is called at least once a second, both in the
    calling thread. Raises as `run_probe` does; the directory may then hold half-written files.
    """
    limits = limits or Limits()
    plan = dataclasses.replace(plan, out_dir=plan.out_dir.resolve())
    run = _Run(_request("render", path, mime, limits, plan), on_progress, on_idle)
    answer = run.result()
    with _only_our_values():
        rendered = answers.decode_rendered(answer["result"], plan, limits, mime)
    return dataclasses.replace(rendered, cpu_seconds=run.cpu_seconds, peak_bytes=run.peak_bytes)


def run_stream(
    path: Path | str,
    mime: str,
    *,
    plan: StreamPlan,
    limits: Limits,
    on_progress: Progress = _ignore,
    on_idle: Callable[[], None] = _ignore,
) -> Streamed:
    """Makes the tracks of the plan in its directory; otherwise as `run_render`."""
    plan = dataclasses.replace(plan, out_dir=plan.out_dir.resolve())
    run = _Run(_request("stream", path, mime, limits, plan), on_progress, on_idle)
    answer = run.result()
    with _only_our_values():
        streamed = answers.decode_streamed(answer["result"], plan, limits)
    return dataclasses.replace(streamed, cpu_seconds=run.cpu_seconds, peak_bytes=run.peak_bytes)


def run_mux(
    path: Path | str,
    *,
    plan: MuxPlan,
    limits: Limits,
    on_idle: Callable[[], None] = _ignore,
) -> Path:
    """Puts finished tracks of ours into one MP4; returns where it is."""
    plan = dataclasses.replace(plan, out_dir=plan.out_dir.resolve())
    _Run(_request("mux", path, "video/mp4", limits, plan), _ignore, on_idle).result()
    with _only_our_values():
        return answers.decode_muxed(plan, limits)


def run_edit(
    path: Path | str,
    mime: str,
    *,
    plan: EditPlan,
    limits: Limits,
    on_progress: Progress = _ignore,
    on_idle: Callable[[], None] = _ignore,
) -> Edited:
    """Writes the edited picture into the plan's directory; otherwise as `run_render`."""
    plan = dataclasses.replace(plan, out_dir=plan.out_dir.resolve())
    answer = _Run(_request("edit", path, mime, limits, plan), on_progress, on_idle).result()
    with _only_our_values():
        return answers.decode_edited(answer["result"], plan, limits, mime)


def run_scan(
    path: Path | str, limits: Limits | None = None, *, on_idle: Callable[[], None] = _ignore
) -> Finding:
    """What the embedded scanner finds in the file. Raises as `run_probe` does."""
    run = _Run(_request("scan", path, "", limits or Limits()), _ignore, on_idle)
    answer = run.result()
    with _only_our_values():
        return answers.decode_finding(answer["result"])


def protects_sources() -> bool:
    """Whether a child that was taken over cannot write to its source. Raises `EngineAwayError`."""
    return _server.protects_sources()


def _request(
    action: wire.Action, path: Path | str, mime: str, limits: Limits, plan: Any = None
) -> wire.Request:
    return wire.Request(action, Path(path).resolve(), mime, limits, plan)


@contextlib.contextmanager
def _only_our_values() -> Iterator[None]:
    try:
        yield
    except answers.AnswerError as error:
        raise ProcessingCrashedError(f"the child's answer makes no sense: {error}") from error


class _Run:
    """One job: the request goes out, progress and the answer come in, the end is reported."""

    def __init__(
        self, request: wire.Request, on_progress: Progress, on_idle: Callable[[], None]
    ) -> None:
        self._request = request
        self._on_progress = on_progress
        self._on_idle = on_idle
        self._deadline = time.monotonic() + request.limits.wall_seconds
        self._answer: dict[str, Any] | None = None
        self._status: int | None = None
        self.cpu_seconds = 0.0
        self.peak_bytes = 0

    def result(self) -> dict[str, Any]:
        """The answer that holds a result. Raises the error that it stands for otherwise."""
        channel, leash = _server.start_job()
        with channel, leash:
            try:
                channel.sendall(wire.encode_request(self._request))
                self._listen(channel, leash)
            except OSError as error:  # the child is gone; how, the leash will say
                logger.info("job channel closed: %s", error)
            finally:
                self._end(leash)
        return self._judged()

    def _listen(self, channel: socket.socket, leash: socket.socket) -> None:
        """Until the child has answered or died. Raises `ProcessingTimeoutError`."""
        buffer = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(channel, selectors.EVENT_READ)
            selector.register(leash, selectors.EVENT_READ)
            idle_at = time.monotonic() + IDLE_SECONDS
            while self._answer is None:
                ready = [key.fileobj for key, _ in selector.select(self._patience(idle_at))]
                if time.monotonic() >= idle_at:
                    self._on_idle()
                    idle_at = time.monotonic() + IDLE_SECONDS
                # The channel first: the answer of a child that has ended since counts.
                if channel in ready and not self._receive(channel, buffer):
                    return
                if ready == [leash]:
                    return

    def _patience(self, idle_at: float) -> float:
        now = time.monotonic()
        if now >= self._deadline:
            raise ProcessingTimeoutError(f"{self._request.limits.wall_seconds} s of wall time")
        return max(0.0, min(idle_at, self._deadline) - now)

    def _receive(self, channel: socket.socket, buffer: bytearray) -> bool:
        """Takes what has come; False at the end of the stream."""
        received = channel.recv(65_536)
        buffer += received
        with _only_our_values():
            while b"\n" in buffer and self._answer is None:
                line, _, rest = bytes(buffer).partition(b"\n")
                buffer[:] = rest
                self._take(answers.decode_answer(line))
            if len(buffer) > wire.MAX_LINE:
                raise answers.AnswerError("endless line")
        return bool(received)

    def _take(self, answer: dict[str, Any]) -> None:
        if "progress" in answer:
            self._on_progress(answers.decode_fraction(answer["progress"]))
        else:
            self._answer = answer

    def _end(self, leash: socket.socket) -> None:
        """Waits until nothing of the child runs; kills it unless it has answered."""
        if self._answer is None:
            with contextlib.suppress(OSError):
                leash.shutdown(socket.SHUT_WR)
        leash.settimeout(_DYING_SECONDS)
        with contextlib.suppress(OSError, ValueError):
            report = json.loads(leash.makefile("rb").readline(wire.MAX_LINE))
            self._status = report["status"]
            self.cpu_seconds = report["cpu"]
            self.peak_bytes = report["peak"]

    def _judged(self) -> dict[str, Any]:
        if self._answer is None:
            raise self._cause_of_death()
        if "result" in self._answer:
            return self._answer
        with _only_our_values():
            raise answers.decode_error(self._answer)

    def _cause_of_death(self) -> MediaError:
        if self._status is None:
            return EngineAwayError("the fork server went away in mid-work")
        if self._status == -signal.SIGXCPU:
            return ProcessingTimeoutError(f"{self._request.limits.cpu_seconds} s of CPU time")
        if self._status == -signal.SIGKILL:  # by an operator, or a kernel short of memory
            return EngineAwayError("the child was killed")
        return ProcessingCrashedError(f"the child ended with {self._status} and no answer")


class _Server:
    """The worker's side of its fork server: starts it when needed, again when it died."""

    def __init__(self, module: str = "apps.media.processing.forkserver") -> None:
        self._module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._guards = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start_job(self) -> tuple[socket.socket, socket.socket]:
        """Our ends of a new child's channel and leash. Raises `EngineAwayError`."""
        with self._lock:
            for _ in range(2):
                pair = self._ask()
                if pair:
                    return pair
                self._stop()
        raise EngineAwayError("the fork server does not take jobs")

    def protects_sources(self) -> bool:
        """As the running server has found out; starts one if there is none."""
        with self._lock:
            if self._control is None:
                self._start()
            return self._guards

    def _ask(self) -> tuple[socket.socket, socket.socket] | None:
        control = self._control or self._start()
        channel, childs_channel = socket.socketpair()
        leash, servers_leash = socket.socketpair()
        with childs_channel, servers_leash:
            descriptors = [childs_channel.fileno(), servers_leash.fileno()]
            try:
                socket.send_fds(control, [b"J"], descriptors)
            except OSError:
                channel.close()
                leash.close()
                return None
        return channel, leash

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-m", self._module]
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                    [*command, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    env=_ENVIRONMENT,
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )
            except OSError as error:
                raise EngineAwayError(error) from error
        ours.settimeout(_START_SECONDS)
        self._control = ours
        if not self._is_ready(ours):
            self._stop()
            raise EngineAwayError("the fork server does not start")
        return ours

    def _is_ready(self, control: socket.socket) -> bool:
        said = b""
        with contextlib.suppress(OSError):
            said = control.recv(1)
        self._guards = said == wire.GUARDED
        return bool(said)

    def _stop(self) -> None:
        if self._control:
            self._control.close()
            self._control = None
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ends the fork server and its children; the next job starts a new one."""
        with self._lock:
            self._stop()

    def forget(self) -> None:
        """After a fork of the worker: the server belongs to the parent, so let go of it."""
        if self._control:
            self._control.close()
        self._lock = threading.Lock()
        self._process = self._control = None


_server = _Server()
os.register_at_fork(after_in_child=_server.forget)


def stop() -> None:
    """Ends this process's fork server, for tests and an orderly exit."""
    _server.stop()


def server_pid() -> int | None:
    """The fork server's process id, for health pages and benchmarks."""
    return _server.pid
