"""Tracks for adaptive streaming: every rung from one decode, or the picture as it is; the sound.

Each track is one fragmented MP4 file whose head does not depend on the stretch, so that stretches
made anywhere can be put together (see `joining`). What makes that work, seen on ffmpeg 5.1 and 9.0:

* Timestamps are the stretch's own plus a second, which keeps the priming of AAC above zero; ffmpeg
  must not move them, and must write them into the fragments (`frag_discont`) instead of a list of
  edits. Frames may be shown before the first is decoded (`negative_cts_offsets`), or the film
  would start two frames late.
* The picture has a constant frame rate and a keyframe every so many frames, counted from the start
  of the film.
* Sound is encoded once for the whole film: every start of an encoder adds a gap.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av

from apps.media.exceptions import CorruptFileError
from apps.media.processing.containers import opened
from apps.media.processing.ffmpeg import has_filters, run_ffmpeg, source
from apps.media.processing.fragments import first_time, read_track
from apps.media.processing.jail import PROCESSES
from apps.media.processing.ladder import segment_frames
from apps.media.processing.sources import RUN_UP, Source, look
from apps.media.processing.streamtypes import (
    LEAD_SECONDS,
    SEGMENT_SECONDS,
    MuxPlan,
    Rung,
    Streamed,
    StreamPlan,
    Track,
)
from apps.media.processing.tonemapping import PEAK
from apps.media.processing.types import Limits, Progress

CRF = 23
PRESET = "veryfast"
SOUND_BIT_RATE = "128k"
SOUND_RATE = 48_000  # Hz
COPIED, SOUND = "copy", "sound"

# Threads are limited (see `jail`). What a run has beside its encoders: our own process, ffmpeg's
# main thread, reading, decoding and filtering; then two per rung, to encode and to write.
_MOST_THREADS = 8  # of one encoder: more only cost compression
_DECODER_THREADS, _FILTER_THREADS = 4, 2
_OTHER_THREADS = 6 + _DECODER_THREADS + _FILTER_THREADS

_FRAGMENTED = "+empty_moov+default_base_moof+frag_discont+negative_cts_offsets+skip_trailer"
# However much of a film is damaged, the rest is shown.
_LENIENT = ("-max_error_rate", "1")
_NOTHING_BESIDE = (
    "-map_metadata",
    "-1",
    "-map_chapters",
    "-1",
    "-fflags",
    "+bitexact",
    "-sn",
    "-dn",
)

_TONE_MAP_FILTERS = frozenset({"zscale", "tonemap"})


def stream(
    path: Path, mime: str, *, plan: StreamPlan, limits: Limits, progress: Progress
) -> Streamed:
    """Makes the tracks of the plan.

    Raises `CorruptFileError` when nothing of them can be decoded, and what `run_ffmpeg` raises.
    """
    del limits  # the kernel holds them
    to_end = plan.duration is None
    film = look(path, mime, closely=plan.way == "copy", start=plan.start, to_end=to_end)
    make = {"encode": _encode, "copy": _copy, "sound": _sound}[plan.way]
    return Streamed(tuple(make(film, plan, progress)))


# -- encode ------------------------------------------------------------------------------------


def _encode(film: Source, plan: StreamPlan, progress: Progress) -> list[Track]:
    if film.picture is None or not plan.rungs:
        raise CorruptFileError("there is no picture")
    cut = _Cut.of(plan, film)
    arguments = [*_LENIENT, "-threads", str(_decoder_threads(plan))]
    arguments += source(film.path, film.mime, start=cut.seek, duration=cut.read)
    arguments += ["-filter_complex_threads", str(_FILTER_THREADS)]
    arguments += ["-filter_complex", _graph(film, plan, cut)]
    for number, rung in enumerate(plan.rungs):
        arguments += ["-map", f"[v{number}]", *_encoder(rung, plan), *_track_file(rung.name, plan)]
    arguments += _in_step(film, film.sound)
    run_ffmpeg(
        plan.ffmpeg,
        arguments,
        cwd=plan.out_dir,
        duration=plan.duration or _rest(film, plan),
        progress=progress,
    )
    rate = float(Fraction(plan.frame_rate))
    return [
        read_track(plan.out_dir / f"{rung.name}.mp4", rung.name, frame_rate=rate)
        for rung in plan.rungs
    ]


def _in_step(film: Source, other: int | None) -> list[str]:
    """Of a broadcast, ffmpeg takes the first of the streams that it is told to read for the
    beginning: so it has to read the other one as well, to nowhere."""
    if other is None or not film.is_broadcast:
        return []
    return ["-map", f"0:{other}", "-c", "copy", "-f", "null", "-"]


def _rest(film: Source, plan: StreamPlan) -> float | None:
    return film.duration - plan.start if film.duration else None


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where to read and what to keep. Seconds of the source; frames at the output's rate.

    Reading begins at a whole frame, so that one pass over the whole film would round to the same
    frames. Where the picture has nothing new for what is kept, its last frame stays.
    """

    seek: float
    read: float | None
    drop: int
    keep: int | None

    @classmethod
    def of(cls, plan: StreamPlan, film: Source) -> _Cut:
        rate = Fraction(plan.frame_rate)
        first = round(Fraction(plan.start) * rate)
        keep = None if plan.duration is None else round(Fraction(plan.duration) * rate)
        drop = min(first, round(film.run_up * rate) + 1)
        read = None if keep is None else float((drop + keep) / rate) + RUN_UP
        if film.holds and film.duration:
            keep = max(0, round(Fraction(film.duration) * rate) - first)
        return cls(float((first - drop) / rate), read, drop, keep)


