"""Fixtures of everything that needs a running site; imported by the `conftest` that wants them."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apps.media.tests import samples
from apps.media.tests.flows.clients import Person
from apps.media.tests.flows.servers import PROGRAMS, Site, running_site


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site per test process; tests keep apart by having people of their own."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def site(shared_site: Site) -> Site:
    """The site, with everything running: a test before may have left something dead."""
    shared_site.ensure_running(*PROGRAMS)
    return shared_site


@pytest.fixture
def person(site: Site) -> Person:
    return site.person()


@pytest.fixture(scope="session")
def large_photo() -> bytes:
    """A JPEG of 24 megapixels, made of one small photograph many times over."""
    tile = np.asarray(samples.photo(1500, 1000))
    buffer = io.BytesIO()
    Image.fromarray(np.tile(tile, (4, 4, 1))).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, Any]:
    """A failed test shows what the processes of its site said."""
    report = yield
    site = getattr(item, "funcargs", {}).get("site")
    if report.failed and site is not None:
        report.sections.append(("site", site.logs()))
    return report
