"""What is in quarantine, for those who review it."""

from __future__ import annotations

from django.db.models import F, QuerySet

from apps.media.exceptions import ForbiddenError
from apps.media.models import MediaFile, MediaVersion, Status
from apps.media.policies import Visitor, may_review


def list_quarantined(*, user: Visitor) -> QuerySet[MediaFile]:
    """The files that are held, the newest first. Raises `ForbiddenError`."""
    if not may_review(user):
        raise ForbiddenError
    held = MediaFile.objects.filter(status=Status.QUARANTINED).select_related("owner")
    return held.defer("search_text", "owner_text").order_by("-pk")


def with_findings(rows: list[MediaFile]) -> list[MediaFile]:
    """`rows` with their current versions, which say what was found: one query."""
    versions = MediaVersion.objects.filter(media__in=rows, number=F("media__version"))
    found = {version.media_id: version for version in versions.defer("text")}
    for media in rows:
        media._current = found[media.pk]
    return rows
