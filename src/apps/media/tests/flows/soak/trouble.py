"""What breaks: the line, processes, the broker's memory, connections to the database."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable

import psutil

from apps.media.tests.flows.badline import BadLine, Fault
from apps.media.tests.flows.servers import PROGRAMS, TRANSFER, Site
from apps.media.tests.flows.soak.clients import LARGEST


class Trouble:
    """One fault after the other, as the seed has it."""

    def __init__(self, site: Site, line: BadLine, seed: int) -> None:
        self._site = site
        self._line = line
        self._random = random.Random(seed)
        self._frozen: list[psutil.Process] = []
        self.seen: Counter[str] = Counter()

    def strike(self) -> None:
        """What was frozen by the strike before thaws: by then others have taken its work."""
        self._thaw()
        happen = self._random.choice([*[self._bad_line] * 8, *self._ways_to_break()])
        happen()

    def heal(self) -> None:
        self._thaw()
        self._line.heal()
        self._site.ensure_running(*PROGRAMS)

    def _ways_to_break(self) -> list[Callable[[], None]]:
        ways = [self._hang_up, self._kill_child, self._kill_web, self._stop_web, self._kill_worker]
        ways += [self._kill_transfer, self._freeze_worker, self._kill_broker, self._forget]
        return [*ways, self._drop_connections] if _is_postgres() else ways

    def _bad_line(self) -> None:
        fault = self._random.choice(
            [
                Fault("cut", "^(PATCH|POST)", at=self._random.randint(1, LARGEST)),
                Fault("reset", "^(PATCH|POST)", at=self._random.randint(1, LARGEST)),
                Fault("lost_reply", self._random.choice(["^PATCH", "^POST", "^DELETE", ""])),
                Fault("cut_reply", "", at=self._random.randint(1, 200)),
                Fault("delay", seconds=self._random.random()),
                Fault("throttle", rate=self._random.randint(100_000, 1_000_000)),
                Fault("black_hole", "^(PATCH|HEAD)", times=4),
                Fault("status", status=502, times=20),
            ]
        )
        self._line.suffer(fault)
        self._tell(fault.kind)

    def _kill_child(self) -> None:
        self._random.choice(self._site.children("web")).kill()
        self._tell("kill -9 a web process")

    def _kill_web(self) -> None:
        self._site.kill_family("web")
        self._site.ensure_running("web")
        self._tell("kill -9 the web")

    def _stop_web(self) -> None:
        self._site.terminate("web")
        self._site.ensure_running("web")
        self._tell("restart the web")

    def _kill_worker(self) -> None:
        self._site.kill_family("worker")
        self._site.ensure_running("worker")
        self._tell("kill -9 the worker")

    def _kill_transfer(self) -> None:
        self._site.kill_family(TRANSFER)
        self._site.ensure_running(TRANSFER)
        self._tell("kill -9 the worker of imports")

    def _freeze_worker(self) -> None:
        self._frozen = self._site.suspend_family("worker")
        self._tell("freeze the worker")

    def _thaw(self) -> None:
        for process in self._frozen:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()
        self._frozen = []

    def _kill_broker(self) -> None:
        self._site.kill("broker")
        self._site.ensure_running(*PROGRAMS)
        self._tell("kill -9 the broker")

    def _forget(self) -> None:
        with self._site.broker() as broker:
            broker.flushall()
        self._tell("the broker forgets everything")

    def _drop_connections(self) -> None:
        self._site.observer.ask("drop_connections")
        self._tell("every connection to the database breaks")

    def _hang_up(self) -> None:
        self._line.hang_up()
        self._tell("every line breaks")

    def _tell(self, what: str) -> None:
        self.seen[what] += 1
        sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {what}\n")
        sys.stdout.flush()


def _is_postgres() -> bool:
    return os.environ.get("DATABASE_URL", "").startswith("postgres")
