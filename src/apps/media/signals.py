"""What the media app tells other apps. Each is sent after commit with `media` (and `code`).

`media_deleted` carries `media_id` instead, since the row is gone. `media_not_remade` says that
processing a file again has failed: it is served as before. `media_withdrawn` is sent when a public
file stops being so, for whoever purges a CDN: `media_id`, and `prefix`, with which all addresses of
its bytes begin. `webhook_disabled` is sent with `webhook` when messages to it have ended because
they were not taken; `access_granted` with `grant` when somebody was given a right that they did not
have.
"""

from django.dispatch import Signal

media_ready = Signal()
media_rejected = Signal()
media_not_remade = Signal()
media_deleted = Signal()
media_withdrawn = Signal()
webhook_disabled = Signal()
access_granted = Signal()