def _graph(film: Source, plan: StreamPlan, cut: _Cut) -> str:
    """From the picture of the source to one labelled output per rung."""
    steps = ["bwdif=mode=send_frame:deint=interlaced"] if plan.deinterlace else []
    steps.append(f"fps={plan.frame_rate}:start_time=0")
    if cut.keep:
        steps.append("tpad=stop=-1:stop_mode=clone")
    if cut.drop or cut.keep is not None:
        end = f":end_frame={cut.drop + cut.keep}" if cut.keep is not None else ""
        steps += [f"trim=start_frame={cut.drop}{end}", "setpts=PTS-STARTPTS"]
    if plan.tone_map and has_filters(plan.ffmpeg, _TONE_MAP_FILTERS, cwd=plan.out_dir):
        steps += _tone_map(plan.rungs, film.transfer)
    steps.append(f"split={len(plan.rungs)}")
    whole = f"[0:{film.picture}]{','.join(steps)}"
    inner = "".join(f"[s{number}]" for number in range(len(plan.rungs)))
    scaled = [
        f"[s{number}]scale={rung.width}:{rung.height}:flags=bicubic:threads=1,setsar=1,"
        f"format=yuv420p"
        f"[v{number}]"
        for number, rung in enumerate(plan.rungs)
    ]
    return ";".join([whole + inner, *scaled])


def _tone_map(rungs: Sequence[Rung], transfer: int) -> list[str]:
    """From high dynamic range to BT.709, at the largest rung's size since it costs by pixel."""
    largest = max(rungs, key=lambda rung: rung.width)
    return [
        f"scale={largest.width}:{largest.height}:flags=bicubic",
        f"setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc",
        "zscale=transfer=linear:npl=100",
        "format=gbrpf32le",
        "zscale=primaries=bt709",
        f"tonemap=hable:desat=0:peak={PEAK}",
        "zscale=transfer=bt709:matrix=bt709:range=tv",
        "format=yuv420p",
    ]


def _encoder(rung: Rung, plan: StreamPlan) -> list[str]:
    """H.264 of a constant quality under a cap, a keyframe at the start of each segment only."""
    frames = segment_frames(plan.frame_rate)
    return [
        *("-c:v", "libx264", "-preset", PRESET, "-profile:v", "high", "-crf", str(CRF)),
        *("-maxrate", str(rung.bit_rate), "-bufsize", str(2 * rung.bit_rate)),
        *("-g", str(frames), "-keyint_min", str(frames), "-sc_threshold", "0"),
        *("-force_key_frames", f"expr:not(mod(n,{frames}))"),
        *("-threads", str(_threads(plan)), "-flags:v", "+bitexact"),
    ]


