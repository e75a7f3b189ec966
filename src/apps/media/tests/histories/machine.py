"""People do things with files, in any order; after each step the files that must be there are, and
are visible to whom they should be. At the end everybody goes, and nothing may remain."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile
from django.db import DEFAULT_DB_ALIAS
from django.db.models import F
from django.db.models import Model as Row
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from PIL import Image

from apps.core.errors import AppError
from apps.core.storage import ObjectStore
from apps.media import policies, services
from apps.media.models import Collection, Grant, Job, MediaFile, MediaVersion, ShareLink
from apps.media.policies.uses import forget_use_rule
from apps.media.services import AttachmentItem
from apps.media.testing import assert_no_orphans
from apps.media.tests.histories.model import (
    EVERYBODY,
    NOBODY,
    UNCLAIMED,
    File,
    Folder,
    Host,
    Model,
    Version,
)
from apps.media.tests.hosts.models import Member, Note, NoteAttachment

PEOPLE = ("olga", "sam", "nina")
APP = "histories"
# What carries a moment that time passes by.
CLOCKS: tuple[tuple[type[Row], str], ...] = (
    (MediaFile, "expires_at"),
    (MediaFile, "deleted_at"),
    (MediaVersion, "replaced_at"),
)

people = st.sampled_from(PEOPLE)
contents = st.sampled_from(["text", "picture", "broken"])
places = st.integers(0, 30)  # which of those there are, whatever their number


class Histories(RuleBasedStateMachine):
    run_jobs: ClassVar[Callable[[], int]]
    store: ClassVar[ObjectStore]
    counted: ClassVar[int] = 0  # steps of all runs

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.users: dict[str, Any] = {}
        self.media: dict[int, Any] = {}  # primary keys of what the model knows by number
        self.folders: dict[int, Any] = {}
        self.hosts: dict[int, Any] = {}
        self.count = 0

    # -- the beginning and the end ---------------------------------------------------------

    @initialize()
    def arrive(self) -> None:
        for name in PEOPLE:
            self._make_person(name)
        policies.register_use_rule(APP, _shown_by_notes)

    def teardown(self) -> None:
        try:
            if self.users:
                self._leave()
        finally:
            forget_use_rule(APP)
            super().teardown()

    def _leave(self) -> None:
        """Everybody goes; the objects of other apps stay, without files."""
        assert_no_orphans()
        for user in self.users.values():
            services.erase_user(user=user, by=None)
        assert_no_orphans()
        assert not MediaFile.objects.exists()
        assert not Job.objects.exists()
        assert not NoteAttachment.objects.exists()
        assert list(self.store.walk()) == []
        Member.objects.all().delete()
        Note.objects.all().delete()

    # -- files -----------------------------------------------------------------------------

    @rule(
        who=people,
        what=contents,
        visibility=st.sampled_from(["private", "private", "unlisted", "public"]),
        for_use=st.booleans(),
    )
    def upload(self, who: str, what: str, visibility: str, for_use: bool) -> None:
        version, file = self._content(what, number=1)
        media = services.upload_media(
            user=self.users[who], file=file, visibility=visibility, for_use=for_use
        )
        due = self.model.clock + UNCLAIMED if for_use else None
        made = File(who, visibility, not for_use, {1: version}, due)
        self.media[self.count] = media.pk
        self.model.files[self.count] = made

    @rule()
    def work(self) -> None:
        self.run_jobs()
        self.model.work()

    @precondition(lambda self: self.model.files)
    @rule(who=people, place=places, what=contents)
    def replace(self, who: str, place: int, what: str) -> None:
        key = self._file(place)
        allowed = self.model.may_edit(who, key) and self.model.files[key].alive
        version, file = self._content(what, number=0)
        with self._expecting(allowed):
            services.replace_media(user=self.users[who], media=self._media(key), file=file)
            self.model.replace(key, version.content, version.kind, good=version.good)

    @precondition(lambda self: self.model.files)
    @rule(who=people, place=places, number=st.integers(1, 4))
    def restore_version(self, who: str, place: int, number: int) -> None:
        key = self._file(place)
        file = self.model.files[key]
        allowed = self.model.may_edit(who, key) and file.alive and number in file.versions
        with self._expecting(allowed):
            services.restore_version(user=self.users[who], media=self._media(key), number=number)
            self.model.restore_version(key, number)

    @precondition(lambda self: self.model.files)
    @rule(who=people, place=places)
    def trash(self, who: str, place: int) -> None:
        key = self._file(place)
        file = self.model.files[key]
        with self._expecting(file.owner == who):
            services.delete_media(user=self.users[who], media=self._media(key))
            file.trashed = self.model.clock if file.alive else file.trashed

    @precondition(lambda self: self.model.files)
    @rule(who=people, place=places)
    def restore(self, who: str, place: int) -> None:
        key = self._file(place, lambda file: not file.alive)
        file = self.model.files[key]
        with self._expecting(file.owner == who and not file.alive):
            services.restore_media(user=self.users[who], media=self._media(key))
            file.trashed, file.due, file.kept = None, None, True

    @precondition(lambda self: self.model.files)
    @rule(who=people, place=places)
    def purge(self, who: str, place: int) -> None:
        key = self._file(place)
        with self._expecting(self.model.files[key].owner == who):
            services.delete_media(user=self.users[who], media=self._media(key), permanent=True)
            self.model.remove(key)

    # -- who may see them ------------------------------------------------------------------

    @precondition(lambda self: self.model.files)
    @rule(who=people, place=places, to=people, permission=st.sampled_from(["view", "edit"]))
    def grant(self, who: str, place: int, to: str, permission: str) -> None:
        key = self._file(place)
        file = self.model.files[key]
        with self._expecting(file.owner == who != to):
            services.grant_access(
                user=self.users[who],
                media=self._media(key),
                to=self.users[to],
                permission=permission,
            )
            file.grants[to] = permission

    @precondition(lambda self: any(file.grants for file in self.model.files.values()))
    @rule(who=people, place=places)
    def revoke(self, who: str, place: int) -> None:
        key = self._file(place, lambda file: bool(file.grants))
        file = self.model.files[key]
        to = sorted(file.grants)[0]
        grant = Grant.objects.get(media=self.media[key], user=self.users[to])
        with self._expecting(file.owner == who):
            services.revoke_access(user=self.users[who], grant=grant)
            del file.grants[to]

    @precondition(lambda self: self.model.files)
    @rule(who=people, place=places)
    def share(self, who: str, place: int) -> None:
        key = self._file(place)
        with self._expecting(self.model.files[key].owner == who):
            services.create_share_link(user=self.users[who], media=self._media(key))
            self.model.files[key].links += 1

    @precondition(lambda self: any(file.links for file in self.model.files.values()))
    @rule(who=people, place=places)
    def end_share(self, who: str, place: int) -> None:
        key = self._file(place, lambda file: bool(file.links))
        link = ShareLink.objects.filter(media=self.media[key]).first()
        assert link is not None
        with self._expecting(self.model.files[key].owner == who):
            services.revoke_share_link(user=self.users[who], link=link)
            self.model.files[key].links -= 1

    @rule(who=people, visibility=st.sampled_from(["private", "public"]))
    def make_folder(self, who: str, visibility: str) -> None:
        made = services.create_collection(
            user=self.users[who], title="folder", visibility=visibility
        )
        self.count += 1
        self.folders[self.count] = made.pk
        self.model.folders[self.count] = Folder(who, visibility)

    @precondition(lambda self: self.model.files and self.model.folders)
    @rule(who=people, place=places, where=places)
    def collect(self, who: str, place: int, where: int) -> None:
        key, at = self._file(place), _pick(self.model.folders, where)
        folder, file = self.model.folders[at], self.model.files[key]
        with self._expecting(self.model.may_view(who, key) and folder.owner == who):
            services.add_items(
                user=self.users[who], collection=self._folder(at), media_ids=[self.media[key]]
            )
            if key not in folder.items or file.owner == who:
                folder.items[key] = who

    @precondition(lambda self: any(each.items for each in self.model.folders.values()))
    @rule(where=places, place=places)
    def take_out(self, where: int, place: int) -> None:
        full = {key: each for key, each in self.model.folders.items() if each.items}
        at = _pick(full, where)
        folder = self.model.folders[at]
        key = _pick(folder.items, place)
        services.remove_items(
            user=self.users[folder.owner],
            collection=self._folder(at),
            media_ids=[self.media[key]],
        )
        del folder.items[key]

    @precondition(lambda self: self.model.folders)
    @rule(who=people, where=places)
    def drop_folder(self, who: str, where: int) -> None:
        at = _pick(self.model.folders, where)
        with self._expecting(self.model.folders[at].owner == who):
            services.delete_collection(user=self.users[who], collection=self._folder(at))
            del self.model.folders[at]

    # -- what uses them --------------------------------------------------------------------

    @rule(kind=st.sampled_from(["member", "note"]), audience=st.sampled_from([*PEOPLE, EVERYBODY]))
    def make_host(self, kind: str, audience: str) -> None:
        row = Member.objects.create(name="m") if kind == "member" else _make_note(audience)
        self.count += 1
        self.hosts[self.count] = row.pk
        self.model.hosts[self.count] = Host(kind, audience)

    @precondition(lambda self: self.model.files and self.model.hosts)
    @rule(who=people, place=places, where=places)
    def attach(self, who: str, place: int, where: int) -> None:
        key, at = self._file(place), _pick(self.model.hosts, where)
        host = self.model.hosts[at]
        if key in host.files:
            return  # whoever saves the object again needs no right to what is there
        has_room = host.kind == "member" or len(host.files) < NoteAttachment.accepts.max_count
        with self._expecting(self.model.may_attach(who, key, host) and has_room):
            self._attach(self.users[who], self._media(key), self._host(at))
            before = host.files if host.kind == "member" else []
            host.files = [each for each in host.files if each not in before]
            self.model.use(key, host)
            self.model.release(list(before))

    def _attach(self, user: Any, media: MediaFile, host: Row) -> None:
        if isinstance(host, Member):
            services.attach_media(user=user, media=media, to=host, field="avatar")
            return
        items = [AttachmentItem(media)]
        services.add_attachments(user=user, to=host, through=NoteAttachment, items=items)

    @precondition(lambda self: any(host.files for host in self.model.hosts.values()))
    @rule(who=people, where=places, place=places)
    def detach(self, who: str, where: int, place: int) -> None:
        full = {key: each for key, each in self.model.hosts.items() if each.files}
        at = _pick(full, where)
        host, row = self.model.hosts[at], self._host(at)
        key = sorted(host.files)[place % len(host.files)]
        if isinstance(row, Member):
            services.detach_media(user=self.users[who], to=row, field="avatar")
        else:
            services.remove_attachments(to=row, through=NoteAttachment, media_ids=[self.media[key]])
        host.files.remove(key)
        self.model.release([key])

    @precondition(lambda self: self.model.hosts)
    @rule(where=places, unnoticed=st.booleans())
    def drop_host(self, where: int, unnoticed: bool) -> None:
        """By its own app, or by code that tells nobody."""
        at = _pick(self.model.hosts, where)
        row = self._host(at)
        if unnoticed:
            NoteAttachment.objects.filter(note=row.pk)._raw_delete(DEFAULT_DB_ALIAS)
            type(row)._default_manager.filter(pk=row.pk)._raw_delete(DEFAULT_DB_ALIAS)
        else:
            row.delete()
        used = self.model.hosts.pop(at).files
        if not unnoticed:
            self.model.release(used)

    # -- time and the end ------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 2, 3, 10, 25, 60, 110]))
    def wait(self, hours: int) -> None:
        for model, name in CLOCKS:
            past = F(name) - timedelta(hours=hours)
            model._default_manager.exclude(**{name: None}).update(**{name: past})
        self.model.clock += hours

    @rule()
    def sweep(self) -> None:
        services.mark_unused()
        services.expire_unused()
        services.empty_trash()
        services.expire_versions()
        services.bury_tombstones()
        self.model.sweep()

    @rule(who=people, stays=st.booleans(), luck=st.integers(0, 9))
    def erase(self, who: str, stays: bool, luck: int) -> None:
        if luck:
            return  # rarely, or there would be little to do anything with
        services.erase_user(user=self.users[who], by=None, keep_account=stays)
        self.model.erase(who)
        self.folders = {key: pk for key, pk in self.folders.items() if key in self.model.folders}
        if not stays:
            self._make_person(who)

    @rule()
    def reconcile(self) -> None:
        """As `media_reconcile --strict` does, sparing nothing that is young; and the bytes."""
        assert_no_orphans()
        for key, file in self.model.files.items():
            kept = dict(
                MediaVersion.objects.filter(media=self.media[key]).values_list("number", "key")
            )
            assert set(kept) == set(file.versions), key
            for number, version in file.versions.items():
                with self.store.open_object(kept[number]) as stored:
                    assert stored.read() == version.content

    # -- what holds after each step --------------------------------------------------------

    @invariant()
    def is_as_expected(self) -> None:
        if not self.users:
            return
        type(self).counted += 1
        there = set(MediaFile.objects.values_list("pk", flat=True))
        assert there == {self.media[key] for key in self.model.files}
        for name in (*PEOPLE, NOBODY):
            user = self.users.get(name, AnonymousUser())
            seen = MediaFile.objects.filter(policies.visible_to(user))
            expected = {self.media[key] for key in self.model.visible_to(name)}
            assert set(seen.values_list("pk", flat=True)) == expected, name or "nobody"

    @invariant()
    def uses_use_files(self) -> None:
        for key, host in self.model.hosts.items():
            row = self._host(key)
            if isinstance(row, Member):
                used = [row.avatar_id] if row.avatar_id else []
            else:
                used = list(row.attachments.values_list("media", flat=True))
            assert set(used) == {self.media[each] for each in host.files}

    # -- what the rules share --------------------------------------------------------------

    def _make_person(self, name: str) -> None:
        self.users[name] = get_user_model().objects.create_user(username=name)

    def _content(self, what: str, *, number: int) -> tuple[Version, ContentFile[bytes]]:
        """Bytes that nobody else has."""
        self.count += 1
        if what == "text":
            data, name = b"Words, the %d. time.\n" % self.count, "words.txt"
        else:
            data, name = _picture(self.count), "picture.png"
        kind = "document" if what == "text" else "image"
        if what == "broken":
            data = data[: len(data) * 2 // 3]
        return Version(number, data, kind, what != "broken"), ContentFile(data, name=name)

    @contextmanager
    def _expecting(self, allowed: bool) -> Any:
        """The block is done, or refused as it should be; what was not done the block's last line
        does not tell the model."""
        if allowed:
            yield
            return
        try:
            yield
        except AppError:
            return
        raise AssertionError("this should have been refused")

    def _file(self, place: int, suits: Callable[[File], bool] = lambda file: True) -> int:
        """One that suits, or any."""
        fitting = {key: file for key, file in self.model.files.items() if suits(file)}
        return _pick(fitting or self.model.files, place)

    def _media(self, key: int) -> MediaFile:
        return MediaFile.objects.get(pk=self.media[key])

    def _folder(self, key: int) -> Collection:
        return Collection.objects.get(pk=self.folders[key])

    def _host(self, key: int) -> Any:
        model = Member if self.model.hosts[key].kind == "member" else Note
        return model._default_manager.get(pk=self.hosts[key])


def _pick(among: dict[int, Any], place: int) -> int:
    return sorted(among)[place % len(among)]


def _make_note(audience: str) -> Note:
    return Note.objects.create(text=audience)


def _shown_by_notes(user: Any) -> Any:
    readers = [EVERYBODY, user.get_username()] if user.is_authenticated else [EVERYBODY]
    return NoteAttachment.objects.filter(note__text__in=readers).values("media")


def _picture(seed: int) -> bytes:
    image = Image.new("RGB", (24, 16))
    image.putdata([(seed % 256, x * seed % 251, x % 7 * 36) for x in range(24 * 16)])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue() + b"%d" % seed
