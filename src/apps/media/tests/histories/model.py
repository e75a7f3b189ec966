"""What must be there and who may see it, said once more without a database.

Time is in hours since the beginning. The model knows no keys, jobs or rows: files with their
versions, what uses them, and what was said of who may see them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

EVERYBODY = "everybody"
NOBODY = ""  # the visitor who has not signed in

# No step of time ends at one of these.
UNCLAIMED, GRACE, TRASH, AGED = 24.5, 2.5, 100.5, 50.5
VERSIONS_KEPT = 2


@dataclass
class Version:
    number: int
    content: bytes
    kind: str  # "image" or "document"
    good: bool
    processed: bool = False
    failed: bool = False
    replaced: tuple[float, int] | None = None  # when, and as which of all replacements


@dataclass
class File:
    owner: str
    visibility: str
    kept: bool
    versions: dict[int, Version]
    due: float | None = None
    current: int = 1
    latest: int = 1
    published: int | None = None
    trashed: float | None = None
    grants: dict[str, str] = field(default_factory=dict)
    links: int = 0

    @property
    def now(self) -> Version:
        return self.versions[self.current]

    @property
    def usable(self) -> bool:
        return self.published is not None

    @property
    def failed(self) -> bool:
        return self.now.failed

    @property
    def alive(self) -> bool:
        return self.trashed is None


@dataclass
class Folder:
    owner: str
    visibility: str
    items: dict[int, str] = field(default_factory=dict)  # file → who put it there


@dataclass
class Host:
    """An object of another app: a member with an avatar, or a note with attachments."""

    kind: str
    audience: str  # of a note: who may see it
    files: list[int] = field(default_factory=list)

    @property
    def kinds(self) -> set[str]:
        return {"image"} if self.kind == "member" else {"image", "document"}


class Model:
    """Files, folders and hosts by numbers that are never used twice."""

    def __init__(self) -> None:
        self.clock = 0.0
        self.files: dict[int, File] = {}
        self.folders: dict[int, Folder] = {}
        self.hosts: dict[int, Host] = {}
        self._replacements = 0

    # -- who may ---------------------------------------------------------------------------

    def may_edit(self, who: str, key: int) -> bool:
        file = self.files[key]
        return who == file.owner or (file.alive and file.grants.get(who) == "edit")

    def may_view(self, who: str, key: int) -> bool:
        file = self.files[key]
        if who == file.owner or self.may_edit(who, key):
            return True
        if not (file.alive and file.usable):
            return False
        opened = who in file.grants or self._shown_by_folder(who, key)
        return file.visibility != "private" or opened or self._shown_by_note(who, key)

    def visible_to(self, who: str) -> set[int]:
        return {key for key in self.files if self.may_view(who, key)}

    def may_attach(self, who: str, key: int, host: Host) -> bool:
        file = self.files[key]
        fits = file.now.kind in host.kinds and file.alive and not file.failed
        return fits and self.may_edit(who, key)

    def _shown_by_folder(self, who: str, key: int) -> bool:
        owner = self.files[key].owner
        return any(
            folder.items.get(key) == owner
            and (folder.visibility != "private" or who == folder.owner)
            for folder in self.folders.values()
        )

    def _shown_by_note(self, who: str, key: int) -> bool:
        return any(
            key in host.files and host.kind == "note" and host.audience in (who, EVERYBODY)
            for host in self.hosts.values()
        )

    # -- what uses what --------------------------------------------------------------------

    def is_used(self, key: int) -> bool:
        by_host = any(key in host.files for host in self.hosts.values())
        owner = self.files[key].owner
        return by_host or any(folder.items.get(key) == owner for folder in self.folders.values())

    def use(self, key: int, host: Host) -> None:
        host.files.append(key)
        self.files[key].due = None

    def release(self, keys: list[int]) -> None:
        """Something noticed that these may have lost their last use."""
        for key in keys:
            file = self.files[key]
            if not file.kept and file.due is None and file.alive and not self.is_used(key):
                file.due = self.clock + GRACE

    def remove(self, key: int) -> None:
        """The file is gone, and so is every mention of it."""
        del self.files[key]
        for host in self.hosts.values():
            host.files = [each for each in host.files if each != key]
        for folder in self.folders.values():
            folder.items.pop(key, None)

    # -- versions --------------------------------------------------------------------------

    def replace(self, key: int, content: bytes, kind: str, *, good: bool) -> None:
        file = self.files[key]
        self._retire(file)
        file.latest += 1
        file.current = file.latest
        file.versions[file.current] = Version(file.current, content, kind, good)

    def restore_version(self, key: int, number: int) -> None:
        file = self.files[key]
        if number == file.current:
            return
        self._retire(file)
        file.current = number
        file.now.replaced, file.now.failed = None, False
        if file.now.processed and file.now.good:
            file.published = number
        else:
            file.now.processed = False

    def work(self) -> None:
        """Every job there was is done."""
        for file in self.files.values():
            for version in file.versions.values():
                if version.processed:
                    continue
                version.processed, version.failed = True, not version.good
                if version.number == file.current:
                    self._publish(file, version)

    def _publish(self, file: File, version: Version) -> None:
        if version.good:
            file.published = version.number
        elif file.published == version.number:
            file.published = None

    def _retire(self, file: File) -> None:
        self._replacements += 1
        file.now.replaced = (self.clock, self._replacements)

    # -- what goes by itself ---------------------------------------------------------------

    def sweep(self) -> None:
        self.release(list(self.files))
        for key, file in list(self.files.items()):
            if file.due is not None and file.due <= self.clock and file.alive:
                if self.is_used(key):
                    file.due = None
                else:
                    self.remove(key)
        for key, file in list(self.files.items()):
            if file.trashed is not None and file.trashed + TRASH <= self.clock:
                self.remove(key)
        for file in self.files.values():
            self._drop_old(file)

    def _drop_old(self, file: File) -> None:
        in_use = {file.current, file.published}
        old = [each for each in file.versions.values() if each.number not in in_use]
        old.sort(key=lambda version: version.replaced or (0.0, 0), reverse=True)
        for place, version in enumerate(old):
            assert version.replaced is not None
            if place >= VERSIONS_KEPT or version.replaced[0] + AGED <= self.clock:
                del file.versions[version.number]

    def erase(self, who: str) -> None:
        for key in [key for key, file in self.files.items() if file.owner == who]:
            self.remove(key)
        self.folders = {key: each for key, each in self.folders.items() if each.owner != who}
        for file in self.files.values():
            file.grants.pop(who, None)
