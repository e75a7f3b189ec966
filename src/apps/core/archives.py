"""Tells zip-based documents apart by the entries at their beginning, without unpacking anything.

Only local headers inside the head are looked at: no inflating, so no bomb; no central directory,
since a second, different one at the end is how zip polyglots lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from

_LOCAL_HEADER = b"PK\x03\x04"
_LOCAL_HEADER_SIZE = 30
_EMPTY_ARCHIVE = b"PK\x05\x06" + bytes(16)
_MAX_VERSION_NEEDED = 63  # APPNOTE 4.4.3.2
_MAX_ENTRIES = 256
_STORED = 0  # compression method
_METHODS = frozenset({_STORED, 8, 9, 12, 14, 93, 95, 98, 99})  # APPNOTE 4.4.5, without the obsolete
_LONGEST_NAME = 4096

_OOXML = "application/vnd.openxmlformats-officedocument."
_OOXML_FOLDERS = {
    b"word": _OOXML + "wordprocessingml.document",
    b"xl": _OOXML + "spreadsheetml.sheet",
    b"ppt": _OOXML + "presentationml.presentation",
}
_OOXML_MARKS = frozenset({b"[Content_Types].xml", b"_rels", b"docProps"})
_MACROS = b"vbaProject.bin"
_MACRO_DOCUMENT = "application/x-macro-enabled-document"

_DECLARED = {  # content of the first, stored entry "mimetype" (ODF 1.2 part 3 §3.3, EPUB OCF §4.3)
    mime.encode(): mime
    for mime in (
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.presentation",
        "application/epub+zip",
    )
}


def zip_type(head: bytes) -> str | None:
    """The type of a zip archive or zip-based document; None for what is not a sound zip."""
    if head.startswith(_EMPTY_ARCHIVE):
        return "application/zip"
    if not _is_local_header(head):
        return None
    return _declared_type(head) or _office_type(head) or "application/zip"


def _is_local_header(head: bytes) -> bool:
    if not head.startswith(_LOCAL_HEADER) or len(head) < _LOCAL_HEADER_SIZE:
        return False
    version, method = head[4], unpack_from("<H", head, 8)[0]
    (name_length,) = unpack_from("<H", head, 26)
    is_known = version <= _MAX_VERSION_NEEDED and method in _METHODS
    return is_known and 0 < name_length <= _LONGEST_NAME


def _declared_type(head: bytes) -> str | None:
    method, size = unpack_from("<H", head, 8)[0], unpack_from("<I", head, 18)[0]
    extra_length = unpack_from("<H", head, 28)[0]
    name_length = unpack_from("<H", head, 26)[0]
    name_end = _LOCAL_HEADER_SIZE + name_length
    if head[_LOCAL_HEADER_SIZE:name_end] != b"mimetype" or method != _STORED:
        return None
    start = name_end + extra_length
    if size:
        return _DECLARED.get(head[start : start + size].strip())
    # Size after the data (streamed writers): the next header ends the entry.
    content = head[start : start + 128].partition(b"PK")[0]
    return _DECLARED.get(content.strip())


def _office_type(head: bytes) -> str | None:
    names = list(_entry_names(head))
    tops = {name.split(b"/", 1)[0] for name in names}
    folders = tops & _OOXML_FOLDERS.keys()
    if len(folders) != 1 or not tops & _OOXML_MARKS:
        return None
    if any(name.endswith(_MACROS) for name in names):
        return _MACRO_DOCUMENT
    return _OOXML_FOLDERS[folders.pop()]


def _entry_names(head: bytes) -> Iterator[bytes]:
    at = 0
    for _ in range(_MAX_ENTRIES):
        if at < 0 or at + _LOCAL_HEADER_SIZE > len(head):
            return
        length = unpack_from("<H", head, at + 26)[0]
        yield head[at + _LOCAL_HEADER_SIZE : at + _LOCAL_HEADER_SIZE + length]
        at = head.find(_LOCAL_HEADER, at + _LOCAL_HEADER_SIZE + length)
