"""The root of the error tree that every app extends.

An error has a stable `code`, an HTTP status and a message that is safe to show to anyone.
Whatever else is known belongs into the log: give it as the exception's arguments.
"""

from __future__ import annotations


class AppError(Exception):
    """A designed failure. Subclasses set the class attributes; `detail` replaces the message."""

    code = "error"
    status = 500
    message = "Something went wrong on our side."
    retry_after: int | None = None  # seconds

    def __init__(self, *log_context: object, detail: str | None = None) -> None:
        super().__init__(*log_context)
        self.detail = detail or self.message


class StorageUnavailableError(AppError):
    """The place where bytes live does not answer; the same request may succeed later."""

    code = "storage_unavailable"
    status = 503
    message = "The file storage does not answer at the moment. Please try again shortly."
    retry_after = 10


class StorageFullError(AppError):
    """No room is left where bytes live."""

    code = "storage_full"
    status = 507
    message = "The file storage is full."


class ObjectMissingError(AppError):
    """A key names no object. Our fault if a row says otherwise."""

    code = "object_missing"
    status = 404
    message = "This file is not there."
