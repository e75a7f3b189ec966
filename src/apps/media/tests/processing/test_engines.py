"""One contract for every engine, and what each kind of picture asks of it."""

from __future__ import annotations

import base64
import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.media.exceptions import (
    CorruptFileError,
    MediaError,
    PasswordProtectedError,
    TooManyPagesError,
    TooManyPixelsError,
)
from apps.media.processing.recipes import recipes_for
from apps.media.processing.types import Facts, Limits, Output, Recipe, Rendered
from apps.media.tests import drawings, samples
from apps.media.tests.processing.conftest import Render, Save, corpus_files, probe

Make = Callable[[], bytes]
SOURCES = Path(__file__).resolve().parents[4]

SAMPLES: list[tuple[str, str, Make]] = [
    ("jpeg", "image/jpeg", samples.photo_jpeg),
    ("jpeg-progressive", "image/jpeg", lambda: samples.photo_jpeg(progressive=True)),
    ("jpeg-cmyk", "image/jpeg", samples.cmyk_jpeg),
    ("jpeg-profile", "image/jpeg", samples.profiled_jpeg),
    ("jpeg-gps", "image/jpeg", samples.geotagged_jpeg),
    ("jpeg-sideways", "image/jpeg", lambda: samples.oriented_jpeg(6)),
    ("png", "image/png", samples.photo_png),
    ("png-16", "image/png", samples.deep_png),
    ("png-palette", "image/png", samples.palette_png),
    ("png-alpha", "image/png", samples.transparent_png),
    ("png-grey-alpha", "image/png", samples.grey_alpha_png),
    ("gif-animated", "image/gif", samples.animated_gif),
    ("webp", "image/webp", samples.photo_webp),
    ("webp-animated", "image/webp", samples.animated_webp),
    ("tiff", "image/tiff", samples.tiff),
    ("avif", "image/avif", samples.avif),
    ("bmp", "image/bmp", samples.bmp),
    ("heic", "image/heic", samples.heic),
    ("svg", "image/svg+xml", drawings.drawing),
    ("pdf", "application/pdf", lambda: samples.pdf(3)),
]
each_sample = pytest.mark.parametrize(
    ("mime", "make"), [pytest.param(mime, make, id=name) for name, mime, make in SAMPLES]
)


def opened(output: Output) -> Image.Image:
    image = Image.open(output.path)
    image.load()
    return image


def by_name(rendered: Rendered) -> dict[str, Output]:
    return {output.name: output for output in rendered.outputs}


@cache
def packed_zeros(mebibytes: int) -> bytes:
    squeeze = zlib.compressobj(9)
    zeros = bytes(1024**2)
    return b"".join(squeeze.compress(zeros) for _ in range(mebibytes)) + squeeze.flush()


def png_with(name: bytes, content: bytes) -> bytes:
    """A good PNG with one more chunk behind its header."""
    plain = samples.photo_png(64, 48)
    body = name + content
    chunk = struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
    return plain[:33] + chunk + plain[33:]


def near(seen: object, wanted: tuple[int, ...], slack: int = 24) -> bool:
    assert isinstance(seen, tuple)
    return all(abs(a - b) <= slack for a, b in zip(seen, wanted, strict=True))


