"""Files in objects of other apps, and the end of both."""

from __future__ import annotations

from apps.core.words import gettext_noop as _
from apps.media.exceptions.base import BadRequestError, ForbiddenError, MediaError
from apps.media.exceptions.files import FileTooLargeError


class CannotAttachError(ForbiddenError):
    """The user may not attach this file to anything, or nobody may in its state."""

    code = "cannot_attach"
    message = _("You may not use this file here.")


class WrongKindError(BadRequestError):
    """What uses the file does not take files of this type."""

    code = "wrong_kind"
    message = _("A file of this type cannot be used here.")


class TooLargeHereError(FileTooLargeError):
    """What uses the file takes smaller ones only."""

    message = _("This file is larger than is accepted here.")


class TooManyAttachedError(BadRequestError):
    code = "too_many_files"
    message = _("These are more files than are accepted here.")


class AttachedTwiceError(BadRequestError):
    code = "attached_twice"
    message = _("The same file is in the list twice.")


class StillProtectedError(MediaError):
    """An object of another app refuses that what it refers to is removed."""

    code = "still_protected"
    status = 409
    message = _("Something that must not be removed still uses one of these files.")


class HostMissingError(MediaError):
    """A table uses media files and its app is not installed: what is used cannot be told."""

    code = "host_missing"
    status = 409
    message = _("The database has uses of media files whose app is not installed: %(tables)s")
