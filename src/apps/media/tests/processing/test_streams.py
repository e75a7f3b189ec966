"""Tracks: playable from the first byte, the same whole or made in stretches, in step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from apps.media.exceptions import (
    CorruptFileError,
    EngineAwayError,
    ProcessingCrashedError,
    ProcessingTimeoutError,
)
from apps.media.processing import sandbox
from apps.media.processing.installed import find_ffmpeg
from apps.media.processing.joining import join_tracks
from apps.media.processing.ladder import plan_ladder, stretches
from apps.media.processing.streamtypes import (
    LEAD_SECONDS,
    MuxPlan,
    Segment,
    Streamed,
    StreamPlan,
    Track,
    Way,
)
from apps.media.processing.types import MIB, Limits
from apps.media.tests import recordings

LIMITS = Limits(memory_bytes=4096 * MIB, cpu_seconds=120, wall_seconds=240)
Make = Callable[[], bytes]

# Mime, then whether the picture may be copied; all are encoded.
SAMPLES: list[tuple[Make, str, bool]] = [
    (recordings.film, "video/mp4", True),
    (recordings.sideways, "video/quicktime", False),
    (recordings.uneven, "video/mp4", True),
    (recordings.silent, "video/mp4", True),
    (recordings.odd_size, "video/x-msvideo", False),
    (recordings.wide_pixels, "video/mp4", False),
    (recordings.high_range, "video/mp4", False),
    (recordings.interlaced, "video/mpeg", False),
    (recordings.surround, "video/x-matroska", True),
    (recordings.late_sound, "video/x-matroska", True),
    (recordings.transport_stream, "video/mp2t", True),
    (recordings.windows_media, "video/x-ms-wmv", False),
    (recordings.flash, "video/x-flv", False),
    (recordings.late_flash, "video/x-flv", True),
    (recordings.webm, "video/webm", False),
    (recordings.damaged_in_the_middle, "video/mp4", True),
]
each_sample = pytest.mark.parametrize(
    ("make", "mime", "may_copy"),
    [pytest.param(*sample, id=sample[0].__name__) for sample in SAMPLES],
)
each_copied = pytest.mark.parametrize(
    ("make", "mime"),
    [pytest.param(make, mime, id=make.__name__) for make, mime, may_copy in SAMPLES if may_copy],
)


class Studio:
    """Makes tracks of one film, each run in a directory of its own."""

    def __init__(self, folder: Path, data: bytes, mime: str) -> None:
        self.folder, self.mime = folder, mime
        self.path = folder / "source"
        self.path.write_bytes(data)
        self.facts = sandbox.run_probe(self.path, mime, LIMITS)
        self.ladder = plan_ladder(self.facts)
        self.progress: list[float] = []
        self._runs = 0

    def stream(self, way: Way, start: float = 0.0, duration: float | None = None) -> Streamed:
        plan = StreamPlan(
            self.new_folder(),
            find_ffmpeg(),
            way,
            rungs=self.ladder.rungs,
            frame_rate=self.ladder.frame_rate,
            start=start,
            duration=duration,
            tone_map=self.ladder.tone_map,
            deinterlace=self.ladder.deinterlace,
        )
        note = self.progress.append
        return sandbox.run_stream(self.path, self.mime, plan=plan, limits=LIMITS, on_progress=note)

    def new_folder(self) -> Path:
        self._runs += 1
        folder = self.folder / str(self._runs)
        folder.mkdir()
        return folder

    def joined(self, seconds: float) -> Track:
        """The first rung, from stretches of about `seconds`."""
        cuts = stretches(self.facts.duration or 0.0, self.ladder.frame_rate, seconds)
        assert len(cuts) > 1
        parts = [self.stream("encode", *cut).tracks[0] for cut in cuts]
        assert len({part.path.read_bytes()[: part.head] for part in parts}) == 1
        return join_tracks(parts, self.new_folder() / parts[0].path.name)


Open = Callable[[bytes, str], Studio]


@pytest.fixture
def studio(tmp_path: Path) -> Open:
    return lambda data, mime: Studio(tmp_path, data, mime)


def frames(path: Path) -> list[tuple[float, bool]]:
    """The time of each frame, and whether it is bright."""
    with av.open(str(path)) as container:
        return [
            (frame.time or 0.0, bool(frame.to_ndarray(format="gray").mean() > 128))
            for frame in container.decode(video=0)
        ]


def flashes(path: Path) -> list[float]:
    """When the picture turns from dark to bright."""
    seen = [(0.0, False), *frames(path)]
    return [time for (_, before), (time, bright) in pairwise(seen) if bright and not before]


def beeps(path: Path) -> list[float]:
    """When it gets loud after silence."""
    last, found = -1.0, []
    for time in _loud_samples(path):
        if time - last > 0.5:
            found.append(time)
        last = time
    return found


def _loud_samples(path: Path) -> Iterator[float]:
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.abs(frame.to_ndarray()).max(axis=0) > 0.2
            yield from ((frame.time or 0.0) + np.nonzero(loud)[0] / frame.sample_rate)


def check_track(track: Track) -> None:
    """A head, then segments that begin where the playlist will say, and nothing else."""
    data = track.path.read_bytes()
    assert len(data) == track.size
    assert data[4:8] == b"ftyp"
    assert b"moov" in data[: track.head]
    at = track.head
    for segment in track.segments:
        assert data[at + 4 : at + 8] == b"moof"
        assert segment.duration > 0
        at += segment.size


def _has_idr(data: bytes) -> bool:
    """Among the units of a packet, each with its length before it (ISO/IEC 14496-15 §5.3.3)."""
    kinds, at = [], 0
    while at < len(data):
        kinds.append(data[at + 4] & 0x1F)
        at += 4 + int.from_bytes(data[at : at + 4], "big")
    return 5 in kinds


class TestContract:
    @each_sample
    def test_encode_and_sound(self, make: Make, mime: str, may_copy: bool, studio: Open) -> None:
        film = studio(make(), mime)
        (track,) = film.stream("encode").tracks
        check_track(track)
        rung = film.ladder.rungs[0]
        assert (track.name, track.width, track.height) == (rung.name, rung.width, rung.height)
        assert track.codecs.startswith("avc1.6400")
        times = [time for time, _ in frames(track.path)]
        steps = np.diff(times)
        assert steps == pytest.approx(1 / track.frame_rate, abs=1e-4)
        assert len(times) == round(track.duration * track.frame_rate)
        assert film.ladder.copy == may_copy
        self._check_sound(film)

    def _check_sound(self, film: Studio) -> None:
        sounds = film.stream("sound").tracks
        assert len(sounds) == (film.facts.audio is not None)
        for sound in sounds:
            check_track(sound)
            assert sound.codecs == "mp4a.40.2"
            with av.open(str(sound.path)) as container:
                assert container.streams.audio[0].codec_context.channels == 2

    @each_copied
    def test_copy(self, make: Make, mime: str, studio: Open) -> None:
        film = studio(make(), mime)
        copied, *sounds = film.stream("copy").tracks
        check_track(copied)
        assert copied.name == "copy"
        assert len(sounds) == (film.facts.audio is not None)
        assert len(frames(copied.path)) == round(copied.duration * 30) or film.facts.video.variable

    @pytest.mark.parametrize(
        ("name", "mime"), [("film.mp4", "video/mp4"), ("film.ts", "video/mp2t")]
    )
    def test_what_browsers_cannot_seek_in_is_encoded(
        self, name: str, mime: str, studio: Open
    ) -> None:
        film = studio(recordings.open_groups(name), mime)
        assert film.ladder.copy
        copied = film.stream("copy").tracks[0]
        assert [round(segment.duration) for segment in copied.segments] == [4, 2]
        with av.open(str(copied.path)) as container:
            keyframes = [bytes(one) for one in container.demux(video=0) if one.is_keyframe]
        assert len(keyframes) == len(copied.segments)
        assert all(_has_idr(data) for data in keyframes)

    def test_segments_are_of_four_seconds_and_progress_is_told(self, studio: Open) -> None:
        film = studio(recordings.flashing(), "video/mp4")
        (track,) = film.stream("encode").tracks
        assert [segment.duration for segment in track.segments] == [4.0, 4.0, 2.0]
        assert film.progress
        assert film.progress == sorted(film.progress)

    def test_high_range_becomes_ordinary(self, studio: Open) -> None:
        film = studio(recordings.high_range(), "video/mp4")
        with av.open(str(film.stream("encode").tracks[0].path)) as container:
            frame = next(container.decode(video=0))
        red, green, blue = frame.to_ndarray(format="rgb24")[70, 40]
        assert green > 200
        assert max(red, blue) < 60
        assert frame.color_trc == 1


class TestStretches:
    @pytest.mark.parametrize("rate", ["30", "30000/1001", "25"])
    def test_no_frame_is_lost_or_doubled(self, rate: str, studio: Open) -> None:
        film = studio(recordings.flashing(10, rate=rate), "video/mp4")
        whole = frames(film.stream("encode").tracks[0].path)
        joined = frames(film.joined(4).path)
        assert len(joined) == len(frames(film.path))
        assert [time for time, _ in joined] == pytest.approx([time for time, _ in whole])
        assert [bright for _, bright in joined] == [bright for _, bright in whole]

    @pytest.mark.parametrize(
        ("name", "mime", "coded"),
        [
            ("a.ts", "video/mp2t", ("-c", "copy")),
            ("a.mkv", "video/x-matroska", ("-c", "copy")),
            ("a.flv", "video/x-flv", ("-c:v", "copy", "-c:a", "mp3", "-ar", "44100")),
            ("a.wmv", "video/x-ms-wmv", ("-c:v", "wmv2", "-b:v", "1M")),
        ],
    )
    def test_containers_without_an_index_of_frames(
        self, name: str, mime: str, coded: tuple[str, ...], studio: Open
    ) -> None:
        source = recordings.flashing()
        data = recordings.made(name, "-i", "source", *coded, source=source)
        film = studio(data, mime)
        whole, joined = film.stream("encode").tracks[0], film.joined(4)
        assert frames(joined.path) == frames(whole.path)

    def test_the_sound_stays_in_step_over_the_joins(self, studio: Open) -> None:
        film = studio(recordings.flashing(), "video/mp4")
        picture, sound = film.joined(4), film.stream("sound").tracks[0]
        assert _shown(flashes(picture.path)) == pytest.approx(range(10), abs=0.001)
        assert [time - LEAD_SECONDS for time in beeps(sound.path)] == pytest.approx(
            range(10), abs=0.002
        )


class TestHeldPictures:
    """Where the picture has nothing new, the last frame stays: players wait for a track that
    ends before the other one."""

    def test_the_last_frame_stays_to_the_end_of_the_film(self, studio: Open) -> None:
        film = studio(recordings.still_picture(10), "video/mp4")
        (track,) = film.stream("encode").tracks
        assert not film.ladder.copy
        assert track.duration == pytest.approx(10, abs=0.1)
        assert len(frames(track.path)) == round(track.duration * 30)

    def test_also_when_the_stretch_begins_long_after_it(self, studio: Open) -> None:
        film = studio(recordings.still_picture(24), "video/mp4")
        assert film.joined(4).duration == pytest.approx(24, abs=0.1)

    def test_of_a_broadcast(self, studio: Open) -> None:
        film = studio(recordings.ended_broadcast(16), "video/mp2t")
        joined, whole = film.joined(4), film.stream("encode").tracks[0]
        assert joined.duration == pytest.approx(16, abs=0.1)
        assert [time for time, _ in frames(joined.path)] == pytest.approx(
            [time for time, _ in frames(whole.path)]
        )

    def test_stretches_in_which_nothing_changes(self, studio: Open) -> None:
        film = studio(recordings.resting(24), "video/mp4")
        whole = film.stream("encode").tracks[0]
        assert film.facts.video.frame_rate == "30/1"
        assert [time for time, _ in frames(film.joined(4).path)] == pytest.approx(
            [time for time, _ in frames(whole.path)]
        )


class TestSounds:
    def test_a_sound_that_ends_early_is_filled_up(self, studio: Open) -> None:
        film = studio(recordings.short_sound(), "video/mp4")
        picture, sound = film.stream("copy").tracks
        assert sound.duration == pytest.approx(picture.duration, abs=0.1)

    def test_surround_is_mixed_without_clipping(self, studio: Open) -> None:
        film = studio(recordings.loud_surround(), "video/quicktime")
        (sound,) = film.stream("sound").tracks
        with av.open(str(sound.path)) as container:
            levels = [np.abs(frame.to_ndarray()).max() for frame in container.decode(audio=0)]
        assert 0.5 < max(levels) < 1.0


class TestBitRates:
    def test_a_short_last_segment_is_no_peak(self) -> None:
        segments = (Segment(4.0, 400_000), Segment(4.0, 500_000), Segment(0.04, 100_000))
        track = Track("480p", Path(), "avc1.640028", 700, segments)
        assert track.peak_bit_rate == round(600_000 * 8 / 4.04)

    @pytest.mark.parametrize(
        ("segments", "peak"),
        [((), 0), ((Segment(0.2, 1_000),), 40_000), ((Segment(3.0, 3_000),), 8_000)],
    )
    def test_of_what_is_short(self, segments: tuple[Segment, ...], peak: int) -> None:
        assert Track("480p", Path(), "avc1.640028", 700, segments).peak_bit_rate == peak


def _shown(times: list[float]) -> list[float]:
    """libav counts from the first decoded frame, players from the first shown one."""
    return [time - times[0] for time in times]


class TestMux:
    @pytest.mark.parametrize("way", ["encode", "copy"])
    def test_one_file_in_step_that_plays_while_it_loads(self, way: Way, studio: Open) -> None:
        film = studio(recordings.flashing(), "video/mp4")
        track = film.stream(way).tracks[0]
        sound = film.stream("sound").tracks[0]
        plan = MuxPlan(film.new_folder(), find_ffmpeg(), "film.mp4", sound.path)
        path = sandbox.run_mux(track.path, plan=plan, limits=LIMITS)
        data = path.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")
        assert flashes(path) == pytest.approx(range(10), abs=0.001)
        assert beeps(path) == pytest.approx(range(10), abs=0.002)

    def test_without_sound(self, studio: Open) -> None:
        film = studio(recordings.silent(), "video/mp4")
        track = film.stream("copy").tracks[0]
        plan = MuxPlan(film.new_folder(), find_ffmpeg(), "film.mp4")
        path = sandbox.run_mux(track.path, plan=plan, limits=LIMITS)
        assert len(frames(path)) == 60


class TestFailures:
    def test_without_a_picture(self, studio: Open, tmp_path: Path) -> None:
        film = studio(recordings.film(), "video/mp4")
        film.path.write_bytes(recordings.sound_in_a_film())
        for way in ("encode", "copy"):
            with pytest.raises(CorruptFileError):
                film.stream(way)  # type: ignore[arg-type]

    def test_without_an_ffmpeg(self, studio: Open, tmp_path: Path) -> None:
        film = studio(recordings.film(), "video/mp4")
        for ffmpeg in ("", "/nowhere/ffmpeg"):
            plan = StreamPlan(film.new_folder(), ffmpeg, "sound")
            with pytest.raises(EngineAwayError):
                sandbox.run_stream(film.path, film.mime, plan=plan, limits=LIMITS)

    def test_the_limits_of_time_and_memory(self, studio: Open) -> None:
        film = studio(recordings.film(size=(1920, 1080)), "video/mp4")
        rungs, rate = film.ladder.rungs[:1], film.ladder.frame_rate
        plan = StreamPlan(film.new_folder(), find_ffmpeg(), "encode", rungs, rate)
        for changes, kind in (
            ({"cpu_seconds": 1}, ProcessingTimeoutError),
            ({"memory_bytes": 500 * MIB}, ProcessingCrashedError),
            ({"output_bytes": 10_000}, ProcessingCrashedError),
        ):
            limits = replace(LIMITS, **changes)
            with pytest.raises(kind):
                sandbox.run_stream(film.path, film.mime, plan=plan, limits=limits)

    def test_a_list_of_files_is_no_film(self, studio: Open) -> None:
        film = studio(recordings.film(), "video/mp4")
        film.path.write_bytes(b"ffconcat version 1.0\nfile source\n")
        with pytest.raises(CorruptFileError):
            film.stream("copy")

    def test_a_stretch_behind_the_end(self, studio: Open) -> None:
        film = studio(recordings.film(), "video/mp4")
        with pytest.raises(CorruptFileError):
            film.stream("encode", 40.0, 4.0)
