"""The operator's view of media; Django finds the pages by their being imported here."""

from apps.media.admin import audit, records, webhooks

__all__ = ["audit", "records", "webhooks"]
