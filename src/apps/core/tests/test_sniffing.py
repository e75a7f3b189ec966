"""What files are by their bytes, and when name and bytes contradict each other."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.core.filetypes import FILE_TYPES, types_for_extension
from apps.core.sniffing import (
    DisagreeingTypeError,
    TypeRefusedError,
    UnknownTypeError,
    judge,
    sniff,
)
from apps.core.tests.corpus import CORPUS, corpus_files, head_of, needs_corpus, verdicts

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(17)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"
OOXML = "application/vnd.openxmlformats-officedocument."
ODF = "application/vnd.oasis.opendocument."


def zipped(*names: str, mimetype: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if mimetype:
            archive.writestr(zipfile.ZipInfo("mimetype"), mimetype)
        for name in names:
            archive.writestr(name, "content " * 50)
    return buffer.getvalue()


def ftyp(*brands: str) -> bytes:
    payload = brands[0].encode() + bytes(4) + "".join(brands[1:]).encode()
    return (len(payload) + 8).to_bytes(4, "big") + b"ftyp" + payload + bytes(8)


def mp3_frames(count: int) -> bytes:
    return (b"\xff\xfb\x90\x00" + bytes(413)) * count  # 128 kbit/s, 44.1 kHz: 417 bytes each


def ac3_frames(count: int) -> bytes:
    return (b"\x0b\x77\0\0\x14\x40" + bytes(762)) * count  # 192 kbit/s, 48 kHz: 768 bytes each


PICTURE = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
SOUND = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")


def asf(kind: bytes, codec: bytes) -> bytes:
    """The header of a file with one stream."""
    header = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(14)
    stream = kind.ljust(81, b"\0") + codec.ljust(40, b"\0")
    return header + bytes(24) + stream


def outcome(head: bytes, name: str) -> str:
    """The judged mime, or the name of the error."""
    try:
        return judge(head, name=name, allowed=FILE_TYPES)
    except TypeRefusedError as error:
        return type(error).__name__


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(JPEG, "image/jpeg", id="jpeg"),
        pytest.param(b"\xff\xd8\xff\x00" + bytes(20), None, id="jpeg-bad-marker"),
        pytest.param(PNG, "image/png", id="png"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(30), None, id="png-without-ihdr"),
        pytest.param(b"GIF89a\x01\x00\x01\x00\x00\x00\x00", "image/gif", id="gif"),
        pytest.param(b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(20), "image/webp", id="webp"),
        pytest.param(b"RIFF\x00\x00\x00\x00WEBPJUNK" + bytes(20), None, id="webp-no-image"),
        pytest.param(b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(20), "audio/wav", id="wav"),
        pytest.param(b"RF64\xff\xff\xff\xffWAVEds64" + bytes(20), "audio/wav", id="rf64"),
        pytest.param(ftyp("avif", "mif1"), "image/avif", id="avif"),
        pytest.param(ftyp("mif1", "heic"), "image/heic", id="heif-heic"),
        pytest.param(ftyp("mif1", "avif"), "image/avif", id="heif-avif"),
        pytest.param(ftyp("mif1", "miaf"), "image/heif", id="heif"),
        pytest.param(ftyp("isom", "iso2"), "video/mp4", id="mp4"),
        pytest.param(ftyp("mp42", "M4A "), "audio/mp4", id="m4a-brand-later"),
        pytest.param(ftyp("3gp5", "isom"), "video/3gpp", id="3gp"),
        pytest.param(ftyp("qt  "), "video/quicktime", id="mov"),
        pytest.param(ftyp("XXXX", "mp41"), "video/mp4", id="mp4-unknown-major"),
        pytest.param(ftyp("XXXX"), None, id="unknown-brand"),
        pytest.param(b"\0\0\0\x08wide\0\0\1\0mdat" + bytes(9), "video/quicktime", id="old-mov"),
        pytest.param(b"\0\0\0\x10free" + bytes(8) + ftyp("isom"), None, id="mp4-behind-padding"),
        pytest.param(b"BM is not a bitmap, only a text.", "text/plain", id="text-starting-bm"),
        pytest.param(b"P6\n# made\n12 9\n255\n" + bytes(9), "image/x-portable-anymap", id="ppm"),
        pytest.param(b"ID3\x03\0\0\0\0\0\x05" + bytes(5) + mp3_frames(3), "audio/mpeg", id="id3"),
        pytest.param(mp3_frames(2), "audio/mpeg", id="mp3"),
        pytest.param(mp3_frames(1), None, id="one-mp3-frame-is-a-guess"),
        pytest.param(b"fLaC\x00\x00\x00\x22" + bytes(34), "audio/flac", id="flac"),
        pytest.param(b"FORM\0\0\0\x20AIFFCOMM" + bytes(20), "audio/aiff", id="aiff"),
        pytest.param(b"FORM\0\0\0\x20AIFCFVER" + bytes(20), "audio/aiff", id="aiff-c"),
        pytest.param(b"FORM\0\0\0\x20ILBMBMHD" + bytes(20), None, id="another-form"),
        pytest.param(ac3_frames(2) + b"\x0b\x77", "audio/ac3", id="ac3"),
        pytest.param(ac3_frames(1), "audio/ac3", id="one-ac3-frame-and-no-more"),
        pytest.param(ac3_frames(1) + bytes(9), None, id="one-ac3-frame-is-a-guess"),
        pytest.param(ftyp("3g2a", "mp42"), "video/3gpp2", id="3g2"),
        pytest.param(asf(PICTURE, b"WMV3"), "video/x-ms-wmv", id="wmv"),
        pytest.param(asf(PICTURE, b"MP42"), "video/x-ms-asf", id="asf"),
        pytest.param(asf(SOUND, b""), "audio/x-ms-wma", id="wma"),
        pytest.param(asf(bytes(16), b""), "application/vnd.ms-asf", id="asf-of-neither"),
        pytest.param(b"FLV\x01\x05\0\0\0\x09" + bytes(9), "video/x-flv", id="flv"),
        pytest.param(b"FLV\x01\xff\0\0\0\x09" + bytes(9), None, id="flv-reserved-flags"),
        pytest.param((b"\xff\xf1P\x80\x02\x1f\xfc" + bytes(9)) * 2, "audio/aac", id="adts"),
        pytest.param((b"\x47\x40\x00\x10" + bytes(184)) * 5, "video/mp2t", id="ts"),
        pytest.param(b"\0\0\x01\xba\x44" + bytes(9), "video/mpeg", id="ps"),
        pytest.param(b"\x1f\x8b\x08\x00" + bytes(12), "application/gzip", id="gzip"),
        pytest.param(b"\x1f\x8b\x08\xff" + bytes(12), None, id="gzip-reserved-flags"),
        pytest.param(rb"{\rtf1\ansi hello}", "application/rtf", id="rtf"),
        pytest.param(PDF, "application/pdf", id="pdf"),
        pytest.param(b"\xef\xbb\xbf\r\n" + PDF, "application/pdf", id="pdf-behind-bom"),
        pytest.param(b"\x1b%-12345X@PJL\r\n" + PDF, "application/pdf", id="pdf-behind-pjl"),
        pytest.param(b"<html><!--\n" + PDF, None, id="pdf-behind-html"),
        pytest.param(b"\xa0<script>" + PDF, None, id="pdf-behind-script"),
        pytest.param(b"\0\0\1\0free" + PDF, None, id="pdf-in-a-container"),
        pytest.param(b"Rar!\x1a\x07\x00" + PDF, "application/vnd.rar", id="pdf-in-rar"),
        pytest.param(b"", None, id="empty"),
        pytest.param(b"hi", "text/plain", id="tiny-text"),
        pytest.param("Grüße, 年".encode(), "text/plain", id="utf8"),
        pytest.param("Grüße".encode()[:4], "text/plain", id="utf8-cut-in-a-character"),
        pytest.param("Grüße, 年".encode("utf-16"), "text/plain", id="utf16-with-bom"),
        pytest.param("Grüße, 年".encode("utf-16-le"), None, id="utf16-without-bom"),
        pytest.param("Grüße, ja, ja".encode("latin-1"), "text/plain", id="latin1"),
        pytest.param("Привет, мир".encode("cp1251"), None, id="mostly-beyond-ascii"),
        pytest.param(b"a text with a \x00 in it", None, id="nul"),
    ],
)
def test_sniff(head: bytes, expected: str | None) -> None:
    assert sniff(head) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!DOCTYPE html><p>", "text/html"),
        ("  \n<HTML>", "text/html"),
        ("<script>alert(1)</script>", "text/html"),
        ("<!-- hello --> <body onload=x>", "text/html"),
        ("<!-- never closed <script>", "text/html"),
        ("<svg onload=alert(1)>", "image/svg+xml"),
        ("<s:svg xmlns:s='x'>", "image/svg+xml"),
        ("<?xml version='1.0'?><svg/>", "image/svg+xml"),
        ("<?xml version='1.0'?>\n<svg xmlns='x'/>", "image/svg+xml"),
        ("<!-- made by hand -->\n<!DOCTYPE svg PUBLIC 'a' 'b'>\n<svg/>", "image/svg+xml"),
        ("<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a '<x>'>]><svg>", "image/svg+xml"),
        ("<?xml version='1.0'?><?pi <html> ?><!-- <html> --><svg>", "image/svg+xml"),
        ("<!DOCTYPE svg><html xmlns='x'>", "text/html"),
        ("<?xml version='1.0'?><xsl:stylesheet><svg/></xsl:stylesheet>", "text/xml"),
        ("<?xml version='1.0'?>" + "<!---->" * 9_000, "text/xml"),
        ("<?xml version='1.0'?><html xmlns='x'>", "text/html"),
        ("<?xml-stylesheet href='x'?><a/>", "text/xml"),
        ("<?php system($_GET[0]); ?>", "text/x-php"),
        ("<?= 1 ?>", "text/x-php"),
        ("<% eval request(1) %>", "text/x-asp"),
        ("#!/bin/sh\n", "text/x-shellscript"),
        ("%!PS-Adobe-3.0 EPSF", "application/postscript"),
        ("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd", "application/vnd.apple.mpegurl"),
        ("ffconcat version 1.0\nfile x", "text/x-ffconcat"),
        ("# A heading\n\n<p align=center>", "text/plain"),
        ("<p align=center>a readme</p>", "text/plain"),
        ("a < b, and <script> in the middle", "text/plain"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_active_text_gets_a_name_of_its_own(text: str, expected: str, encoding: str) -> None:
    assert sniff(text.encode(encoding)) == expected
    assert (expected in FILE_TYPES) == (expected in {"text/plain", "image/svg+xml"})


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (zipped("a.txt", "b/c.txt"), "application/zip"),
        (zipped(), "application/zip"),
        (zipped("[Content_Types].xml", "word/document.xml"), OOXML + "wordprocessingml.document"),
        (zipped("docProps/app.xml", "xl/workbook.xml"), OOXML + "spreadsheetml.sheet"),
        (zipped("_rels/.rels", "ppt/slides/1.xml"), OOXML + "presentationml.presentation"),
        (zipped("word/list.txt", "word/other.txt"), "application/zip"),
        (zipped("[Content_Types].xml", "word/d.xml", "xl/w.xml"), "application/zip"),
        (zipped("x", mimetype=ODF + "text"), ODF + "text"),
        (zipped("x", mimetype=ODF + "spreadsheet"), ODF + "spreadsheet"),
        (zipped("x", mimetype="application/epub+zip"), "application/epub+zip"),
        (zipped("x", mimetype="text/html"), "application/zip"),
        (b"PK\x03\x04 is no archive, only a text of some length", None),
    ],
)
def test_zip_based_types(head: bytes, expected: str | None) -> None:
    assert sniff(head) == expected


def test_macro_documents_are_not_documents() -> None:
    head = zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")
    assert sniff(head) not in FILE_TYPES


@given(st.binary(max_size=4096))
@example(b"\x1aE\xdf\xa3\x00" + bytes(12))
@example(b"OggS\0\x02" + bytes(20) + b"\xff")
@example(b"ID3\x04\0\x10\x7f\x7f\x7f\x7f" + bytes(4))
@example(b"BM" + bytes(28))
def test_sniff_never_raises_on_any_bytes(head: bytes) -> None:
    mime = sniff(head)
    assert mime is None or "/" in mime


MAGICS = [
    JPEG,
    PNG,
    b"GIF89a",
    b"II*\0",
    b"MM\0+",
    b"BM",
    b"\0\0\1\0",
    b"RIFF",
    b"RIFF\0\0\0\0WAVE",
]
MAGICS += [
    b"\x1aE\xdf\xa3",
    b"OggS\0\2",
    b"fLaC",
    b"ID3\3",
    b"\xff\xfb\x90",
    b"\xff\xf1",
    b"PK\3\4",
]
MAGICS += [b"\0\0\0\x18ftyp", b"\0\0\1\xba", b"\x1f\x8b\x08", b"%PDF-1.", b"P6 ", b"\xff\xfe", b"<"]


@given(st.sampled_from(MAGICS), st.binary(max_size=512))
def test_sniff_never_raises_behind_a_magic_number(magic: bytes, rest: bytes) -> None:
    for length in range(len(magic), len(magic) + 16):
        sniff((magic + rest)[:length])
    sniff(magic + rest)


# -- judge ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (JPEG, "photo.jpg", "image/jpeg"),
        (JPEG, "PHOTO.JPE", "image/jpeg"),
        (JPEG, "photo", "image/jpeg"),
        (JPEG, "Dr. Jones on holiday", "image/jpeg"),
        (PNG, "photo.jpg", "DisagreeingTypeError"),
        (b"<!doctype html>", "photo.jpg", "DisagreeingTypeError"),
        (b"\xde\xad\xbe\xef" * 9, "photo.jpg", "DisagreeingTypeError"),
        (b"\xde\xad\xbe\xef" * 9, "photo", "UnknownTypeError"),
        (b"<!doctype html>", "page", "UnknownTypeError"),
        (b"a,b\n1,2\n", "t.csv", "text/csv"),
        (b"# hi\n", "t.md", "text/markdown"),
        (b'{"a": 1}', "t.json", "application/json"),
        (b"hello", "t.log", "text/plain"),
        (b"hello", "t", "text/plain"),
        (b"hello", "t.pdf", "DisagreeingTypeError"),
        (PDF, "t.txt", "DisagreeingTypeError"),
        (ftyp("qt  "), "clip.mp4", "video/quicktime"),
        (ftyp("isom"), "clip.mov", "video/mp4"),
        (ftyp("isom"), "song.m4a", "audio/mp4"),
        (ftyp("mif1", "heic"), "photo.heif", "image/heic"),
        (ftyp("avif"), "photo.heic", "image/avif"),
        (ftyp("3g2a"), "clip.3gp", "video/3gpp2"),
        (asf(PICTURE, b"WMV3"), "clip.asf", "video/x-ms-wmv"),
        (asf(SOUND, b""), "clip.wmv", "audio/x-ms-wma"),
        (ftyp("avif"), "clip.mp4", "DisagreeingTypeError"),
        (zipped("a"), "letter.docx", "DisagreeingTypeError"),
        (zipped("[Content_Types].xml", "word/d.xml"), "letter.zip", "DisagreeingTypeError"),
    ],
)
def test_name_and_content_have_to_agree(head: bytes, name: str, expected: str) -> None:
    assert outcome(head, name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "shell.php",
        "a.jpg.php",
        "a.PhP",
        "a.php.",
        "file.asp...",
        "a.php. . ",
        "1.jpg%00.php",
        "a.jpg\x00.php",
        "a.php;jpg",
        "a.jpg::$DATA",
        "test.jpg/x.php",
        ".htaccess",
        "photo_\u202egpj.exe",
        "a.svgz",
        "a.html",
        "a.phar",
        "a.jsp",
        "web.config",
    ],
)
def test_upload_tricks_with_genuine_content_are_unknown(name: str) -> None:
    with pytest.raises(UnknownTypeError):
        judge(JPEG, name=name, allowed=FILE_TYPES)


@pytest.mark.parametrize("name", ["a.php.jpg", "a.php;.jpg", "x.php\\a.jpg", "a.jpg.", "a.jpg\x00"])
def test_a_name_that_ends_in_an_allowed_suffix_is_judged_by_content(name: str) -> None:
    assert judge(JPEG, name=name, allowed=FILE_TYPES) == "image/jpeg"
    with pytest.raises(DisagreeingTypeError):
        judge(b"<?php system($_GET[0]); ?>", name=name, allowed=FILE_TYPES)


def test_a_type_outside_the_allow_list_is_unknown_by_name_and_by_content() -> None:
    allowed = {"image/png", "audio/ogg"}
    for head, name in ((JPEG, "a.jpg"), (JPEG, "a"), (b"hello", "a.txt")):
        with pytest.raises(UnknownTypeError):
            judge(head, name=name, allowed=allowed)
    theora = b"OggS\0\x02" + bytes(20) + b"\x01\x2a\x80theora" + bytes(40)
    with pytest.raises(UnknownTypeError):
        judge(theora, name="a.ogg", allowed=allowed)


def test_a_name_outside_the_table_cannot_be_allowed() -> None:
    with pytest.raises(UnknownTypeError):
        judge(b"<html/>", name="a.html", allowed={"text/html"})
    with pytest.raises(UnknownTypeError):
        judge(b"<html/>", name="a", allowed={"text/html"})


def test_the_refusal_says_what_was_found() -> None:
    with pytest.raises(DisagreeingTypeError) as caught:
        judge(b"#EXTM3U\n", name="film.MP4", allowed=FILE_TYPES)
    assert (caught.value.extension, caught.value.detected) == (
        "mp4",
        "application/vnd.apple.mpegurl",
    )


# -- the corpus -------------------------------------------------------------------------------


def by_name(path: Path) -> str:
    return path.name


@needs_corpus
@pytest.mark.parametrize("group", ["images_valid", "pdf_valid", "video_valid", "audio_valid"])
def test_valid_files_of_allowed_types_are_taken(group: str) -> None:
    refused = {
        path.name: outcome(head_of(path), path.name)
        for path in corpus_files(group)
        if outcome(head_of(path), path.name) not in FILE_TYPES
    }
    assert all(not types_for_extension(Path(name).suffix[1:]) for name in refused), refused
    must_be_taken = {name for name, verdict in verdicts(group).items() if verdict == "A"}
    assert refused.keys().isdisjoint(must_be_taken)


@needs_corpus
@pytest.mark.parametrize(
    "path", [*corpus_files("polyglots"), *corpus_files("archives")], ids=by_name
)
def test_polyglots_and_archives_are_one_agreeing_type_or_refused(path: Path) -> None:
    result = outcome(head_of(path), path.name)
    allowed = types_for_extension(path.suffix[1:]) | {"UnknownTypeError", "DisagreeingTypeError"}
    assert result in allowed


@needs_corpus
@pytest.mark.parametrize("group", ["svg_malicious", "svg_benign"])
def test_svg_is_recognised_and_refused_under_other_names(group: str) -> None:
    """What is in it, its engine judges; one file of the corpus is a style sheet that makes SVG."""
    for path in corpus_files(group):
        head = head_of(path)
        is_drawing = path.name != "cheatsheet_07.svg"
        assert sniff(head) == ("image/svg+xml" if is_drawing else "text/xml"), path.name
        assert outcome(head, "photo.png") == "DisagreeingTypeError"
        assert outcome(head, "notes.txt") == "DisagreeingTypeError"
        assert (outcome(head, path.name) == "image/svg+xml") == is_drawing


def test_packed_svg_is_refused_by_its_name_and_by_its_content() -> None:
    packed = gzip.compress(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert outcome(packed, "a.svgz") == "UnknownTypeError"
    assert outcome(packed, "a.svg") == "DisagreeingTypeError"


@needs_corpus
def test_playlists_named_as_films_are_refused() -> None:
    names = {"made_here_ffconcat_named.mp4", "made_here_hls_sibling_named.mp4", "ssrf_ffmpeg.avi"}
    names |= {"made_here_hls_http_named.mp4", "read_passwd_bypass.mp4"}
    for name in names:
        head = head_of(CORPUS / "video_malicious" / name)
        assert outcome(head, name) == "DisagreeingTypeError", name


@needs_corpus
@pytest.mark.parametrize(
    "group",
    ["images_malformed", "images_bombs", "pdf_malformed", "video_malformed", "audio_malformed"],
)
def test_broken_files_are_never_taken_for_another_type(group: str) -> None:
    for path in corpus_files(group):
        result = outcome(head_of(path), path.name)
        claimed = types_for_extension(path.suffix[1:])
        if result in FILE_TYPES and claimed:
            assert FILE_TYPES[result].kind in {FILE_TYPES[mime].kind for mime in claimed}


SAME_TYPE = {  # our name for a label's
    "image/x-portable-pixmap": "image/x-portable-anymap",
    "application/x-matroska": "video/x-matroska",
}


@needs_corpus
def test_detected_types_agree_with_the_labels() -> None:
    rows = json.loads((CORPUS / "sniff_tika" / "LABELS.json").read_text())
    taken = {}
    for row in rows:
        path = CORPUS / "sniff_tika" / row["file"]
        result = outcome(head_of(path), path.name)
        if result in FILE_TYPES:
            taken[path.name] = (
                result,
                {SAME_TYPE.get(v, v) for k, v in row.items() if k != "file"},
            )
    disagreeing = {name for name, (result, labels) in taken.items() if result not in labels}
    # Text without an extension, or with a dialect of its own: plain text to us, and harmless.
    assert disagreeing == {"testJavaHprofText", "testRobots2.txt"}
    assert len(taken) > 15
