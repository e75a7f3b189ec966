"""Texts as pages: readable, complete in themselves, and with nothing in them that acts."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from apps.media.exceptions import UnsupportedTypeError
from apps.media.processing import readings
from apps.media.processing.recipes import DEFAULT_READING_RECIPES, TEXT
from apps.media.processing.types import Facts, Recipe
from apps.media.processing.words import MAX_TEXT
from apps.media.tests.processing.conftest import Render, Save, probe

READING = DEFAULT_READING_RECIPES[0]
PLAIN, CSV, MARKDOWN, JSON = "text/plain", "text/csv", "text/markdown", "application/json"

HOSTILE = """
<script>alert(1)</script> <img src=x onerror=alert(1)> <svg onload=alert(1)>
</pre></main><iframe src="//evil.example"></iframe> <style>@import url(//evil.example)</style>
[a](javascript:alert(1)) [b](data:text/html,x) [c](//evil.example) [d](/admin) [e]( vbscript:x)
![p](http://evil.example/p.png) ![q][r] <http://evil.example/"onclick="alert(1)>
=HYPERLINK("http://evil.example";"x"),@SUM(1),"<b onmouseover=alert(1)>",<a href='javascript:x'>

[r]: http://evil.example/q.png "><script>alert(1)</script>"
"""


class Page(HTMLParser):
    """What a browser would see of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.words = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] not in {"style", "title"}:
            self.words += data

    def values(self, tag: str, name: str) -> list[str | None]:
        return [value for t, n, value in self.attributes if (t, n) == (tag, name)]


Read = Callable[[bytes, str], Page]


@pytest.fixture
def read(render: Render) -> Read:
    return lambda source, mime: Page(render(source, mime, (READING,)).outputs[0].path)


class TestContract:
    @pytest.mark.parametrize("mime", [PLAIN, CSV, MARKDOWN, JSON])
    def test_both_products(self, mime: str, save: Save, render: Render) -> None:
        assert probe(save(b"a,b\n1,2\n"), mime) == Facts(0, 0, metadata={"has_text": 1})
        made = render(b"a,b\n1,2\n", mime)
        assert [output.name for output in made.outputs] == [READING.name, TEXT.name]
        assert [output.mime_type for output in made.outputs] == ["text/html", "text/plain"]
        assert made.outputs[1].path.read_text() == "a,b\n1,2\n"
        assert {(output.width, output.height) for output in made.outputs} == {(0, 0)}
        assert not made.placeholder

    def test_nothing_to_read(self, save: Save, render: Render) -> None:
        assert probe(save(b" \n"), PLAIN) == Facts(0, 0)
        assert len(render(b" \n", PLAIN).outputs) == 2

    def test_no_other_products(self, render: Render) -> None:
        with pytest.raises(UnsupportedTypeError):
            render(b"a", PLAIN, (Recipe("w320.webp", 320),))


class TestInert:
    @pytest.mark.parametrize("mime", [PLAIN, CSV, MARKDOWN, JSON])
    def test_nothing_acts_and_nothing_is_fetched(self, mime: str, read: Read) -> None:
        page = read(HOSTILE.encode(), mime)
        ours = {"html", "head", "meta", "title", "style", "body", "main", "tr"}
        assert set(page.tags) <= ours | readings._TAGS
        assert page.tags.count("style") == 1
        assert {name for _, name, _ in page.attributes} <= {
            "charset", "name", "content", "dir", "href", "title", "rel",
        }  # fmt: skip
        assert all(str(url).startswith("http://evil.example/") for url in page.values("a", "href"))
        assert "alert(1)" in page.words

    def test_links_of_markdown(self, read: Read) -> None:
        page = read(b"[a](https://a.example/?b=1&c=2) <mailto:b@c.example> [d](ftp://e)", MARKDOWN)
        assert page.values("a", "href") == ["https://a.example/?b=1&c=2", "mailto:b@c.example"]
        assert page.values("a", "rel") == ["noopener noreferrer nofollow"] * len(
            page.values("a", "rel")
        )
        assert len(page.values("a", "rel")) >= 2


class TestMarkdown:
    def test_structure(self, read: Read) -> None:
        page = read(b"# T\n\n- a\n- b\n\n|x|y|\n|-|:-:|\n|1|~~2~~|\n\n```\ncode\n```\n", MARKDOWN)
        assert {"h1", "ul", "li", "table", "th", "td", "s", "pre", "code"} <= set(page.tags)

    def test_a_picture_is_its_description(self, read: Read) -> None:
        assert "A <cat> & more" in read(b"![A \\<cat> & more](cat.png)", MARKDOWN).words

    @pytest.mark.parametrize(
        "pattern", ["[", "![a", "*a **b ", "> ", "a_", "[a](", "|a" * 50 + "\n"]
    )
    def test_patterns_that_repeat(self, pattern: str, read: Read) -> None:
        """The sandbox's own limits hold: this ends, and in a page."""
        assert "main" in read((pattern * readings.MAX_READING).encode()[: 10**6], MARKDOWN).tags


class TestTables:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_the_delimiter_is_found(self, delimiter: str, read: Read) -> None:
        lines = [["name", "price"], ["a, b; c", "1,5"], ["d", "2,25"]]
        quoted = (f'"{a}"{delimiter}"{b}"' for a, b in lines)
        page = read("\r\n".join(quoted).encode(), CSV)
        assert (page.tags.count("tr"), page.tags.count("th"), page.tags.count("td")) == (3, 2, 4)
        assert "a, b; c" in page.words

    def test_one_column(self, read: Read) -> None:
        page = read(b"a\nb\n", CSV)
        assert (page.tags.count("th"), page.tags.count("td")) == (1, 1)

    def test_only_the_beginning_and_a_note(self, read: Read) -> None:
        source = "\n".join(",".join("x" * 60) for _ in range(300)).encode()
        page = read(source, CSV)
        assert page.tags.count("tr") == readings.MAX_ROWS
        assert page.tags.count("td") == (readings.MAX_ROWS - 1) * readings.MAX_COLUMNS
        assert "only the beginning" in page.words

    def test_no_note_for_all_of_it(self, read: Read) -> None:
        assert "only the beginning" not in read(b"a,b\n" * readings.MAX_ROWS, CSV).words

    def test_a_quote_that_never_ends(self, read: Read) -> None:
        page = read(b'a,"' + b"x,\n" * 10**6, CSV)
        assert "…" in page.words
        assert "only the beginning" in page.words


class TestEncodings:
    @pytest.mark.parametrize(
        ("encoding", "text"),
        [
            ("utf-8", "Grüße, 世界 🌍"),
            ("utf-8-sig", "Grüße, 世界 🌍"),
            ("utf-16", "Grüße, 世界 🌍"),
            ("latin-1", "Grüße in alter Schrift"),
            ("cp1252", "Grüße für 5 €"),
        ],
    )
    def test_what_sniffing_takes_is_read(self, encoding: str, text: str, render: Render) -> None:
        made = render(text.encode(encoding), PLAIN)
        assert text in Page(made.outputs[0].path).words
        assert made.outputs[1].path.read_text(encoding="utf-8") == text + "\n"

    def test_a_character_on_the_edge_of_the_head(self, render: Render) -> None:
        text = "a" * 65_535 + "é" * 10
        assert render(text.encode(), PLAIN, (TEXT,)).outputs[0].path.read_text() == text + "\n"

    def test_nonsense_far_behind_is_replaced(self, render: Render) -> None:
        source = b"\xc3\xa9" * 50_000 + b"\xff\0\xfe"
        made = render(source, PLAIN, (TEXT,))
        assert made.outputs[0].path.read_text() == "é" * 50_000 + "\ufffd\ufffd\n"

    def test_long_texts(self, render: Render) -> None:
        made = render(b"a" * (MAX_TEXT + 9), PLAIN)
        page = Page(made.outputs[0].path)
        assert page.words.count("a") >= readings.MAX_READING
        assert "only the beginning" in page.words
        assert made.outputs[1].size == MAX_TEXT
