"""Processing: it gave up on a file (`failure.code` of the media), or has to wait."""

from __future__ import annotations

from apps.core.words import gettext_noop as _
from apps.media.exceptions.base import MediaError, RejectedError


class ProcessingCrashedError(RejectedError):
    """The decoder died (signal, out of memory) each time it was tried."""

    code = "processing_crashed"
    message = _("The file could not be processed.")


class ProcessingTimeoutError(RejectedError):
    """The decoder used up its time."""

    code = "processing_timeout"
    message = _("Processing the file took too long.")


class ProcessingCancelledError(RejectedError):
    """The operator ended the work."""

    code = "processing_cancelled"
    message = _("Processing the file was cancelled.")


class ObjectLostError(RejectedError):
    """The storage does not have the bytes of a file that was taken: our fault."""

    code = "object_missing"
    message = _("The stored file is lost. Please upload it again.")


class EngineAwayError(MediaError):
    """A tool or service that processing needs does not answer; the job is tried again."""

    code = "engine_away"
    status = 503
    message = _("A processing service is not available at the moment.")
    retry_after = 30


class ScannerAwayError(EngineAwayError):
    """The malware scanner does not answer; the file waits for as long as that takes."""

    code = "scanner_away"
    message = _("The malware scanner is not available at the moment.")


class LostLeaseError(MediaError):
    """Another worker has taken the job over; what this one made must be dropped."""

    code = "lost_lease"
    status = 409
    message = _("The job was taken over by another worker.")
