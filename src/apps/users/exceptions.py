"""What can go wrong with accounts, each with a stable code and words that are safe to show."""

from __future__ import annotations

from apps.core.errors import AppError
from apps.core.words import gettext_noop as _


class PersonNotVisibleError(AppError):
    """No such person, or their account is switched off: one answer for both."""

    code = "not_found"
    status = 404
    message = _("Not found.")


class WrongPasswordError(AppError):
    """Something that cannot be undone asks for the password once more."""

    code = "wrong_password"
    status = 422
    message = _("This is not the password of your account.")


class FollowingOneselfError(AppError):
    """Nobody follows themselves."""

    code = "following_oneself"
    status = 422
    message = _("You cannot follow yourself.")


class NotYoursError(AppError):
    """What a page of a person shows is open to everybody, which only a file's owner may decide."""

    code = "cannot_attach"
    status = 403
    message = _("You can only show files of your own.")


class NoSuchLinkError(AppError):
    """The link of a mail is too old, was used, was followed by another, or is somebody else's."""

    code = "not_found"
    status = 404
    message = _("This link is no longer good. Ask for another one.")
