"""`make demo`: takes files through the main job once and reports each in one row of a table."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from launch import samples
from launch.carry import Carrier, carry_all, log_in
from launch.errors import LaunchError, TakenError
from launch.outcomes import Outcome, show_outcomes
from launch.place import Place
from launch.session import read_settings, serving, stop_on_signals

STARTING = "Another server is just starting on this data; try again when it answers."


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the parsed command line: `files` and `timeout` (seconds)."""
    parser = argparse.ArgumentParser(prog="make demo ARGS=…", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="files and directories to upload")
    parser.add_argument("--timeout", type=float, default=900, help="seconds without any progress")
    return parser.parse_args(arguments)


def find_files(paths: list[Path]) -> list[Path]:
    """Return `paths` with each directory replaced by the visible files below it, sorted.

    Raises `LaunchError` when a path does not exist or nothing is found.
    """
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise LaunchError(f"No such file: {', '.join(missing)}")
    found = dict.fromkeys(file for path in paths for file in below(path))
    if paths and not found:
        raise LaunchError("There is no file in what was given")
    return list(found)


def below(path: Path) -> list[Path]:
    """Return `path` itself if it is a file, else the visible files below it, sorted."""
    if not path.is_dir():
        return [path]
    files = (file for file in path.rglob("*") if file.is_file())
    return sorted(f for f in files if not any(p.startswith(".") for p in f.relative_to(path).parts))


def draw_samples() -> list[Path]:
    """Return the sample files, drawn at the first call."""
    return samples.ensure_samples(Place(read_settings().data_dir).samples)


@contextmanager
def server(console: Console) -> Iterator[str]:
    """Yield the address of a ready server: one that runs on this data already, or a new one."""
    try:
        with serving(read_settings(), console, any_port=True, with_samples=False) as session:
            yield session.address
    except TakenError as taken:
        if not taken.address:
            raise LaunchError(STARTING) from taken
        yield taken.address


def carry_files(files: list[Path], console: Console, *, seconds: float) -> list[Outcome]:
    """Upload `files` to a server of this data and wait for each; return what became of them."""
    with server(console) as address, log_in(address) as client:
        return carry_all(files, Carrier(client=client, seconds=seconds), console)


def main(arguments: list[str]) -> int:
    """Return 0 when every file became ready, 1 when one did not or nothing could start."""
    options = read_arguments(arguments)
    console = Console()
    stop_on_signals()
    try:
        files = find_files(options.files) or draw_samples()
        outcomes = carry_files(files, console, seconds=options.timeout)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    except LaunchError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    show_outcomes(outcomes, console)
    return 0 if all(outcome.is_ready for outcome in outcomes) else 1
