"""Sharing, fetching and ordering files."""

from __future__ import annotations

from apps.core.words import gettext_noop as _
from apps.media.exceptions.base import BadRequestError, ForbiddenError, MediaError


class PasswordRequiredError(ForbiddenError):
    """The share link is locked for this visitor."""

    code = "password_required"
    message = _("This link needs a password.")


class InvalidSignatureError(ForbiddenError):
    """The token in an address is not one of ours, not for this address, or at its end."""

    code = "invalid_signature"
    message = _("This address is not valid, or no longer.")


class TooManyGuessesError(MediaError):
    """Somebody tries tokens or passwords; `retry_after` is that of this one."""

    code = "throttled"
    status = 429
    message = _("Too many attempts. Please try again later.")

    def __init__(self, *log_context: object, retry_after: int) -> None:
        super().__init__(*log_context)
        self.retry_after = retry_after


class ExpiryInPastError(BadRequestError):
    code = "expiry_in_past"
    message = _("This time is over: give one in the future, with its time zone.")


class OwnerHasAccessError(BadRequestError):
    code = "owner_has_access"
    message = _("The owner may do everything already.")


class UnknownRecipientError(BadRequestError):
    code = "unknown_recipient"
    message = _("There is nobody of this name to share with.")


class TooManyFilesError(BadRequestError):
    """More than one archive is made of."""

    code = "too_many_files"
    message = _("These are more files than one archive is made of.")


class TooManyDownloadsError(MediaError):
    """As many downloads as this visitor may have at a time are under way."""

    code = "too_many_downloads"
    status = 429
    message = _("Too many downloads at the same time. Please wait for one of them to end.")
    retry_after = 5


class TooManyWebhooksError(MediaError):
    """The account has as many webhooks as it may have."""

    code = "too_many_webhooks"
    status = 409
    message = _("You have as many webhooks as you may have. Remove one first.")


class CycleError(MediaError):
    """A collection cannot lie in itself or in what lies in it."""

    code = "collection_cycle"
    status = 409
    message = _("A collection cannot be put into itself or into what is in it.")


class TooDeepError(MediaError):
    """The tree would have more levels than are kept."""

    code = "collection_too_deep"
    status = 409
    message = _("Collections cannot lie this deep in each other.")
