"""One writer per upload, whatever processes and machines the requests come to.

The holder's name stands in the row until `lock_until`, by the database's clock. One thread per
process renews all that the process holds, and passes on that somebody else wants in: a holder that
gets no more bytes lets go at once, one that still does after a while. A holder that could not renew
in time writes no more, so that whoever takes over is alone.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import Error, connection
from django.db.models import Q
from django.db.models.functions import Now

from apps.media.exceptions import (
    MediaError,
    NotVisibleError,
    ServiceStoppingError,
    UploadLockedError,
    UploadTakenError,
)
from apps.media.models import Upload

LEASE = 15.0  # seconds
RENEWAL = 3.0
LOOK = 0.5  # how often the thread looks who wants in
PATIENCE = 10.0  # of a newcomer
STALLED = 1.0  # without bytes for so long, a holder lets go of what another wants
FAIR_SHARE = 4.0  # how long a busy holder may go on nevertheless
SILENCE = 120.0  # without bytes for so long, a holder lets go anyway
_FIRST_LOOK, _LONGEST_LOOK = 0.02, 0.25


class Hold:
    """An upload that this request, and no other, writes to. Make one with `hold_upload`."""

    def __init__(self, upload_id: uuid.UUID, interrupt: Callable[[], None]) -> None:
        self.upload_id = upload_id
        self.token = uuid.uuid4()
        self._interrupt = interrupt
        self._end: MediaError | None = None
        self._wanted_since: float | None = None
        self._is_over = self._is_lost = self._is_stopping = False
        self.renewed(time.monotonic())
        self.progressed()

    def renewed(self, asked: float) -> None:
        """`asked` is from before the database was, so that we end before the lease does."""
        self._renewed = asked

    def progressed(self) -> None:
        """Bytes have come."""
        self._heard = time.monotonic()

    def check(self) -> None:
        """Raise why this request has to end, if so. What it has written may be kept."""
        if self._end is not None:
            raise self._end

    def check_stopping(self) -> None:
        """Raise `ServiceStoppingError` when this process is about to end: for work that goes on
        whoever else wants in."""
        if self._is_stopping:
            raise ServiceStoppingError

    def check_ours(self) -> None:
        """Raise `UploadTakenError` when somebody else may be writing: ask before writing."""
        if self._is_lost or time.monotonic() - self._renewed > LEASE:
            raise UploadTakenError(self.upload_id, "the lease ran out")

    def lose(self) -> None:
        """Somebody else holds the upload."""
        self._is_lost = True
        self.let_go(UploadTakenError(self.upload_id, "somebody else holds it"))

    def let_go(self, reason: MediaError) -> None:
        """Have the holder stop: it may be waiting for bytes that never come."""
        if self._is_over:
            return
        self._end = self._end or reason
        self._interrupt()

    def stop(self) -> None:
        """This process is about to end."""
        self._is_stopping = True
        self.let_go(ServiceStoppingError())

    def save(self, **values: Any) -> None:
        """Change the row while it is still ours; raises `UploadTakenError`."""
        if not self._row().update(**values):
            raise UploadTakenError(self.upload_id, "somebody else holds it, or it is gone")

    def release(self) -> None:
        self._is_over = True
        self._row().update(lock=None, lock_until=None, lock_wanted=False)

    def heed(self, *, wanted: bool) -> None:
        """See whether it is time to let go."""
        now = time.monotonic()
        silent = now - self._heard
        if silent > SILENCE:
            self.let_go(UploadTakenError(self.upload_id, "silent"))
        if not wanted:
            self._wanted_since = None
            return
        self._wanted_since = self._wanted_since or now
        if silent > STALLED or now - self._wanted_since > FAIR_SHARE:
            self.let_go(UploadTakenError(self.upload_id, "wanted by another request"))

    def _row(self) -> Any:
        return Upload.objects.filter(pk=self.upload_id, lock=self.token)


@contextmanager
def hold_upload(
    upload: Upload, *, interrupt: Callable[[], None] = lambda: None, patience: float = PATIENCE
) -> Iterator[Hold]:
    """Be the one who writes to `upload`, whose row is read anew, for the length of the block.

    `interrupt` ends a wait for bytes, from another thread. Raises `UploadLockedError` when the
    present holder has not let go after `patience` seconds, `NotVisibleError` when it is gone.
    """
    hold = Hold(upload.pk, interrupt)
    _wait_for(lambda: _take(hold), upload, patience)
    try:
        with _KEEPER.keeping(hold):
            read_anew(upload)
            yield hold
    finally:
        hold.release()


def wait_until_free(upload: Upload, *, patience: float = PATIENCE) -> None:
    """Have whoever writes to `upload` let go, and read the row again. Raises as `hold_upload`."""
    _wait_for(
        lambda: _locked(upload).filter(lock=None).exists() or _lapsed(upload), upload, patience
    )
    read_anew(upload)


def read_anew(upload: Upload) -> None:
    """The row as it is now. Raises `NotVisibleError` when it is gone, alone or with its file."""
    try:
        upload.refresh_from_db()
    except Upload.DoesNotExist:
        raise NotVisibleError(upload.pk) from None


def stop_holding() -> None:
    """This process is about to end: every holder saves what it has and answers."""
    _KEEPER.stop_all()


def _locked(upload: Upload) -> Any:
    return Upload.objects.filter(pk=upload.pk)


def _lapsed(upload: Upload) -> bool:
    return bool(_locked(upload).filter(lock_until__lt=Now()).exists())


def _take(hold: Hold) -> bool:
    hold.renewed(time.monotonic())
    free = Upload.objects.filter(Q(lock=None) | Q(lock_until__lt=Now()), pk=hold.upload_id)
    return bool(free.update(lock=hold.token, lock_until=_lease_end(), lock_wanted=False))


def _lease_end() -> Any:
    return Now() + timedelta(seconds=LEASE)


def _wait_for(done: Callable[[], bool], upload: Upload, patience: float) -> None:
    """Ask the holder to let go, and look again and again."""
    deadline, pause = time.monotonic() + patience, _FIRST_LOOK
    while not done():
        if not _locked(upload).exclude(lock=None).update(lock_wanted=True):
            if not _locked(upload).exists():
                raise NotVisibleError(upload.pk)
            continue  # let go of in this moment
        if time.monotonic() > deadline:
            raise UploadLockedError(upload.pk)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_LOOK)


class _Keeper:
    """Looks after everything this process holds, on one thread that lives as long as needed."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._holds: dict[uuid.UUID, Hold] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def keeping(self, hold: Hold) -> Iterator[None]:
        with self._changing:
            self._holds[hold.token] = hold
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True, name="uploads")
                self._thread.start()
        try:
            yield
        finally:
            with self._changing:
                self._holds.pop(hold.token, None)

    def stop_all(self) -> None:
        for hold in list(self._holds.values()):
            hold.stop()

    def _watch(self) -> None:
        renewed = time.monotonic()
        while True:
            time.sleep(LOOK)
            with self._changing:
                if not self._holds:
                    self._thread = None
                    break
                holds = dict(self._holds)
            try:
                if time.monotonic() - renewed > RENEWAL:
                    renewed = time.monotonic()
                    self._renew(holds)
                self._look(holds)
            except Error:  # the database may be back before the leases have run out
                connection.close()
        connection.close()

    @staticmethod
    def _renew(holds: dict[uuid.UUID, Hold]) -> None:
        asked = time.monotonic()
        Upload.objects.filter(lock__in=holds).update(lock_until=_lease_end())
        still_ours = set(Upload.objects.filter(lock__in=holds).values_list("lock", flat=True))
        for token, hold in holds.items():
            if token in still_ours:
                hold.renewed(asked)
            else:
                hold.lose()

    @staticmethod
    def _look(holds: dict[uuid.UUID, Hold]) -> None:
        wanted = set(
            Upload.objects.filter(lock__in=holds, lock_wanted=True).values_list("lock", flat=True)
        )
        for token, hold in holds.items():
            hold.heed(wanted=token in wanted)


_KEEPER = _Keeper()
