"""Sound: facts, playable copies, waveforms, loudness, covers; all through the sandbox."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from apps.core.filetypes import FILE_TYPES
from apps.core.sniffing import TypeRefusedError, judge
from apps.core.tests.corpus import corpus_files, head_of, needs_corpus, verdicts
from apps.media.exceptions import (
    CorruptFileError,
    EngineAwayError,
    MediaError,
    TooLongError,
    UnsupportedTypeError,
)
from apps.media.processing import sandbox
from apps.media.processing.loudness import loudness_facts
from apps.media.processing.recipes import DEFAULT_SOUND_RECIPES, recipes_for
from apps.media.processing.types import Facts, Limits, Plan, Programs, Recipe, Rendered
from apps.media.processing.waveforms import MOST_PAIRS, Collector, samples_per_pair
from apps.media.tests import recordings, samples
from apps.media.tests.processing.conftest import Save, probe

Play = Callable[..., Rendered]

M4A, OPUS, PEAKS, WAVEFORM = DEFAULT_SOUND_RECIPES
CLEAN = Recipe("clean", format="same", product="clean")

# Name, type, bytes, and what it is: codec, channels, samples a second.
SAMPLES: list[tuple[str, str, Callable[[], bytes], tuple[str, int, int]]] = [
    ("wav", "audio/wav", recordings.sound, ("pcm_s16le", 1, 44_100)),
    (
        "wav-deep",
        "audio/wav",
        lambda: recordings.sound("s.wav", "-c:a", "pcm_f32le", channels=2, rate=96_000),
        ("pcm_f32le", 2, 96_000),
    ),
    ("wav-5.1", "audio/wav", lambda: recordings.sound(channels=6), ("pcm_s16le", 6, 44_100)),
    (
        "wav-9",
        "audio/wav",
        lambda: recordings.wav([0.25] * 9 * 16_000, channels=9),
        ("pcm_s16le", 9, 8_000),
    ),
    ("mp3", "audio/mpeg", lambda: recordings.sound("s.mp3", channels=2), ("mp3", 2, 44_100)),
    ("mp3-headless", "audio/mpeg", recordings.headless_mp3, ("mp3", 1, 44_100)),
    ("flac", "audio/flac", lambda: recordings.sound("s.flac"), ("flac", 1, 44_100)),
    ("m4a", "audio/mp4", lambda: recordings.sound("s.m4a", channels=2), ("aac", 2, 44_100)),
    ("alac", "audio/mp4", lambda: recordings.sound("s.m4a", "-c:a", "alac"), ("alac", 1, 44_100)),
    ("aac", "audio/aac", lambda: recordings.sound("s.aac", rate=16_000), ("aac", 1, 16_000)),
    (
        "vorbis",
        "audio/ogg",
        lambda: recordings.sound("s.ogg", "-c:a", "libvorbis", channels=2),
        ("vorbis", 2, 44_100),
    ),
    ("aiff", "audio/aiff", lambda: recordings.sound("s.aiff"), ("pcm_s16be", 1, 44_100)),
    (
        "aiff-c",
        "audio/aiff",
        lambda: recordings.sound("s.aiff", "-c:a", "pcm_f32be", channels=2),
        ("pcm_f32be", 2, 44_100),
    ),
    ("wma", "audio/x-ms-wma", lambda: recordings.sound("s.wma", channels=2), ("wmav2", 2, 44_100)),
    ("ac3-5.1", "audio/ac3", lambda: recordings.sound("s.ac3", channels=6), ("ac3", 6, 44_100)),
    ("opus-5.1", "audio/ogg", lambda: recordings.sound("s.opus", channels=6), ("opus", 6, 48_000)),
]
each_sample = pytest.mark.parametrize(
    ("mime", "make", "wanted"), [pytest.param(*row, id=name) for name, *row in SAMPLES]
)


@pytest.fixture
def play(save: Save, tmp_path: Path) -> Play:
    """Renders with given recipes, or with those that are right for the sound."""

    def run(
        source: bytes | Path,
        mime: str = "audio/wav",
        recipes: tuple[Recipe, ...] | None = None,
        **options: Any,
    ) -> Rendered:
        path = save(source) if isinstance(source, bytes) else source
        out_dir = tmp_path / "out"
        out_dir.mkdir()
        programs = options.pop("programs", Programs(ffmpeg=recordings.FFMPEG))
        plan = Plan(out_dir, recipes or recipes_for(mime, probe(path, mime)), programs=programs)
        return sandbox.run_render(path, mime, plan=plan, **options)

    return run


def path_of(rendered: Rendered, name: str) -> Path:
    return next(output.path for output in rendered.outputs if output.name == name)


def levels_of(rendered: Rendered) -> tuple[list[int], list[int]]:
    """The lowest and the highest of each stretch."""
    numbers = json.loads(path_of(rendered, PEAKS.name).read_text())["data"]
    return numbers[::2], numbers[1::2]


def listened(path: Path) -> tuple[str, int, float]:
    """Codec, channels, and seconds that decode."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(stream))
        return stream.codec_context.name, stream.codec_context.channels, seconds


