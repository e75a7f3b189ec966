"""What events tell other apps, in the transaction and after it. Nothing is imported from them."""

from apps.core.signals import Outgoing

# Photos that were not there before came into a gallery: `event_id`, `media_ids`, `added_by_id`.
photos_added = Outgoing()
# Somebody was asked to come: `invitation`, `invited_by_id`.
guest_invited = Outgoing()
