"""These bytes are not taken, or are given to nobody."""

from __future__ import annotations

from apps.core.words import gettext_noop as _
from apps.media.exceptions.base import ForbiddenError, RejectedError


class EmptyFileError(RejectedError):
    code = "empty_file"
    message = _("The file is empty.")


class UnsupportedTypeError(RejectedError):
    code = "unsupported_type"
    status = 415
    message = _("Files of this type are not accepted.")


class TypeMismatchError(RejectedError):
    code = "type_mismatch"
    message = _("The content of the file is not what its name says.")


class TooManyPixelsError(RejectedError):
    code = "too_many_pixels"
    message = _("The image has more pixels than are accepted.")


class TooManyPagesError(RejectedError):
    code = "too_many_pages"
    message = _("The document has more pages than are accepted.")


class TooLongError(RejectedError):
    code = "too_long"
    message = _("The recording is longer than is accepted.")


class UnsafeContentError(RejectedError):
    code = "unsafe_content"
    message = _("The file contains active content, which is not accepted.")


class MalwareFoundError(RejectedError):
    code = "malware_found"
    message = _("The file contains malware.")


class HeldForReviewError(RejectedError):
    code = "held_for_review"
    message = _("Whoever looks after this site has taken the file out of use.")


class CorruptFileError(RejectedError):
    code = "corrupt_file"
    message = _("The file is damaged and cannot be read.")


class UnreadableCaptionError(RejectedError):
    code = "unreadable_caption"
    message = _("These captions cannot be read. WebVTT and SubRip (.vtt, .srt) are understood.")


class PasswordProtectedError(RejectedError):
    code = "password_protected"
    message = _("The document needs a password. Please upload a copy without one.")


class FileTooLargeError(RejectedError):
    code = "file_too_large"
    status = 413
    message = _("The file is larger than is accepted for its type.")


class QuotaExceededError(RejectedError):
    code = "quota_exceeded"
    status = 413
    message = _("There is not enough room left in your storage quota.")


class SizeMismatchError(RejectedError):
    code = "size_mismatch"
    message = _("The file that arrived does not have the size that was announced.")


class ChecksumMismatchError(RejectedError):
    code = "checksum_mismatch"
    message = _("The file did not arrive as it was sent. Please upload it again.")


class DuplicateFileError(RejectedError):
    """The sender wants no second copy; `errors` names the file that is there."""

    code = "duplicate_file"
    status = 409
    message = _("You have uploaded this file before.")

    def __init__(self, media_id: object) -> None:
        super().__init__(media_id)
        self.errors = {"duplicate_of": [str(media_id)]}


class QuarantinedError(ForbiddenError):
    """The user may know of the file but nobody gets its bytes."""

    code = "quarantined"
    message = _("This file is in quarantine: nobody gets it.")


class NotEditableError(RejectedError):
    """Nothing here turns or cuts files of this type."""

    code = "not_editable"
    message = _("Only JPEG, PNG, WebP, AVIF, HEIC and TIFF pictures can be turned and cut.")


class AnimatedPictureError(NotEditableError):
    code = "animated_picture"
    message = _("A picture that moves cannot be turned or cut.")
