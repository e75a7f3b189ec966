"""What benchmarks leave to be compared, and that a comparison sees what has become worse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import figures
from bench.figures import Figure

STEADY = Figure("CPU, ours ÷ theirs", (1.0, 1.1, 1.2))


def compared(old: Figure, new: Figure) -> list[bool]:
    """Of each change that is seen, whether it is for the worse."""
    found = figures.changes({"films": {old.name: old}}, {"films": {new.name: new}})
    return [change.worse for change in found]


@pytest.mark.parametrize(
    ("samples", "seen"),
    [
        ((1.0, 1.1, 1.2), []),
        ((1.15, 1.3, 1.5), []),  # rounds of both meet
        ((1.25, 1.3, 1.4), []),  # apart, but by less than a tenth
        ((1.35, 1.4, 1.5), [True]),
        ((0.7, 0.8, 0.85), [False]),
    ],
)
def test_only_what_is_beyond_the_rounds_is_a_change(
    samples: tuple[float, ...], seen: list[bool]
) -> None:
    assert compared(STEADY, Figure(STEADY.name, samples)) == seen


def test_of_what_should_be_more_less_is_worse() -> None:
    old = Figure("requests a second", (100.0, 110.0), "more")
    assert compared(old, Figure(old.name, (50.0, 60.0), "more")) == [True]
    assert compared(old, Figure(old.name, (200.0, 220.0), "more")) == [False]


def test_a_figure_of_one_round_may_differ_by_a_tenth() -> None:
    old = Figure("peak MiB", (100.0,))
    assert compared(old, Figure(old.name, (110.0,))) == []
    assert compared(old, Figure(old.name, (111.0,))) == [True]


def test_what_was_nothing_may_become_something() -> None:
    change = figures.Change("films", Figure("failed", (0.0,)), Figure("failed", (3.0,)), worse=True)
    assert "was nothing" in str(change)


def test_a_file_holds_what_several_benchmarks_leave(tmp_path: Path) -> None:
    kept = tmp_path / "figures.json"
    figures.keep(kept, "films", [STEADY])
    figures.keep(kept, "images", [STEADY])
    figures.keep(kept, "films", [Figure("other", (2.0,), "more")])
    assert figures.load(kept) == {
        "films": {"other": Figure("other", (2.0,), "more")},
        "images": {STEADY.name: STEADY},
    }


def run(tmp_path: Path, old: list[Figure], new: list[Figure]) -> subprocess.CompletedProcess[str]:
    for name, found in (("old", old), ("new", new)):
        figures.keep(tmp_path / name, "films", found)
    command = [sys.executable, figures.__file__, tmp_path / "old", tmp_path / "new"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_ends_with_1_when_something_is_worse(tmp_path: Path) -> None:
    done = run(tmp_path, [STEADY], [Figure(STEADY.name, (2.0, 2.2, 2.4))])
    assert done.returncode == 1, done.stderr
    assert "WORSE" in done.stdout
    assert "× 2.00" in done.stdout


def test_the_command_ends_with_0_when_something_is_better(tmp_path: Path) -> None:
    done = run(tmp_path, [STEADY], [Figure(STEADY.name, (0.5, 0.6))])
    assert done.returncode == 0, done.stderr
    assert "better" in done.stdout


def test_a_figure_that_is_gone_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, [STEADY, Figure("gone", (1.0,))], [STEADY])
    assert done.returncode == 1
    assert "GONE   films: gone" in done.stdout
