"""Texts as one safe HTML page to read, and as plain UTF-8.

Nothing of the text becomes markup but what Markdown makes, and of that only what a closed list
allows: no scripts, no pictures, no styles, links only to the web and to mail. The page refers to
nothing, so that it needs no permission but for its own style.
"""

from __future__ import annotations

import codecs
import csv
import html
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from apps.media.exceptions import UnsupportedTypeError
from apps.media.processing.types import Facts, Limits, Output, Plan, Progress, Recipe, Rendered
from apps.media.processing.words import MAX_TEXT, clean, write_text, written

MAX_READING = 200_000  # characters shown of a text; Markdown of the worst kind takes 3 s (measured)
MAX_TABLE = 1_000_000  # characters of a CSV file that are looked at
MAX_ROWS, MAX_COLUMNS, MAX_CELL = 200, 50, 1_000
_HEAD = 65_536  # bytes that tell the encoding: as many as the sniffing looks at
_CHUNK = 65_536

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 10

_TAGS = frozenset(
    "a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i li ol p pre s strong table tbody td th"
    " thead tr ul".split()
)
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
_REL = "noopener noreferrer nofollow"

_STYLE = """
:root{color-scheme:light dark}
body{margin:0;font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:60rem;margin:auto;padding:1rem}
pre{white-space:pre-wrap;font:.875rem/1.5 ui-monospace,monospace}
table{border-collapse:collapse}
th,td{border:1px solid GrayText;padding:.25rem .5rem;text-align:start;vertical-align:top}
blockquote{margin-inline:0;padding-inline-start:1rem;border-inline-start:.25rem solid GrayText}
.note{color:GrayText}
"""
_PAGE = (
    '<!doctype html>\n<html><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>Preview</title><style>{style}</style></head>\n"
    '<body><main dir="auto">\n{body}\n{note}</main></body></html>\n'
)
_CUT = '<p class="note">This is only the beginning of the file.</p>\n'


def probe(path: Path, mime: str, limits: Limits) -> Facts:
    """That there is text, by what sniffing has found; it has no size."""
    del mime, limits
    has_text = any(text.strip() for text in _read(path, MAX_READING))
    return Facts(0, 0, metadata={"has_text": 1} if has_text else {})


def render(path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress) -> Rendered:
    """Makes every recipe of the plan. No text is too odd: what cannot be read is replaced."""
    del limits
    outputs = []
    for done, recipe in enumerate(plan.recipes, start=1):
        outputs.append(_made(path, mime, recipe, plan.out_dir))
        progress(done / len(plan.recipes))
    return Rendered(tuple(outputs))


def _made(path: Path, mime: str, recipe: Recipe, out_dir: Path) -> Output:
    if recipe.product == "text":
        return write_text(_read(path, MAX_TEXT), recipe, out_dir)
    if recipe.product != "reading":
        raise UnsupportedTypeError(f"no {recipe.product} of a text")
    target = out_dir / recipe.name
    target.write_text(_page(path, mime), encoding="utf-8")
    return written(recipe, target)


# -- reading -----------------------------------------------------------------------------------


def _read(path: Path, longest: int) -> Iterator[str]:
    """The text in pieces, at most `longest` characters."""
    with path.open("rb") as file:
        chunk = file.read(_HEAD)
        decoder = codecs.getincrementaldecoder(_encoding(chunk))(errors="replace")
        while chunk and longest > 0:
            text = decoder.decode(chunk)[:longest]
            longest -= len(text)
            yield text
            chunk = file.read(_CHUNK)
        if longest > 0:
            yield decoder.decode(b"", final=True)


def _encoding(head: bytes) -> str:
    """By the rules of the sniffing: UTF-16 with its mark, UTF-8, else the code page of the West.

    A character that the end of the head cuts in two is no fault.
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"  # Latin-1 with quotation marks and the euro, as browsers read it
    return "utf-8-sig"


def _beginning(path: Path, longest: int) -> tuple[str, bool]:
    """The first characters, and whether there are more."""
    text = "".join(_read(path, longest + 1))
    return clean(text[:longest]), len(text) > longest


# -- pages -------------------------------------------------------------------------------------


def _page(path: Path, mime: str) -> str:
    body, is_cut = _BODIES.get(mime, _plain)(path)
    return _PAGE.format(style=_STYLE, body=body, note=_CUT if is_cut else "")


def _plain(path: Path) -> tuple[str, bool]:
    text, is_cut = _beginning(path, MAX_READING)
    return f"<pre>{html.escape(text)}</pre>", is_cut


def _markdown(path: Path) -> tuple[str, bool]:
    text, is_cut = _beginning(path, MAX_READING)
    safe = nh3.clean(
        _parser().render(text),
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        url_relative="deny",
        link_rel=_REL,
    )
    return safe, is_cut


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.add_render_rule("image", _picture_in_words)
    return parser


def _picture_in_words(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    """Its description instead of a picture that would have to come from somewhere."""
    words = renderer.renderInlineAsText(tokens[at].children or [], options, env)
    return html.escape(words)


def _table(path: Path) -> tuple[str, bool]:
    text, is_cut = _beginning(path, MAX_TABLE)
    csv.field_size_limit(MAX_TABLE)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    rows = list(islice(reader, MAX_ROWS + 1))
    is_cut = is_cut or len(rows) > MAX_ROWS or any(len(row) > MAX_COLUMNS for row in rows)
    return f"<table>\n{''.join(_rows(rows[:MAX_ROWS]))}</table>", is_cut


def _delimiter(text: str) -> str:
    """The one that cuts the first lines into the most columns, of which all have as many.

    The standard library's own guess takes minutes for some lines (its patterns backtrack).
    """
    lines = io.StringIO(text[:_CHUNK]).readlines(_CHUNK)[:_SAMPLE_ROWS]

    def columns(delimiter: str) -> tuple[bool, int]:
        counts = {len(row) for row in csv.reader(lines, delimiter=delimiter) if row}
        return len(counts) == 1, max(counts, default=0)

    # One column everywhere is agreement on nothing.
    return max(_DELIMITERS, key=lambda each: (columns(each)[1] > 1, *columns(each)))


def _rows(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        tag = "td" if number else "th"
        cells = "".join(f"<{tag}>{_cell(cell)}</{tag}>" for cell in row[:MAX_COLUMNS])
        yield f"<tr>{cells}</tr>\n"


def _cell(text: str) -> str:
    shown = text if len(text) <= MAX_CELL else text[:MAX_CELL] + "…"
    return html.escape(shown)


_BODIES: Mapping[str, Callable[[Path], tuple[str, bool]]] = MappingProxyType(
    {"text/markdown": _markdown, "text/csv": _table}
)
