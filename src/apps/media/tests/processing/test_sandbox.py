"""The worker survives whatever its children do, and believes nothing that they say."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from apps.media.exceptions import (
    EngineAwayError,
    ProcessingCrashedError,
    ProcessingTimeoutError,
    UnsupportedTypeError,
)
from apps.media.processing import sandbox
from apps.media.processing.types import MIB, Facts, Limits, Plan, Recipe
from apps.media.tests import samples

SHORT = Limits(wall_seconds=20, cpu_seconds=1, memory_bytes=512 * MIB, output_bytes=4 * MIB)


def _can_isolate() -> bool:
    child = os.fork()
    if child == 0:
        os._exit(0 if ctypes.CDLL(None).unshare(0x10000000 | 0x40000000) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Engines that misbehave on demand, in the real sandbox."""
    server = sandbox._Server("apps.media.tests.processing.hostile")
    monkeypatch.setattr(sandbox, "_server", server)
    monkeypatch.setenv("SECRET_KEY", "must-not-be-seen")
    yield
    server.stop()


def do(misdeed: str, limits: Limits = SHORT) -> Facts:
    return sandbox.run_probe("/dev/null", f"test/{misdeed}", limits)


def render(misdeed: str, out_dir: Path, *recipes: Recipe, **calls: Callable[..., None]) -> None:
    plan = Plan(out_dir, recipes)
    sandbox.run_render("/dev/null", f"test/{misdeed}", plan=plan, limits=SHORT, **calls)


@pytest.mark.usefixtures("hostile")
class TestDeaths:
    @pytest.mark.parametrize("misdeed", ["segfault", "abort", "exit", "allocate", "bug"])
    def test_a_dead_child_is_a_crash_and_the_next_job_runs(self, misdeed: str) -> None:
        with pytest.raises(ProcessingCrashedError):
            do(misdeed, replace(SHORT, cpu_seconds=20))
        assert do("nothing in particular").width == 1

    def test_cpu_time_is_limited(self) -> None:
        with pytest.raises(ProcessingTimeoutError):
            do("loop")

    def test_wall_time_is_limited(self) -> None:
        with pytest.raises(ProcessingTimeoutError):
            do("hang", Limits(wall_seconds=0.3))

    def test_the_whole_process_group_goes(self, tmp_path: Path) -> None:
        do("start")  # so that the time is the child's alone
        limits = Limits(wall_seconds=1.5)
        plan = Plan(tmp_path, ())
        with pytest.raises(ProcessingTimeoutError):
            sandbox.run_render("/dev/null", "test/deaf", plan=plan, limits=limits)
        group = int((tmp_path / "pid").read_text())
        wait_until(lambda: not _group_alive(group))

    def test_files_are_limited(self, tmp_path: Path) -> None:
        with pytest.raises(ProcessingCrashedError):
            render("write", tmp_path)
        assert (tmp_path / "big").stat().st_size <= SHORT.output_bytes

    def test_a_probe_writes_nothing(self, tmp_path: Path) -> None:
        source = tmp_path / "source"
        with pytest.raises(ProcessingCrashedError):
            sandbox.run_probe(source, "test/scribble", SHORT)
        assert not any(path.stat().st_size for path in tmp_path.iterdir())

    def test_the_end_of_the_fork_server_is_our_fault_and_passes(self) -> None:
        do("start")
        pid = sandbox.server_pid()
        assert pid
        result: list[Exception] = []

        def hang() -> None:
            try:
                do("hang")
            except EngineAwayError as error:
                result.append(error)

        thread = threading.Thread(target=hang)
        thread.start()
        server = psutil.Process(pid)
        wait_until(lambda: bool(server.children()))
        children = server.children()
        os.kill(pid, signal.SIGKILL)
        thread.join(20)
        assert result
        wait_until(lambda: not any(_alive(child) for child in children))
        assert do("again").width == 1
        assert sandbox.server_pid() != pid


@pytest.mark.usefixtures("hostile")
class TestLies:
    @pytest.mark.parametrize(
        "misdeed", ["pickle", "number", "nothing", "code", "deep", "facts", "endless"]
    )
    def test_answers_that_make_no_sense_are_crashes(self, misdeed: str) -> None:
        with pytest.raises(ProcessingCrashedError):
            do(misdeed)

    def test_what_an_engine_prints_is_no_answer(self) -> None:
        assert do("print").width == 1

    def test_a_link_is_no_rendition(self, tmp_path: Path) -> None:
        with pytest.raises(ProcessingCrashedError):
            render("link", tmp_path, Recipe("w320.webp", 320))

    def test_outputs_must_be_those_of_the_plan(self, tmp_path: Path) -> None:
        with pytest.raises(ProcessingCrashedError):
            render("nothing in particular", tmp_path, Recipe("w320.webp", 320))


