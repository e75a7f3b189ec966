"""An engine's facts, kept in a version's row and read back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.media.exceptions import LostLeaseError
from apps.media.models import MediaVersion
from apps.media.processing.types import AudioFacts, Chapter, Facts, VideoFacts
from apps.media.services.jobs import Claim

# What no inspection tells: renderings read the whole content.
RENDERED = ("loudness", "loudness_range", "true_peak", "pages")
STRUCTURED = ("frames", "pages", "video", "audio", "chapters")


def version_of(claim: Claim) -> MediaVersion:
    """The version that the job is about."""
    job = claim.job
    version = MediaVersion.objects.filter(media_id=job.media_id, number=job.version).first()
    if version is None:
        raise LostLeaseError(job.pk)
    return version


def keep_facts(version: MediaVersion, facts: Facts) -> None:
    """Write `facts` into the fields of `version`, which is not saved here.

    What renderings told of the same bytes stays.
    """
    told = {name: version.metadata[name] for name in RENDERED if name in version.metadata}
    version.width, version.height = facts.width or None, facts.height or None
    version.duration = facts.duration
    version.metadata = {
        **told,
        **facts.metadata,
        "frames": facts.frames,
        "pages": facts.pages or told.get("pages", 0),
        "video": asdict(facts.video) if facts.video else None,
        "audio": asdict(facts.audio) if facts.audio else None,
        "chapters": [asdict(chapter) for chapter in facts.chapters],
    }


def forget_sound(version: MediaVersion) -> None:
    """A sound that the file announced was not in it: nothing waits for it any more. Saves; the file
    is locked."""
    version.refresh_from_db(fields=["metadata"])  # read when the work began
    version.metadata = {**version.metadata, "audio": None}
    version.save(update_fields=["metadata"])


def facts_of(version: MediaVersion) -> Facts:
    """The facts that `keep_facts` has written."""
    kept: dict[str, Any] = version.metadata
    return Facts(
        width=version.width or 0,
        height=version.height or 0,
        frames=kept.get("frames", 1),
        pages=kept.get("pages", 0),
        duration=version.duration,
        metadata={name: value for name, value in kept.items() if name not in STRUCTURED},
        video=VideoFacts(**kept["video"]) if kept.get("video") else None,
        audio=AudioFacts(**kept["audio"]) if kept.get("audio") else None,
        chapters=tuple(Chapter(**chapter) for chapter in kept.get("chapters", ())),
    )