class TestContract:
    """What holds for every sound of two seconds."""

    @each_sample
    def test_facts(
        self, mime: str, make: Callable[[], bytes], wanted: tuple[str, int, int], save: Save
    ) -> None:
        facts = probe(save(make()), mime)
        assert facts.audio
        assert (facts.audio.codec, facts.audio.channels, facts.audio.sample_rate) == wanted
        assert facts.duration == pytest.approx(2, abs=0.15)
        assert (facts.width, facts.height, facts.video) == (0, 0, None)
        assert not facts.metadata
        assert not facts.chapters

    @each_sample
    def test_renditions(
        self, mime: str, make: Callable[[], bytes], wanted: tuple[str, int, int], play: Play
    ) -> None:
        recipes = (CLEAN, *DEFAULT_SOUND_RECIPES)
        rendered = play(make(), mime, recipes)
        assert [output.name for output in rendered.outputs] == [one.name for one in recipes]
        clean = probe(path_of(rendered, CLEAN.name), mime).audio
        assert clean
        assert (clean.codec, clean.channels, clean.sample_rate) == wanted
        for recipe, codec in ((M4A, "aac"), (OPUS, "opus")):
            name, channels, seconds = listened(path_of(rendered, recipe.name))
            assert (name, channels) == (codec, min(wanted[1], 2))
            assert seconds == pytest.approx(2, abs=0.15)
        self._check_waveform(rendered, wanted[2])
        assert {"loudness", "loudness_range", "true_peak"} == set(rendered.facts)
        assert rendered.peak_bytes < 200 * 1024**2

    def _check_waveform(self, rendered: Rendered, sample_rate: int) -> None:
        numbers = json.loads(path_of(rendered, PEAKS.name).read_text())
        assert (numbers["version"], numbers["channels"], numbers["bits"]) == (2, 1, 8)
        assert numbers["sample_rate"] == sample_rate
        assert len(numbers["data"]) == 2 * numbers["length"]
        length = numbers["length"] * numbers["samples_per_pixel"] / sample_rate
        assert length == pytest.approx(2, abs=0.15)
        drawn = rendered.outputs[-1]
        assert (drawn.width, drawn.height, drawn.mime_type) == (1200, 200, "image/png")
        assert Image.open(drawn.path).size == (1200, 200)

    def test_the_copy_plays_while_it_loads(self, play: Play) -> None:
        data = path_of(play(recordings.sound(), recipes=(M4A,)), M4A.name).read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")

    def test_progress_rises_to_the_end(self, play: Play) -> None:
        heard: list[float] = []
        play(recordings.sound(), recipes=(PEAKS,), on_progress=heard.append)
        assert heard == sorted(heard)
        assert heard[-1] > 0.9

    @pytest.mark.parametrize("mime", sorted({row[1] for row in SAMPLES}))
    @pytest.mark.parametrize("data", [b"", b"no sound", samples.html_as_jpeg()])
    def test_what_is_something_else_is_corrupt(self, mime: str, data: bytes, save: Save) -> None:
        with pytest.raises(CorruptFileError):
            probe(save(data), mime)

    def test_a_film_without_a_picture_is_a_sound(self, play: Play) -> None:
        rendered = play(recordings.sound_in_a_film(), "video/mp4", (*DEFAULT_SOUND_RECIPES, CLEAN))
        assert listened(path_of(rendered, CLEAN.name))[:2] == ("aac", 1)
        assert len(levels_of(rendered)[0]) > 1_000

    def test_without_ffmpeg_it_is_tried_again(self, play: Play) -> None:
        with pytest.raises(EngineAwayError):
            play(recordings.sound(), recipes=(M4A,), programs=Programs())

    def test_a_product_that_no_sound_has(self, play: Play) -> None:
        with pytest.raises(UnsupportedTypeError):
            play(recordings.sound(), recipes=(Recipe("clip.mp4", format="mp4", product="clip"),))


