"""Every failure that is the events' own; those of files come from the media app."""

from __future__ import annotations

from apps.core.errors import AppError
from apps.core.words import gettext_noop as _


class EventError(AppError):
    """Root of the errors of events."""


class NotVisibleError(EventError):
    """Missing, or hidden from whoever asks: the same answer."""

    code = "not_found"
    status = 404
    message = _("There is nothing here.")


class ForbiddenError(EventError):
    """Whoever asks may see the event, but not do this."""

    code = "forbidden"
    status = 403
    message = _("You may not do this.")


class UnknownGuestError(EventError):
    """Nobody can be invited by this name; says not whether somebody has it."""

    code = "unknown_guest"
    status = 422
    message = _("There is nobody of this name who can be invited.")


class NotYoursError(EventError):
    """An event shows its files to others, which only their owner may decide."""

    code = "cannot_attach"
    status = 403
    message = _("You can only show files of your own.")


class BadRequestError(EventError):
    """The request itself has to be another one."""

    code = "bad_request"
    status = 400
    message = _("This request cannot be understood.")
