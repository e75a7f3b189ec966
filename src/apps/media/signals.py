"""What the media app tells other apps. Each is sent after commit with `media` (and `code`).

`media_deleted` carries `media_id` instead, since the row is gone.
"""

from django.dispatch import Signal

media_ready = Signal()
media_rejected = Signal()
media_deleted = Signal()