def _threads(plan: StreamPlan) -> int:
    """Of each encoder, which has one more to look ahead if it has several. The rungs are encoded
    side by side anyway."""
    rungs = len(plan.rungs)
    cores = min(os.cpu_count() or 1, _MOST_THREADS)
    room = (PROCESSES - _OTHER_THREADS - 2 * rungs) // rungs - 1
    return max(1, min(plan.threads or -(-cores // rungs), room))


def _decoder_threads(plan: StreamPlan) -> int:
    return min(plan.threads or os.cpu_count() or 1, _DECODER_THREADS)


def _track_file(name: str, plan: StreamPlan, *, by: str = "keyframe") -> list[str]:
    """The arguments of one fragmented output, a fragment per keyframe or per segment's length."""
    flags, cut = _FRAGMENTED, []
    if by == "keyframe":
        flags += "+frag_keyframe"
    else:
        cut = ["-frag_duration", str(SEGMENT_SECONDS * 1_000_000)]
    return [
        *_NOTHING_BESIDE,
        *("-output_ts_offset", f"{LEAD_SECONDS + plan.start:.6f}"),
        *("-avoid_negative_ts", "disabled", "-movflags", flags, *cut),
        *("-f", "mp4", str(plan.out_dir / f"{name}.mp4")),
    ]


# -- copy and sound ----------------------------------------------------------------------------


def _copy(film: Source, plan: StreamPlan, progress: Progress) -> list[Track]:
    """What is damaged is encoded under the same name: players would give it up."""
    if film.picture is None:
        raise CorruptFileError("there is no picture")
    if not film.intact:
        whole = Rung(COPIED, film.size.width, film.size.height, film.bit_rate)
        encoding = replace(plan, way="encode", rungs=(whole,), start=0.0, duration=None)
        return [*_encode(film, encoding, progress), *_sound(film, plan, progress)]
    arguments = [*source(film.path, film.mime)]
    arguments += ["-map", f"0:{film.picture}", "-c:v", "copy", *_track_file(COPIED, plan)]
    if film.sound is not None:
        arguments += _sound_output(film, plan, copied=film.plain_sound)
    run_ffmpeg(plan.ffmpeg, arguments, cwd=plan.out_dir, duration=film.duration, progress=progress)
    copied = read_track(plan.out_dir / f"{COPIED}.mp4", COPIED)
    return [copied, *_sound_tracks(plan)]


def _sound(film: Source, plan: StreamPlan, progress: Progress) -> list[Track]:
    if film.sound is None:
        return []
    arguments = [*_LENIENT, *source(film.path, film.mime)]
    arguments += _sound_output(film, plan, copied=False)
    arguments += _in_step(film, film.picture)
    run_ffmpeg(plan.ffmpeg, arguments, cwd=plan.out_dir, duration=film.duration, progress=progress)
    return _sound_tracks(plan)


def _sound_output(film: Source, plan: StreamPlan, *, copied: bool) -> list[str]:
    """Gaps are filled and the start is that of the film, so that it stays in step."""
    how = ["-c:a", "copy"]
    if not copied:
        filters = "aresample=async=1:first_pts=0:rematrix_maxval=1"  # so that nothing clips
        if film.duration and film.picture is not None:
            filters += f",apad=whole_dur={film.duration:.6f}"
        how = ["-af", filters, "-c:a", "aac", "-b:a", SOUND_BIT_RATE]
        how += ["-ac", "2", "-ar", str(SOUND_RATE), "-flags:a", "+bitexact"]
    return ["-map", f"0:{film.sound}", *how, *_track_file(SOUND, plan, by="length")]


def _sound_tracks(plan: StreamPlan) -> list[Track]:
    """The sound's track, or none: a film whose sound is damaged plays silently."""
    path = plan.out_dir / f"{SOUND}.mp4"
    try:
        return [read_track(path, SOUND)]
    except (CorruptFileError, FileNotFoundError):
        return []


# -- mux ---------------------------------------------------------------------------------------


def mux(path: Path, *, plan: MuxPlan, limits: Limits, progress: Progress) -> None:
    """One MP4 that plays while it loads, of our own track at `path` and the plan's sound.

    Takes the second off again that every track has, and what libav adds to fragments whose frames
    are shown before the first is decoded.
    """
    del limits, progress  # the kernel holds them; this takes a moment
    inputs = [path, plan.sound] if plan.sound else [path]
    arguments: list[str] = ["-copyts"]
    for track in inputs:
        late = _start_by_libav(track) - first_time(track) + LEAD_SECONDS
        arguments += ["-itsoffset", f"{-late:.6f}", *source(track, "video/mp4")]
    for number in range(len(inputs)):
        arguments += ["-map", f"{number}:0"]
    arguments += ["-c", "copy", *_NOTHING_BESIDE, "-movflags", "+faststart", "-f", "mp4"]
    run_ffmpeg(plan.ffmpeg, [*arguments, str(plan.out_dir / plan.name)], cwd=plan.out_dir)


def _start_by_libav(track: Path) -> float:
    with opened(track, "video/mp4") as container:
        return (container.start_time or 0) / av.time_base
