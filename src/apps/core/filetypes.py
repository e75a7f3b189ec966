"""The closed table of file types that the project can take.

Data only: which extensions a type may carry, what kind of media it is, and whether a browser may
show it in place. Whether an installation allows a type is its own choice, made elsewhere; a type
that is not here can never be allowed. This module must not look at bytes (see `sniffing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["image", "video", "audio", "document", "other"]


@dataclass(frozen=True, slots=True)
class FileType:
    """One type of the table.

    `extensions` are lower case without the dot, the canonical one first. `inline` says that
    browsers show the type without executing anything in it; all else is sent as an attachment.
    """

    mime: str
    kind: Kind
    extensions: tuple[str, ...]
    inline: bool

    @property
    def extension(self) -> str:
        """The canonical extension."""
        return self.extensions[0]


_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."

# mime, kind, extensions (canonical first), shown in place?
# HTML, other XML and scripts are absent on purpose: they run code where they are shown. SVG does
# too, unless it is checked element by element, which is what its engine is for.
_ROWS: tuple[tuple[str, Kind, str, bool], ...] = (
    ("image/jpeg", "image", "jpg jpeg jpe jfif", True),
    ("image/png", "image", "png", True),
    ("image/gif", "image", "gif", True),
    ("image/webp", "image", "webp", True),
    ("image/avif", "image", "avif", True),
    ("image/heic", "image", "heic", False),
    ("image/heif", "image", "heif hif", False),
    ("image/tiff", "image", "tif tiff", False),
    ("image/bmp", "image", "bmp dib", False),
    ("image/x-icon", "image", "ico", False),
    ("image/x-portable-anymap", "image", "pnm ppm pgm pbm", False),
    ("image/svg+xml", "image", "svg", False),
    ("video/mp4", "video", "mp4 m4v", True),
    ("video/quicktime", "video", "mov qt", False),
    ("video/webm", "video", "webm", True),
    ("video/x-matroska", "video", "mkv", False),
    ("video/x-msvideo", "video", "avi", False),
    ("video/3gpp", "video", "3gp 3gpp", False),
    ("video/3gpp2", "video", "3g2 3gp2", False),
    ("video/mpeg", "video", "mpg mpeg", False),
    ("video/mp2t", "video", "ts mts m2ts", False),
    ("video/ogg", "video", "ogv ogg", True),
    ("video/x-ms-wmv", "video", "wmv", False),
    ("video/x-ms-asf", "video", "asf", False),
    ("video/x-flv", "video", "flv", False),
    ("audio/mpeg", "audio", "mp3", True),
    ("audio/mp4", "audio", "m4a m4b", True),
    ("audio/aac", "audio", "aac", True),
    ("audio/ogg", "audio", "ogg oga opus", True),
    ("audio/wav", "audio", "wav", True),
    ("audio/flac", "audio", "flac", True),
    ("audio/aiff", "audio", "aiff aif aifc", False),
    ("audio/x-ms-wma", "audio", "wma", False),
    ("audio/ac3", "audio", "ac3", False),
    ("application/pdf", "document", "pdf", False),
    (_OOXML + "wordprocessingml.document", "document", "docx", False),
    (_OOXML + "spreadsheetml.sheet", "document", "xlsx", False),
    (_OOXML + "presentationml.presentation", "document", "pptx", False),
    (_ODF + "text", "document", "odt", False),
    (_ODF + "spreadsheet", "document", "ods", False),
    (_ODF + "presentation", "document", "odp", False),
    ("application/epub+zip", "document", "epub", False),
    ("application/rtf", "document", "rtf", False),
    ("text/plain", "document", "txt log", True),
    ("text/csv", "document", "csv", False),
    ("text/markdown", "document", "md markdown", False),
    ("application/json", "document", "json", False),
    ("application/zip", "other", "zip", False),
    ("application/gzip", "other", "gz tgz", False),
)

FILE_TYPES: Mapping[str, FileType] = MappingProxyType(
    {
        mime: FileType(mime, kind, tuple(names.split()), inline)
        for mime, kind, names, inline in _ROWS
    }
)

# Types that bytes alone cannot tell apart: the extension decides among them.
TEXT_TYPES: frozenset[str] = frozenset(
    {"text/plain", "text/csv", "text/markdown", "application/json"}
)

# One container each. Cameras, phones and muxers write any of these names for any of the brands,
# and one decoder reads them all, so that a name from the same row is not a contradiction.
CONTAINER_FAMILIES: tuple[frozenset[str], ...] = (
    frozenset({"video/mp4", "video/quicktime", "video/3gpp", "video/3gpp2", "audio/mp4"}),
    frozenset({"image/heic", "image/heif", "image/avif"}),
    frozenset({"video/webm", "video/x-matroska"}),
    frozenset({"audio/ogg", "video/ogg"}),
    frozenset({"video/x-ms-wmv", "video/x-ms-asf", "audio/x-ms-wma"}),
)


def _index_extensions() -> Mapping[str, frozenset[str]]:
    index: dict[str, frozenset[str]] = {}
    for file_type in FILE_TYPES.values():
        for extension in file_type.extensions:
            index[extension] = index.get(extension, frozenset()) | {file_type.mime}
    return MappingProxyType(index)


_BY_EXTENSION = _index_extensions()


def types_for_extension(extension: str) -> frozenset[str]:
    """The mimes that may carry `extension` (no dot, any case); empty when the table has none."""
    return _BY_EXTENSION.get(extension.lower(), frozenset())
