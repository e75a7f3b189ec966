"""`manage.py media_role`: who may do what with files of others."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from apps.media import selectors, services
from apps.media.management.people import find_user


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Show the roles, what they may do and who has them; with NAME and --give or --take change "
        "that for one user. Roles are groups that hold permissions on files: new ones are made in "
        "the administration."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="the name the user signs in by")
        change = parser.add_mutually_exclusive_group()
        change.add_argument("--give", metavar="ROLE", help="such as 'Media managers'")
        change.add_argument("--take", metavar="ROLE")

    def handle(self, *args: Any, **options: Any) -> None:
        change = options["give"] or options["take"]
        if bool(change) != bool(options["name"]):
            raise CommandError("Say a NAME and either --give or --take, or nothing.")
        if not change:
            self._show()
            return
        user, role = find_user(options["name"]), _find_role(change)
        if options["give"]:
            done = services.give_role(user=None, to=user, role=role)
            told = f"{user} has the role {role}" + ("." if done else " already.")
        else:
            done = services.take_role(user=None, of=user, role=role)
            told = f"{user} has not the role {role}" + (" any more." if done else ".")
        self.stdout.write(told)

    def _show(self) -> None:
        table = Table("role", "may", "who")
        for role in selectors.list_roles().prefetch_related("permissions", "user_set"):
            table.add_row(
                role.name,
                "\n".join(permission.name for permission in role.permissions.all()),
                ", ".join(sorted(user.get_username() for user in role.user_set.all())),
            )
        Console(file=self.stdout).print(table)  # type: ignore[arg-type]  # has `write`


def _find_role(name: str) -> Group:
    roles = {role.name: role for role in selectors.list_roles()}
    if name not in roles:
        raise CommandError(f"There is no role {name!r}; there are: {', '.join(roles)}.")
    return roles[name]
