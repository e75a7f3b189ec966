"""Streams of server-sent events: an open page learns within a second that its bell has changed.

A stream holds a thread of the web server, so that a process has at most `settings.LIVE_STREAMS`,
and a few for one person; who gets none asks from time to time instead. All streams of a process
have one watcher, which asks the database for all their people at once: nothing else is needed, on
one machine or on many. A stream itself asks only when something has changed, and then first
whether its reader is still signed in. It says how many are unread, and nothing of what.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from collections.abc import Collection, Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.db import connection
from django.http import HttpRequest

from apps.core.connections import lend_connection
from apps.notifications import selectors

logger = logging.getLogger(__name__)

TICK = 1.0  # seconds between two looks
BEAT = 15.0  # seconds after which something is said anyway: proxies end what is silent
LIFE = 600.0  # seconds; then the browser opens another
RETRY = 3000  # milliseconds until it does
EACH = 4  # streams of one person in one process


class Stream:
    """The events for one reader, as the body of an answer. Whoever made it must close it."""

    def __init__(self, request: HttpRequest, streams: Streams) -> None:
        self.user_id = request.user.pk
        self.line: socket.socket | None = request.META.get("gunicorn.socket")
        self.said: int | None = None
        self._request = request
        self._streams = streams
        self._woken = threading.Event()
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        until = time.monotonic() + LIFE
        yield b"retry: %d\n\n" % RETRY
        while time.monotonic() < until and not self._ended and self._is_signed_in():
            event = self._event()
            lend_connection()
            yield event
            self._woken.wait(BEAT)
            self._woken.clear()
        lend_connection()

    def close(self) -> None:
        self._streams.leave(self)

    def wake(self) -> None:
        self._woken.set()

    def end(self) -> None:
        self._ended = True
        self.wake()

    def _event(self) -> bytes:
        count = selectors.count_unread(user=self._request.user)
        if count == self.said:
            return b": still here\n\n"
        self.said = count
        return b"event: unread\ndata: %d\n\n" % count

    def _is_signed_in(self) -> bool:
        """As the database has it now, and by the same session."""
        fresh = HttpRequest()
        session = self._request.session
        fresh.session = type(session)(session.session_key)
        return bool(get_user(fresh).pk == self.user_id)


class Streams:
    """Those of this process, and the one thread that watches for all of them, if there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: set[Stream] = set()
        self._watched = False
        self._stopping = threading.Event()

    def open(self, request: HttpRequest) -> Stream | None:
        """None where there is no room."""
        stream = Stream(request, self)
        with self._lock:
            for gone in _hung_up(self._all):  # pages that somebody has just left
                gone.end()
                self._all.discard(gone)
            own = sum(one.user_id == stream.user_id for one in self._all)
            full = own >= EACH or len(self._all) >= settings.LIVE_STREAMS
            if full or self._stopping.is_set():
                return None
            self._all.add(stream)
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, name="live", daemon=True).start()
        return stream

    def leave(self, stream: Stream) -> None:
        with self._lock:
            self._all.discard(stream)

    def stop(self) -> None:
        """End them all: the server is about to stop. Safe in a signal handler: it takes no lock."""
        self._stopping.set()
        for stream in list(self._all):
            stream.end()

    def _watch(self) -> None:
        try:
            while streams := self._current():
                _look(streams)
                self._stopping.wait(TICK)
        finally:
            connection.close()

    def _current(self) -> list[Stream]:
        """None left: the watcher ends, and the next stream starts another."""
        with self._lock:
            self._watched = bool(self._all) and not self._stopping.is_set()
            return list(self._all) if self._watched else []


def _look(streams: Collection[Stream]) -> None:
    for stream in _hung_up(streams):
        stream.end()
    try:
        counts = selectors.count_unread_of({stream.user_id for stream in streams})
    except Exception:  # the outermost edge of a thread: the database may be back next time
        logger.warning("streams cannot look for news", exc_info=True)
        connection.close()
        return
    for stream in streams:
        if stream.said is not None and stream.said != counts.get(stream.user_id, 0):
            stream.wake()


def _hung_up(streams: Collection[Stream]) -> list[Stream]:
    """Those whose reader has gone, where the server shows us the line."""
    lines = {one.line.fileno(): one for one in streams if one.line is not None}
    poll = select.poll()
    for number in lines:
        if number >= 0:
            poll.register(number, select.POLLIN)
    return [lines[number] for number, _ in poll.poll(0) if _is_at_end(lines[number].line)]


def _is_at_end(line: Any) -> bool:
    try:
        return not line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (BlockingIOError, ValueError):  # of a line with TLS nothing can be seen
        return False
    except OSError:
        return True


STREAMS = Streams()
