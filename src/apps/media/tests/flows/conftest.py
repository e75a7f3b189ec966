"""Stories told with real processes."""

from apps.media.tests.flows.fixtures import (
    large_photo,
    person,
    pytest_runtest_makereport,
    shared_site,
    site,
)
from apps.media.tests.flows.typist import env, wheel
from apps.media.tests.views.conftest import add_rendition, add_track, film

__all__ = [
    "add_rendition",
    "add_track",
    "env",
    "film",
    "large_photo",
    "person",
    "pytest_runtest_makereport",
    "shared_site",
    "site",
    "wheel",
]
