"""Files are found by what may be anything; hidden, missing and impossible are the same."""

from __future__ import annotations

from typing import Any

import pytest

from apps.media import selectors
from apps.media.exceptions import NotVisibleError
from apps.media.tests.samples import photo_jpeg

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("find", [selectors.get_visible_media, selectors.get_detailed_media])
@pytest.mark.parametrize("media_id", ["not-a-uuid", "", "0" * 32])
def test_what_is_no_id_is_not_visible(owner: Any, upload: Any, find: Any, media_id: str) -> None:
    upload(photo_jpeg(32, 24))
    with pytest.raises(NotVisibleError):
        find(user=owner, media_id=media_id)
