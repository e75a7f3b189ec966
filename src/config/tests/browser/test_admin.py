"""The administration in a real browser: no complaint of the browser, WCAG 2.2 AA as far as the
pages are ours, and nothing that is wider than a telephone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from apps.media import services
from apps.media.models import AuditEvent, Job, MediaFile
from apps.media.tests.browser.test_accessibility import AXE, DESK, PHONE, violations

# Name of a page → what its address ends in, of the things in `world`.
PAGES = {
    "admin:index": "",
    "admin:media_overview": "",
    "admin:media_quarantine": "",
    "admin:media_mediafile_changelist": "",
    "admin:media_mediafile_change": "media",
    "admin:media_job_changelist": "",
    "admin:media_job_change": "job",
    "admin:media_quota_changelist": "",
    "admin:media_quota_change": "quota",
    "admin:media_quota_add": "",
    "admin:users_user_changelist": "",
    "admin:users_user_change": "owner",
    "admin:media_auditevent_changelist": "",
    "admin:media_auditevent_change": "act",
}
# What axe-core finds in Django's own pages: the rule, and what all that it finds looks like.
OF_DJANGO = {
    "aria-input-field-name": "select2-",
    "aria-prohibited-attr": "help-tooltip",
    "empty-table-header": r"^fieldset\[|^th:nth-child\(\d+\)$",
    "label": "_at_|last_login|date_joined",
    "label-title-only": "#searchbar",
    "scrollable-region-focusable": "-group",
}


@pytest.fixture
def world(
    owner: Any, staff: Any, ready: Callable[..., MediaFile], live_server: Any
) -> dict[str, Any]:
    """One of each thing that operators look at."""
    media = ready("Boats.jpg", alt_text="Boats in a harbour")
    services.hold_media(user=staff, media=ready("a-name-without-any-blank-" * 6 + ".jpg"))
    job = Job.objects.filter(media=media).latest("pk")
    Job.objects.filter(pk=job.pk).update(state="failed", error_code="timeout")
    quota = services.set_quota(user=staff, owner_id=owner.pk, bytes_limit=10**6, files_limit=None)
    return {
        "media": media.pk,
        "job": job.pk,
        "quota": quota.pk,
        "owner": owner.pk,
        "act": AuditEvent.objects.latest("pk").pk,
    }


@pytest.fixture
def desk(page: Page, staff: Any, sign_in: Callable[[Any], None], complaints: list[str]) -> Page:
    """A page in an operator's browser; complaints fail the test."""
    sign_in(staff)
    return page


def _ours(rule: str) -> bool:
    name, _, found = rule.partition(": ")
    known = OF_DJANGO.get(name)
    return not known or not all(re.search(known, one) for one in found.split(", "))


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_administration(
    name: str, size: Any, desk: Page, at: Callable[[str], str], world: dict[str, Any]
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run bin/setup")
    desk.set_viewport_size(size)
    found = []
    for scheme in ("light", "dark"):
        desk.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        answer = desk.goto(at(reverse(name, args=[world[key] for key in PAGES[name].split()])))
        assert answer is not None
        assert answer.ok, answer.status
        found += [f"{scheme}: {rule}" for rule in violations(desk) if _ours(rule)]
    assert found == []
    assert desk.evaluate("document.documentElement.scrollWidth") <= size["width"]
