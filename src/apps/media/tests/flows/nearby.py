"""Loaded by the workers of a site under test alone: imports may come from this machine.

There is no setting for it, so that none can be left on by accident.
"""

from __future__ import annotations

from functools import partial

from apps.core.outbound import Reach
from apps.core.tests.outbound.sources import HERE
from apps.media import services

UNPRIVILEGED = frozenset(range(1024, 65536))

services.run_import = partial(
    services.run_import, reach=Reach(ports=UNPRIVILEGED, networks=(HERE,))
)
