"""Writes small PDF documents with text and figures (ISO 32000-1 §7.5, file structure)."""

from __future__ import annotations

import math

PAGE = (595, 842)  # A4 in points
FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def report(*, pages: int) -> bytes:
    """Return a PDF of `pages` pages, each with a heading, a chart and some lines of text."""
    first_page = 4
    kids = " ".join(f"{first_page + 2 * n} 0 R" for n in range(pages))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
        FONT,
    ]
    for number in range(pages):
        objects += page(number, content_id=first_page + 2 * number + 1)
    return assemble([text.encode("latin-1") for text in objects])


def page(number: int, *, content_id: int) -> list[str]:
    """Return the page object and the content stream that it names."""
    width, height = PAGE
    content = heading(f"Lake survey, part {number + 1}") + chart(number) + lines(number)
    return [
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] "
        f"/Resources << /Font << /F 3 0 R >> >> /Contents {content_id} 0 R >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
    ]


def heading(text: str) -> str:
    """Return the drawing commands of a coloured heading."""
    return f"0.10 0.32 0.45 rg 0 742 595 100 re f 1 g BT /F 30 Tf 50 780 Td ({text}) Tj ET\n"


def chart(number: int) -> str:
    """Return the drawing commands of a bar chart."""
    bars = (
        f"{50 + 42 * n} 430 30 {90 + 160 * abs(math.sin(n + number)):.0f} re f" for n in range(12)
    )
    return "0.92 0.55 0.25 rg " + " ".join(bars) + "\n"


def lines(number: int) -> str:
    """Return the drawing commands of the running text."""
    texts = (f"Station {number + 1}.{n}: depth {7 * n + 11} m, {11 + n} degrees" for n in range(12))
    moves = " ".join(f"({text}) Tj 0 -24 Td" for text in texts)
    return f"0.15 g BT /F 14 Tf 50 380 Td {moves} ET"


def assemble(objects: list[bytes]) -> bytes:
    """Return the file made of `objects`, the first of which is the catalogue."""
    body, offsets = bytearray(HEADER), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
    return bytes(body)
