"""`manage.py media_verify`: read every original again and compare its hash."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import AppError
from apps.media import services
from apps.media.management.bulk import positive, progress_bar


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Read the stored bytes of every version of every file and compare their SHA-256 with the "
        "one that was taken when they came. Changes nothing. Exits with 1 if anything is wrong; "
        "Ctrl-C, and a storage that is away, end it with the number to go on with."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--after",
            type=_number,
            default=0,
            metavar="NUMBER",
            help="begin behind this version: go on where an interrupted run stopped",
        )
        parser.add_argument("--limit", type=positive, metavar="N", help="stop after N versions")

    def handle(self, *args: Any, **options: Any) -> None:
        self._last, self._seen, self._wrong = options["after"], 0, 0
        try:
            self._verify(options["limit"])
        except KeyboardInterrupt:
            raise CommandError(self._stopped(), returncode=130) from None
        except AppError as error:  # such as a storage that is away
            raise CommandError(f"{error.detail} {self._stopped()}") from error
        self.stdout.write(f"Done: {self._told()} The last one was {self._last}.")
        if self._wrong:
            raise CommandError("There are damaged files.", returncode=1)

    def _verify(self, limit: int | None) -> None:
        _, size = services.count_to_verify(after=self._last)
        with progress_bar(in_bytes=True) as progress:
            bar = progress.add_task("", total=size)
            for version in services.versions_to_verify(after=self._last):
                if limit is not None and self._seen >= limit:
                    return
                wrong = services.verify_version(
                    version, on_bytes=lambda count: progress.advance(bar, count)
                )
                if wrong:
                    self._wrong += 1
                    where = f"media {version.media_id} version {version.number}"
                    self.stdout.write(f"{where} ({version.storage}:{version.key}): {wrong}")
                self._seen, self._last = self._seen + 1, version.pk

    def _stopped(self) -> str:
        return f"Stopped: {self._told()} Go on with --after {self._last}"

    def _told(self) -> str:
        return f"{self._seen} versions read, {self._wrong} wrong."


def _number(text: str) -> int:
    """Of a version; 0 is before all of them, and what a run says that was stopped at once."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number of a version")
    return int(text)
