"""SVG is taken when it only draws; whatever could act, fetch or fill a machine is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from apps.core.tests.corpus import corpus_files, needs_corpus
from apps.media.exceptions import (
    CorruptFileError,
    MediaError,
    TooManyPixelsError,
    UnsafeContentError,
)
from apps.media.processing.types import Limits, Recipe
from apps.media.tests.drawings import (
    drawing,
    embedded,
    entity_bomb,
    pattern_bomb,
    svg,
    use_bomb,
)
from apps.media.tests.processing.conftest import Render, Save, probe

SVG = "image/svg+xml"
PNG_640 = (Recipe("w640.png", 640, format="png"),)
ONE_PIXEL = Image.new("RGB", (1, 1), "red")


def drawn(render: Render, data: bytes, recipes: tuple[Recipe, ...] = PNG_640) -> Image.Image:
    image = Image.open(render(data, SVG, recipes).outputs[0].path)
    return image.convert("RGBA")


class TestPixels:
    def test_shapes_styles_and_gradients_are_drawn_and_the_rest_is_clear(
        self, render: Render
    ) -> None:
        image = drawn(render, drawing())
        assert image.size == (640, 480)
        assert image.getpixel((100, 100)) == (255, 0, 0, 255)
        assert image.getpixel((500, 100)) == (0, 255, 0, 255)
        assert image.getpixel((100, 400)) == (0, 0, 255, 255)
        assert image.getpixel((500, 400)) == (0, 0, 0, 0)

    def test_a_small_drawing_is_drawn_as_large_as_it_is_needed(self, render: Render) -> None:
        assert drawn(render, drawing(16, 12)).size == (640, 480)

    def test_a_large_one_is_drawn_no_larger_than_2000_pixels(self, render: Render) -> None:
        widest = (Recipe("w5000.png", 5000, format="png"),)
        assert drawn(render, drawing(6000, 3000), widest).size == (2000, 1000)

    def test_an_embedded_picture_is_drawn(self, render: Render) -> None:
        image = f"<image width='300' height='150' href='{embedded(ONE_PIXEL)}'"
        stretched = f"{image} preserveAspectRatio='none'/>"
        assert drawn(render, svg(stretched)).getpixel((320, 100)) == (255, 0, 0, 255)

    def test_utf_16_is_read_as_its_mark_says(self, render: Render) -> None:
        data = drawing().decode().encode("utf-16")
        assert drawn(render, data).getpixel((100, 100)) == (255, 0, 0, 255)


class TestSizes:
    """In CSS pixels, as browsers lay a drawing out."""

    @pytest.mark.parametrize(
        ("attributes", "size"),
        [
            ("", (300, 150)),
            ("width='100%' height='auto'", (300, 150)),
            ("viewBox='0 0 40 20'", (40, 20)),
            ("width='100%' viewBox='-5,-5,40.4,20'", (40, 20)),
            ("width='80' viewBox='0 0 40 20'", (80, 40)),
            ("height='80px' viewBox='0 0 40 20'", (160, 80)),
            ("width='80' height='10' viewBox='0 0 40 20'", (80, 10)),
            ("width='80'", (80, 150)),
            ("width='2in' height='2.54cm'", (192, 96)),
            ("width='72pt' height='25.4mm'", (96, 96)),
            ("width='0.1' height='0.1'", (1, 1)),
        ],
    )
    def test_size(self, attributes: str, size: tuple[int, int], save: Save) -> None:
        facts = probe(save(svg("", attributes)), SVG)
        assert (facts.width, facts.height) == size

    @pytest.mark.parametrize("attributes", ["width='0'", "height='-1'"])
    def test_nothing_to_draw_on(self, attributes: str, save: Save) -> None:
        with pytest.raises(CorruptFileError):
            probe(save(svg("", attributes)), SVG)

    @pytest.mark.parametrize(
        "attributes", ["width='1e9' height='1e9'", "width='1e999'", "viewBox='0 0 9999999 9999'"]
    )
    def test_too_much_to_draw_on(self, attributes: str, save: Save) -> None:
        with pytest.raises(TooManyPixelsError):
            probe(save(svg("", attributes)), SVG)

    def test_a_size_hidden_in_a_style_changes_nothing(self, render: Render) -> None:
        huge = "style='width:900000px;height:900000px' width='640' height='480'"
        assert drawn(render, svg("<style>svg { width: 900000px }</style>", huge)).size == (640, 480)


def _image(href: str) -> str:
    return f"<image width='9' height='9' href='{href}'/>"


ACTIVE: dict[str, bytes] = {
    "script": svg("<script>alert(1)</script>"),
    "script in notes": svg("<metadata><script>alert(1)</script></metadata>"),
    "foreign object": svg("<foreignObject/>"),
    "xhtml": svg("<body xmlns='http://www.w3.org/1999/xhtml'/>"),
    "listener element": svg("<handler/>"),
    "unknown namespace": svg("<a xmlns='urn:x'/>"),
    "event": svg("", "onload='alert(1)'"),
    "event in capitals": svg("", "ONLOAD='alert(1)'"),
    "event by document type": svg(before="<!DOCTYPE svg [<!ATTLIST svg onload CDATA 'alert(1)'>]>"),
    "xml events": svg("", "xmlns:e='http://www.w3.org/2001/xml-events' e:event='load'"),
    "link to script": svg("<a href='javascript:alert(1)'/>"),
    "link to elsewhere": svg("<a xlink:href='https://example.org/'/>"),
    "use of elsewhere": svg("<use xlink:href='https://example.org/a.svg#a'/>"),
    "image of elsewhere": svg(_image("//example.org/a.png")),
    "image of this machine": svg(_image("/etc/hostname")),
    "image of this directory": svg(_image("a.png")),
    "image by file": svg(_image("file:///etc/hostname")),
    "filter with a file": svg("<filter><feImage href='a.png'/></filter>"),
    "another base": svg("<use href='#a'/>", "xml:base='https://example.org/'"),
    "include": svg("<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/etc/hostname'/>"),
    "drawing in a drawing": svg(_image("data:image/svg+xml;base64,PHN2Zy8+")),
    "picture that is a drawing": svg(_image("data:image/png;base64,PHN2ZyB4bWxucz0ieCI+PC9zdmc+")),
    "picture of a third kind": svg(_image(embedded(ONE_PIXEL, "GIF"))),
    "animated link": svg("<a><set attributeName='href' to='javascript:alert(1)'/></a>"),
    "animated event": svg("<set attributeName='onclick' to='alert(1)'/>"),
    "animated style": svg("<animate attributeName='style' to='fill:red'/>"),
    "style sheet": svg(before="<?xml-stylesheet href='https://example.org/a.css'?>"),
    "import": svg("<style>@import 'https://example.org/a.css';</style>"),
    "import between comments": svg("<style>/* a */@import/**/'https://example.org/a.css'</style>"),
    "import in character data": svg("<style><![CDATA[@import 'a.css';]]></style>"),
    "address in css": svg("<style>rect { fill: url(https://example.org/a#b) }</style>"),
    "address in a style": svg("<g style='mask:url( &quot;a.svg#b&quot; )'/>"),
    "address in an attribute": svg("<g fill='URL(https://example.org/a#b)'/>"),
    "address in an animation": svg("<animate attributeName='fill' to='url(a.svg#b)'/>"),
    "address between comments that are none": svg(
        "<style>a{b:'/*'} c{fill:url(https://example.org/a#b)} d{e:'*/'}</style>"
    ),
    "long name in css": svg(f"<style>{'a' * 4_000_000}(</style>"),
    "address by another name": svg("<g style='mask:image-set(&quot;a.png&quot; 1x)'/>"),
    "escape in css": svg("<g fill='u\\72l(https://example.org/a#b)'/>"),
    "expression": svg("<g style='width:expression(alert(1))'/>"),
    "definitions from elsewhere": svg(before="<!DOCTYPE svg SYSTEM 'https://example.org/a.dtd'>"),
    "entity": svg("<text>&a;</text>", before="<!DOCTYPE svg [<!ENTITY a 'b'>]>"),
    "entity of a file": svg(
        "<text>&a;</text>", before="<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/hostname'>]>"
    ),
    "parameter entity": svg(before="<!DOCTYPE svg [<!ENTITY % a SYSTEM 'a.dtd'> %a;]>"),
    "entity bomb": entity_bomb(),
}
NO_SVG: dict[str, bytes] = {
    "no namespace": b"<svg><rect width='9' height='9'/></svg>",
    "other root": b"<html xmlns='http://www.w3.org/1999/xhtml'/>",
    "unknown entity": svg("<text>&nothing;</text>"),
    "unknown encoding": svg(before="<?xml version='1.0' encoding='rot13'?>"),
    "seven bits": svg(before="<?xml version='1.0' encoding='utf-7'?>"),
    "open end": svg("<g>")[:-10],
    "broken picture": svg(_image("data:image/png;base64,!!!")),
    "circle": svg("<g id='a'><use href='#a'/></g>"),
}
BOMBS: dict[str, bytes] = {
    "uses": use_bomb(),
    "patterns": pattern_bomb(),
    "depth": svg("<g>" * 5_000 + "</g>" * 5_000),
    "elements": svg("<g/>" * 50_001),
    "bytes": svg("<!--" + "a" * 9_000_000 + "-->"),
    "chain": svg("".join(f"<g id='a{at}'><use href='#a{at + 1}'/></g>" for at in range(1_000))),
    "picture": svg(_image(embedded(Image.new("1", (5_000, 5_000))))),
    "pictures": svg(_image(embedded(Image.new("1", (2_000, 2_000)))) * 5),
    "copies of a picture": svg(
        f"<g id='a'>{_image(embedded(Image.new('1', (4_000, 4_000))))}</g>" + "<use href='#a'/>" * 9
    ),
}


def each(cases: dict[str, bytes]) -> Callable[..., object]:
    return pytest.mark.parametrize("data", cases.values(), ids=cases.keys())


class TestRefusals:
    """Already when it is looked at, before anything is drawn."""

    @each(ACTIVE)
    def test_what_could_act_or_fetch(self, data: bytes, save: Save) -> None:
        with pytest.raises(UnsafeContentError):
            probe(save(data), SVG)

    @each(NO_SVG)
    def test_what_is_no_svg(self, data: bytes, save: Save) -> None:
        with pytest.raises(CorruptFileError):
            probe(save(data), SVG)

    @each(BOMBS)
    def test_what_is_more_than_a_drawing_needs(self, data: bytes, save: Save) -> None:
        with pytest.raises(TooManyPixelsError):
            probe(save(data), SVG)

    def test_rendering_refuses_by_itself(self, render: Render) -> None:
        """A job may be tried again long after the file was looked at."""
        with pytest.raises(UnsafeContentError):
            render(ACTIVE["image of this machine"], SVG, PNG_640)

    def test_work_that_no_count_shows_ends_by_the_limits(self, render: Render) -> None:
        noise = "<feTurbulence baseFrequency='.9' numOctaves='999999999'/>"
        data = svg(f"<filter id='a'>{noise}</filter><rect width='9' height='9' filter='url(#a)'/>")
        with pytest.raises(MediaError) as caught:
            render(data, SVG, PNG_640, limits=Limits(cpu_seconds=1))
        assert caught.value.code in {"processing_timeout", "processing_crashed"}


class TestHarmless:
    @pytest.mark.parametrize(
        "data",
        [
            svg("<a href='#b'/><animate attributeName='fill' values='red;blue'/>"),
            svg("<text font-family='Nothing Like It'>words</text>"),
            svg("<g data-name='x (1)' aria-label='a (b)' id='c(d)' class='e'/>"),
            svg("<use href=''/><g style=\"fill:url( '#a' )\" clip-path='url(#b)'/>"),
            svg("<g transform='rotate(4) translate(1,2)' style='fill: hsl(1 2% 3% / .5)'/>"),
            svg("<i:path-effect xmlns:i='http://www.inkscape.org/namespaces/inkscape' i:a='b'/>"),
            svg(before="<?xml version='1.0' encoding='iso-8859-1'?>"),
            svg(before="<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'http://www.w3.org/a.dtd'>"),
        ],
    )
    def test_it_is_taken(self, data: bytes, save: Save) -> None:
        assert probe(save(data), SVG).metadata["has_alpha"] == 1


class TestCopy:
    def test_a_clean_copy_has_the_shapes_and_none_of_the_notes(self, render: Render) -> None:
        clean = Recipe("clean", format="same", product="clean")
        output = render(drawing(), SVG, (clean,)).outputs[0]
        text = output.path.read_text()
        assert (output.mime_type, output.width, output.height) == (SVG, 800, 600)
        assert "home" not in text
        assert "RDF" not in text
        assert text.count("<rect") == 3


@needs_corpus
def test_the_corpus_of_malicious_drawings(save: Save) -> None:
    """All but one, which is as plain as can be: other drawings refer to it."""
    for path in corpus_files("svg_malicious"):
        if path.name != "cheatsheet_02.svg":
            with pytest.raises((UnsafeContentError, CorruptFileError)):
                probe(path, SVG)


@needs_corpus
@pytest.mark.parametrize("path", corpus_files("svg_benign"), ids=lambda path: path.name)
def test_the_corpus_of_benign_drawings(path: Path, render: Render) -> None:
    rendered = render(path, SVG, PNG_640)
    assert Image.open(rendered.outputs[0].path).getextrema() != ((0, 0),) * 4
    assert rendered.likeness
