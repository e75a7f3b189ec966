"""Whatever people do with files in whatever order, what must be there is, and nothing else.

`HISTORIES=10000` makes that many steps instead of a few; `HISTORIES_SEED` repeats a run.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from apps.core.storage import ObjectStore
from apps.media.tests.histories.machine import Histories
from apps.media.tests.histories.model import AGED, GRACE, TRASH, UNCLAIMED, VERSIONS_KEPT

STEPS = 50  # of one history
WANTED = int(os.environ.get("HISTORIES", "100"))
SEED = int(os.environ.get("HISTORIES_SEED", "1"))
HOUR = 3600


@pytest.fixture
def machine(
    settings: Any, own_storage: ObjectStore, run_jobs: Callable[[], int]
) -> type[Histories]:
    settings.MEDIA_APP = {
        **settings.MEDIA_APP,
        "TRASH_LIFETIME": int(TRASH * HOUR),
        "UNUSED_GRACE": int(GRACE * HOUR),
        "UNCLAIMED_LIFETIME": int(UNCLAIMED * HOUR),
        "VERSION_LIFETIME": int(AGED * HOUR),
        "VERSIONS_KEPT": VERSIONS_KEPT,
    }

    shared = {"store": own_storage, "run_jobs": staticmethod(run_jobs)}
    return type("Here", (Histories,), shared)


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(300 if WANTED < 1000 else 3 * HOUR)
def test_every_history_ends_well(machine: type[Histories]) -> None:
    generated = settings(
        max_examples=min(WANTED, 1000) // STEPS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # making a failing history shorter takes minutes
        suppress_health_check=list(HealthCheck),
    )
    started, at = time.monotonic(), SEED
    while machine.counted < WANTED:
        run_state_machine_as_test(seed(at)(machine), settings=generated)
        seconds = time.monotonic() - started
        sys.stdout.write(f"\n{machine.counted} steps, seeds {SEED} to {at}, {seconds:.0f} s\n")
        sys.stdout.flush()
        at += 1
