"""`manage.py media_import`: take files and folders of the server into somebody's library."""

from __future__ import annotations

import signal
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from apps.core.errors import AppError, StorageFullError, StorageUnavailableError
from apps.media import services
from apps.media.exceptions import ForbiddenError
from apps.media.management.bulk import progress_bar
from apps.media.management.folders import Found, find_files
from apps.media.management.people import find_user
from apps.media.management.refusals import Refusals
from apps.media.models import Visibility
from apps.media.policies import Visitor

HARMLESS = frozenset({"hidden"})  # told, but nobody's failure
STOPS = (StorageUnavailableError, StorageFullError, ForbiddenError)


class Command(BaseCommand):
    help = (
        "Copy files and folders of this server into somebody's library. What is there already is "
        "left out by its content, so that an interrupted run goes on when it is started again. "
        "Hidden files and links that lead out of the folder are not taken. Ends with 1 if any "
        "file was refused."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=_path, metavar="DIR_OR_FILE")
        parser.add_argument("--owner", required=True, metavar="NAME", help="whose library")
        parser.add_argument(
            "--tag", action="append", dest="tags", default=[], help="may be repeated"
        )
        parser.add_argument(
            "--visibility", choices=Visibility.values, default=Visibility.PRIVATE.value
        )
        parser.add_argument(
            "--no-recursive",
            action="store_false",
            dest="recursive",
            help="only what lies in the named folders themselves",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what it would take, and take nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run = _Run(find_user(options["owner"]), options)
        try:
            run.through()
        except KeyboardInterrupt:
            raise CommandError(
                f"Stopped. {run.told()} Start it again to go on.", returncode=128 + signal.SIGINT
            ) from None
        finally:
            run.refusals.show(Console(file=self.stdout))  # type: ignore[arg-type]  # has `write`
        if run.refusals.failed:
            raise CommandError(run.told(), returncode=1)
        self.stdout.write(run.told())


def _path(text: str) -> Path:
    """Nothing, as of a variable that is not set, is no word for the folder that one is in."""
    if not text:
        raise ArgumentTypeError("an empty name is no file or folder")
    return Path(text)


class _Run:
    """One run of the command: counts, and the first refusals."""

    def __init__(self, owner: Visitor, options: dict[str, Any]) -> None:
        self._owner, self._options = owner, options
        self._fields = {"tags": options["tags"], "visibility": options["visibility"]}
        self._taken = self._known = 0
        self.refusals = Refusals(harmless=HARMLESS)

    def through(self) -> None:
        with progress_bar() as progress:
            bar = progress.add_task("looks", total=None)
            total = sum(1 for _ in self._found())
            progress.update(bar, total=total)
            for found in self._found():
                self._take(found)
                progress.update(bar, advance=1, description=f"{self._taken} taken")

    def told(self) -> str:
        word = "Would take" if self._options["dry_run"] else "Took"
        failed = self.refusals.failed
        text = f"{word} {self._taken} files; {self._known} were there, {failed} refused"
        hidden = self.refusals.left_out
        return f"{text}, {hidden} hidden left out." if hidden else f"{text}."

    def _found(self) -> Any:
        return find_files(self._options["paths"], recursive=self._options["recursive"])

    def _take(self, found: Found) -> None:
        if found.code:
            self.refusals.add(str(found.path), found.code, "")
            return
        try:
            taken = services.import_path_once(
                user=self._owner,
                path=found.path,
                dry_run=self._options["dry_run"],
                **self._fields,
            )
        except STOPS as error:
            raise CommandError(f"{error.detail} {self.told()} Start it again to go on.") from error
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        except AppError as error:
            self.refusals.add(str(found.path), error.code, error.detail)
        except OSError as error:
            self.refusals.add(str(found.path), "unreadable", error.strerror or "")
        else:
            self._taken, self._known = self._taken + taken, self._known + (not taken)
