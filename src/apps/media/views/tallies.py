"""What became of the files that somebody has selected, told when all of them have had their turn.

Of very many files a browser sends some at a time: each piece says which `act` it is of, and every
one but the last that there is `more`. What the earlier ones came to waits in the session; of two
acts at once it knows the later one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from django.http import HttpRequest

from apps.media import services

_KEY = "act"


@dataclass
class Tally:
    """How many files were done and why the others were not; what later pieces have to know."""

    act: str = ""
    done: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    moment: int | None = None  # when they came into the trash, in microseconds since 1970
    collection: str = ""  # what they were put into

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """That of the earlier pieces of the same act, else a new one."""
        act = request.POST.get("act", "")
        kept: dict[str, Any] = request.session.get(_KEY) or {}
        if not act or kept.get("act") != act:
            return cls(act=act)
        return cls(**{**kept, "refused": Counter(kept["refused"])})

    @property
    def is_begun(self) -> bool:
        return bool(self.done or self.refused)

    def add(self, outcomes: Iterable[services.Outcome]) -> Self:
        for outcome in outcomes:
            if outcome.code:
                self.refused[str(outcome.detail) or outcome.code] += 1
            else:
                self.done += 1
        return self

    def keep(self, request: HttpRequest) -> None:
        request.session[_KEY] = {**vars(self), "refused": dict(self.refused)}

    def forget(self, request: HttpRequest) -> None:
        request.session.pop(_KEY, None)
