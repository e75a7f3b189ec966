"""Captions from the wild become clean WebVTT, or are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from apps.media.exceptions import UnreadableCaptionError
from apps.media.processing.captions import MAX_BYTES, MAX_CUES, convert
from apps.media.processing.streamtypes import LEAD_SECONDS

HEAD = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:90000,LOCAL:00:00:00.000\n\n"
CUE = "00:00:01.000 --> 00:00:02.000"


def body(data: bytes | str) -> str:
    """The cues, without the head that every file has."""
    text = convert(data.encode() if isinstance(data, str) else data).decode()
    assert text.startswith(HEAD)
    return text.removeprefix(HEAD)


def line(text: str, *, vtt: bool = True) -> str:
    """One line of a cue, as it comes out."""
    timing = CUE if vtt else CUE.replace(".", ",")
    out = body(f"{'WEBVTT' if vtt else '1'}\n{chr(10) if vtt else ''}{timing}\n{text}\n")
    return out.removeprefix(f"{CUE}\n").removesuffix("\n")


def test_cues_start_with_the_film() -> None:
    assert LEAD_SECONDS == 1.0  # as the head above says, on a clock of 90 000 per second


class TestSubRip:
    def test_times_and_words(self) -> None:
        assert body("1\n00:00:01,000 --> 00:00:02,000\none\ntwo\n") == f"{CUE}\none\ntwo\n"

    @pytest.mark.parametrize(
        "timing",
        [
            "00:00:01.000 --> 00:00:02.000",
            "0:0:1,0 --> 0:0:2,0",
            "00:01,000 --> 00:02,000",
            "00:00:01 --> 00:00:02",
            " 00:00:01,000  -->  00:00:02,000  X1:40 X2:600 Y1:20 Y2:50",
            "00:00:01,000 -> 00:00:02,000",
            "00:00:01:000 --> 00:00:02:000",
        ],
    )
    def test_times_as_people_write_them(self, timing: str) -> None:
        assert body(f"1\n{timing}\nx\n") == f"{CUE}\nx\n"

    @pytest.mark.parametrize(
        "text",
        [
            "00:00:01,000 --> 00:00:02,000\nx\n00:00:03,000 --> 00:00:04,000\ny",
            "7\n\n00:00:01,000 --> 00:00:02,000\nx\n8\n00:00:03,000 --> 00:00:04,000\ny",
            "junk\n\n1\n00:00:03,000 --> 00:00:04,000\ny\n\n2\n00:00:01,000 --> 00:00:02,000\nx",
            "WEBVTT\n\n1\n00:00:01,000 --> 00:00:02,000\nx\n\n2\n00:00:03,000 --> 00:00:04,000\ny",
        ],
        ids=["no numbers", "no lines between", "junk and disorder", "called WebVTT"],
    )
    def test_shapes_as_programs_write_them(self, text: str) -> None:
        assert body(text) == f"{CUE}\nx\n\n00:00:03.000 --> 00:00:04.000\ny\n"

    def test_an_empty_line_inside_belongs_to_the_cue(self) -> None:
        assert line("one\n\ntwo", vtt=False) == "one\ntwo"

    def test_a_year_is_no_number_of_a_cue(self) -> None:
        assert line("in\n1984\nor so", vtt=False) == "in\n1984\nor so"

    def test_other_programs_marks_go(self) -> None:
        assert line('{\\an8}<font color="red">a</font> <i>b</i>', vtt=False) == "a <i>b</i>"

    def test_an_ampersand_is_one(self) -> None:
        assert line("AT&T <3", vtt=False) == "AT&amp;T &lt;3"


class TestWebVTT:
    def test_styles_regions_and_comments_go(self) -> None:
        text = (
            "WEBVTT - title\nKind: captions\n\nSTYLE\n::cue{background:url(//x)}\n\n"
            f"REGION\nid:a\nwidth:40%\n\nNOTE secret\n\nname\n{CUE} region:a line:0 x:y\nhello\n"
        )
        assert body(text) == f"{CUE} line:0\nhello\n"

    @pytest.mark.parametrize(
        "text",
        [
            "<b>a</b> <i>b</i> <u>c</u>",
            "<c.yellow.bg_black>a</c>",
            "<v Fred>a</v>",
            "<lang en-GB>a</lang>",
            "<ruby>a<rt>b</rt></ruby>",
            "a <00:00:01.500>b",
            "&lt;b&gt; &amp; c",
        ],
    )
    def test_its_own_marks_stay(self, text: str) -> None:
        assert line(text) == text

    @pytest.mark.parametrize(
        ("text", "clean"),
        [
            ("<script>alert(1)</script>", "alert(1)"),
            ("<img src=x onerror=alert(1)>a", "a"),
            ("<b onclick=alert(1)>a</b>", "a</b>"),
            ("<c.x onclick=y>a", "a"),
            ("<v a&quot;b>c", '<v a"b>c'),
            ("<iframe src=//x", "&lt;iframe src=//x"),
            ("a&#10;&#10;00:05.000 --&gt; 00:06.000&#10;b", "a  00:05.000 --&gt; 00:06.000 b"),
            ("a\u2028b\x0b\x1b[31m\x00"[:-1], "a\u2028b[31m"),
            ("a <!-- b", "a  b"),
        ],
    )
    def test_hostile_text_is_text(self, text: str, clean: str) -> None:
        assert line(text) == clean

    def test_cues_are_put_in_order(self) -> None:
        text = f"WEBVTT\n\n00:05.000 --> 00:06.000\nb\n\n{CUE}\na\n"
        assert re.findall(r"^\w$", body(text), re.MULTILINE) == ["a", "b"]

    def test_what_nobody_would_see_goes(self) -> None:
        backwards, empty = "00:06.000 --> 00:05.000\nback", "00:07.000 --> 00:08.000\n "
        assert body(f"WEBVTT\n\n{backwards}\n\n{empty}\n\n{CUE}\na\n") == f"{CUE}\na\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding: str, ends: str) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n“Élan”\n".replace("\n", ends)
    assert body(text.encode(encoding)) == f"{CUE}\n“Élan”\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no captions",
        b"WEBVTT\n\nno cue",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"\xff\xfe\x00\xd8" * 40,
        b"1\n" + b"9" * 3_000 + b":00:01,000 --> 00:00:02,000\nx",
        b"WEBVTT\n\n" + b"-->\n" * (2 * MAX_CUES + 1),
        b"x" * (MAX_BYTES + 1),
    ],
    ids=["empty", "words", "header", "png", "halves", "digits", "arrows", "long"],
)
def test_what_is_no_caption_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableCaptionError):
        convert(data)


def test_too_many_cues_are_refused() -> None:
    with pytest.raises(UnreadableCaptionError, match=str(MAX_CUES + 1)):
        convert(b"00:01,0 --> 00:02,0\nx\n" * (MAX_CUES + 1))


@pytest.mark.parametrize(
    "piece", ["<b", "<b>", "<v ", "{\\a", "&amp", "a\n", "<!--", "</", "\n1\n"]
)
def test_time_grows_with_length_only(piece: str) -> None:
    """Would take minutes if any pattern tried things again."""
    convert(f"1\n00:00:01,000 --> 00:00:02,000\nx{piece * 100_000}".encode())


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name",
    ["testWebVTT.vtt", "testWebVTT_header.vtt", "testWebVTT_utf8.vtt", "test_subrip.srt"],
)
def test_real_files(corpus: Path, name: str) -> None:
    data = (corpus / "sniff_tika" / name).read_bytes()
    assert body(data).count(" --> ") == data.count(b"-->")
