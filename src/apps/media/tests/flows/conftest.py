"""Stories told with real processes."""

from apps.media.tests.flows.fixtures import (
    large_photo,
    person,
    pytest_runtest_makereport,
    shared_site,
    site,
)

__all__ = ["large_photo", "person", "pytest_runtest_makereport", "shared_site", "site"]
