"""Which qualities a film gets, and how long films are cut for parallel work. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from apps.media.processing.streamtypes import SEGMENT_SECONDS, Rung
from apps.media.processing.types import Facts, VideoFacts

SIDES = (2160, 1440, 1080, 720, 480, 360, 240)  # pixels of the shorter side
_OWN_SIDE_FROM = 1.15  # a source this much above the next rung gets one of its own size
MOST_FRAMES, _MANY_FRAMES = 60, 30  # per second
_FULL_HD, _FULL_HD_RATE = 1920 * 1080, 5_000_000  # pixels; bits per second at most
_RATE_EXPONENT = 0.75  # small pictures need more bits per pixel
_FAST_FILM = 1.4  # times as many bits for up to twice as many frames
_SOURCE_FACTOR = 2.0  # newer encodings than H.264 need up to half its bits
_LEAST_RATE = 150_000
_COPY_GAP = 10.0  # seconds between keyframes: what seeking in a copied film may take
_COPY_PIXEL_FORMATS = frozenset({"yuv420p", "yuvj420p"})
_COPY_PROFILES = frozenset({"Baseline", "Main", "High"})
_SHORTEST_SHARE = 0.5  # of a stretch: a shorter last one joins the one before


@dataclass(frozen=True, slots=True)
class Ladder:
    """How a film is to be streamed. Rungs from the largest to the smallest.

    `copy` says that its picture can be taken as it is; `frame_rate` is a fraction.
    """

    rungs: tuple[Rung, ...]
    frame_rate: str
    copy: bool = False
    tone_map: bool = False
    deinterlace: bool = False


def plan_ladder(facts: Facts) -> Ladder:
    """The ladder of a film with a picture. Raises `ValueError` without one."""
    video = facts.video
    if video is None:
        raise ValueError("there is no picture to make a ladder of")
    rate = output_rate(video.frame_rate)
    rungs = tuple(_rung(side, facts, video, rate) for side in _sides(facts))
    return Ladder(
        rungs=rungs,
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        copy=_can_copy(facts, video),
        tone_map=video.hdr,
        deinterlace=video.interlaced,
    )


def output_rate(frame_rate: str) -> Fraction:
    """Frames per second of the rungs: the nominal rate, halved until it is at most 60.

    Rates that no camera has become whole numbers, so that segments have nearly the same length.
    """
    rate = Fraction(frame_rate)
    while rate > MOST_FRAMES:
        rate /= 2
    if rate.denominator not in {1, 1001}:
        rate = Fraction(max(1, round(rate)))
    return rate


def _sides(facts: Facts) -> list[int]:
    shortest = min(facts.width, facts.height)
    sides = [side for side in SIDES if side <= shortest]
    if not sides or (sides[0] != SIDES[0] and shortest > sides[0] * _OWN_SIDE_FROM):
        sides.insert(0, shortest)
    return sides


def _rung(side: int, facts: Facts, video: VideoFacts, rate: Fraction) -> Rung:
    scale = Fraction(side, min(facts.width, facts.height))
    width, height = _even(facts.width * scale), _even(facts.height * scale)
    return Rung(f"{side}p", width, height, _bit_rate(width * height, video, rate))


def _even(length: Fraction) -> int:
    """The even number next to it, downwards, but not nothing."""
    return max(2, int(length) // 2 * 2)


def _bit_rate(pixels: int, video: VideoFacts, rate: Fraction) -> int:
    most: float = _FULL_HD_RATE * (pixels / _FULL_HD) ** _RATE_EXPONENT
    if rate > _MANY_FRAMES:
        most *= _FAST_FILM
    if video.bit_rate:
        most = min(most, video.bit_rate * _SOURCE_FACTOR)
    return int(round(max(most, _LEAST_RATE), -4))


def _can_copy(facts: Facts, video: VideoFacts) -> bool:
    """Whether every browser plays the picture as it is. The sound is no matter: what is no plain
    AAC gets encoded on the way."""
    return (
        video.codec == "h264"
        and video.pixel_format in _COPY_PIXEL_FORMATS
        and video.profile.removeprefix("Constrained ") in _COPY_PROFILES
        and video.rotation == 0
        and not video.mirrored
        and video.square_pixels
        and not video.interlaced
        and not video.hdr
        and 0 < video.keyframe_interval <= _COPY_GAP
        and facts.width % 2 == facts.height % 2 == 0
    )


# -- stretches ---------------------------------------------------------------------------------


def segment_frames(frame_rate: str) -> int:
    """Frames of a segment: whole, so that every segment of every stretch has as many."""
    return max(1, round(SEGMENT_SECONDS * Fraction(frame_rate)))


def stretches(
    duration: float, frame_rate: str, seconds: float
) -> tuple[tuple[float, float | None], ...]:
    """Where to cut a film of `duration` into stretches of about `seconds`: start and length each.

    Cuts lie between segments. The last stretch has no length: it goes to the end, wherever that
    turns out to be.
    """
    segment = segment_frames(frame_rate) / Fraction(frame_rate)
    length = max(1, round(seconds / segment)) * segment
    count = max(1, int(duration / length))
    if duration - count * length > length * Fraction(_SHORTEST_SHARE):
        count += 1
    starts = [number * length for number in range(count)]
    lengths: list[float | None] = [float(length)] * (count - 1)
    return tuple(zip(map(float, starts), [*lengths, None], strict=True))
