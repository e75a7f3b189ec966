"""What posts tell other apps, in the transaction and after it. Nothing is imported from them."""

from apps.core.signals import Outgoing

# A post was written, or is for others now than before: `post_id`, `author_id`.
post_published = Outgoing()
# It is there no more: `post_id`, `author_id`.
post_deleted = Outgoing()
