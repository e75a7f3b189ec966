"""The operator's view of media; Django finds the pages by their being imported here.

Other apps take `MediaAttachmentInline` and `MediaFieldsMixin` for the administration of theirs.
"""

from apps.media.admin import audit, jobs, quotas, records, webhooks
from apps.media.admin.uses import MediaAttachmentFormSet, MediaAttachmentInline, MediaFieldsMixin

__all__ = [
    "MediaAttachmentFormSet",
    "MediaAttachmentInline",
    "MediaFieldsMixin",
    "audit",
    "jobs",
    "quotas",
    "records",
    "webhooks",
]
