"""How an app tells others what has happened, without knowing them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.dispatch import Signal


class Outgoing(Signal):
    """A signal that is sent after the commit of what it tells: for those who act on it.

    Its twin `inside` is sent in the transaction itself, with the same facts: for those who write a
    row of their own, which is then there exactly if the change is. A process that dies right after
    the commit has told them. They write in a savepoint (`transaction.atomic`), so that their faults
    are logged and stay theirs, and do nothing that cannot be rolled back.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inside = Signal()

    def tell(self, sender: type, **facts: Any) -> None:
        """Call it in the transaction that makes the change."""
        self.inside.send_robust(sender=sender, **facts)
        transaction.on_commit(lambda: self.send_robust(sender=sender, **facts), robust=True)
