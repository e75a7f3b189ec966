"""What posts tell other apps, after commit. Nothing is imported from them."""

from django.dispatch import Signal

# A post was written, or is for others now than before: `post_id`, `author_id`.
post_published = Signal()
# It is there no more: `post_id`, `author_id`.
post_deleted = Signal()