@pytest.mark.usefixtures("hostile")
class TestSurroundings:
    def test_no_secret_is_in_reach(self) -> None:
        seen = do("look").metadata
        assert json.loads(str(seen["environ"])) == ["LANG", "TMPDIR"]
        assert "SECRET_KEY" not in str(seen["initial"])

    def test_own_session_few_files_lower_priority(self) -> None:
        seen = do("look").metadata
        assert seen["session"] == 1
        assert int(seen["files"]) <= 5  # three standard ones, the channel, and the listing itself
        assert int(seen["nice"]) >= 5

    @pytest.mark.skipif(not _can_isolate(), reason="the kernel allows no user namespaces here")
    def test_no_network_where_the_kernel_can(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            (tmp_path / "port").write_text(str(listener.getsockname()[1]))
            with pytest.raises(ProcessingCrashedError):
                render("connect", tmp_path)

    @pytest.mark.skipif(not _can_isolate(), reason="the kernel allows no user namespaces here")
    def test_the_machines_files_can_be_hidden_from_programs(self, tmp_path: Path) -> None:
        render("veil", tmp_path)
        assert (tmp_path / "desk" / "hidden").exists()
        assert not (tmp_path / ".veil").exists()


@pytest.mark.usefixtures("hostile")
class TestCalls:
    def test_progress_arrives_in_the_callers_thread(self, tmp_path: Path) -> None:
        seen: list[tuple[float, int]] = []

        def note(fraction: float) -> None:
            seen.append((fraction, threading.get_ident()))

        render("nothing in particular", tmp_path, on_progress=note)
        assert seen == [(0.5, threading.get_ident())]

    def test_idle_is_called_about_once_a_second(self) -> None:
        calls: list[float] = []
        with pytest.raises(ProcessingTimeoutError):
            sandbox.run_probe(
                "/dev/null",
                "test/hang",
                Limits(wall_seconds=2.5),
                on_idle=lambda: calls.append(time.monotonic()),
            )
        assert 1 <= len(calls) <= 3  # a loaded machine is late

    def test_what_idle_raises_passes_and_ends_the_child(self) -> None:
        def lost() -> None:
            raise LookupError("lease lost")

        with pytest.raises(LookupError, match="lease lost"):
            sandbox.run_probe("/dev/null", "test/hang", Limits(), on_idle=lost)
        wait_until(lambda: len(_children()) == 1)  # the next job's

    def test_many_threads_share_one_server(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            widths = list(pool.map(lambda _: do("fine").width, range(40)))
        assert widths == [1] * 40


@pytest.mark.usefixtures("hostile")
class TestTheNextChild:
    def test_it_waits_when_a_job_has_been_taken(self) -> None:
        do("start")
        waiting = _the_only_child()
        assert do("fine").metadata["pid"] == waiting.pid
        assert _the_only_child().pid != waiting.pid

    def test_one_that_was_killed_is_not_missed(self) -> None:
        do("start")
        killed = _the_only_child()
        killed.kill()
        killed.wait()
        assert do("fine").metadata["pid"] != killed.pid

    @pytest.mark.skipif(not _can_isolate(), reason="the kernel allows no user namespaces here")
    def test_it_is_cut_off_while_it_waits(self) -> None:
        do("start")
        waiting = _the_only_child()
        ours = {kind: _namespace(psutil.Process(), kind) for kind in ("net", "user", "ipc")}
        wait_until(lambda: all(_namespace(waiting, kind) != ours[kind] for kind in ours))
        assert os.getsid(waiting.pid) == waiting.pid

    def test_it_goes_with_the_worker(self) -> None:
        do("start")
        waiting = _the_only_child()
        sandbox.stop()
        wait_until(lambda: not _alive(waiting))


def test_a_type_without_engine_is_refused() -> None:
    with pytest.raises(UnsupportedTypeError):
        sandbox.run_probe("/dev/null", "application/zip")


def test_a_server_that_cannot_start_is_an_engine_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_server", sandbox._Server("apps.media.no_such_module"))
    with pytest.raises(EngineAwayError):
        sandbox.run_probe("/dev/null", "image/png")


def test_a_fork_of_the_worker_gets_a_server_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(samples.transparent_png())
    sandbox.run_probe(path, "image/png")
    ours = sandbox.server_pid()
    child = os.fork()
    if child == 0:
        ok = False
        try:
            ok = sandbox.run_probe(path, "image/png").width == 400 and sandbox.server_pid() != ours
            sandbox.stop()
        finally:
            os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert sandbox.run_probe(path, "image/png").width == 400
    assert sandbox.server_pid() == ours


def _children() -> list[psutil.Process]:
    pid = sandbox.server_pid()
    assert pid
    return psutil.Process(pid).children()


def _the_only_child() -> psutil.Process:
    wait_until(lambda: len(_children()) == 1)
    return _children()[0]


def _namespace(process: psutil.Process, kind: str) -> str:
    return str(Path(f"/proc/{process.pid}/ns/{kind}").readlink())


def _group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
