"""Pages of a PDF as pictures, and its words, by pdfium; scaling and writing as for bitmaps.

pdfium is not thread-safe and aborts the process on some bombs: only in a child of the sandbox.
The wheel has no JavaScript engine, and forms are not initialised: nothing in the file runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from apps.media.exceptions import (
    CorruptFileError,
    PasswordProtectedError,
    TooManyPagesError,
    UnsupportedTypeError,
)
from apps.media.processing.bitmaps import render_pixels
from apps.media.processing.types import (
    Facts,
    Limits,
    Output,
    Plan,
    Progress,
    Recipe,
    Rendered,
    Scalar,
)
from apps.media.processing.words import PAGE_BREAK, line_of, write_text

RASTER_WIDTH, RASTER_HEIGHT = 1280, 4096  # pixels; a page is scaled to fit
LARGEST_SIDE = 14_400  # points: PDF 32000-1 annex C.2; what claims more is damaged
PAGES_TRIED = 3  # for words: a scan has none on any page, a book may have none on its cover
_KEPT = {"Title": "title", "Author": "author"}
_LONGEST = 150  # characters of a title
_NO_PICTURE = Rendered(())


def probe(path: Path, mime: str, limits: Limits) -> Facts:
    """Pages, and the size of the first in points. Raises `CorruptFileError` and limit errors."""
    del mime
    with _opened(path, limits) as document:
        with _page(document, 1) as page:
            width, height = _size(page)
        return Facts(
            max(1, round(width)),
            max(1, round(height)),
            pages=len(document),
            metadata=_metadata(document),
        )


def render(path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress) -> Rendered:
    """Makes every recipe of the plan. Raises what `probe` raises, for each page that is asked for.

    Placeholder and colour are those of the first page, where a picture of it is made.
    """
    del mime
    with _opened(path, limits) as document:
        made = [_drawn(document, number, plan, progress) for number in _numbers(plan)]
        texts = [
            write_text(_words(document, progress), recipe, plan.out_dir)
            for recipe in plan.recipes
            if recipe.product == "text"
        ]
    outputs: dict[str, Output] = {
        output.name: output for output in (*texts, *(o for some in made for o in some.outputs))
    }
    shown = made[0] if any(recipe.product == "picture" for recipe in plan.recipes) else _NO_PICTURE
    return replace(shown, outputs=tuple(outputs[recipe.name] for recipe in plan.recipes))


# -- opening -----------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[pypdfium2.PdfDocument]:
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise PasswordProtectedError(error) from error
        raise CorruptFileError(error) from error
    with document:
        if len(document) > limits.max_pages:
            raise TooManyPagesError(len(document))
        if len(document) < 1:
            raise CorruptFileError("no pages")
        yield document


@contextmanager
def _page(document: pypdfium2.PdfDocument, number: int) -> Iterator[pypdfium2.PdfPage]:
    """Page `number`, from 1. Raises `CorruptFileError` when it is damaged or not there."""
    if not 1 <= number <= len(document):
        raise CorruptFileError(f"page {number} of {len(document)}")
    try:
        page = document[number - 1]
    except pypdfium2.PdfiumError as error:
        raise CorruptFileError(error) from error
    with closing(page):
        yield page


# -- pictures ----------------------------------------------------------------------------------


def _numbers(plan: Plan) -> list[int]:
    """The pages to draw, the first of all first."""
    return sorted({_number(recipe) for recipe in plan.recipes if _is_drawn(recipe)})


def _number(recipe: Recipe) -> int:
    return recipe.page if recipe.product == "page" else 1


def _is_drawn(recipe: Recipe) -> bool:
    if recipe.product not in {"picture", "page", "text"}:
        raise UnsupportedTypeError(f"no {recipe.product} of a PDF")
    return recipe.product != "text"


def _drawn(
    document: pypdfium2.PdfDocument, number: int, plan: Plan, progress: Progress
) -> Rendered:
    """All pictures of one page, from one raster of it."""
    recipes = tuple(r for r in plan.recipes if _is_drawn(r) and _number(r) == number)
    with _page(document, number) as page:
        image = _raster(page, max(recipe.width for recipe in recipes))
    return render_pixels(image, replace(plan, recipes=recipes), progress)


def _size(page: pypdfium2.PdfPage) -> tuple[float, float]:
    """In points, turned as shown."""
    width, height = page.get_size()
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise CorruptFileError(f"page of {width} x {height} points")
    return width, height


def _raster(page: pypdfium2.PdfPage, wanted: int) -> Image.Image:
    """The page at least `wanted` pixels wide, as far as RASTER_HEIGHT allows on both sides."""
    width, height = _size(page)
    widest = min(max(wanted, RASTER_WIDTH), RASTER_HEIGHT)
    scale = min(widest / width, RASTER_HEIGHT / height)
    try:
        bitmap = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False)
    except pypdfium2.PdfiumError as error:
        raise CorruptFileError(error) from error
    image: Image.Image = bitmap.to_pil().convert("RGB")
    return image


# -- words -------------------------------------------------------------------------------------


def _metadata(document: pypdfium2.PdfDocument) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for key, name in _KEPT.items():
        if text := _entry(document, key):
            found[name] = text
    if any(_text_of(document, number).strip() for number in _first_numbers(document)):
        found["has_text"] = 1
    return found


def _first_numbers(document: pypdfium2.PdfDocument) -> range:
    return range(1, min(PAGES_TRIED, len(document)) + 1)


def _entry(document: pypdfium2.PdfDocument, key: str) -> str:
    try:
        return line_of(document.get_metadata_value(key), _LONGEST)
    except UnicodeDecodeError:  # half a pair, which some writers cut off
        return ""


def _words(document: pypdfium2.PdfDocument, progress: Progress) -> Iterator[str]:
    """The words of every page, with a form feed between pages."""
    pages = len(document)
    for number in range(1, pages + 1):
        yield _text_of(document, number) + (PAGE_BREAK if number < pages else "")
        if number * 10 // pages > (number - 1) * 10 // pages:
            progress(number / pages)


def _text_of(document: pypdfium2.PdfDocument, number: int) -> str:
    """The words of one page; none of a damaged one, which must not cost those of the others."""
    try:
        with _page(document, number) as page, closing(page.get_textpage()) as text:
            return str(text.get_text_bounded())
    except (CorruptFileError, pypdfium2.PdfiumError):
        return ""