class TestContract:
    """What holds for every engine and every picture."""

    @each_sample
    def test_renditions(self, mime: str, make: Make, save: Save, render: Render) -> None:
        source = save(make())
        facts = probe(source, mime)
        recipes = recipes_for(mime, facts)
        rendered = render(source, mime)
        assert [output.name for output in rendered.outputs] == [recipe.name for recipe in recipes]
        for output, recipe in zip(rendered.outputs, recipes, strict=True):
            if recipe.product == "clean":
                continue
            self._check_file(output, recipe)
            if not facts.pages:
                assert output.width <= facts.width
                assert output.height <= facts.height

    def _check_file(self, output: Output, recipe: Recipe) -> None:
        image = opened(output)
        assert Image.MIME[str(image.format)] == output.mime_type == recipe.mime_type
        assert image.size == (output.width, output.height)
        assert output.width <= recipe.width
        assert output.size == output.path.stat().st_size
        assert image.mode in ("RGB", "RGBA")
        self._check_nothing_left(image)

    def _check_nothing_left(self, image: Image.Image) -> None:
        assert not dict(image.getexif())
        assert not set(image.info) & {"exif", "xmp", "icc_profile", "comment", "photoshop"}

    @each_sample
    def test_facts(self, mime: str, make: Make, save: Save) -> None:
        facts = probe(save(make()), mime)
        assert facts.width > 0
        assert facts.height > 0
        assert facts.frames == (5 if make in (samples.animated_gif, samples.animated_webp) else 1)
        assert facts.pages == (3 if mime == "application/pdf" else 0)

    @each_sample
    def test_placeholder_and_colour(self, mime: str, make: Make, render: Render) -> None:
        rendered = render(make(), mime, (Recipe("thumb.webp", 64, 64, fit="cover"),))
        assert 5 < len(base64.b64decode(rendered.placeholder)) <= 25
        assert int(rendered.color.removeprefix("#"), 16) >= 0

    @each_sample
    def test_likeness(self, mime: str, make: Make, render: Render) -> None:
        """Blank pages and flat colours have none."""
        rendered = render(make(), mime, (Recipe("thumb.webp", 64, 64, fit="cover"),))
        flat = {samples.profiled_jpeg, samples.grey_alpha_png}
        assert bool(rendered.likeness) == (mime != "application/pdf" and make not in flat)

    @each_sample
    def test_what_it_cost_is_known(self, mime: str, make: Make, render: Render) -> None:
        rendered = render(make(), mime)
        assert 0 < rendered.cpu_seconds < 10
        assert 0 < rendered.peak_bytes < 400 * 1024**2

    @pytest.mark.parametrize("mime", sorted({mime for _, mime, _ in SAMPLES} | {"image/x-icon"}))
    @pytest.mark.parametrize("data", [b"", b"no picture", samples.html_as_jpeg()])
    def test_what_is_something_else_is_corrupt(self, mime: str, data: bytes, save: Save) -> None:
        with pytest.raises(CorruptFileError):
            probe(save(data), mime)

    @each_sample
    def test_pixel_limit(self, mime: str, make: Make, save: Save) -> None:
        if mime == "application/pdf":
            pytest.skip("pages are drawn at a size of our own")
        with pytest.raises(TooManyPixelsError):
            probe(save(make()), mime, Limits(max_pixels=100))

    @each_sample
    def test_half_a_file_never_passes_as_whole(
        self, mime: str, make: Make, save: Save, render: Render
    ) -> None:
        data = make()
        with pytest.raises(CorruptFileError):
            render(data[: len(data) // 2], mime)


class TestColours:
    def test_an_embedded_profile_is_applied_and_removed(self, render: Render) -> None:
        """Stored as red; green by its profile."""
        rendered = render(samples.profiled_jpeg(), "image/jpeg")
        red, green, _ = opened(rendered.outputs[0]).getpixel((10, 10))  # type: ignore[misc]
        assert green > red + 80

    def test_deep_greys_keep_their_range(self, render: Render) -> None:
        image = opened(by_name(render(samples.deep_png(), "image/png"))["w640.jpg"])
        assert near(image.getpixel((2, 50)), (0, 0, 0), 12)
        assert near(image.getpixel((200, 50)), (128, 128, 128), 12)
        assert near(image.getpixel((397, 50)), (255, 255, 255), 12)

    def test_clear_stays_clear_in_webp_and_is_white_in_jpeg(self, render: Render) -> None:
        made = by_name(render(samples.transparent_png(), "image/png"))
        assert opened(made["w320.webp"]).getpixel((20, 20))[3] == 0  # type: ignore[index]
        assert near(opened(made["w640.jpg"]).getpixel((20, 20)), (255, 255, 255))
        assert near(opened(made["w640.jpg"]).getpixel((300, 20)), (255, 0, 0))

    def test_cmyk_becomes_the_colours_it_meant(self, render: Render) -> None:
        white = Image.new("CMYK", (400, 300), (0, 0, 0, 0))
        buffer = io.BytesIO()
        white.save(buffer, "JPEG")
        made = by_name(render(buffer.getvalue(), "image/jpeg"))
        assert near(opened(made["w640.jpg"]).getpixel((9, 9)), (255, 255, 255))


class TestAvif:
    RECIPES = (
        Recipe("a.avif", 400, format="avif", quality=80, effort=0),
        Recipe("b.png", 400, format="png"),
    )

    @pytest.mark.parametrize("make", [samples.photo_png, samples.transparent_png])
    def test_it_shows_the_same_and_says_nothing(self, make: Make, render: Render) -> None:
        made = by_name(render(make(), "image/png", self.RECIPES))
        seen, wanted = (np.asarray(opened(made[name]), float) for name in ("a.avif", "b.png"))
        assert seen.shape == wanted.shape
        assert np.abs(seen - wanted).mean() < 12
        assert not opened(made["a.avif"]).info.keys() & {"exif", "xmp", "icc_profile"}

    def test_it_is_smaller_than_webp_that_looks_alike(self, render: Render) -> None:
        """Qualities that give the same likeness to the original; see `recipes`."""
        recipes = (self.RECIPES[0], Recipe("c.webp", 400, quality=90, effort=1))
        made = by_name(render(samples.photo_jpeg(), "image/jpeg", recipes))
        assert made["a.avif"].size < made["c.webp"].size


class TestUpright:
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_every_orientation(self, orientation: int, save: Save, render: Render) -> None:
        source = save(samples.oriented_jpeg(orientation))
        facts = probe(source, "image/jpeg")
        assert (facts.width, facts.height) == (640, 480)
        assert facts.metadata["orientation"] == orientation
        image = opened(by_name(render(source, "image/jpeg"))["w640.jpg"])
        assert image.size == (640, 480)
        assert near(image.getpixel((80, 60)), (255, 0, 0))
        assert near(image.getpixel((560, 60)), (0, 255, 0))
        assert near(image.getpixel((80, 420)), (0, 0, 255))
        assert near(image.getpixel((560, 420)), (255, 255, 255))

    def test_the_corpus_landscapes_and_portraits(self, save: Save, render: Render) -> None:
        files = [p for p in corpus_files("images_valid") if p.name.startswith(("Land", "Port"))]
        if not files:
            pytest.skip("the corpus of real files is not here (MEDIA_CORPUS)")
        for path in files:
            facts = probe(path, "image/jpeg")
            assert (facts.width > facts.height) == path.name.startswith("Land")


class TestCrops:
    """`corners()` is wide: a square shows its left or its right half, as the focal point says."""

    SQUARE = (Recipe("thumb.webp", 100, 100, fit="cover"),)

    @pytest.mark.parametrize(("x", "color"), [(0.0, (255, 0, 0)), (1.0, (0, 255, 0))])
    def test_the_focal_point(self, x: float, color: tuple[int, ...], render: Render) -> None:
        wide = samples.corners(900, 300)
        buffer = io.BytesIO()
        wide.save(buffer, "PNG")
        made = render(buffer.getvalue(), "image/png", self.SQUARE, focal=(x, 0.5))
        image = opened(made.outputs[0]).convert("RGB")
        assert image.size == (100, 100)
        assert near(image.getpixel((50, 20)), color, 60)

    def test_without_a_focal_point_it_is_still_a_square(self, render: Render) -> None:
        assert opened(render(samples.photo_jpeg(), "image/jpeg", self.SQUARE).outputs[0]).size == (
            100,
            100,
        )

    def test_smaller_than_the_square(self, render: Render) -> None:
        made = render(samples.photo_jpeg(80, 60), "image/jpeg", self.SQUARE)
        assert opened(made.outputs[0]).size == (60, 60)


class TestAnimations:
    @pytest.mark.parametrize(
        ("mime", "make", "plays"),
        [
            # Three repetitions in GIF are four plays, which is what WebP counts.
            ("image/gif", samples.animated_gif, 4),
            ("image/webp", samples.animated_webp, 3),
        ],
    )
    def test_frames_delays_and_loops_are_kept(
        self, mime: str, make: Make, plays: int, save: Save, render: Render
    ) -> None:
        source = save(make())
        facts = probe(source, mime)
        assert facts.duration == pytest.approx(0.6)
        made = by_name(render(source, mime))
        moving = opened(made["animated.webp"])
        assert moving.size == (640, 320)
        assert (moving.n_frames, moving.info["loop"]) == (5, plays)  # type: ignore[attr-defined]
        moving.seek(2)
        moving.load()
        assert moving.info["duration"] == 120
        assert getattr(opened(made["w640.webp"]), "n_frames", 1) == 1

    def test_every_frame_is_turned_upright(self, render: Render) -> None:
        moving = opened(by_name(render(samples.turned_webp(), "image/webp"))["animated.webp"])
        assert moving.size == (640, 1280)
        assert moving.n_frames == 2  # type: ignore[attr-defined]
        for number in range(2):
            moving.seek(number)
            shown = moving.convert("RGB")
            assert near(shown.getpixel((620, 20)), (250, 200, 20))
            assert not near(shown.getpixel((20, 20)), (250, 200, 20))

    def test_the_profile_is_applied_as_to_stills(self, render: Render) -> None:
        made = by_name(render(samples.profiled_webp(), "image/webp"))
        moving, still = (opened(made[name]) for name in ("animated.webp", "w320.webp"))
        assert near(moving.convert("RGB").getpixel((9, 9)), still.convert("RGB").getpixel((9, 9)))
        assert not near(moving.convert("RGB").getpixel((9, 9)), (255, 0, 0))

    def test_a_still_recipe_takes_the_first_frame(self, render: Render) -> None:
        image = opened(by_name(render(samples.animated_gif(), "image/gif"))["w640.jpg"])
        assert near(image.getpixel((20, 20)), (250, 200, 20))

    def test_frames_count_as_pixels(self, save: Save) -> None:
        with pytest.raises(TooManyPixelsError):
            probe(save(samples.bomb_gif()), "image/gif")

    def test_too_many_frames(self, save: Save) -> None:
        with pytest.raises(TooManyPixelsError):
            probe(save(samples.animated_gif(6)), "image/gif", Limits(max_frames=5))


class TestMetadata:
    def test_camera_and_date_but_never_a_position(self, save: Save) -> None:
        facts = probe(save(samples.geotagged_jpeg()), "image/jpeg")
        assert facts.metadata["camera"] == "Camera 3000"
        assert facts.metadata["taken_at"] == "2024-05-06T07:08:09"
        assert not [key for key in facts.metadata if "gps" in key.lower() or "lat" in key.lower()]

    def test_the_corpus_of_positions_and_broken_exif(self, tmp_path: Path, render: Render) -> None:
        files = [p for p in corpus_files("images_exif_privacy") if p.suffix in (".jpg", ".png")]
        if not files:
            pytest.skip("the corpus of real files is not here (MEDIA_CORPUS)")
        for path in files:
            mime = "image/png" if path.suffix == ".png" else "image/jpeg"
            rendered = render(path, mime)
            for output in rendered.outputs:
                assert not dict(opened(output).getexif())
                output.path.unlink()
            (tmp_path / "out").rmdir()


class TestExtremes:
    @pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (3, 20_000), (20_000, 3)])
    def test_odd_shapes(self, size: tuple[int, int], save: Save, render: Render) -> None:
        source = save(samples.photo_png(*size))
        assert probe(source, "image/png").width == size[0]
        assert render(source, "image/png").outputs

    def test_bombs_are_refused_by_their_headers(self, save: Save) -> None:
        for data, mime in ((samples.bomb_png(), "image/png"), (samples.bomb_bmp(), "image/bmp")):
            with pytest.raises(TooManyPixelsError):
                probe(save(data), mime)

    def test_a_hundred_thousand_frames_are_refused(self, save: Save) -> None:
        with pytest.raises(TooManyPixelsError):
            probe(save(samples.bomb_gif(100_000, 8)), "image/gif")

    @pytest.mark.parametrize(
        ("name", "head"),
        [
            (b"iCCP", b"a\0\0"),
            (b"zTXt", b"a\0\0"),
            (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"),
        ],
    )
    def test_chunks_that_unpack_to_a_quarter_gigabyte_cost_little(
        self, name: bytes, head: bytes, render: Render
    ) -> None:
        data = png_with(name, head + packed_zeros(256))
        rendered = render(data, "image/png", (Recipe("w64.webp", 64),))
        assert rendered.outputs[0].width == 64
        assert rendered.peak_bytes < 200 * 1024**2

    def test_a_bomb_that_no_header_check_caught_ends_by_memory_or_is_small(
        self, render: Render
    ) -> None:
        generous = Limits(max_pixels=10**9, max_total_pixels=10**9)
        recipe = (Recipe("w320.webp", 320),)
        try:
            rendered = render(samples.bomb_png(), "image/png", recipe, limits=generous)
        except MediaError as error:
            assert error.code in {"processing_crashed", "processing_timeout"}
        else:
            assert rendered.peak_bytes < generous.memory_bytes


class TestDocuments:
    def test_pages_and_size(self, save: Save) -> None:
        facts = probe(save(samples.pdf(3, width=300, height=500)), "application/pdf")
        assert facts == Facts(300, 500, pages=3)

    def test_too_many_pages(self, save: Save) -> None:
        with pytest.raises(TooManyPagesError):
            probe(save(samples.pdf(3)), "application/pdf", Limits(max_pages=2))

    def test_the_preview_is_a_readable_size(self, render: Render) -> None:
        made = by_name(render(samples.pdf(1), "application/pdf"))
        assert made["preview.pdf.jpg"].width == 1280

    def test_encrypted_documents_say_so(self) -> None:
        files = corpus_files("pdf_encrypted")
        if not files:
            pytest.skip("the corpus of real files is not here (MEDIA_CORPUS)")
        for path in files:
            with pytest.raises(PasswordProtectedError):
                probe(path, "application/pdf")


# What is imported in a child is imported anew for every file.
_IMPORTED_LATE = """
import sys
from pathlib import Path
from apps.media.processing import engines
from apps.media.processing.recipes import recipes_for
from apps.media.processing.types import Limits, Plan
source, mime, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
engines.load_all()
before = set(sys.modules)
engine, limits = engines.load_engine(mime), Limits()
recipes = recipes_for(mime, engine.probe(source, mime, limits))
engine.render(source, mime, plan=Plan(out, recipes), limits=limits, progress=lambda part: None)
print(*sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize(
    ("mime", "make"),
    [
        ("image/jpeg", samples.photo_jpeg),
        ("image/avif", samples.avif),
        ("image/svg+xml", drawings.drawing),
        ("application/pdf", lambda: samples.pdf(1)),
    ],
)
def test_the_fork_server_has_imported_all_that_an_engine_needs(
    mime: str, make: Make, save: Save, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", _IMPORTED_LATE, str(save(make())), mime, str(tmp_path)]
    ran = subprocess.run(command, cwd=SOURCES, check=True, capture_output=True, text=True)
    late = [name for name in ran.stdout.split() if not name.startswith("encodings.")]
    assert late == []
