"""Every failure the media app can answer with, on one page.

A branch exists only where its caller acts differently: tell the user (`RejectedError`), hide
(`NotVisibleError`), refuse (`ForbiddenError`), correct the request (`BadRequestError`), retry
(`EngineAwayError`), report (anything else). Knows no Django: engines raise these too.
"""

from __future__ import annotations

from apps.core.errors import AppError


class MediaError(AppError):
    """Root of the media app's errors."""


# -- tell the user: these bytes are not taken -------------------------------------------------


class RejectedError(MediaError):
    """The bytes themselves are refused; sending them again cannot help."""

    code = "rejected"
    status = 422
    message = "This file cannot be accepted."


class EmptyFileError(RejectedError):
    code = "empty_file"
    message = "The file is empty."


class UnsupportedTypeError(RejectedError):
    code = "unsupported_type"
    status = 415
    message = "Files of this type are not accepted."


class TypeMismatchError(RejectedError):
    code = "type_mismatch"
    message = "The content of the file is not what its name says."


class TooManyPixelsError(RejectedError):
    code = "too_many_pixels"
    message = "The image has more pixels than are accepted."


class TooManyPagesError(RejectedError):
    code = "too_many_pages"
    message = "The document has more pages than are accepted."


class TooLongError(RejectedError):
    code = "too_long"
    message = "The recording is longer than is accepted."


class UnsafeContentError(RejectedError):
    code = "unsafe_content"
    message = "The file contains active content, which is not accepted."


class MalwareFoundError(RejectedError):
    code = "malware_found"
    message = "The file contains malware."


class CorruptFileError(RejectedError):
    code = "corrupt_file"
    message = "The file is damaged and cannot be read."


class UnreadableCaptionError(RejectedError):
    code = "unreadable_caption"
    message = "These captions cannot be read. WebVTT and SubRip (.vtt, .srt) are understood."


class PasswordProtectedError(RejectedError):
    code = "password_protected"
    message = "The document needs a password. Please upload a copy without one."


class FileTooLargeError(RejectedError):
    code = "file_too_large"
    status = 413
    message = "The file is larger than is accepted for its type."


class QuotaExceededError(RejectedError):
    code = "quota_exceeded"
    status = 413
    message = "There is not enough room left in your storage quota."


# -- processing gave up on a file; becomes `failure.code` of the media -------------------------


class ProcessingCrashedError(RejectedError):
    """The decoder died (signal, out of memory) each time it was tried."""

    code = "processing_crashed"
    message = "The file could not be processed."


class ProcessingTimeoutError(RejectedError):
    """The decoder used up its time."""

    code = "processing_timeout"
    message = "Processing the file took too long."


class ProcessingCancelledError(RejectedError):
    """The operator ended the work."""

    code = "processing_cancelled"
    message = "Processing the file was cancelled."


class EngineAwayError(MediaError):
    """A tool or service that processing needs does not answer; the job is tried again."""

    code = "engine_away"
    status = 503
    message = "A processing service is not available at the moment."
    retry_after = 30


class ScannerAwayError(EngineAwayError):
    """The malware scanner does not answer; the file waits for as long as that takes."""

    code = "scanner_away"
    message = "The malware scanner is not available at the moment."


# -- hide, refuse, correct ---------------------------------------------------------------------


class NotVisibleError(MediaError):
    """Missing and hidden are the same answer, so that nobody learns what exists."""

    code = "not_found"
    status = 404
    message = "Not found."


class ForbiddenError(MediaError):
    """The user sees the media but may not do this with it."""

    code = "permission_denied"
    status = 403
    message = "You may not do this."


class QuarantinedError(ForbiddenError):
    """The user may know of the file but nobody gets its bytes."""

    code = "quarantined"
    message = "This file is in quarantine: malware was found in it."


class BadRequestError(MediaError):
    code = "invalid"
    status = 400
    message = "The request is not valid."


class LengthRequiredError(MediaError):
    """RFC 9110 §15.5.12."""

    code = "length_required"
    status = 411
    message = "Say how long the request is: a Content-Length is needed."


class UploadInterruptedError(MediaError):
    """The body ended before it was complete; nothing was kept."""

    code = "upload_interrupted"
    status = 400
    message = "The upload ended before the whole file had arrived."


class WrongStateError(MediaError):
    """The object is in a state in which this cannot be done."""

    code = "wrong_state"
    status = 409
    message = "This cannot be done in the present state."


class LostLeaseError(MediaError):
    """Another worker has taken the job over; what this one made must be dropped."""

    code = "lost_lease"
    status = 409
    message = "The job was taken over by another worker."
