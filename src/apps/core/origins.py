"""What a piece of work belongs to: the request that caused it, the file it is about.

Log lines name what is known here. Work that is done later, elsewhere, carries its `origin` along:
as text, in its row or message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from uuid import uuid4

from apps.core import tracing

ORIGIN_LENGTH = 128  # characters at most
_GIVEN = re.compile(r"[A-Za-z0-9_-]{8,64}")
_known: ContextVar[Mapping[str, str]] = ContextVar("known")


def known() -> Mapping[str, str]:
    """What this thread's work belongs to, by name."""
    return _known.get({})


@contextmanager
def knowing(**values: str) -> Iterator[None]:
    """Inside, `known` has these `values` as well."""
    token = _known.set({**known(), **values})
    try:
        yield
    finally:
        _known.reset(token)


def learn(**values: str) -> None:
    """Add to what is known, until the surrounding `knowing` ends."""
    _known.set({**known(), **values})


def request_id_of(given: str) -> str:
    """The number that a proxy has given, where it is harmless; else a new one."""
    return given if _GIVEN.fullmatch(given) else uuid4().hex


def origin_now() -> str:
    """The request and the trace that are at work, for `resumed`; empty where there are none."""
    parts = (known().get("request_id", ""), tracing.current_parent())
    return " ".join(parts) if any(parts) else ""


@contextmanager
def resumed(origin: str, name: str, **values: str) -> Iterator[None]:
    """Inside, work goes on that `origin` has caused: a span `name` of its trace, with `values`."""
    request_id, _, parent = origin.partition(" ")
    facts = {"request_id": request_id, **values} if request_id else values
    with ExitStack() as stack:
        stack.enter_context(knowing(**facts))
        stack.enter_context(tracing.span(name, parent=parent, **values))
        yield
