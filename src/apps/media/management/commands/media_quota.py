"""`manage.py media_quota`: how much people store, and how much they may."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat
from rich.console import Console
from rich.table import Table

from apps.media import selectors, services
from apps.media.management.people import find_user, size_in_bytes

DEFAULT = "default"
SHOWN = 50


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Show the storage account of NAME, after setting its limits where they are given; without "
        "NAME those who store most. What is stored already stays in any case."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="the name the user signs in by")
        parser.add_argument(
            "--space", type=_space, metavar="SIZE", help="such as 500M, 20G, or 'default'"
        )
        parser.add_argument(
            "--files", type=_number, metavar="NUMBER", help="of files, or 'default'"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        asked = {"bytes_limit": options["space"], "files_limit": options["files"]}
        limits = {
            name: None if limit == DEFAULT else limit
            for name, limit in asked.items()
            if limit is not None
        }
        if not options["name"]:
            if limits:
                raise CommandError("Say whose limits: NAME is missing.")
            quotas = selectors.list_quotas()[:SHOWN]
            self._show((quota.owner, selectors.usage_of(quota)) for quota in quotas)
            return
        user = find_user(options["name"])
        if limits:
            services.set_quota(user=None, owner_id=user.pk, **limits)
        self._show([(user, selectors.get_storage_usage(user=user))])

    def _show(self, accounts: Iterable[tuple[Any, selectors.StorageUsage]]) -> None:
        table = Table("user", "used", "set aside", "space", "files", "most files")
        for user, usage in accounts:
            sizes = [filesizeformat(size) for size in (usage.used, usage.reserved, usage.quota)]
            table.add_row(user.get_username(), *sizes, str(usage.files), str(usage.files_quota))
        Console(file=self.stdout).print(table)  # type: ignore[arg-type]  # has `write`


def _space(text: str) -> int | str:
    return text if text == DEFAULT else size_in_bytes(text)


def _number(text: str) -> int | str:
    if text != DEFAULT and not (text.isascii() and text.isdigit() and int(text) < 2**31):
        raise ArgumentTypeError(f"{text!r} is no number of files")
    return text if text == DEFAULT else int(text)
