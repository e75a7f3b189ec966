"""What some tests need of the surroundings they run in."""

from __future__ import annotations

import pytest
from django.conf import settings

on_disk = pytest.mark.skipif(
    not settings.ENV.media_storage_url.startswith("file://"),
    reason="MEDIA_STORAGE_URL is no disk, whose files a proxy could send",
)
