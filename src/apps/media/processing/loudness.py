"""Loudness by EBU R128 (ITU-R BS.1770), measured by ffmpeg's filter while it does other work.

Pure text: the filter to put into a graph, and what the program says about it at its end.
"""

from __future__ import annotations

import math
import re

from apps.media.processing.types import Scalar

# True peaks as well; the running values, ten a second, stay out of the log.
FILTER = "ebur128=peak=true:framelog=verbose"
SILENCE = -70.0  # LUFS: the absolute gate; nothing louder was found

_SUMMARY = re.compile(r"^\[Parsed_ebur128_[^\]]*\] Summary:$", re.MULTILINE)
_VALUES = {
    "loudness": re.compile(r"^ *I: +(\S+) LUFS", re.MULTILINE),
    "loudness_range": re.compile(r"^ *LRA: +(\S+) LU", re.MULTILINE),
    "true_peak": re.compile(r"^ *Peak: +(\S+) dBFS", re.MULTILINE),
}


def loudness_facts(said: str) -> dict[str, Scalar]:
    """What the end of ffmpeg's log says: `loudness` in LUFS, `loudness_range` in LU, `true_peak` in
    dBTP.

    Without loudness and range for what is silent or shorter than the measure's 400 ms, without the
    peak for digital silence: there is no number for these.
    """
    _, *summaries = _SUMMARY.split(said)  # titles are in the log as well; the end is the filter's
    summary = summaries[-1] if summaries else ""
    found = {name: _number(pattern, summary) for name, pattern in _VALUES.items()}
    if found["loudness"] is None or found["loudness"] <= SILENCE:
        found["loudness"] = found["loudness_range"] = None
    return {name: value for name, value in found.items() if value is not None}


def _number(pattern: re.Pattern[str], text: str) -> float | None:
    match = pattern.search(text)
    try:
        value = float(match[1]) if match else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
