"""Small worlds of people, files, collections, grants and uses: drawn, then written as rows.

A world is plain data, so that the expectation (`expectation.py`) can be told from it without a
query, and a failure is printed as something that can be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import strategies as st

from apps.media import policies
from apps.media.models import (
    Collection,
    CollectionItem,
    CollectionPlace,
    Grant,
    MediaFile,
)
from apps.media.policies.uses import forget_use_rule

PEOPLE, GROUPS, FILES, COLLECTIONS = 4, 2, 4, 4
ANONYMOUS = PEOPLE  # the visitor behind the last person
VISIBILITIES = ("private", "unlisted", "public")
# Who somebody is beside what they own: a role of the migration, staff, or one permission alone.
ROLES = (
    "nobody",
    "staff",
    "Media managers",
    "Media moderators",
    "view_mediafile",
    "change_mediafile",
    "delete_mediafile",
    "share_mediafile",
    "review_quarantine",
)
APP = "worlds"


@dataclass(frozen=True)
class Person:
    role: str
    active: bool
    groups: frozenset[int]


@dataclass(frozen=True)
class File:
    owner: int
    visibility: str
    status: str
    usable: bool
    settled: bool  # others get the current version
    deleted: bool


@dataclass(frozen=True)
class Folder:
    """A collection. Parents come before their children."""

    owner: int
    parent: int | None
    visibility: str


@dataclass(frozen=True)
class Item:
    collection: int
    file: int
    added_by: int | None


@dataclass(frozen=True)
class Right:
    """A grant; `recipient` is a person or a group, `target` a file or a collection."""

    recipient: tuple[Literal["user", "group"], int]
    target: tuple[Literal["media", "collection"], int]
    permission: str
    expires: Literal["never", "past", "future"]


@dataclass(frozen=True)
class World:
    people: tuple[Person, ...]
    files: tuple[File, ...]
    folders: tuple[Folder, ...]
    items: tuple[Item, ...]
    rights: tuple[Right, ...]
    uses: frozenset[tuple[int, int]] | None  # (visitor, file); None: no rule is registered
    deletion: str

    def open_to(self, folder: int) -> str:
        """The least open visibility from the root down to `folder`."""
        return min(
            (self.folders[each].visibility for each in self.path(folder)), key=VISIBILITIES.index
        )

    def path(self, folder: int) -> list[int]:
        """`folder` and all that it lies in, the innermost first."""
        parent = self.folders[folder].parent
        return [folder, *(self.path(parent) if parent is not None else [])]


_person_index = st.integers(0, PEOPLE - 1)
_file_index = st.integers(0, FILES - 1)
_visibility = st.sampled_from(VISIBILITIES)
_people = st.builds(
    Person,
    role=st.one_of(st.just("nobody"), st.sampled_from(ROLES)),
    active=st.sampled_from([True, True, True, False]),
    groups=st.frozensets(st.integers(0, GROUPS - 1)),
)
_files = st.builds(
    File,
    owner=_person_index,
    visibility=_visibility,
    status=st.sampled_from(["ready", "ready", "processing", "failed", "quarantined"]),
    usable=st.sampled_from([True, True, False]),
    settled=st.sampled_from([True, True, False]),
    deleted=st.sampled_from([False, False, False, True]),
)
_items = st.builds(
    Item,
    collection=st.integers(0, COLLECTIONS - 1),
    file=_file_index,
    added_by=st.one_of(st.none(), _person_index),
)
_rights = st.builds(
    Right,
    recipient=st.one_of(
        st.tuples(st.just("user"), _person_index),
        st.tuples(st.just("group"), st.integers(0, GROUPS - 1)),
    ),
    target=st.one_of(
        st.tuples(st.just("media"), _file_index),
        st.tuples(st.just("collection"), st.integers(0, COLLECTIONS - 1)),
    ),
    permission=st.sampled_from(["view", "edit"]),
    expires=st.sampled_from(["never", "future", "past"]),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    files = draw(st.tuples(*[_files] * FILES))
    folders = tuple(
        Folder(
            owner=draw(_person_index),
            parent=draw(st.sampled_from([None, *range(index)])),
            visibility=draw(_visibility),
        )
        for index in range(COLLECTIONS)
    )
    # Half of the items come from the files' owners: those alone are opened.
    items = [
        item if draw(st.booleans()) else Item(item.collection, item.file, files[item.file].owner)
        for item in draw(
            st.lists(_items, max_size=6, unique_by=lambda item: (item.collection, item.file))
        )
    ]
    return World(
        people=draw(st.tuples(*[_people] * PEOPLE)),
        files=files,
        folders=folders,
        items=tuple(items),
        rights=tuple(
            draw(
                st.lists(
                    _rights, max_size=6, unique_by=lambda right: (right.recipient, right.target)
                )
            )
        ),
        uses=draw(
            st.one_of(
                st.none(),
                st.frozensets(st.tuples(st.integers(0, ANONYMOUS), _file_index), max_size=3),
            )
        ),
        deletion=draw(st.sampled_from(["owner", "owner", "staff"])),
    )


@dataclass(frozen=True)
class Rows:
    """The rows of a world, each at its index; the last visitor is nobody."""

    visitors: list[Any]
    media: list[MediaFile]
    collections: list[Collection]


@contextmanager
def written(world: World) -> Iterator[Rows]:
    """Write `world`, with its options and its rule for uses in force; leave nothing behind."""
    with override_settings(MEDIA_APP={"DELETION": world.deletion}), transaction.atomic():
        rows = _write(world)
        try:
            yield rows
        finally:
            forget_use_rule(APP)
            transaction.set_rollback(True)


def _write(world: World) -> Rows:
    groups = [Group.objects.create(name=f"group {index}") for index in range(GROUPS)]
    people = [_write_person(index, each, groups) for index, each in enumerate(world.people)]
    media = MediaFile.objects.bulk_create(_media_row(each, people) for each in world.files)
    collections: list[Collection] = []
    for index, folder in enumerate(world.folders):
        collections.append(_write_folder(world, index, folder, people, collections))
    CollectionItem.objects.bulk_create(
        CollectionItem(
            collection=collections[item.collection],
            media=media[item.file],
            added_by=None if item.added_by is None else people[item.added_by],
            position=position,
        )
        for position, item in enumerate(world.items)
    )
    places = {"user": people, "group": groups, "media": media, "collection": collections}
    Grant.objects.bulk_create(_grant_row(right, places) for right in world.rights)
    visitors = [*get_user_model().objects.filter(pk__in=[each.pk for each in people])]
    visitors.sort(key=lambda user: user.pk)
    if world.uses is not None:
        _register_uses(world.uses, visitors, media)
    return Rows([*visitors, AnonymousUser()], media, collections)


def _write_person(index: int, person: Person, groups: list[Group]) -> Any:
    user = get_user_model().objects.create(
        username=f"person {index}", is_active=person.active, is_staff=person.role == "staff"
    )
    user.groups.set(groups[each] for each in person.groups)
    if person.role.startswith("Media"):
        user.groups.add(Group.objects.get(name=person.role))
    elif person.role not in {"nobody", "staff"}:
        user.user_permissions.add(Permission.objects.get(codename=person.role))
    return user


def _media_row(file: File, people: list[Any]) -> MediaFile:
    return MediaFile(
        owner=people[file.owner],
        visibility=file.visibility,
        status=file.status,
        failure_code="corrupt_file" if file.status == "failed" else "",
        usable=file.usable,
        version=2,
        latest_version=2,
        published_version=2 if file.settled else 1,
        deleted_at=timezone.now() if file.deleted else None,
        original_name="a.jpg",
        media_type="image",
        mime_type="image/jpeg",
        size=1,
    )


def _write_folder(
    world: World, index: int, folder: Folder, people: list[Any], before: list[Collection]
) -> Collection:
    row = Collection.objects.create(
        owner=people[folder.owner],
        parent=None if folder.parent is None else before[folder.parent],
        title=f"collection {index}",
        visibility=folder.visibility,
        open_to=world.open_to(index),
    )
    above = [*before, row]
    CollectionPlace.objects.bulk_create(
        CollectionPlace(ancestor=above[place], descendant=row, depth=depth)
        for depth, place in enumerate(world.path(index))
    )
    return row


def _grant_row(right: Right, places: dict[str, list[Any]]) -> Grant:
    now = timezone.now()
    ends = {"never": None, "past": now - timedelta(hours=1), "future": now + timedelta(hours=1)}
    return Grant(
        **{kind: places[kind][index] for kind, index in (right.recipient, right.target)},
        permission=right.permission,
        expires_at=ends[right.expires],
    )


def _register_uses(
    uses: frozenset[tuple[int, int]], visitors: list[Any], media: list[MediaFile]
) -> None:
    def rule(user: Any) -> Any:
        known = [each.pk for each in visitors]
        who = known.index(user.pk) if user.pk in known else ANONYMOUS
        used = [media[file].pk for visitor, file in uses if visitor == who]
        return MediaFile.objects.filter(pk__in=used).values("pk")

    policies.register_use_rule(APP, rule)
