"""The table is closed, consistent, and shows nothing in place that could run."""

from __future__ import annotations

import pytest

from apps.core.filetypes import (
    CONTAINER_FAMILIES,
    FILE_TYPES,
    TEXT_TYPES,
    types_for_extension,
)


@pytest.mark.parametrize("mime", FILE_TYPES)
def test_rows_are_well_formed(mime: str) -> None:
    row = FILE_TYPES[mime]
    assert row.mime == mime == mime.lower()
    assert row.extensions
    assert all(name.isalnum() and name == name.lower() for name in row.extensions)
    assert row.extension == row.extensions[0]
    if row.kind in {"image", "video", "audio"}:
        assert mime.startswith(f"{row.kind}/")


def test_only_types_that_cannot_run_code_are_shown_in_place() -> None:
    inline = {mime for mime, row in FILE_TYPES.items() if row.inline}
    assert inline == {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "image/avif",
        "video/mp4",
        "video/webm",
        "video/ogg",
        "audio/mpeg",
        "audio/mp4",
        "audio/aac",
        "audio/ogg",
        "audio/wav",
        "audio/flac",
        "text/plain",
    }


@pytest.mark.parametrize("mime", ["text/html", "text/xml", "text/javascript"])
def test_active_types_are_not_in_the_table(mime: str) -> None:
    assert mime not in FILE_TYPES


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        FILE_TYPES["text/html"] = FILE_TYPES["text/plain"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        ("jpg", {"image/jpeg"}),
        ("JPEG", {"image/jpeg"}),
        ("ogg", {"audio/ogg", "video/ogg"}),
        ("ppm", {"image/x-portable-anymap"}),
        ("svg", {"image/svg+xml"}),
        ("svgz", set()),
        ("php", set()),
        ("", set()),
    ],
)
def test_types_for_extension(extension: str, expected: set[str]) -> None:
    assert types_for_extension(extension) == expected


def test_families_and_text_types_name_only_types_of_the_table() -> None:
    named = TEXT_TYPES.union(*CONTAINER_FAMILIES)
    assert named <= FILE_TYPES.keys()


def test_a_text_extension_names_one_type() -> None:
    for mime in TEXT_TYPES:
        for extension in FILE_TYPES[mime].extensions:
            assert types_for_extension(extension) == {mime}
