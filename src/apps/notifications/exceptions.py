"""Every failure of this app on one page."""

from __future__ import annotations

from apps.core.errors import AppError
from apps.core.words import gettext_noop as _


class NotThereError(AppError):
    """Missing, or somebody else's: the same answer."""

    code = "not_found"
    status = 404
    message = _("Not found.")
