"""Checksums of stored bytes, which never change: noted when somebody has read them all."""

from __future__ import annotations

from collections.abc import Mapping

from apps.media.models import MediaVersion


def note_checksums(found: Mapping[int, int]) -> None:
    """Keep the CRC-32 of versions, by their ids."""
    for version_id, crc32 in found.items():
        MediaVersion.objects.filter(pk=version_id, crc32=None).update(crc32=crc32)
