"""Checksums of stored bytes, which never change: noted when somebody has read them all."""

from __future__ import annotations

from collections.abc import Mapping

from apps.media.models import MediaVersion, Rendition
from apps.media.selectors import Original


def note_checksums(found: Mapping[Original, int]) -> None:
    """Keep the CRC-32 of stored bytes with the row that names them."""
    for original, crc32 in found.items():
        if original.is_copy:
            copies = Rendition.objects.filter(media=original.media_id, key=original.key)
            copies.update(details={original.key: crc32})
        else:
            MediaVersion.objects.filter(key=original.key, crc32=None).update(crc32=crc32)
