"""`manage.py media_cleanup`: do now what the sweeps do by the clock."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.media import services
from apps.media.exceptions import HostMissingError
from apps.media.management.bulk import positive
from apps.media.management.longrun import Counted, Stopped, stoppable


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Remove what is due: uploads that never became complete, files that were long enough in "
        "the trash or that nothing uses, old versions, and the objects of rows that are gone. The "
        "worker's sweeps do the same by the clock. --dry-run tells what would go, and why."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = [rule.name for rule in services.cleanup_rules()]
        parser.add_argument(
            "--only",
            action="append",
            choices=names,
            default=[],
            help="follow only this rule; may be repeated",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would go and why, change nothing"
        )
        parser.add_argument(
            "--show",
            type=positive,
            default=20,
            metavar="N",
            help="with --dry-run: name at most N of each (default %(default)s)",
        )

        parser.add_argument(
            "--forget",
            metavar="ALIAS",
            help="do nothing but end the removal of objects in a storage that the settings do not "
            "know any more; what is left there is yours to remove",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["forget"]:
            self._forget(options["forget"], dry_run=options["dry_run"])
            return
        rules = [
            rule
            for rule in services.cleanup_rules()
            if not options["only"] or rule.name in options["only"]
        ]
        act = self._tell if options["dry_run"] else self._follow
        try:
            with stoppable():
                for rule in rules:
                    act(rule, options)
        except Stopped as stopped:
            told = "Stopped. What is done is done; the same command goes on."
            raise CommandError(told, returncode=128 + stopped.signal) from None
        except HostMissingError as error:
            raise CommandError(error.detail) from error
        for alias, count in services.tombstones_left().items():
            self.stdout.write(
                f"{count} objects wait in the storage {alias}, which is not in STORAGES: have the "
                f"settings name it again, or end that with --forget {alias}"
            )

    def _forget(self, alias: str, *, dry_run: bool) -> None:
        count = services.tombstones_left().get(alias)
        if count is None:
            raise CommandError(f"Nothing waits in a storage {alias} that is not in STORAGES.")
        if dry_run:
            self.stdout.write(f"{count} objects of {alias} would be forgotten.")
        else:
            self.stdout.write(f"{services.forget_storage(alias=alias)} of {alias} forgotten.")

    def _tell(self, rule: services.Rule, options: dict[str, Any]) -> None:
        self.stdout.write(f"{rule.name}: {rule.count()} would go: {rule.why()}")
        for line in rule.show(options["show"]):
            self.stdout.write(f"  {line}")

    def _follow(self, rule: services.Rule, options: dict[str, Any]) -> None:
        gone = 0
        with Counted(self.stderr, rule.name, rule.count()) as counted:
            for count in services.clean_up(rule):
                gone += count
                counted.advance(count)
        self.stdout.write(f"{rule.name}: {gone} gone: {rule.why()}")
