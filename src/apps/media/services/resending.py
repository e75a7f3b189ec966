"""When a message that has brought no work yet is sent again.

Nobody knows whether it was lost or waits in the broker, as it does where there is more work than
workers: were all sent again every half minute, ever more would wait there. So what has been due for
long is sent more rarely: after an eighth of that time.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DurationField, ExpressionWrapper, F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.db.models.lookups import GreaterThan

from apps.media.conf import options

SHARE = 8  # of the time that work has waited: how long its message may
LONGEST = timedelta(minutes=15)  # what was lost with the broker comes again within this


def resend_after(waited: timedelta = timedelta(0)) -> timedelta:
    """How long to wait for a message about work that has waited so long already."""
    return max(min(waited / SHARE, LONGEST), _shortest())


def is_unsent() -> Q:
    """Rows, by their `due_at` and `sent_at`, of which no message can be taken to be under way."""
    silent, waited = Now() - F("sent_at"), Now() - F("due_at")
    is_long = Q(GreaterThan(_duration(silent * SHARE), _duration(waited)))
    return Q(sent_at=None) | (
        Q(sent_at__lt=Now() - _shortest()) & (is_long | Q(sent_at__lt=Now() - LONGEST))
    )


def _duration(expression: Combinable) -> ExpressionWrapper[Combinable]:
    return ExpressionWrapper(expression, output_field=DurationField())


def _shortest() -> timedelta:
    return timedelta(seconds=options().job_resend_after)
