"""Everything that a user has put in, as one archive: their bytes as they came, and the facts.

The archive is a tar, written piece by piece beside its place and put there when it is whole. Memory
stays the same for any number of files: facts go to a file of their own meanwhile.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile, mkstemp
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from apps.core.errors import ObjectMissingError
from apps.core.filenames import clean_display_name
from apps.core.storage.local import move_without_overwriting
from apps.media.models import Caption, MediaFile, MediaVersion
from apps.media.selectors import exporting as facts
from apps.media.storage import store_of

FACTS = "metadata.json"
LONGEST_NAME = 150  # characters, so that it is one on every file system
Tell = Callable[[int], None]


@dataclass
class Exported:
    """What an archive has in it; `missing` is what rows name and no storage has."""

    files: int = 0
    objects: int = 0
    bytes: int = 0
    missing: int = 0


def export_user(*, user: Any, path: Path, on_progress: Tell = lambda count: None) -> Exported:
    """Write everything of `user` to the new file `path`; whoever calls may read all of it.

    Original bytes of every version, subtitles, and `metadata.json`. `path` appears when the archive
    is whole; a run that fails leaves nothing. FileExistsError if it is there already. A storage
    that is away raises `StorageUnavailableError`.
    """
    done = Exported()
    with (
        _appearing(path) as target,
        TemporaryFile("w+b") as told,
        tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        writing = _Writing(archive, done)
        _tell(told, user, _files(writing, user, on_progress))
        size = told.seek(0, os.SEEK_END)
        told.seek(0)
        archive.addfile(_member(FACTS, size, timezone.now()), told)
    return done


@contextmanager
def _appearing(path: Path) -> Iterator[IO[bytes]]:
    """A new file that only its owner reads; at `path` once it is whole and durable."""
    if path.exists():
        raise FileExistsError(path)
    # A name that nobody else can have prepared, or writes to at the same time; mode 0600.
    descriptor, partial = mkstemp(".partial", f"{path.name}.", path.parent)
    try:
        with open(descriptor, "wb") as target:  # noqa: PTH123  it is open already
            yield target
            target.flush()
            os.fsync(target.fileno())
        move_without_overwriting(Path(partial), path)
    finally:
        Path(partial).unlink(missing_ok=True)


def _tell(told: IO[bytes], user: Any, files: Iterable[dict[str, Any]]) -> None:
    """One JSON object, written as its parts come."""
    head = {
        "user": {
            "username": user.get_username(),
            "email": getattr(user, "email", ""),
            "joined": getattr(user, "date_joined", None),
        },
        "exported_at": timezone.now(),
    }
    told.write(_json(head)[:-1].encode())
    for name, values in (("files", files), ("collections", facts.iterate_collections(user=user))):
        told.write(f', "{name}": ['.encode())
        for number, value in enumerate(values):
            told.write(f"{',' if number else ''}\n{_json(value)}".encode())
        told.write(b"]")
    told.write(b"}\n")


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _files(writing: _Writing, user: Any, on_progress: Tell) -> Iterator[dict[str, Any]]:
    for media in facts.iterate_files(user=user):
        writing.done.files += 1
        yield {
            **facts.describe_file(media),
            "versions": [writing.add_version(media, one) for one in media.versions.all()],
            "captions": [writing.add_caption(media, one) for one in media.captions.all()],
        }
        on_progress(1)


class _Writing:
    """Puts objects into the archive and says under which name."""

    def __init__(self, archive: tarfile.TarFile, done: Exported) -> None:
        self._archive = archive
        self.done = done

    def add_version(self, media: MediaFile, version: MediaVersion) -> dict[str, Any]:
        name = f"files/{media.pk}/{version.number}-{_clean(version.original_name)}"
        found = self._add(version.storage, version.key, name, version.created_at)
        return {**facts.describe_version(version), "file": found}

    def add_caption(self, media: MediaFile, caption: Caption) -> dict[str, Any]:
        name = f"files/{media.pk}/{caption.kind}-{_clean(caption.language)}-{caption.pk}.vtt"
        found = self._add(caption.storage, caption.key, name, caption.created_at)
        return {**facts.describe_caption(caption), "file": found}

    def _add(self, alias: str, key: str, name: str, created: datetime) -> str | None:
        store = store_of(alias)
        try:
            # Of what is there, not of what the row says: the archive must fit its own lengths.
            size = store.size_of(key)
            source = store.open_object(key)
        except ObjectMissingError:
            self.done.missing += 1
            return None
        with source:
            self._archive.addfile(_member(name, size, created), source)
        # The library remembers all members, and offers no other way to forget them.
        self._archive.members = []  # type: ignore[attr-defined]
        self.done.objects += 1
        self.done.bytes += size
        return name


def _member(name: str, size: int, created: datetime) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(created.timestamp())
    return member


def _clean(name: str) -> str:
    """No path, and no longer than its ending allows."""
    cleaned = clean_display_name(name).replace("/", "_").replace("\\", "_").strip(". ") or "file"
    return cleaned[-LONGEST_NAME:]
