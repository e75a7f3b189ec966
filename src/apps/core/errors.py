"""The root of the error tree that every app extends.

An error has a stable `code`, an HTTP status and a message that is safe to show to anyone.
Whatever else is known belongs into the log: give it as the exception's arguments.
"""

from __future__ import annotations

from collections.abc import Mapping

from apps.core.words import gettext_noop as _
from apps.core.words import translated


class AppError(Exception):
    """A designed failure. Subclasses set the class attributes; `detail` replaces the message,
    with `values` for its `%(…)s`.

    What is `written` is for rows and logs, `detail` for people.

    `errors` is more for programs, by field, where the code alone does not tell what to do.
    """

    code = "error"
    status = 500
    message = _("Something went wrong on our side.")
    retry_after: int | None = None  # seconds
    errors: Mapping[str, list[str]] | None = None

    def __init__(
        self,
        *log_context: object,
        detail: str | None = None,
        values: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(*log_context)
        self._words, self._values = detail or self.message, values

    @property
    def written(self) -> str:
        """The message as the code has it."""
        return self._filled(self._words)

    @property
    def detail(self) -> str:
        """The message in the language of whoever reads it now."""
        return self._filled(translated(self._words))

    def _filled(self, words: str) -> str:
        return words % self._values if self._values else words


class StorageUnavailableError(AppError):
    """The place where bytes live does not answer; the same request may succeed later."""

    code = "storage_unavailable"
    status = 503
    message = _("The file storage does not answer at the moment. Please try again shortly.")
    retry_after = 10


class StorageFullError(AppError):
    """No room is left where bytes live."""

    code = "storage_full"
    status = 507
    message = _("The file storage is full.")


class ObjectMissingError(AppError):
    """A key names no object. Our fault if a row says otherwise."""

    code = "object_missing"
    status = 404
    message = _("This file is not there.")


# -- fetching from elsewhere: nothing of what the other side said is in these ------------------


class UrlNotAllowedError(AppError):
    """The address, or one that it leads to, is none that we connect to. Never tried again.

    A name that does not exist is the same answer as one inside our own network, so that nobody
    learns our names.
    """

    code = "url_not_allowed"
    status = 422
    message = _("This address cannot be fetched: it has to be a public http or https address.")


class SourceUnavailableError(AppError):
    """The other side does not answer, breaks off, or says that it is busy; worth another try."""

    code = "source_unavailable"
    status = 502
    message = _("The source does not answer, or it broke off.")
    retry_after: int | None = 60


class SourceRefusedError(SourceUnavailableError):
    """The other side does not give this out, or not in a form that we take. Never tried again."""

    message = _("The source does not give this file out.")
    retry_after = None


class SourceTooSlowError(AppError):
    """The other side sends too little, or takes too long in all; what came so far is good."""

    code = "source_too_slow"
    status = 504
    message = _("The source sends too slowly.")
    retry_after: int | None = 60


class SourceChangedError(AppError):
    """What the source has is no longer what the first bytes came from."""

    code = "source_changed"
    status = 409
    message = _("The file changed at its source while it was being fetched.")


class SourceTooLargeError(AppError):
    """The other side has, or sends, more than was asked for."""

    code = "file_too_large"
    status = 413
    message = _("The file is larger than is accepted.")
