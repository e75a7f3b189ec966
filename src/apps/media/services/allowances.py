"""What the engines may take and use, from the options in force."""

from __future__ import annotations

from apps.media.conf import options
from apps.media.processing.installed import find_ffmpeg, find_soffice
from apps.media.processing.types import Limits, Programs

# Seconds of work per second of film, on a slow machine: a ladder up to 2160 lines takes twenty.
FILM_EFFORT = 60
SHORTEST_FILM = 300  # seconds that any film may take


def limits() -> Limits:
    """For pictures, documents, and looking at anything."""
    chosen = options()
    return Limits(
        max_pixels=chosen.max_pixels,
        max_total_pixels=chosen.max_total_pixels,
        max_frames=chosen.max_frames,
        max_pages=chosen.max_pages,
        max_duration=chosen.max_duration,
        memory_bytes=chosen.process_memory,
        cpu_seconds=chosen.process_cpu_seconds,
        wall_seconds=chosen.process_wall_seconds,
    )


def long_limits(seconds: float | None) -> Limits:
    """For work on a recording of `seconds`, or on something of unknown length."""
    chosen = options()
    allowed = round(SHORTEST_FILM + FILM_EFFORT * (seconds or 0))
    return Limits(
        max_pixels=chosen.max_pixels,
        max_total_pixels=chosen.max_total_pixels,
        max_frames=chosen.max_frames,
        max_pages=chosen.max_pages,
        max_duration=chosen.max_duration,
        memory_bytes=chosen.film_memory,
        cpu_seconds=max(allowed, chosen.process_cpu_seconds),
        wall_seconds=max(allowed, chosen.process_wall_seconds),
        output_bytes=chosen.largest_size,
    )


def programs() -> Programs:
    """The outside programs: those of the options, else what this machine has."""
    chosen = options()
    return Programs(ffmpeg=chosen.ffmpeg or find_ffmpeg(), soffice=chosen.soffice or find_soffice())
