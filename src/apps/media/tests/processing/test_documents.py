"""PDFs: their pages as pictures, their words, and whatever is wrong with them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from apps.core.tests.corpus import CORPUS, corpus_files, needs_corpus
from apps.media.exceptions import (
    CorruptFileError,
    MediaError,
    PasswordProtectedError,
    UnsupportedTypeError,
)
from apps.media.processing import sandbox
from apps.media.processing.recipes import TEXT, THUMBNAIL
from apps.media.processing.types import Limits, Plan, Recipe
from apps.media.processing.words import MAX_TEXT, write_text
from apps.media.tests import papers, samples
from apps.media.tests.processing.conftest import Render, Save, probe

PDF = "application/pdf"
PICTURE = Recipe("w640.webp", 640)
LIMITS = Limits(wall_seconds=60, cpu_seconds=20, max_pages=10_000)


def page(number: int, width: int = 640) -> Recipe:
    return Recipe(f"page-{number}.webp", width, product="page", page=number)


def darkness(path: Path) -> float:
    """The part of the picture that is not white."""
    levels = Image.open(path).convert("L").histogram()
    return sum(levels[:128]) / sum(levels)


class TestProbe:
    def test_words_title_and_author(self, save: Save) -> None:
        facts = probe(save(papers.text_pdf(["Hello"], title="A book", author="Ada")), PDF)
        assert facts.metadata == {"title": "A book", "author": "Ada", "has_text": 1}

    def test_blank_pages_have_no_words(self, save: Save) -> None:
        assert not probe(save(samples.pdf(2)), PDF).metadata

    def test_a_title_is_one_short_line_without_controls(self, save: Save) -> None:
        title = r"a\000b\n" + "c" * 500
        shown = str(probe(save(papers.text_pdf(["x"], title=title)), PDF).metadata["title"])
        assert shown.startswith("a b c")
        assert shown.isprintable()
        assert len(shown) == 150

    def test_a_lock_says_so(self, save: Save) -> None:
        with pytest.raises(PasswordProtectedError):
            probe(save(papers.locked_pdf()), PDF)


class TestPages:
    def test_each_page_is_its_own_picture(self, render: Render) -> None:
        made = render(papers.text_pdf(["", "i", "WWWWWWWWWWWW"]), PDF, (page(3), page(1), page(2)))
        assert [output.name for output in made.outputs] == [
            "page-3.webp",
            "page-1.webp",
            "page-2.webp",
        ]
        third, first, second = (darkness(output.path) for output in made.outputs)
        assert first == 0 < second < third
        assert {output.width for output in made.outputs} == {640}
        assert not made.placeholder

    def test_a_page_is_as_wide_as_asked(self, render: Render) -> None:
        assert render(samples.pdf(1), PDF, (page(1, 2_000),)).outputs[0].width == 2_000

    @pytest.mark.parametrize("number", [2, 4])
    def test_a_page_that_is_damaged_or_not_there(self, number: int, render: Render) -> None:
        document = papers.text_pdf(["one", "two", "three"], missing=(2,))
        with pytest.raises(CorruptFileError):
            render(document, PDF, (page(number),))

    def test_the_placeholder_is_that_of_the_first_page(self, render: Render) -> None:
        made = render(papers.text_pdf(["one", "two"]), PDF, (page(2), PICTURE))
        assert made.placeholder
        assert made.color == "#ffffff"

    def test_no_other_products(self, render: Render) -> None:
        with pytest.raises(UnsupportedTypeError):
            render(samples.pdf(1), PDF, (Recipe("a.json", format="json", product="peaks"),))


class TestWords:
    def test_all_pages_with_form_feeds_between(self, render: Render) -> None:
        made = render(papers.text_pdf(["one", "two", "three"], missing=(2,)), PDF, (TEXT,))
        output = made.outputs[0]
        assert output.path.read_text() == "one\f\fthree\n"
        assert (output.width, output.height, output.mime_type) == (0, 0, "text/plain")
        assert (made.placeholder, made.color) == ("", "")

    def test_words_alone_draw_nothing(self, render: Render) -> None:
        """A page that cannot be drawn has words all the same: it is never drawn."""
        made = render(papers.text_pdf(["one"], side=20_000), PDF, (TEXT,))
        assert made.outputs[0].path.read_text() == "one\n"

    def test_without_words(self, render: Render) -> None:
        made = render(samples.pdf(2), PDF, (TEXT,))
        assert not made.outputs[0].path.read_text().strip()

    def test_ten_thousand_pages(self, render: Render) -> None:
        words = [f"Page {number} of many" for number in range(1, 10_001)]
        made = render(papers.text_pdf(words), PDF, (THUMBNAIL, TEXT), limits=LIMITS)
        assert made.outputs[1].path.read_text().split("\f") == [*words[:-1], words[-1] + "\n"]

    def test_no_more_than_fits_and_no_more_is_read(self, tmp_path: Path) -> None:
        def endless() -> Iterator[str]:
            for number in itertools.count():
                assert number < 4, "asked for more than there is room for"
                yield "a" + "é" * (MAX_TEXT // 6)

        output = write_text(endless(), TEXT, tmp_path)
        assert MAX_TEXT - 1 <= output.size <= MAX_TEXT
        assert output.path.read_text().endswith("éé\n")

    def test_nothing_that_nobody_sees(self, tmp_path: Path) -> None:
        output = write_text(["\ufeffa\ud800\0\x1b[0m\r\nb\rc\uffff\x85"], TEXT, tmp_path)
        assert output.path.read_text() == "a[0m\nb\nc\n"


@pytest.mark.corpus
@needs_corpus
@pytest.mark.parametrize("group", ["pdf_valid", "pdf_active", "pdf_encrypted", "pdf_malformed"])
def test_every_real_file_ends_well(group: str, tmp_path: Path) -> None:
    """Picture, page and words: all of them, or an error of ours. The worker's server survives."""
    assert CORPUS.is_dir()
    codes: dict[str, str] = {}
    for number, path in enumerate(corpus_files(group)):
        out_dir = tmp_path / str(number)
        out_dir.mkdir()
        codes[path.name] = outcome(path, out_dir)
    crashed = {name for name, code in codes.items() if code.startswith("processing_")}
    if group in {"pdf_valid", "pdf_active"}:
        assert not crashed
    if group == "pdf_encrypted":
        assert set(codes.values()) == {"password_protected"}


def outcome(path: Path, out_dir: Path) -> str:
    plan = Plan(out_dir, (PICTURE, page(1), TEXT))
    try:
        made = sandbox.run_render(path, PDF, plan=plan, limits=LIMITS)
    except MediaError as error:
        return error.code
    assert len(made.outputs) == 3
    made.outputs[2].path.read_text()
    return "ready"