class TestPeaks:
    def test_half_of_the_range(self, play: Play) -> None:
        lows, highs = levels_of(play(recordings.sound(), recipes=(PEAKS,)))
        assert (min(lows), max(highs)) == (-64, 64)

    def test_silence_then_loud(self, play: Play) -> None:
        rate = 8_000
        loud = [math.sin(at / 3) for at in range(rate)]
        lows, highs = levels_of(play(recordings.wav([0.0] * rate + loud), recipes=(PEAKS,)))
        half = len(highs) // 2
        assert not any(lows[: half - 1] + highs[: half - 1])
        assert min(highs[half + 1 : -1]) > 110
        assert max(lows[half + 1 : -1]) < -110

    def test_opposite_phases_do_not_hide_each_other(self, play: Play) -> None:
        lows, highs = levels_of(
            play(recordings.wav([0.5, -0.5] * 8_000, channels=2), recipes=(PEAKS,))
        )
        assert (set(lows), set(highs)) == ({-64}, {64})

    def test_one_sample(self, play: Play) -> None:
        rendered = play(recordings.wav([0.5]))
        assert levels_of(rendered) == ([64], [64])
        assert not set(rendered.facts) & {"loudness", "loudness_range"}
        assert listened(path_of(rendered, M4A.name))[2] > 0

    def test_samples_that_are_no_numbers(self, play: Play) -> None:
        coded = recordings.sound("s.wav", "-c:a", "pcm_f32le")
        head, values = coded[:-4_000], np.frombuffer(coded[-4_000:], dtype="<f4").copy()
        values[:500], values[500:] = np.nan, 7e30
        lows, highs = levels_of(play(head + values.tobytes(), recipes=(PEAKS,)))
        assert -128 <= min(lows) <= max(highs) <= 127

    @pytest.mark.parametrize("stretches", [1, MOST_PAIRS, MOST_PAIRS + 1, 7 * MOST_PAIRS + 3])
    def test_however_many_there_are_few_are_kept(self, stretches: int) -> None:
        collector = Collector(44_100, 64)
        for at in range(stretches):
            collector.take(f"frame:{at}   pts:{64 * at} pts_time:{64 * at / 44_100}")
            collector.take("lavfi.astats.Overall.Min_level=-0.25")
            collector.take(f"lavfi.astats.Overall.Max_level={0.9 if at == stretches - 1 else 0.5}")
        waveform = collector.waveform()
        assert len(waveform.pairs) <= MOST_PAIRS
        assert len(waveform.pairs) * waveform.samples_per_pair >= stretches * 64
        assert (len(waveform.pairs) - 1) * waveform.samples_per_pair < stretches * 64
        assert [high for _, high in waveform.pairs if high != 64] == [115]
        assert {low for low, _ in waveform.pairs} == {-32}

    def test_a_claimed_length_does_not_make_it_coarse(self) -> None:
        assert samples_per_pair(180, 44_100) == 5_292
        assert samples_per_pair(10**9, 44_100) == 44_100
        assert samples_per_pair(0, 44_100) == 64


