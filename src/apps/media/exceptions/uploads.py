"""What is wrong with a request that brings bytes, or with the upload it is for."""

from __future__ import annotations

from apps.core.words import gettext_noop as _
from apps.media.exceptions.base import MediaError


class LengthRequiredError(MediaError):
    """RFC 9110 §15.5.12."""

    code = "length_required"
    status = 411
    message = _("Say how long the request is: a Content-Length is needed.")


class UploadInterruptedError(MediaError):
    """The body ended before it was complete; nothing was kept."""

    code = "upload_interrupted"
    status = 400
    message = _("The upload ended before the whole file had arrived.")


class UploadGoneError(MediaError):
    """The time of an upload is over."""

    code = "upload_gone"
    status = 410
    message = _("This upload has expired. Please start again.")


class UploadLockedError(MediaError):
    """Another request is writing and has not let go in time."""

    code = "upload_locked"
    status = 423
    message = _("Another request is still writing to this upload.")
    retry_after = 2


class UploadTakenError(MediaError):
    """Another request wants to write, or this one has been silent too long; what came is kept."""

    code = "upload_taken_over"
    status = 409
    message = _("Another request has taken this upload over.")


class ServiceStoppingError(MediaError):
    """This process is about to end; what came is kept."""

    code = "service_stopping"
    status = 503
    message = _("The service is restarting. Please go on in a moment.")
    retry_after = 2


class WrongOffsetError(MediaError):
    """The bytes do not begin where those that are here end."""

    code = "wrong_offset"
    status = 409
    message = _("These bytes do not begin where the upload stands.")


class ChunkDamagedError(MediaError):
    """The bytes of one request are not those whose checksum came along; they are dropped.

    The status is that of the tus checksum extension.
    """

    code = "chunk_damaged"
    status = 460
    message = _("The bytes were damaged on their way. Please send them again.")


class DirectUnavailableError(MediaError):
    """The storage cannot take bytes from clients; they come through us."""

    code = "direct_upload_unavailable"
    status = 409
    message = _("This storage takes no direct uploads. Use the resumable upload instead.")


class PartsMissingError(MediaError):
    """The upload is not complete: a part is missing, or is not the one that was sent."""

    code = "parts_missing"
    status = 409
    message = _("Not all parts of the file have arrived.")


class WrongProtocolError(MediaError):
    """The client speaks another version of the upload protocol."""

    code = "wrong_protocol_version"
    status = 412
    message = _("This server speaks tus 1.0.0.")


class WrongMediaTypeError(MediaError):
    """The request body is not of the type that the protocol asks for."""

    code = "wrong_content_type"
    status = 415
    message = _("Send bytes as application/offset+octet-stream.")
