"""`manage.py media_reconcile`: rows against objects against unfinished uploads in parts."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.core.errors import AppError
from apps.media import services
from apps.media.exceptions import HostMissingError
from apps.media.management.bulk import positive
from apps.media.management.longrun import Bookmark, Counted, Stopped, stoppable


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Compare what the database says with what lies in the storages, and rows with each other. "
        "Reports one line for each violation: I1 changed bytes, I2 objects that no row explains, "
        "I3 rows without their object, I4 work that got stuck, I5 accounts that do not add up, I6 "
        "stray renditions, I7 collections out of place. Changes nothing without --fix, and never "
        "removes what a row explains. Ctrl-C and SIGTERM stop it and tell how to go on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--storage",
            action="append",
            metavar="ALIAS",
            default=[],
            help="only this one; may be repeated (default: all that rows name; those that the "
            "settings do not know are told)",
        )
        parser.add_argument(
            "--fix",
            action="store_true",
            help="remove orphans (by tombstones), mark files whose object is lost as failed, have "
            "lost renditions made again and stuck files looked at, set accounts right",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="with --fix: say what would be put right"
        )
        parser.add_argument(
            "--strict", action="store_true", help="exit with 1 if anything was found"
        )
        parser.add_argument(
            "--hash", action="store_true", help="read every original and compare its SHA-256"
        )
        parser.add_argument(
            "--grace",
            type=positive,
            default=24 * 3600,
            metavar="SECONDS",
            help="leave out what is younger, which may be under way (default: a day)",
        )

        parser.add_argument(
            "--after",
            default="",
            metavar="KEY",
            help="begin behind this key: go on where an interrupted run of one storage stopped",
        )
        parser.add_argument(
            "--state",
            type=Path,
            metavar="FILE",
            help="keep there how far it came, and go on from there; removed at the end",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        aliases = _storages(options)
        if options["fix"] and not options["dry_run"] and not options["storage"]:
            _refuse_empty(aliases)
        try:
            kept = Bookmark(options["state"], after=options["after"])
        except (OSError, ValueError, TypeError) as error:
            raise CommandError(f"{options['state']} cannot be used: {error}") from error
        first = kept.storage or aliases[0]
        if first not in aliases:
            raise CommandError(f"{options['state']} is of the storage {first}, which is not asked.")
        try:
            with stoppable():
                self._run(aliases[aliases.index(first) :], kept, options)
        except Stopped as stopped:
            told = _stopped(kept, first)
            raise CommandError(told, returncode=128 + stopped.signal) from None
        except HostMissingError as error:
            raise CommandError(error.detail) from error
        except ImproperlyConfigured as error:  # a storage that keeps no objects
            raise CommandError(str(error)) from error
        except AppError as error:  # such as a storage that is away
            raise CommandError(f"{error.detail} {_stopped(kept, first)}") from error
        kept.drop()
        word = "would be fixed" if options["dry_run"] else "fixed"
        self.stdout.write(f"Found {kept.found} violations, {kept.fixed} {word}.")
        if options["strict"] and kept.found:
            raise CommandError("There are violations.", returncode=1)

    def _run(self, aliases: list[str], kept: Bookmark, options: dict[str, Any]) -> None:
        for violation in self._violations(aliases, kept, options):
            kept.found += 1
            kept.fixed += self._tell(violation, options)

    def _violations(
        self, aliases: list[str], kept: Bookmark, options: dict[str, Any]
    ) -> Iterator[services.Violation]:
        grace = timedelta(seconds=options["grace"])
        if not options["storage"] and not kept.storage:
            yield from services.find_left_storages()
        for alias in aliases:
            kept.begin(alias)
            total = services.count_explanations(alias, after=kept.after)
            with Counted(self.stderr, alias, total) as counted:

                def on_key(key: str, counted: Counted = counted, alias: str = alias) -> None:
                    kept.turn_to(alias, key)
                    counted.advance()

                yield from services.find_storage_violations(
                    alias,
                    grace=grace,
                    with_hashes=options["hash"],
                    after=kept.after,
                    on_key=on_key,
                )
        yield from services.find_inconsistencies(before=timezone.now() - grace)

    def _tell(self, violation: services.Violation, options: dict[str, Any]) -> bool:
        """Write one line of it; return whether it is put right, or would be."""
        done = False
        if options["fix"] and violation.repair:
            done = True if options["dry_run"] else violation.repair()
        mark = (" [would be fixed]" if options["dry_run"] else " [fixed]") if done else ""
        self.stdout.write(f"{violation}{mark}")
        return done


def _refuse_empty(aliases: list[str]) -> None:
    """A disk that is not mounted looks like one that has lost everything."""
    for alias in aliases:
        if services.lacks_all_objects(alias):
            raise CommandError(
                f"Rows name objects in the storage {alias}, and not a single one is there: is it "
                f"mounted? If all is lost indeed, say --storage {alias}."
            )


def _stopped(kept: Bookmark, first: str) -> str:
    kept.save()
    return f"Stopped after {kept.after or 'nothing'} of {kept.storage or first}. {kept.advice}"


def _storages(options: dict[str, Any]) -> list[str]:
    aliases = options["storage"] or services.storages_to_reconcile()
    if unknown := set(aliases) - set(settings.STORAGES):
        raise CommandError(f"There is no storage {', '.join(sorted(unknown))} in STORAGES.")
    if options["after"] and len(aliases) > 1:
        raise CommandError("Say with --storage which one --after is of.")
    return list(aliases)