class TestPicture:
    def test_the_wave_is_drawn_on_a_clear_ground(self, play: Play) -> None:
        rate = 8_000
        sound = recordings.wav([0.0] * rate + [0.5 * (-1) ** at for at in range(rate)])
        for name in ("png", "webp"):
            recipe = Recipe(f"wave.{name}", 100, 40, format=name, product="waveform")
        rendered = play(sound, recipes=(recipe, WAVEFORM))
        for output in rendered.outputs:
            image = Image.open(output.path).convert("RGBA")
            alpha = np.asarray(image)[..., 3]
            height, width = alpha.shape
            quiet, loud = alpha[:, width // 4], alpha[:, width * 3 // 4]
            assert quiet[height // 2] > 100
            assert not quiet[: height // 2 - 2].any()
            assert np.count_nonzero(loud > 100) == pytest.approx(height / 2, abs=2)


class TestLoudness:
    def test_the_reference_tone(self, play: Play) -> None:
        """EBU Tech 3341, case 1: a stereo tone of 1 kHz, -23 dBFS in each channel."""
        level = "pow(10,-23/20)*sin(2*PI*1000*t)"
        tone = recordings.sound(seconds=4, level=level, channels=2, rate=48_000)
        facts = play(tone, recipes=(PEAKS,)).facts
        assert facts["loudness"] == pytest.approx(-23, abs=0.5)
        assert facts["true_peak"] == pytest.approx(-23, abs=0.5)
        assert facts["loudness_range"] == pytest.approx(0, abs=0.5)

    def test_silence_has_none(self, play: Play) -> None:
        assert not play(recordings.sound(level="0"), recipes=(PEAKS,)).facts

    def test_only_the_measure_itself_is_believed(self) -> None:
        """A title comes into the same log."""
        title = "  title: \n    I: -1.0 LUFS\n    LRA: 3.0 LU\n    Peak: 9.0 dBFS\n"
        assert loudness_facts(title) == {}
        summary = (
            "[Parsed_ebur128_0 @ 0x1] Summary:\n  Integrated loudness:\n    I:   -9.0 LUFS\n"
            "  Loudness range:\n    LRA:  2.0 LU\n  True peak:\n    Peak:   -inf dBFS\n"
        )
        assert loudness_facts(title + summary) == {"loudness": -9.0, "loudness_range": 2.0}

    def test_many_channels_do_not_clip(self, play: Play) -> None:
        loud = recordings.sound(level="0.9*sin(2*PI*440*t)", channels=6)
        with av.open(str(path_of(play(loud, recipes=(M4A,)), M4A.name))) as container:
            frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        assert max(np.abs(frame).max() for frame in frames[2:-2]) < 1


class TestTags:
    @pytest.mark.parametrize(
        ("name", "mime"),
        [
            ("song.mp3", "audio/mpeg"),
            ("song.m4a", "audio/mp4"),
            ("song.ogg", "audio/ogg"),
            ("song.flac", "audio/flac"),
        ],
    )
    def test_the_usual_ones(self, name: str, mime: str, save: Save) -> None:
        tags = {"title": "Ä 音", "artist": "Who", "album": "x" * 300, "date": "2004-05-06"}
        metadata = probe(save(recordings.song(name, **tags, track="3/11")), mime).metadata
        assert (metadata["title"], metadata["artist"]) == ("Ä 音", "Who")
        assert (metadata["track"], metadata["year"]) == ("3/11", "2004")
        assert len(str(metadata["album"])) <= 100

    def test_unknown_encodings(self, save: Save) -> None:
        metadata = probe(save(recordings.song_with_old_tags()), "audio/mpeg").metadata
        assert "title" not in metadata
        assert str(metadata["artist"]).startswith("Beyonc")

    def test_a_position_is_known_of_and_can_be_had_removed(self, save: Save, play: Play) -> None:
        path = save(recordings.audiobook())
        assert probe(path, "audio/mp4").metadata == {"title": "A book", "has_position": 1}
        clean = play(path, "audio/mp4", (CLEAN, M4A))
        for output in clean.outputs:
            assert b"+48.1" not in output.path.read_bytes()
        assert b"A book" not in clean.outputs[1].path.read_bytes()
        assert clean.outputs[0].mime_type == "audio/mp4"
        assert probe(clean.outputs[0].path, "audio/mp4").metadata == {"title": "A book"}

    def test_chapters(self, save: Save, play: Play) -> None:
        path = save(recordings.audiobook())
        facts = probe(path, "audio/mp4")
        assert [(one.start, one.end, one.title) for one in facts.chapters] == [
            (0, 1, "One <b>&"),
            (1, 2, "Two"),
        ]
        rendered = play(path, "audio/mp4", recipes_for("audio/mp4", facts))
        assert path_of(rendered, "chapters.vtt").read_text() == (
            "WEBVTT\n\n"
            "00:00:00.000 --> 00:00:01.000\nOne &lt;b&gt;&amp;\n\n"
            "00:00:01.000 --> 00:00:02.000\nTwo\n"
        )


class TestCovers:
    @pytest.mark.parametrize(
        ("name", "mime"), [("song.mp3", "audio/mpeg"), ("song.m4a", "audio/mp4")]
    )
    def test_a_cover_may_say_where(self, name: str, mime: str, save: Save, play: Play) -> None:
        path = save(recordings.song(name, cover=recordings.placed_cover()))
        assert probe(path, mime).metadata == {"has_cover": 1, "has_position": 1}
        clean = play(path, mime, (CLEAN,)).outputs[0].path
        assert probe(clean, mime).metadata == {}

    @pytest.mark.parametrize(
        ("name", "mime"),
        [("song.mp3", "audio/mpeg"), ("song.m4a", "audio/mp4"), ("song.flac", "audio/flac")],
    )
    def test_a_cover_becomes_pictures(self, name: str, mime: str, save: Save, play: Play) -> None:
        path = save(recordings.song(name, cover=recordings.cover_jpeg()))
        facts = probe(path, mime)
        assert (facts.metadata["has_cover"], facts.width, facts.height) == (1, 0, 0)
        rendered = play(path, mime, recipes_for(mime, facts))
        thumb = Image.open(path_of(rendered, "thumb.webp")).convert("RGB")
        assert thumb.size == (400, 400)
        assert np.allclose(thumb.getpixel((9, 9)), recordings.COVER, atol=12)
        assert rendered.placeholder
        assert path_of(rendered, M4A.name).stat().st_size

    @pytest.mark.parametrize(
        "cover",
        [
            pytest.param(samples.html_as_jpeg(), id="html"),
            pytest.param(recordings.cover_jpeg()[:1_000], id="half"),
            pytest.param(samples.bomb_bmp(), id="bomb"),
            pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="svg"),
        ],
    )
    def test_a_bad_cover_does_not_cost_the_sound(
        self, cover: bytes, save: Save, play: Play
    ) -> None:
        path = save(recordings.song(cover=cover))
        assert "has_cover" not in probe(path, "audio/mpeg").metadata
        with pytest.raises(CorruptFileError):
            play(path, "audio/mpeg", (Recipe("thumb.webp", 64),))

    def test_the_type_is_that_of_the_bytes(self, save: Save) -> None:
        png = samples.transparent_png(40, 30)
        path = save(recordings.song(cover=png))
        assert probe(path, "audio/mpeg").metadata["has_cover"] == 1


class TestDamage:
    def test_half_a_sound_is_as_long_as_it_is(self, save: Save, play: Play) -> None:
        whole = recordings.sound("s.mp3", seconds=6)
        path = save(whole[: len(whole) // 2])
        assert probe(path, "audio/mpeg").duration == pytest.approx(3, abs=0.2)
        assert listened(path_of(play(path, "audio/mpeg", (M4A,)), M4A.name))[2] < 3.3

    def test_noise_in_the_middle(self, play: Play) -> None:
        data = bytearray(recordings.sound("s.mp3", seconds=6))
        data[20_000:24_000] = bytes(range(250)) * 16
        assert len(levels_of(play(bytes(data), "audio/mpeg", (PEAKS,)))[0]) > 1_000

    @pytest.mark.parametrize("make", [recordings.encrypted_sound, lambda: b"ADIF" + bytes(4_000)])
    def test_what_nobody_can_hear(self, make: Callable[[], bytes], save: Save) -> None:
        mime = "audio/aac" if make().startswith(b"ADIF") else "audio/mp4"
        with pytest.raises((CorruptFileError, UnsupportedTypeError)):
            probe(save(make()), mime)

    def test_too_long(self, save: Save) -> None:
        with pytest.raises(TooLongError):
            probe(save(recordings.sound()), "audio/wav", Limits(max_duration=1))

    def test_other_files_are_never_read(self, save: Save, tmp_path: Path, play: Play) -> None:
        """A list of files, named as sound."""
        (tmp_path / "secret.wav").write_bytes(recordings.sound())
        playlist = f"ffconcat version 1.0\nfile '{tmp_path / 'secret.wav'}'\n".encode()
        for mime in sorted({row[1] for row in SAMPLES}):
            with pytest.raises(CorruptFileError):
                probe(save(playlist), mime)


def outcome(path: Path, out_dir: Path) -> str:
    """`ready`, the code of a refusal, or `not taken` where the type is none of ours."""
    try:
        mime = judge(head_of(path), name=path.name, allowed=FILE_TYPES)
    except TypeRefusedError:
        return "not taken"
    if not mime.startswith("audio/"):
        return "a film"
    try:
        facts: Facts = probe(path, mime)
        plan = Plan(out_dir, recipes_for(mime, facts), programs=Programs(ffmpeg=recordings.FFMPEG))
        sandbox.run_render(path, mime, plan=plan)
    except MediaError as error:
        return error.code
    return "ready"


# Cut off so early that no sound is left, or of a form that is refused.
STUBS = {"flac_application.flac": "corrupt_file", "nero-chapters.m4b": "corrupt_file"}
REFUSED = {"adif.aac": "unsupported_type"}


@pytest.mark.corpus
@needs_corpus
@pytest.mark.parametrize("group", ["audio_valid", "audio_malformed"])
def test_every_file_of_the_corpus_ends_well(group: str, tmp_path: Path) -> None:
    wanted = verdicts(group)
    for path in corpus_files(group):
        out_dir = tmp_path / path.name
        out_dir.mkdir()
        code = outcome(path, out_dir)
        assert code in {"ready", "corrupt_file", "unsupported_type", "not taken", "a film"}
        if wanted[path.name].startswith("A") and code not in {"not taken", "a film"}:
            assert code == (STUBS | REFUSED).get(path.name, "ready"), path.name
