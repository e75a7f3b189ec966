"""Films of every kind: what they are said to be, and the pictures and clips made of them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image

from apps.core.sniffing import sniff
from apps.core.tests.corpus import CORPUS, corpus_files, head_of, needs_corpus, verdicts
from apps.media.exceptions import (
    CorruptFileError,
    MediaError,
    TooLongError,
    TooManyPixelsError,
    UnsupportedTypeError,
)
from apps.media.processing import sandbox
from apps.media.processing.installed import find_ffmpeg
from apps.media.processing.recipes import CHAPTERS, CLEAN, recipes_for
from apps.media.processing.types import (
    MIB,
    Facts,
    Limits,
    Output,
    Plan,
    Programs,
    Recipe,
    Rendered,
)
from apps.media.tests import recordings

LIMITS = Limits(memory_bytes=1536 * MIB)
POSTER = Recipe("poster.jpg", 1280, format="jpeg", effort=1)
SHEET = Recipe("storyboard.jpg", 160, format="jpeg", quality=70, product="storyboard")
INDEX = Recipe("storyboard.vtt", 160, format="vtt", product="storyboard")
CLIP = Recipe("preview.mp4", 320, format="mp4", product="clip")

Make = Callable[[], bytes]
# The upright size, then what else is to be known.
SAMPLES: list[tuple[Make, str, tuple[int, int], dict[str, object]]] = [
    (recordings.film, "video/mp4", (160, 120), {"codec": "h264", "frame_rate": "30/1"}),
    (recordings.sideways, "video/quicktime", (120, 160), {"rotation": 90}),
    (recordings.uneven, "video/mp4", (160, 120), {"variable": True, "frame_rate": "30/1"}),
    (recordings.silent, "video/mp4", (160, 120), {"variable": False}),
    (recordings.odd_size, "video/x-msvideo", (161, 121), {"codec": "mjpeg"}),
    (recordings.wide_pixels, "video/mp4", (160, 120), {"square_pixels": False, "width": 120}),
    (recordings.ten_bit, "video/mp4", (160, 120), {"pixel_format": "yuv420p10le", "hdr": False}),
    (recordings.high_range, "video/mp4", (160, 120), {"hdr": True}),
    (recordings.interlaced, "video/mpeg", (160, 120), {"interlaced": True, "frame_rate": "25/1"}),
    (recordings.surround, "video/x-matroska", (160, 120), {"codec": "h264"}),
    (recordings.late_sound, "video/x-matroska", (160, 120), {"codec": "h264"}),
    (recordings.transport_stream, "video/mp2t", (160, 120), {"codec": "h264"}),
    (recordings.phone_film, "video/3gpp", (176, 144), {"codec": "h263"}),
    (recordings.mobile_film, "video/3gpp2", (176, 144), {"codec": "mpeg4"}),
    (recordings.windows_media, "video/x-ms-wmv", (160, 120), {"codec": "wmv2"}),
    (recordings.streaming_media, "video/x-ms-asf", (160, 120), {"codec": "msmpeg4v2"}),
    (recordings.flash, "video/x-flv", (160, 120), {"codec": "flv1"}),
    (recordings.late_flash, "video/x-flv", (160, 120), {"codec": "h264"}),
    (recordings.webm, "video/webm", (160, 120), {"codec": "vp9"}),
    (recordings.matroska, "video/x-matroska", (160, 120), {"codec": "h264"}),
    (recordings.theora, "video/ogg", (160, 120), {"codec": "theora"}),
    (recordings.damaged_in_the_middle, "video/mp4", (160, 120), {"codec": "h264"}),
]
each_sample = pytest.mark.parametrize(
    ("make", "mime", "size", "wanted"),
    [pytest.param(*sample, id=sample[0].__name__) for sample in SAMPLES],
)


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[bytes], Path]:
    def keep(data: bytes) -> Path:
        path = tmp_path / "source"
        path.write_bytes(data)
        return path

    return keep


Keep = Callable[[bytes], Path]


def probe(path: Path, mime: str, limits: Limits = LIMITS) -> Facts:
    return sandbox.run_probe(path, mime, limits)


def render(path: Path, mime: str, *recipes: Recipe) -> Rendered:
    out_dir = path.parent / "out"
    out_dir.mkdir()
    plan = Plan(out_dir, recipes, programs=Programs(find_ffmpeg()))
    return sandbox.run_render(path, mime, plan=plan, limits=LIMITS)


def opened(output: Output) -> Image.Image:
    image = Image.open(output.path)
    image.load()
    assert image.size == (output.width, output.height)
    return image.convert("RGB")


def near(seen: object, wanted: tuple[int, int, int], slack: int = 40) -> bool:
    assert isinstance(seen, tuple)
    return all(abs(a - b) <= slack for a, b in zip(seen, wanted, strict=True))


class TestFacts:
    @each_sample
    def test_every_container(
        self, make: Make, mime: str, size: tuple[int, int], wanted: dict[str, object], kept: Keep
    ) -> None:
        data = make()
        assert sniff(data[:65_536]) == mime
        facts = probe(kept(data), mime)
        assert (facts.width, facts.height) == size
        assert facts.duration == pytest.approx(4.0 if len(data) > 200_000 else 2.0, abs=2.1)
        assert facts.video is not None
        assert {name: getattr(facts.video, name) for name in wanted} == wanted
        assert 0 < facts.video.keyframe_interval <= 4
        assert (facts.audio is None) == (make is recordings.silent)

    def test_length_is_exact(self, kept: Keep) -> None:
        assert probe(kept(recordings.film()), "video/mp4").duration == pytest.approx(2, abs=0.05)

    def test_sound(self, kept: Keep) -> None:
        audio = probe(kept(recordings.surround()), "video/x-matroska").audio
        assert audio is not None
        assert (audio.codec, audio.channels, audio.sample_rate) == ("ac3", 6, 48_000)

    def test_words_but_no_place(self, kept: Keep) -> None:
        facts = probe(kept(recordings.with_words()), "video/mp4")
        assert facts.metadata == {"title": "A walk", "has_position": 1}
        assert [chapter.title for chapter in facts.chapters] == ["Out <1>", "Back"]
        assert facts.chapters[1].start == pytest.approx(1)

    @pytest.mark.parametrize(
        ("make", "mime"),
        [
            (recordings.place_of_a_track, "video/x-matroska"),
            (recordings.place_in_xmp, "video/mp4"),
            (recordings.old_phone_film, "video/mp4"),
        ],
        ids=["of a track", "in XMP", "with speech"],
    )
    def test_a_place_wherever_it_is_told(self, make: Make, mime: str, kept: Keep) -> None:
        source = kept(make())
        assert probe(source, mime).metadata == {"has_position": 1}
        clean = render(source, mime, CLEAN).outputs[0].path
        assert sniff(clean.read_bytes()) == mime
        assert probe(clean, mime).metadata == {}
        assert b"GPSLatitude" not in clean.read_bytes()
        assert b"+48.1" not in clean.read_bytes()

    def test_a_container_of_films_may_hold_only_sound(self, kept: Keep) -> None:
        facts = probe(kept(recordings.sound_in_a_film()), "video/mp4")
        assert (facts.width, facts.height, facts.video) == (0, 0, None)
        assert facts.audio is not None

    def test_in_fragments(self, kept: Keep) -> None:
        """Their header knows nothing of what follows."""
        facts = probe(kept(recordings.fragmented()), "video/mp4")
        assert facts.duration == pytest.approx(6, abs=0.1)
        assert facts.video is not None
        assert facts.video.keyframe_interval == pytest.approx(1, abs=0.1)

    def test_never_finished(self, kept: Keep) -> None:
        """As browsers record: without a length and an index."""
        data = recordings.unfinished()
        assert probe(kept(data), "video/webm").duration == pytest.approx(2, abs=0.1)

    def test_far_apart_keyframes_are_told(self, kept: Keep) -> None:
        video = probe(kept(recordings.long_gap()), "video/mp4").video
        assert video is not None
        assert video.keyframe_interval > 10


class TestRefusals:
    @pytest.mark.parametrize("mime", sorted({mime for _, mime, _, _ in SAMPLES}))
    @pytest.mark.parametrize(
        "data", [b"", b"no film", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"]
    )
    def test_what_is_something_else_is_corrupt(self, mime: str, data: bytes, kept: Keep) -> None:
        with pytest.raises(CorruptFileError):
            probe(kept(data), mime)

    def test_too_long(self, kept: Keep) -> None:
        with pytest.raises(TooLongError):
            probe(kept(recordings.film()), "video/mp4", Limits(max_duration=1.5))

    def test_too_many_pixels(self, kept: Keep) -> None:
        with pytest.raises(TooManyPixelsError):
            probe(kept(recordings.film()), "video/mp4", Limits(max_pixels=160 * 120 - 1))

    def test_ten_hours_in_a_kilobyte(self, kept: Keep) -> None:
        """The header of the film, with a duration of its own and nothing behind it."""
        data = bytearray(recordings.fast_start())
        del data[data.index(b"mdat") + 4 + 900 :]
        for box in (b"mvhd", b"tkhd", b"mdhd", b"elst"):
            at = data.find(box)
            while at > 0:
                _stretch(data, at, box)
                at = data.find(box, at + 4)
        with pytest.raises(CorruptFileError):
            probe(kept(bytes(data)), "video/mp4")

    def test_half_a_film_never_passes_as_whole(self, kept: Keep) -> None:
        data = recordings.fast_start()
        with pytest.raises(CorruptFileError):
            probe(kept(data[: len(data) * 4 // 10]), "video/mp4")

    def test_nearly_all_of_a_film_is_as_long_as_it_is(self, kept: Keep) -> None:
        data = recordings.fast_start()
        facts = probe(kept(data[: len(data) * 3 // 4]), "video/mp4")
        assert facts.duration is not None
        assert 1.0 < facts.duration <= 2.0

    def test_a_product_that_films_do_not_have(self, kept: Keep) -> None:
        with pytest.raises(UnsupportedTypeError):
            render(kept(recordings.film()), "video/mp4", Recipe("a.pdf", 1, product="paper"))


def _stretch(data: bytearray, at: int, box: bytes) -> None:
    """Makes a box of the header claim ten hours."""
    place = {b"mvhd": 20, b"tkhd": 24, b"mdhd": 20, b"elst": 12}[box]
    scale = {b"mvhd": 16, b"mdhd": 16}.get(box)
    (ticks,) = struct.unpack_from(">I", data, at + scale) if scale else (1000,)
    struct.pack_into(">I", data, at + place, ticks * 36_000 % 2**32)


class TestPictures:
    @each_sample
    def test_everything_of_every_kind(
        self, make: Make, mime: str, size: tuple[int, int], wanted: dict[str, object], kept: Keep
    ) -> None:
        rendered = render(kept(make()), mime, POSTER, SHEET, INDEX, CLIP, CLEAN)
        made = {output.name: output for output in rendered.outputs}
        assert made["clean"].mime_type == mime
        assert probe(made["clean"].path, mime).video
        assert opened(made["poster.jpg"]).size == size
        assert opened(made["storyboard.jpg"]).width == 5 * _tile_width(size)
        assert _picture_size(made["preview.mp4"].path) == (size[0] // 2 * 2, size[1] // 2 * 2)
        assert rendered.placeholder
        assert rendered.likeness

    def test_turned_as_players_turn_it(self, kept: Keep) -> None:
        """The card has red at its left, cyan at its right."""
        source = kept(recordings.sideways())
        image = opened(render(source, "video/quicktime", POSTER).outputs[0])
        assert near(image.getpixel((10, 10)), (255, 0, 0))
        assert near(image.getpixel((10, 150)), (0, 255, 255))

    def test_colours_of_high_range_are_those_of_the_screen(self, kept: Keep) -> None:
        image = opened(render(kept(recordings.high_range()), "video/mp4", POSTER).outputs[0])
        assert near(image.getpixel((10, 70)), (255, 0, 0))
        assert near(image.getpixel((40, 70)), (0, 255, 0))

    def test_the_poster_is_not_black(self, kept: Keep) -> None:
        """Black for the first third, where its only keyframe is."""
        data = recordings.film(seconds=6, filters="drawbox=t=fill:c=black:enable='lt(t,2)'")
        image = opened(render(kept(data), "video/mp4", POSTER).outputs[0])
        assert max(high for _, high in image.getextrema()) > 128  # type: ignore[misc]

    def test_a_film_of_one_colour_has_a_poster_too(self, kept: Keep) -> None:
        data = recordings.film(filters="drawbox=t=fill:c=black")
        assert render(kept(data), "video/mp4", POSTER).outputs[0].width == 160

    def test_tiles_between_far_apart_keyframes_differ(self, kept: Keep) -> None:
        source = kept(recordings.long_gap())
        sheet = opened(render(source, "video/mp4", SHEET).outputs[0])
        tiles = [sheet.crop((160 * n, 0, 160 * n + 160, 120)).tobytes() for n in range(6)]
        assert len(set(tiles)) == 6

    def test_the_index_covers_the_film_and_points_into_the_sheet(self, kept: Keep) -> None:
        source = kept(recordings.film())
        sheet, index = render(source, "video/mp4", SHEET, INDEX).outputs
        lines = index.path.read_text().splitlines()
        assert lines[0] == "WEBVTT"
        times = [line for line in lines if "-->" in line]
        assert times[0].startswith("00:00:00.000")
        assert times[-1].endswith("00:00:02.000")
        boxes = [line.partition("#xywh=")[2] for line in lines if "#" in line]
        assert len(boxes) == len(times)
        for box in boxes:
            left, top, width, height = map(int, box.split(","))
            assert left + width <= sheet.width
            assert top + height <= sheet.height

    def test_the_clip_is_short_and_silent_and_plays_while_it_loads(self, kept: Keep) -> None:
        data = recordings.film(seconds=20, rate="10")
        clip = render(kept(data), "video/mp4", CLIP).outputs[0].path
        with av.open(str(clip)) as container:
            assert not container.streams.audio
            assert container.duration is not None
            assert container.duration / av.time_base == pytest.approx(4.5, abs=0.6)
        content = clip.read_bytes()
        assert content.index(b"moov") < content.index(b"mdat")

    @pytest.mark.parametrize(
        ("display", "bright"),
        [
            (("-display_hflip",), "top"),
            (("-display_vflip",), "bottom"),
            (("-display_rotation", "-90", "-display_hflip"), "left"),
            (("-display_rotation", "-90"), "right"),
        ],
    )
    def test_mirrored_films_are_shown_as_players_do(
        self, display: tuple[str, ...], bright: str, kept: Keep
    ) -> None:
        source = kept(recordings.mirrored(*display))
        video = probe(source, "video/quicktime").video
        assert video is not None
        assert video.mirrored == any("flip" in option for option in display)
        recipe = Recipe("poster.png", 160, format="png")
        poster = Image.open(render(source, "video/quicktime", recipe).outputs[0].path).convert("L")
        parts = poster.resize((3, 3), Image.Resampling.BOX)
        places = {"top": (1, 0), "bottom": (1, 2), "left": (0, 1), "right": (2, 1)}
        assert max(places, key=lambda place: parts.getpixel(places[place])) == bright

    def test_chapters(self, kept: Keep) -> None:
        output = render(kept(recordings.with_words()), "video/mp4", CHAPTERS).outputs[0]
        assert "00:00:01.000 --> 00:00:02.000\nBack\n" in output.path.read_text()
        assert "Out &lt;1&gt;" in output.path.read_text()

    def test_a_clean_copy_says_nothing(self, kept: Keep) -> None:
        source = kept(recordings.with_words())
        output = render(source, "video/mp4", CLEAN).outputs[0]
        assert b"loci" in source.read_bytes()
        assert b"loci" not in output.path.read_bytes()
        facts = probe(output.path, "video/mp4")
        assert facts.metadata == {}
        assert facts.audio is not None
        assert facts.duration == pytest.approx(2, abs=0.05)

    def test_the_sound_of_a_film_without_picture(self, kept: Keep) -> None:
        source = kept(recordings.sound_in_a_film())
        recipes = recipes_for("video/mp4", probe(source, "video/mp4"))
        rendered = render(source, "video/mp4", *recipes)
        assert [output.name for output in rendered.outputs] == [one.name for one in recipes]


def _tile_width(size: tuple[int, int]) -> int:
    """Pixels: films are fitted into a square, never enlarged."""
    return round(size[0] * min(1, 160 / max(size)))


def _picture_size(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("group", ["video_valid", "video_malformed", "video_malicious"])
def test_the_corpus_ends_well(group: str, tmp_path: Path) -> None:
    wanted = verdicts(group)
    for number, path in enumerate(corpus_files(group)):
        outcome = _outcome(path, tmp_path / str(number))
        assert outcome in {"ready", "corrupt_file", "unsupported_type"}, path.name
        if wanted[path.name] == "A":
            assert outcome == "ready", path.name
        if wanted[path.name] == "B":
            assert outcome != "ready", path.name


def _outcome(path: Path, folder: Path) -> str:
    """`ready` or the code of the failure. Whatever was made holds nothing of other files."""
    folder.mkdir()
    try:
        rendered = _all_of(path, folder)
    except MediaError as error:
        return error.code
    for output in rendered.outputs:
        assert b"root:" not in output.path.read_bytes()
    return "ready"


def _all_of(path: Path, folder: Path) -> Rendered:
    mime = sniff(head_of(path)) or ""
    recipes = recipes_for(mime, probe(path, mime))
    plan = Plan(folder, recipes, programs=Programs(find_ffmpeg()))
    return sandbox.run_render(path, mime, plan=plan, limits=LIMITS)


@needs_corpus
def test_a_list_of_files_within_a_container_reads_no_file() -> None:
    """The lists name /etc/passwd and files beside them; forced open, they stay closed."""
    for name in ("read_passwd.avi", "read_shadow.avi", "read_passwd_bypass.mp4"):
        path = CORPUS / "video_malicious" / name
        for mime in ("video/x-msvideo", "video/mp4", "video/webm", "video/mp2t"):
            with pytest.raises(MediaError):
                probe(path, mime)
