"""The one setting of the app: typed, and wrong options stop the start."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.core.filetypes import FILE_TYPES
from apps.media.conf import options
from apps.media.models.media_file import MediaType


@pytest.mark.parametrize(
    "given",
    [
        {"MAX_PIXEL": 1},
        {"max_pixels": 1},
        {"MAX_PIXELS": "many"},
        {"MAX_PIXELS": 0},
        {"ACCEPTED_TYPES": ["image/jpeg", "text/html"]},
        {"CLAMD_URL": "bogus"},
        {"CLAMD_URL": "tcp://scanner"},
        {"CLAMD_URL": "tcp://scanner:clamd"},
        {"CLAMD_URL": "unix://run/clamd.sock"},
    ],
)
def test_a_wrong_option_is_an_error(settings: Any, given: dict[str, Any]) -> None:
    settings.MEDIA_APP = given
    with pytest.raises(ImproperlyConfigured):
        options()


def test_every_accepted_type_has_a_limit() -> None:  # V5.1.1
    chosen = options()
    assert chosen.accepted_types == set(FILE_TYPES)
    for file_type in FILE_TYPES.values():
        assert chosen.size_limit(file_type.kind) > 0
        assert file_type.kind in MediaType.values


def test_a_partial_size_table_keeps_the_rest(settings: Any) -> None:
    settings.MEDIA_APP = {"MAX_SIZE": {"image": 5}}
    assert options().size_limit("image") == 5
    assert options().size_limit("video") > 5
