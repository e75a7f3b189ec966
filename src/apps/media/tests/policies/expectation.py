"""Who may do what in a world, said once more without a database: what the rule is held against."""

from __future__ import annotations

from apps.media.policies import Action
from apps.media.tests.policies.worlds import ANONYMOUS, Right, World

OPEN = {"public", "unlisted"}
EVERYTHING = frozenset(Action)
LOOKING = frozenset({Action.VIEW, Action.READ})
CHANGING = frozenset({Action.EDIT, Action.ATTACH})
# What a role may do with every file.
HELD = {
    "staff": EVERYTHING,
    "Media managers": EVERYTHING,
    "Media moderators": LOOKING | {Action.DELETE},
    "view_mediafile": LOOKING,
    "change_mediafile": LOOKING | CHANGING,
    "delete_mediafile": LOOKING | {Action.DELETE},
    "share_mediafile": LOOKING | {Action.SHARE},
}
REVIEWERS = {"Media moderators", "review_quarantine"}


class Expectation:
    """What `visitor` may do in `world`."""

    def __init__(self, world: World, visitor: int) -> None:
        self.world = world
        self.visitor = visitor
        person = None if visitor == ANONYMOUS else world.people[visitor]
        self.active = person is not None and person.active
        self.role = person.role if person and self.active else ""
        self.groups = person.groups if person and self.active else frozenset()
        self.held = HELD.get(self.role, frozenset())

    def may(self, action: Action, file: int) -> bool:
        row = self.world.files[file]
        owned = self.active and row.owner == self.visitor
        if action is Action.READ:
            safe = row.usable and row.settled
            if row.status == "quarantined" or not (safe or owned):
                return self.role in REVIEWERS and self.may(Action.VIEW, file)
        if action in self.held:
            return True
        if owned:
            return action is not Action.DELETE or self.world.deletion == "owner"
        if action in LOOKING:
            return self._sees(file) or self._edits(file)
        return action in CHANGING and self._edits(file)

    def finds(self, file: int) -> bool:
        """Whether lists show it."""
        row = self.world.files[file]
        if row.deleted:
            return False
        if Action.VIEW in self.held or (self.active and row.owner == self.visitor):
            return True
        shown = row.visibility == "public" or self._opened(file, of_lists=True)
        return (row.usable and shown) or self._edits(file)

    def may_with_folder(self, action: Action, folder: int) -> bool:
        row = self.world.folders[folder]
        if action in self.held:
            return True
        if self.active and row.owner == self.visitor:
            return action is not Action.DELETE or self.world.deletion == "owner"
        if action in LOOKING:
            is_open = self.world.open_to(folder) in OPEN
            return is_open or self._granted_folder(folder, {"view", "edit"})
        return action is Action.EDIT and self._granted_folder(folder, {"edit"})

    def finds_folder(self, folder: int) -> bool:
        by_address_alone = self.world.open_to(folder) == "unlisted"
        if not by_address_alone:
            return self.may_with_folder(Action.VIEW, folder)
        owned = self.active and self.world.folders[folder].owner == self.visitor
        granted = self._granted_folder(folder, {"view", "edit"})
        return owned or granted or Action.VIEW in self.held

    def _sees(self, file: int) -> bool:
        row = self.world.files[file]
        if row.deleted or not row.usable:
            return False
        return row.visibility in OPEN or self._opened(file, of_lists=False)

    def _opened(self, file: int, *, of_lists: bool) -> bool:
        sees = self.finds_folder if of_lists else lambda it: self.may_with_folder(Action.VIEW, it)
        in_sight = any(sees(folder) for folder in self._folders_of(file))
        used = (self.visitor, file) in (self.world.uses or ())
        return in_sight or used or self._granted("media", file, {"view", "edit"})

    def _edits(self, file: int) -> bool:
        if self.world.files[file].deleted:
            return False
        by_folder = any(self._granted_folder(it, {"edit"}) for it in self._folders_of(file))
        return by_folder or self._granted("media", file, {"edit"})

    def _folders_of(self, file: int) -> list[int]:
        """Those that open it: where its owner put it."""
        owner = self.world.files[file].owner
        return [
            item.collection
            for item in self.world.items
            if item.file == file and item.added_by == owner
        ]

    def _granted_folder(self, folder: int, permissions: set[str]) -> bool:
        path = self.world.path(folder)
        return any(self._granted("collection", above, permissions) for above in path)

    def _granted(self, kind: str, index: int, permissions: set[str]) -> bool:
        return any(
            self._is_theirs(right) and right.permission in permissions and right.expires != "past"
            for right in self.world.rights
            if right.target == (kind, index)
        )

    def _is_theirs(self, right: Right) -> bool:
        kind, index = right.recipient
        if kind == "group":
            return index in self.groups
        return self.active and index == self.visitor
