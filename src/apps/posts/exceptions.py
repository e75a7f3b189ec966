"""What can go wrong with posts, each with a stable code and words that are safe to show."""

from __future__ import annotations

from apps.core.errors import AppError
from apps.core.words import gettext_noop as _


class PostNotVisibleError(AppError):
    """No such post, or none for this visitor: one answer for both."""

    code = "not_found"
    status = 404
    message = _("Not found.")


class PostForbiddenError(AppError):
    """A post that the visitor may read and not change."""

    code = "permission_denied"
    status = 403
    message = _("Only whoever wrote a post may do this.")


class EmptyPostError(AppError):
    """Neither words nor files."""

    code = "empty_post"
    status = 422
    message = _("Write something, or add a photo or a video.")


class NotYoursError(AppError):
    """Posting shows a file to others, which only its owner may decide."""

    code = "cannot_attach"
    status = 403
    message = _("You can only post files of your own.")


class UnknownCursorError(AppError):
    """A page of a list that was never given out."""

    code = "invalid"
    status = 400
    message = _("This page of the list does not exist any more.")
