"""What the commands that go through all files have in common: choosing, waiting, showing, going on.

The services do the work. A command takes a few files, waits while enough jobs wait in the
background, and tells where it stopped.
"""

from __future__ import annotations

import time
import uuid
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from apps.media import services

AT_ONCE = 500
POLL_SECONDS = 1.0
MOST = 2**31 - 1  # of seconds: 68 years


class BulkCommand(BaseCommand):
    """Subclasses say which files (`choose`) and what to do with some of them (`act`)."""

    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--after",
            type=media_id,
            metavar="ID",
            help="begin behind this file: go on where an interrupted run stopped",
        )
        parser.add_argument(
            "--limit", type=positive, metavar="N", help="stop after having looked at N files"
        )
        parser.add_argument(
            "--at-once",
            type=positive,
            default=AT_ONCE,
            metavar="N",
            help="hand out no more files while N background jobs wait (default %(default)s)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say how many files it would be, change nothing"
        )

    def choose(self, options: dict[str, Any]) -> services.Choice:
        raise NotImplementedError

    def act(self, media_ids: Sequence[uuid.UUID], options: dict[str, Any]) -> int:
        """Do it to these files, or only count where `dry_run` says so; return how many."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        choice = self.choose(options)
        if options["after"]:
            choice = services.Choice(**{**vars(choice), "after": options["after"]})
        run = _Run(self, choice, options)
        try:
            run.through()
        except KeyboardInterrupt:
            raise CommandError(run.told("Stopped"), returncode=130) from None
        self.stdout.write(run.told("Would take" if options["dry_run"] else "Done"))


class _Run:
    """One run of a command."""

    def __init__(
        self, command: BulkCommand, choice: services.Choice, options: dict[str, Any]
    ) -> None:
        self._command, self._choice, self._options = command, choice, options
        self._seen = self._taken = 0
        self._last: uuid.UUID | None = None

    def through(self) -> None:
        """All chosen files, up to the limit."""
        chosen = services.count_chosen(self._choice)
        limit = min(self._options["limit"] or chosen, chosen)
        with progress_bar() as progress:
            bar = progress.add_task("", total=limit)
            for batch in services.batches_of(self._choice):
                some = batch[: limit - self._seen]
                if not some:
                    return
                self._take(some, progress, bar)

    def _take(self, media_ids: list[uuid.UUID], progress: Progress, bar: Any) -> None:
        while media_ids:
            room = self._room(progress, bar)
            now, media_ids = media_ids[:room], media_ids[room:]
            progress.update(bar, description=f"{self._taken} taken")
            self._taken += self._command.act(now, self._options)
            self._seen, self._last = self._seen + len(now), now[-1]
            progress.update(bar, completed=self._seen)

    def _room(self, progress: Progress, bar: Any) -> int:
        """How many files may be handed out now; waits until there is room for one."""
        most: int = self._options["at_once"]
        if self._options["dry_run"]:
            return most
        while (room := most - services.count_background_jobs()) <= 0:
            progress.update(bar, description="waits for workers")
            time.sleep(POLL_SECONDS)
        return room

    def told(self, word: str) -> str:
        text = f"{word}: {self._taken} of {self._seen} files."
        if word == "Stopped":
            text += f" Go on with --after {self._last}" if self._last else " Nothing was done."
        return text


def progress_bar(*, in_bytes: bool = False) -> Progress:
    """Shown on a terminal only, and never among what is printed."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn() if in_bytes else MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def media_id(text: str) -> uuid.UUID:
    """An id as the pages and the API show it."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no id") from None


def positive(text: str) -> int:
    """A whole number above zero, not larger than any count of seconds here."""
    if not text.isdecimal() or not 0 < int(text) <= MOST:
        raise ArgumentTypeError(f"{text!r} is no positive whole number up to {MOST}")
    return int(text)
