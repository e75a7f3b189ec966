"""`manage.py media_migrate_storage`: all objects to another storage while the site goes on."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.media import services
from apps.media.management.bulk import positive, progress_bar

AT_ONCE = 4


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Copy every object to another storage, read again what has arrived, and only then have "
        "the rows name it, while uploads and downloads go on. A storage that the settings do not "
        "know is filled only: no row names it yet. Begin again after an interruption: what is done "
        "stays done. Moving back is the same with the old storage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--to", required=True, type=_place, metavar="URL", help="the storage, by URL or alias"
        )
        parser.add_argument(
            "--from",
            dest="since",
            type=_place,
            metavar="URL",
            help="fill --to, which the site uses already, with what the site left behind there",
        )
        parser.add_argument(
            "--at-once",
            type=positive,
            default=AT_ONCE,
            metavar="N",
            help="copy N objects at a time (default %(default)s)",
        )
        parser.add_argument(
            "--keep-hours",
            type=_hours,
            default=int(services.KEEP_LEFT_BEHIND.total_seconds()) // 3600,
            metavar="N",
            help="remove what is left in the old storage after N hours (default %(default)s)",
        )
        parser.add_argument("--dry-run", action="store_true", help="say how much there is to do")

    def handle(self, *args: Any, **options: Any) -> None:
        to: services.Place = options["to"]
        self._moves = to.is_known and options["since"] is None
        self._done = self._busy = self._wrong = 0
        count, size = services.count_to_move(to, whole=not self._moves)
        if options["dry_run"]:
            self.stdout.write(f"Would take {count} objects with {size} bytes.")
            return
        try:
            self._go(size, options)
        except KeyboardInterrupt:
            raise CommandError(f"Stopped: {self._told()} Begin again.", returncode=130) from None
        self.stdout.write(f"Done: {self._told()}")
        self._advise(to)
        if self._wrong:
            raise CommandError("Some objects are not there; see above.", returncode=1)

    def _go(self, size: int, options: dict[str, Any]) -> None:
        with progress_bar(in_bytes=True) as progress:
            bar = progress.add_task("", total=size)
            for moved in self._steps(options, lambda count: progress.advance(bar, count)):
                if moved.problem:
                    self._wrong += 1
                    self.stdout.write(f"{moved.name}: {moved.problem}")
                elif moved.is_busy:
                    self._busy += 1
                else:
                    self._done += 1

    def _steps(
        self, options: dict[str, Any], on_bytes: services.OnBytes
    ) -> Iterator[services.Moved]:
        to, jobs = options["to"], options["at_once"]
        if self._moves:
            keep = timedelta(hours=options["keep_hours"])
            return services.move_objects(to, jobs=jobs, keep=keep, on_bytes=on_bytes)
        return services.copy_objects(to, since=options["since"], jobs=jobs, on_bytes=on_bytes)

    def _told(self) -> str:
        what = "moved" if self._moves else "copied and verified"
        busy = f", {self._busy} being worked on" if self._busy else ""
        return f"{self._done} objects {what}{busy}, {self._wrong} wrong."

    def _advise(self, to: services.Place) -> None:
        if not to.is_known:
            self.stdout.write("Set MEDIA_STORAGE_URL to it and restart; rows name it from then on.")
            return
        services.unify_names()
        left, _ = services.count_to_move(to)
        under_way = services.count_unfinished_elsewhere(to)
        if left or under_way:
            self.stdout.write(
                f"{left} objects and {under_way} unfinished uploads are in another storage: "
                "run this once more."
            )


def _hours(text: str) -> int:
    """As many as a moment may lie ahead."""
    return positive(str(positive(text) * 3600)) // 3600


def _place(name: str) -> services.Place:
    try:
        return services.place_of(name)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
