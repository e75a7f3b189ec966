"""The branches of the tree: what a caller does with a failure."""

from __future__ import annotations

from apps.core.errors import AppError
from apps.core.words import gettext_noop as _


class MediaError(AppError):
    """Root of the media app's errors."""


class RejectedError(MediaError):
    """The bytes themselves are refused; sending them again cannot help."""

    code = "rejected"
    status = 422
    message = _("This file cannot be accepted.")


class NotVisibleError(MediaError):
    """Missing and hidden are the same answer, so that nobody learns what exists."""

    code = "not_found"
    status = 404
    message = _("Not found.")


class ForbiddenError(MediaError):
    """The user sees the media but may not do this with it."""

    code = "permission_denied"
    status = 403
    message = _("You may not do this.")


class BadRequestError(MediaError):
    code = "invalid"
    status = 400
    message = _("The request is not valid.")


class WrongStateError(MediaError):
    """The object is in a state in which this cannot be done."""

    code = "wrong_state"
    status = 409
    message = _("This cannot be done in the present state.")


class VersionChangedError(WrongStateError):
    """The file has got another version since it was looked at."""

    code = "version_changed"
    message = _("The file has been replaced meanwhile. Look at it again first.")
