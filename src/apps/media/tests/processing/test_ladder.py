"""Which rungs a film gets, whether it is copied, and where it is cut."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from apps.media.processing.ladder import (
    Ladder,
    output_rate,
    plan_ladder,
    segment_frames,
    stretches,
)
from apps.media.processing.types import AudioFacts, Facts, VideoFacts

PLAIN = VideoFacts(
    codec="h264",
    profile="High",
    pixel_format="yuv420p",
    width=1920,
    height=1080,
    frame_rate="30/1",
    keyframe_interval=2.0,
    bit_rate=16_000_000,
)


def ladder(width: int, height: int, **changes: object) -> Ladder:
    video = replace(PLAIN, width=width, height=height, **changes)  # type: ignore[arg-type]
    return plan_ladder(Facts(width, height, duration=60.0, video=video))


def sizes(made: Ladder) -> list[tuple[int, int]]:
    return [(rung.width, rung.height) for rung in made.rungs]


class TestRungs:
    def test_from_the_source_down(self) -> None:
        made = ladder(1920, 1080)
        assert sizes(made) == [(1920, 1080), (1280, 720), (852, 480), (640, 360), (426, 240)]
        assert [rung.name for rung in made.rungs] == ["1080p", "720p", "480p", "360p", "240p"]

    def test_the_shorter_side_counts(self) -> None:
        assert sizes(ladder(720, 1280))[0] == (720, 1280)
        assert ladder(720, 1280).rungs[-1].name == "240p"

    def test_the_largest_are_made_smaller(self) -> None:
        assert sizes(ladder(7680, 4320))[0] == (3840, 2160)

    @pytest.mark.parametrize(
        ("size", "first"), [((1440, 900), (1440, 900)), ((1200, 800), (1080, 720))]
    )
    def test_a_size_between_two_rungs_is_kept_when_it_matters(
        self, size: tuple[int, int], first: tuple[int, int]
    ) -> None:
        assert sizes(ladder(*size))[0] == first

    @pytest.mark.parametrize("size", [(160, 120), (121, 161), (3, 3), (1, 1), (4000, 2)])
    def test_tiny_films_get_one_of_their_own(self, size: tuple[int, int]) -> None:
        (rung,) = ladder(*size).rungs
        assert rung.width <= max(2, size[0])
        assert rung.height <= max(2, size[1])

    @pytest.mark.parametrize("size", [(1921, 1081), (853, 479), (1080, 1919), (641, 359)])
    def test_even_and_never_enlarged(self, size: tuple[int, int]) -> None:
        for width, height in sizes(ladder(*size)):
            assert width % 2 == height % 2 == 0
            assert width <= size[0]
            assert height <= size[1]
            assert width / height == pytest.approx(size[0] / size[1], rel=0.02)

    def test_bit_rates_fall_and_rise_with_frames(self) -> None:
        rates = [rung.bit_rate for rung in ladder(3840, 2160, bit_rate=0).rungs]
        assert rates == sorted(rates, reverse=True)
        assert ladder(1920, 1080, frame_rate="60/1").rungs[0].bit_rate > rates[2]

    def test_a_thin_source_is_not_inflated(self) -> None:
        assert ladder(1920, 1080, bit_rate=1_000_000).rungs[0].bit_rate == 2_000_000

    def test_without_a_picture_there_is_none(self) -> None:
        with pytest.raises(ValueError, match="picture"):
            plan_ladder(Facts(0, 0, audio=AudioFacts("aac", 2, 48_000)))


class TestTreatment:
    def test_high_range_and_fields_are_told(self) -> None:
        made = ladder(1920, 1080, hdr=True, interlaced=True)
        assert (made.tone_map, made.deinterlace) == (True, True)

    @pytest.mark.parametrize(
        ("rate", "wanted"),
        [
            ("30000/1001", "30000/1001"),
            ("25/1", "25/1"),
            ("120/1", "60/1"),
            ("240000/1001", "60000/1001"),
            ("90/1", "45/1"),
            ("8797/1000", "9/1"),
            ("1/5", "1/1"),
        ],
    )
    def test_frame_rates(self, rate: str, wanted: str) -> None:
        assert output_rate(rate) == Fraction(wanted)

    def test_a_plain_film_is_copied(self) -> None:
        assert ladder(1920, 1080).copy

    @pytest.mark.parametrize(
        "change",
        [
            {"codec": "hevc"},
            {"pixel_format": "yuv420p10le"},
            {"profile": "High 4:4:4 Predictive"},
            {"profile": "High 10"},
            {"rotation": 90},
            {"mirrored": True},
            {"square_pixels": False},
            {"interlaced": True},
            {"hdr": True},
            {"keyframe_interval": 0.0},
            {"keyframe_interval": 25.0},
        ],
    )
    def test_what_is_not_copied(self, change: dict[str, object]) -> None:
        assert not ladder(1920, 1080, **change).copy


class TestStretches:
    @pytest.mark.parametrize("rate", ["30/1", "30000/1001", "24000/1001", "25/1", "60/1", "9/1"])
    @pytest.mark.parametrize("duration", [1.0, 599.0, 3600.0, 7205.3])
    def test_cuts_lie_between_segments_of_whole_frames(self, rate: str, duration: float) -> None:
        segment = Fraction(segment_frames(rate)) / Fraction(rate)
        cuts = stretches(duration, rate, 300)
        end = 0.0
        for start, length in cuts[:-1]:
            assert start == pytest.approx(end)
            assert length == pytest.approx(300, abs=4)
            assert round(start / segment) * segment == pytest.approx(start, abs=1e-6)
            end = start + length
        assert cuts[-1] == (pytest.approx(end), None)
        assert end < duration or cuts == ((0.0, None),)

    def test_the_last_is_never_a_scrap(self) -> None:
        starts = [start for start, _ in stretches(610.0, "30/1", 300)]
        assert starts == [0.0, 300.0]

    def test_segments_last_about_four_seconds(self) -> None:
        assert [segment_frames(rate) for rate in ("30/1", "30000/1001", "1/1")] == [120, 120, 4]
