"""What events tell other apps, after commit. Nothing is imported from them."""

from django.dispatch import Signal

# Photos that were not there before came into a gallery: `event_id`, `media_ids`, `added_by_id`.
photos_added = Signal()
# Somebody was asked to come: `invitation`, `invited_by_id`.
guest_invited = Signal()
