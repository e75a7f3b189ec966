"""Archives made of these records are read by others, also beyond 32 bits."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apps.core import zipformat
from apps.core.zipformat import Entry

MOMENT = datetime(2024, 2, 29, 13, 14, 16, tzinfo=UTC)


def _archive(files: list[tuple[str, bytes]]) -> bytes:
    body, lines = bytearray(), []
    for name, data in files:
        entry = Entry(name.encode(), len(data), zipformat.dos_time(MOMENT), len(body))
        crc = zlib.crc32(data)
        whole = zipformat.local_header(entry) + data + zipformat.descriptor(entry, crc)
        assert len(whole) == zipformat.length_of(entry)
        body += whole
        lines.append(zipformat.central_entry(entry, crc))
        assert len(lines[-1]) == zipformat.central_length(entry)
    end = zipformat.end_records(count=len(lines), size=sum(map(len, lines)), offset=len(body))
    assert len(end) == zipformat.END_LENGTH
    return bytes(body) + b"".join(lines) + end


FILES = [("a.txt", b"words"), ("ünï 🎈.bin", bytes(range(256)) * 9), ("empty", b"")]


def test_pythons_reader_agrees() -> None:
    with zipfile.ZipFile(io.BytesIO(_archive(FILES))) as found:
        assert found.testzip() is None
        assert [(info.filename, found.read(info)) for info in found.infolist()] == FILES
        assert found.infolist()[0].date_time == (2024, 2, 29, 13, 14, 16)


@pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not installed")
def test_unzip_agrees(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(_archive(FILES))
    done = subprocess.run(["unzip", "-tq", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No errors" in done.stdout
    assert "warning" not in done.stdout + done.stderr


def test_no_files_are_an_archive_too() -> None:
    with zipfile.ZipFile(io.BytesIO(_archive([]))) as found:
        assert found.namelist() == []


def test_more_files_than_16_bits_count() -> None:
    files = [(f"{number}", b"") for number in range(66_000)]
    with zipfile.ZipFile(io.BytesIO(_archive(files))) as found:
        assert len(found.namelist()) == 66_000


@pytest.mark.parametrize("size", [2**32 - 2, 2**32 - 1, 2**32, 5 * 2**30])
def test_sizes_and_offsets_beyond_32_bits(size: int, tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    first = Entry(b"large", size, zipformat.dos_time(MOMENT), 0)
    second = Entry(b"small", 5, zipformat.dos_time(MOMENT), zipformat.length_of(first))
    with path.open("wb") as file:
        file.write(zipformat.local_header(first))
        file.seek(size, io.SEEK_CUR)  # a hole: nothing is written
        file.write(zipformat.descriptor(first, 0))
        assert file.tell() == second.offset
        file.write(zipformat.local_header(second))
        file.write(b"words" + zipformat.descriptor(second, zlib.crc32(b"words")))
        offset = file.tell()
        lines = [(first, 0), (second, zlib.crc32(b"words"))]
        written = [file.write(zipformat.central_entry(entry, crc)) for entry, crc in lines]
        assert written == [zipformat.central_length(entry) for entry, _ in lines]
        file.write(zipformat.end_records(count=2, size=sum(written), offset=offset))
    with zipfile.ZipFile(path) as found:
        assert [info.file_size for info in found.infolist()] == [size, 5]
        assert found.read("small") == b"words"


@pytest.mark.parametrize("year", [1970, 1980, 2107, 2200])
def test_years_that_archives_cannot_say_stay_inside(year: int) -> None:
    assert 0 <= zipformat.dos_time(datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)) <= 2**32 - 1
