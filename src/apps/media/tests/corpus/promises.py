"""What must be true of every outcome, by the corpus's verdict."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator

import httpx
from PIL import Image

from apps.core.filetypes import FILE_TYPES
from apps.media.tests.corpus.carrying import Outcome

# Beginnings of what a rendition can never be. Where one could hide in compressed pixels by chance
# (four bytes: once in four thousand megabytes), none of these samples does.
SECOND_FORMATS = (
    b"%PDF-",
    b"PK\x03\x04",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"<?php",
    b"<html",
    b"<script",
    b"<svg",
)
# What we write on purpose; in plain text nothing is a format.
OWN_FORMATS = {"preview.html": (b"<html",), "preview.pdf": (b"%PDF-",), "text.txt": SECOND_FORMATS}
EXIF_MARKS = (b"Exif\0\0", b"EXIF", b"http://ns.adobe.com/xap", b"Photoshop 3.0")


def meets(outcome: Outcome) -> bool:
    """Whether the end of a case is one that its verdict allows."""
    if outcome.status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return False
    if not outcome.stored and not outcome.code:
        return False
    if outcome.stored and outcome.media["status"] not in {"ready", "failed"}:
        return False
    return ALLOWED.get(outcome.case.verdict, _anything)(outcome.end)


def _anything(_end: str) -> bool:
    return True


ALLOWED = {
    "A": lambda end: end == "ready",
    "A*": lambda end: end in {"ready", "refused:unsupported_type"},
    "B": lambda end: end != "ready",
}


def unmet(outcomes: Iterable[Outcome]) -> list[str]:
    return [str(outcome) for outcome in outcomes if not meets(outcome)]


def assert_inert(client: httpx.Client, outcome: Outcome) -> None:
    """What is given back is what came in, of the sniffed type, locked; no second format in it."""
    media = outcome.media
    answer = client.get(media["urls"]["original"])
    assert answer.status_code == httpx.codes.OK, str(outcome)
    assert answer.content == outcome.case.data, str(outcome)
    assert_locked(answer, media["mime_type"], str(outcome))
    disposition = answer.headers["Content-Disposition"].partition(";")[0]
    assert disposition == "attachment" or FILE_TYPES[media["mime_type"]].inline, str(outcome)
    for name, data in renditions(client, outcome):
        own = OWN_FORMATS.get(name, ())
        found = [mark for mark in SECOND_FORMATS if mark in data and mark not in own]
        assert not found, f"{outcome}: {name} holds {found}"


def assert_locked(answer: httpx.Response, mime_type: str, what: str) -> None:
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff", what
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy, what
    assert "sandbox" in policy, what
    assert headers["Content-Type"].partition(";")[0] == mime_type, what


def assert_nobody_else(owner: httpx.Client, stranger: httpx.Client, outcome: Outcome) -> None:
    """A refused file that is kept for its owner stays theirs, even if they publish it."""
    urls = outcome.media["urls"]
    published = owner.patch(urls["self"], json={"visibility": "public"})
    assert published.status_code == httpx.codes.OK
    for url in (urls["original"], urls["self"]):
        assert stranger.get(url).status_code == httpx.codes.NOT_FOUND, str(outcome)
    shown = owner.get(urls["original"]).headers["Content-Disposition"]
    assert shown.startswith("attachment"), str(outcome)


def assert_no_metadata(client: httpx.Client, outcome: Outcome) -> None:
    """No rendition carries EXIF, XMP or a word of what the original says about its maker."""
    telling = telling_words(outcome.case.data)
    for name, data in renditions(client, outcome):
        if name.endswith((".webp", ".jpg", ".png")):
            with Image.open(io.BytesIO(data)) as image:
                assert not image.getexif(), f"{outcome}: {name}"
        found = [mark for mark in (*EXIF_MARKS, *telling) if mark in data]
        assert not found, f"{outcome}: {name} holds {found}"


def telling_words(data: bytes) -> list[bytes]:
    """Makers, models, owners and serial numbers: every text of the EXIF, if it can be read."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            exif = image.getexif()
            parts = [exif, *(exif.get_ifd(ifd) for ifd in (0x8769, 0x8825))]
            values = [value for part in parts for value in part.values()]
    except (OSError, ValueError, TypeError, SyntaxError):
        return []
    words = [value.encode(errors="replace") for value in values if isinstance(value, str)]
    return [word for word in words if len(word) > 5]


def renditions(client: httpx.Client, outcome: Outcome) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each rendition, checked against what the API says of it."""
    for rendition in outcome.media["renditions"]:
        answer = client.get(rendition["url"])
        assert answer.status_code == httpx.codes.OK, str(outcome)
        assert len(answer.content) == rendition["size"], str(outcome)
        assert_locked(answer, rendition["mime_type"], str(outcome))
        yield rendition["name"], answer.content


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
