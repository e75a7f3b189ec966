"""What a film or a sound is, read by PyAV: picture, sound, chapters, harmless words.

Shared by the engines of films and of sound. Headers are not believed: the first frame has to
decode, and where the file ends tells how long it is.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import islice
from statistics import median

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from apps.media.exceptions import CorruptFileError, TooManyPixelsError
from apps.media.processing.containers import cover_stream, picture_stream, sound_stream
from apps.media.processing.privacy import text_has_position
from apps.media.processing.surveys import Survey, rewind
from apps.media.processing.types import AudioFacts, Chapter, Limits, Scalar, VideoFacts

MAX_CHAPTERS = 500
MAX_LENGTH = 100  # characters of a tag or title
_PROBED_PACKETS = 2_000  # until the first frame has to be there

# The same word in the containers of Apple, Matroska, Ogg and ID3, as libav names them.
_TAGS: Mapping[str, str] = {
    "title": "title",
    "artist": "artist",
    "album": "album",
    "album_artist": "album_artist",
    "composer": "composer",
    "genre": "genre",
    "track": "track",
    "date": "year",
    "com.apple.quicktime.make": "camera_make",
    "com.apple.quicktime.model": "camera",
    "com.android.manufacturer": "camera_make",
    "com.android.model": "camera",
    "creation_time": "taken_at",
}
_POSITION_WORDS = ("location", "gps", "xyz", "loci")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)")
_YEAR = re.compile(r"\d{4}")

_HDR_TRANSFERS = frozenset({16, 18})  # ITU-T H.273: PQ (SMPTE ST 2084), HLG (ARIB STD-B67)
_USUAL_RATES = tuple(
    Fraction(rate)
    for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")
)
_RATE_SLACK = Fraction(2, 100)
_SHORTER = 10  # one step in so many may be shorter still
_REST = 10  # times as long as the usual step
_MOST_RATE, _LEAST_RATE = 240, 1
_LARGEST_ASPECT = 8  # of a pixel; more is damage


# -- picture -----------------------------------------------------------------------------------


def video_facts(container: InputContainer, seen: Survey, limits: Limits) -> VideoFacts:
    """Of a recording with a picture. Raises `CorruptFileError` when no frame of it can be decoded,
    and `TooManyPixelsError`. Leaves the container at an unknown place."""
    stream = picture_stream(container)
    if stream is None:
        raise CorruptFileError("there is no picture")
    context = stream.codec_context
    _check_size(context.width, context.height, limits)
    frame = first_frame(container, stream)
    _check_size(frame.width, frame.height, limits)
    aspect = pixel_aspect(stream)
    return VideoFacts(
        codec=context.codec.canonical_name,
        profile=(stream.profile or "")[:MAX_LENGTH],
        pixel_format=frame.format.name,
        width=frame.width,
        height=frame.height,
        frame_rate=_frame_rate(stream, seen),
        rotation=-frame.rotation % 360 // 90 * 90,
        mirrored=_is_mirrored(frame),
        square_pixels=aspect == 1,
        variable=seen.is_uneven,
        interlaced=frame.interlaced_frame,
        hdr=int(context.color_trc or 0) in _HDR_TRANSFERS,
        keyframe_interval=seen.longest_gap,
        bit_rate=context.bit_rate or seen.bit_rate,
    )


def _check_size(width: int, height: int, limits: Limits) -> None:
    if width < 1 or height < 1:
        raise CorruptFileError(f"{width} x {height}")
    if width * height > limits.max_pixels:
        raise TooManyPixelsError(f"{width} x {height}")


def first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame:
    """The first picture that decodes, from the beginning. Raises `CorruptFileError`."""
    rewind(container)
    for packet in islice(container.demux(stream), _PROBED_PACKETS):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            continue
        if frames:
            frame = frames[0]
            assert isinstance(frame, VideoFrame)
            return frame
    raise CorruptFileError("no picture can be decoded")


def _is_mirrored(frame: VideoFrame) -> bool:
    """By the matrix that says how it is shown (ISO/IEC 14496-12 §8.3.2): a, b, u, c, d, …"""
    told = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(told, SideData):
        return False
    a, b, _, c, d = struct.unpack_from("=5i", told)
    return bool(a * d - b * c < 0)


def pixel_aspect(stream: VideoStream) -> Fraction:
    """Width of a pixel by its height, of the stored picture; 1 where it is unknown or absurd."""
    aspect = stream.sample_aspect_ratio
    if not aspect or not Fraction(1, _LARGEST_ASPECT) <= aspect <= _LARGEST_ASPECT:
        return Fraction(1)
    return aspect


def upright_size(container: InputContainer, video: VideoFacts) -> tuple[int, int]:
    """Width and height in square pixels, turned as players show it. Nothing gets narrower."""
    stream = picture_stream(container)
    aspect = pixel_aspect(stream) if stream else Fraction(1)
    width, height = video.width, video.height
    if aspect > 1:
        width = round(width * aspect)
    else:
        height = round(height / aspect)
    return (height, width) if video.rotation in {90, 270} else (width, height)


def _frame_rate(stream: VideoStream, seen: Survey) -> str:
    """The nominal one: of a film with uneven steps, that of its shorter steps. A long rest makes
    the average of a film mean nothing."""
    declared = stream.average_rate or stream.guessed_rate
    steps = seen.steps
    if steps and (seen.is_uneven or not _is_sane(declared) or _has_rest(steps)):
        shorter = sorted(steps)[len(steps) // _SHORTER]
        declared = Fraction(1 / shorter).limit_denominator(1001)
    if declared is None or not _is_sane(declared):
        declared = Fraction(30)
    rate = _usual(Fraction(declared))
    return f"{rate.numerator}/{rate.denominator}"


def _has_rest(steps: Sequence[float]) -> bool:
    return max(steps) > median(steps) * _REST


def _is_sane(rate: Fraction | None) -> bool:
    return rate is not None and _LEAST_RATE <= rate <= _MOST_RATE


def _usual(rate: Fraction) -> Fraction:
    nearest = min(_USUAL_RATES, key=lambda usual: abs(usual - rate))
    if rate.denominator == 1 or abs(nearest - rate) > nearest * _RATE_SLACK:
        return rate.limit_denominator(1001)
    return nearest


# -- sound -------------------------------------------------------------------------------------


def audio_facts(container: InputContainer) -> AudioFacts | None:
    """None without a sound that can be decoded: a film then plays silently."""
    stream = sound_stream(container)
    if stream is None or not _is_audible(container, stream):
        return None
    context = stream.codec_context
    return AudioFacts(
        codec=context.codec.canonical_name,
        channels=context.channels,
        sample_rate=context.sample_rate or 0,
        bit_rate=context.bit_rate or 0,
    )


def _is_audible(container: InputContainer, stream: AudioStream) -> bool:
    rewind(container)
    for packet in islice(container.demux(stream), _PROBED_PACKETS):
        try:
            if packet.decode():
                return True
        except av.FFmpegError:
            continue
    return False


# -- words -------------------------------------------------------------------------------------


def chapters_of(container: InputContainer, length: float) -> tuple[Chapter, ...]:
    """In order, within the recording, with cleaned titles; none of no length."""
    found = []
    for entry in islice(container.chapters(), MAX_CHAPTERS):
        unit = float(entry["time_base"] or 0)
        start, end = max(0.0, entry["start"] * unit), min(length, entry["end"] * unit)
        if end > start:
            found.append(Chapter(start, end, clean(entry["metadata"].get("title", ""))))
    return tuple(sorted(found, key=lambda chapter: chapter.start))


def metadata_of(container: InputContainer) -> dict[str, Scalar]:
    """Title and the like, when and with what it was taken; that it has a position, never which."""
    tags = _all_tags(container)
    facts: dict[str, Scalar] = {}
    for tag, name in _TAGS.items():
        text = _worded(name, clean(tags.get(tag, "")))
        if text:
            facts[name] = text
    if _may_tell_position(container, tags):
        facts["has_position"] = 1
    if cover_stream(container):
        facts["has_cover"] = 1
    return facts


def _may_tell_position(container: InputContainer, tags: Mapping[str, str]) -> bool:
    """Tags that name a place, of one track too, and XMP; and in a film any track of data or text:
    drones and action cameras write where they are into those, second by second."""
    names = [*tags, *(name.lower() for stream in container.streams for name in stream.metadata)]
    if any(word in name for name in names for word in _POSITION_WORDS):
        return True
    if any(map(text_has_position, tags.values())):
        return True
    kinds = {stream.type for stream in container.streams}
    return "video" in kinds and not kinds <= {"video", "audio"}


def _all_tags(container: InputContainer) -> dict[str, str]:
    """Ogg keeps its words in the sound, everybody else in the container."""
    sound = sound_stream(container) if container.format.name == "ogg" else None
    tags = {**(sound.metadata if sound else {}), **container.metadata}
    return {name.lower(): text for name, text in tags.items()}


def _worded(name: str, text: str) -> str:
    if name == "taken_at":
        match = _TIME.match(text)
        return f"{match[1]}T{match[2]}" if match else ""
    if name == "year":
        match = _YEAR.search(text)
        return match[0] if match else ""
    return text


def clean(text: str) -> str:
    """Printable characters only, and not many."""
    printable = "".join(character for character in text if character.isprintable())
    return printable.strip()[:MAX_LENGTH]
