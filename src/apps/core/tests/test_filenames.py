"""Client's names: what is kept to show, and which extension counts."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.filenames import MAX_NAME_LENGTH, clean_display_name, extension_of
from apps.core.tests.corpus import CORPUS, needs_corpus

HARMLESS = [
    "photo.jpg",
    "Grüße aus Köln.JPG",
    "年報 2026.pdf",
    "👩‍👩‍👧 family.png",
    "archive.tar.gz",
    ".htaccess",
    "a;b$(c)|d.txt",
    "-rf.png",
    "no extension",
]


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_names_come_back_unchanged(name: str) -> None:
    assert clean_display_name(name) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
        ("test.jpg/x.php", "x.php"),
        ("/tmp/", "file"),
        ("/tmp/..", "file"),
        ("..", "file"),
        ("", "file"),
        ("\x00\x1f", "file"),
        ("a\r\nSet-Cookie: b.txt", "aSet-Cookie: b.txt"),
        ("photo_\u202egpj.exe", "photo_gpj.exe"),
        ("\ufeffbom.txt", "bom.txt"),
        ("lone\ud800.txt", "lone.txt"),
        ("  spaces.txt  ", "spaces.txt"),
        ("e\u0301te\u0301.jpg", "été.jpg"),
    ],
)
def test_unsafe_parts_are_removed(name: str, expected: str) -> None:
    assert clean_display_name(name) == expected


def test_a_long_name_keeps_its_extension() -> None:
    cleaned = clean_display_name("x" * 400 + ".jpeg")
    assert len(cleaned) == MAX_NAME_LENGTH
    assert cleaned.endswith("x.jpeg")


def test_a_long_name_without_extension_is_cut() -> None:
    assert clean_display_name("x" * 400) == "x" * MAX_NAME_LENGTH


@given(st.text(alphabet=st.characters(), max_size=600))
def test_every_name_becomes_one_safe_line(name: str) -> None:
    cleaned = clean_display_name(name)
    assert 1 <= len(cleaned) <= MAX_NAME_LENGTH
    assert not set(cleaned) & set("/\\\0\r\n\u202e\u2028")
    cleaned.encode("utf-8")
    assert clean_display_name(cleaned) == cleaned
    assert extension_of(cleaned) == extension_of(unicodedata.normalize("NFC", name))


@needs_corpus
def test_naughty_strings_survive_unless_they_are_harmful() -> None:
    for name in json.loads((CORPUS / "names" / "blns.json").read_text()):
        cleaned = clean_display_name(name)
        assert 1 <= len(cleaned) <= MAX_NAME_LENGTH
        is_harmless = name.isprintable() and not set(name) & set("/\\")
        if is_harmless and name.strip(". ") and len(name) <= MAX_NAME_LENGTH:
            assert cleaned == unicodedata.normalize("NFC", name.strip())


@needs_corpus
@pytest.mark.parametrize(
    "group", ["CANDIDATE_TRAVERSAL_FILE_NAMES", "CANDIDATE_INVALID_FILE_NAMES"]
)
def test_traversal_names_leave_no_path(group: str) -> None:
    names = json.loads((CORPUS / "names" / "django_traversal_names.json").read_text())[group]
    for name in names:
        cleaned = clean_display_name(name)
        assert "/" not in cleaned
        assert "\\" not in cleaned
        assert cleaned not in {"", ".", ".."}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jpg", "jpg"),
        ("A.JPG", "jpg"),
        ("a.jpg.php", "php"),
        ("a.php.jpg", "jpg"),
        ("a.php;.jpg", "jpg"),
        ("a.php;jpg", "php;jpg"),
        ("1.jpg%00.php", "php"),
        ("a.jpg\x00.php", "php"),
        ("a.jpg\x00", "jpg"),
        ("file.asp...", "asp"),
        ("a.php. . .", "php"),
        ("a.PhP ", "php"),
        ("a.jpg::$DATA", "jpg::$data"),
        ("test.jpg/x.php", "php"),
        ("x.php\\a.jpg", "jpg"),
        ("photo_\u202egpj.exe", "exe"),
        (".htaccess", "htaccess"),
        ("noextension", ""),
        ("", ""),
        ("...", ""),
        ("Mr. Smith to Ms. Jones", ""),
        ("a." + "x" * 17, ""),
        ("archive.tar.gz", "gz"),
    ],
)
def test_the_last_real_suffix_counts(name: str, expected: str) -> None:
    assert extension_of(name) == expected
