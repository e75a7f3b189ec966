"""The whole site in a real browser, with the browser that the tests of media use."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.events.tests.conftest import event, ready
from apps.media.tests.browser.conftest import (
    at,
    browser_context_args,
    browser_type_launch_args,
    complaints,
    needs,
    sign_in,
    site,
    sync_database_calls,
)

__all__ = [
    "at",
    "browser_context_args",
    "browser_type_launch_args",
    "complaints",
    "event",
    "needs",
    "ready",
    "sign_in",
    "site",
    "sync_database_calls",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
