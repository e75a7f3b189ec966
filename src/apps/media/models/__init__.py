"""The nouns of the media app, one file each."""

from apps.media.models.adoption import LONGEST_PATH, Adoption, FormerAddress
from apps.media.models.attachment import Accepts, MediaAttachment
from apps.media.models.audit import AuditEvent
from apps.media.models.caption import Caption
from apps.media.models.collection import Collection, CollectionItem, CollectionPlace
from apps.media.models.emptying import Emptying
from apps.media.models.erasure import Erasure
from apps.media.models.grant import Grant
from apps.media.models.job import Job
from apps.media.models.media_file import (
    VERSION_FACTS,
    Lifetime,
    MediaFile,
    MediaVersion,
    Status,
    Visibility,
)
from apps.media.models.quota import Quota
from apps.media.models.rendition import Rendition
from apps.media.models.share_link import ShareLink
from apps.media.models.tag import Tag, fold_tag, normalise_tag
from apps.media.models.tombstone import Tombstone
from apps.media.models.upload import Upload
from apps.media.models.webhook import Webhook, WebhookDelivery

__all__ = [
    "LONGEST_PATH",
    "VERSION_FACTS",
    "Accepts",
    "Adoption",
    "AuditEvent",
    "Caption",
    "Collection",
    "CollectionItem",
    "CollectionPlace",
    "Emptying",
    "Erasure",
    "FormerAddress",
    "Grant",
    "Job",
    "Lifetime",
    "MediaAttachment",
    "MediaFile",
    "MediaVersion",
    "Quota",
    "Rendition",
    "ShareLink",
    "Status",
    "Tag",
    "Tombstone",
    "Upload",
    "Visibility",
    "Webhook",
    "WebhookDelivery",
    "fold_tag",
    "normalise_tag",
]
