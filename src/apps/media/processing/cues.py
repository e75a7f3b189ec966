"""WebVTT that we make ourselves: chapters, and the index of a storyboard."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from apps.media.processing.types import Chapter


def save_cues(cues: Iterable[tuple[float, float, str]], path: Path) -> None:
    """Cues of start, end (seconds) and text, which is plain and of one line."""
    blocks = [f"{clock(start)} --> {clock(end)}\n{_escaped(text)}\n" for start, end, text in cues]
    path.write_text("\n".join(["WEBVTT\n", *blocks]), encoding="utf-8")


def save_chapters(chapters: Iterable[Chapter], path: Path) -> None:
    save_cues(((chapter.start, chapter.end, chapter.title) for chapter in chapters), path)


def clock(seconds: float) -> str:
    """`hh:mm:ss.mmm` (WebVTT §3.3)."""
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    return "{:02}:{:02}:{:06.3f}".format(*divmod(minutes, 60), milliseconds / 1000)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
