"""Calls of the ffmpeg program: the arguments that every call has, and what its end means.

Says what may be opened before any file is named: one demuxer, only files, only known decoders. The
two kinds of whitelist are both needed: without that of formats, a list of files named .mp4 makes
every version read those files.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from apps.media.exceptions import (
    CorruptFileError,
    EngineAwayError,
    MediaError,
    ProcessingCrashedError,
    ProcessingTimeoutError,
)
from apps.media.processing.containers import (
    CODEC_WHITELIST,
    MUXERS,
    WIDER_MUXERS,
    demuxer_for,
)
from apps.media.processing.programs import ProgramFailedError, run_program
from apps.media.processing.types import Progress

_STOPPED = 255  # what ffmpeg ends with after a signal that it caught, such as that of the CPU limit
_MICROSECONDS = 1_000_000
_OUR_TROUBLE: Mapping[str, type[MediaError]] = {
    "No space left": EngineAwayError,
    "Cannot allocate memory": ProcessingCrashedError,
    "malloc of size": ProcessingCrashedError,
    "get_buffer() failed": ProcessingCrashedError,
    "Resource temporarily unavailable": ProcessingCrashedError,  # threads
}
Arguments = Sequence[str | Path]


def source(
    path: Path, mime: str, *, start: float = 0.0, duration: float | None = None
) -> list[str]:
    """The arguments that open a stranger's file, from `start` on, for `duration` seconds.

    Seeking is exact to the frame, since what comes before is decoded and dropped.
    """
    demuxer = demuxer_for(mime)
    arguments = ["-protocol_whitelist", "file,pipe", "-format_whitelist", demuxer]
    arguments += ["-codec_whitelist", CODEC_WHITELIST, "-f", demuxer]
    if start:
        arguments += ["-ss", f"{start:.6f}"]
    if duration is not None:
        arguments += ["-t", f"{duration:.6f}"]
    return [*arguments, "-i", str(path.absolute())]


# Each thread's own heap counts as address space, of which there is a limit.
_FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}


def run_ffmpeg(
    ffmpeg: str,
    arguments: Arguments,
    *,
    cwd: Path,
    duration: float | None = None,
    progress: Progress | None = None,
    loglevel: str = "error",
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Runs ffmpeg in `cwd`; returns the end of what it logs at `loglevel`.

    `progress` gets fractions of `duration`, the seconds that will be written; or else `on_line`
    every line that filters print. Raises
    `CorruptFileError` when ffmpeg gives up, `EngineAwayError` without an ffmpeg or room on the
    disk, `ProcessingTimeoutError` and `ProcessingCrashedError` at the limits.
    """
    if not ffmpeg:
        raise EngineAwayError("there is no ffmpeg")
    common = ["-nostdin", "-hide_banner", "-nostats", "-y", "-loglevel", loglevel]
    if progress and duration:
        on_line = _progress_reader(progress, duration)
        common += ["-progress", "pipe:1"]
    command = [ffmpeg, *common, *arguments]
    try:
        return run_program(command, cwd=cwd, on_line=on_line, environment=_FEW_ARENAS)
    except ProgramFailedError as error:
        raise _meaning(error) from error
    except (ProcessingCrashedError, EngineAwayError) as error:
        if _is_out_of_time():
            raise ProcessingTimeoutError(*error.args) from error
        raise


def write_same(
    ffmpeg: str,
    arguments: Arguments,
    target: Path,
    mime: str,
    *,
    duration: float | None = None,
    progress: Progress | None = None,
) -> None:
    """Writes what `arguments` take, as it is, to `target` as a container of type `mime`.

    Raises what `run_ffmpeg` does.
    """
    command = [*arguments, "-c", "copy", "-f"]
    run = partial(run_ffmpeg, ffmpeg, cwd=target.parent, duration=duration, progress=progress)
    try:
        run([*command, MUXERS[mime], target])
    except CorruptFileError:
        if mime not in WIDER_MUXERS:
            raise
        run([*command, *WIDER_MUXERS[mime], target])


def _is_out_of_time() -> bool:
    """ffmpeg takes the first signal of the CPU limit for a wish to finish; the second one kills."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    soft, _ = resource.getrlimit(resource.RLIMIT_CPU)
    return soft != resource.RLIM_INFINITY and used.ru_utime + used.ru_stime >= soft


def _progress_reader(progress: Progress, duration: float) -> Callable[[str], None]:
    """Takes `key=value` lines; the time is that of what has been written."""

    def take(line: str) -> None:
        name, _, value = line.partition("=")
        if name == "out_time_us" and value.isdecimal():
            progress(min(1.0, int(value) / _MICROSECONDS / duration))

    return take


def _meaning(error: ProgramFailedError) -> MediaError:
    if error.status == _STOPPED:
        return ProcessingTimeoutError(error.said)
    for words, kind in _OUR_TROUBLE.items():
        if words in error.said:
            return kind(error.said)
    return CorruptFileError(error.said)


def has_filters(ffmpeg: str, names: frozenset[str], *, cwd: Path) -> bool:
    """Whether this ffmpeg was built with all of these filters."""
    found: set[str] = set()

    def take(line: str) -> None:
        found.update(line.split()[1:2])

    try:
        run_program([ffmpeg, "-hide_banner", "-filters"], cwd=cwd, on_line=take)
    except ProgramFailedError:
        return False
    return names <= found
