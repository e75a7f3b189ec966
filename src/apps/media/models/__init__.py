"""The nouns of the media app, one file each."""

from apps.media.models.caption import Caption
from apps.media.models.job import Job
from apps.media.models.media_file import MediaFile, MediaVersion, Status, Visibility
from apps.media.models.quota import Quota
from apps.media.models.rendition import Rendition
from apps.media.models.tag import Tag, fold_tag, normalise_tag
from apps.media.models.tombstone import Tombstone
from apps.media.models.upload import Upload

__all__ = [
    "Caption",
    "Job",
    "MediaFile",
    "MediaVersion",
    "Quota",
    "Rendition",
    "Status",
    "Tag",
    "Tombstone",
    "Upload",
    "Visibility",
    "fold_tag",
    "normalise_tag",
]
