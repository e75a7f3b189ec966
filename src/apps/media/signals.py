"""What the media app tells other apps. Each is sent after commit with `media` (and `code`), and
its twin `inside` in the transaction, for those who write a row of their own (see `Outgoing`).

`media_deleted` carries `media_id` instead, since the row is gone. `media_not_remade` says that
processing a file again has failed, and it is served as before; `asked` says whether somebody waits
for it. `media_withdrawn` is sent when a public file stops being so, for whoever purges a CDN:
`media_id`, and `prefix`, with which all addresses of its bytes begin. `webhook_disabled` is sent
with `webhook` when messages to it have ended because they were not taken; `access_granted` with
`grant` when somebody was given a right that they did not have.
"""

from django.dispatch import Signal

from apps.core.signals import Outgoing

media_ready = Outgoing()
media_rejected = Outgoing()
media_not_remade = Outgoing()
media_deleted = Outgoing()
media_withdrawn = Signal()
webhook_disabled = Outgoing()
access_granted = Outgoing()
