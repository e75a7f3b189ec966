"""The first page of a PDF as a picture, by pdfium; the rest as for bitmaps.

pdfium is not thread-safe and aborts the process on some bombs: only in a child of the sandbox.
The wheel has no JavaScript engine, and forms are not initialised: nothing in the file runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from apps.media.exceptions import (
    CorruptFileError,
    PasswordProtectedError,
    TooManyPagesError,
)
from apps.media.processing.bitmaps import render_pixels
from apps.media.processing.types import Facts, Limits, Plan, Progress, Rendered

RASTER_WIDTH, RASTER_HEIGHT = 1280, 4096  # pixels; a page is scaled to fit
LARGEST_SIDE = 14_400  # points: PDF 32000-1 annex C.2; what claims more is damaged


def probe(path: Path, mime: str, limits: Limits) -> Facts:
    """Pages, and the size of the first in points. Raises `CorruptFileError` and limit errors."""
    del mime
    with _opened(path, limits) as document, _first_page(document) as page:
        width, height = _size(page)
        return Facts(max(1, round(width)), max(1, round(height)), pages=len(document))


def render(path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress) -> Rendered:
    """Makes every recipe of the plan from the first page. Raises what `probe` raises."""
    del mime
    with _opened(path, limits) as document, _first_page(document) as page:
        image = _raster(page)
    return render_pixels(image, plan, progress)


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
def _first_page(document: pypdfium2.PdfDocument) -> Iterator[pypdfium2.PdfPage]:
    try:
        page = document[0]
    except pypdfium2.PdfiumError as error:
        raise CorruptFileError(error) from error
    with closing(page):
        yield page


def _size(page: pypdfium2.PdfPage) -> tuple[float, float]:
    """In points, turned as shown."""
    width, height = page.get_size()
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise CorruptFileError(f"page of {width} x {height} points")
    return width, height


def _raster(page: pypdfium2.PdfPage) -> Image.Image:
    width, height = _size(page)
    scale = min(RASTER_WIDTH / width, RASTER_HEIGHT / height)
    try:
        bitmap = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False)
    except pypdfium2.PdfiumError as error:
        raise CorruptFileError(error) from error
    image: Image.Image = bitmap.to_pil().convert("RGB")
    return image
