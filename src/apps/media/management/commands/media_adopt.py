"""`manage.py media_adopt`: take over the files of another library, or of plain fields."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from apps.core.errors import AppError
from apps.media import adopting, services
from apps.media.management.bulk import progress_bar
from apps.media.management.people import find_user
from apps.media.management.refusals import Refusals
from apps.media.models import Visibility

Steps = Callable[[], Iterator[services.Told]]
WORDS = {
    "owner": "who owns it",
    "title": "its title",
    "alt_text": "its alternative text",
    "caption": "its caption",
    "created_at": "since when it is there",
}


class Command(BaseCommand):
    help = (
        "Copy what another library holds into this one: bytes, words, places, and where they used "
        "to be found. The other library is left as it is. What was adopted is not adopted again, "
        "so that an interrupted run goes on when it is started again. Ends with 1 if anything was "
        "refused. See docs/migrate.md."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        sources = parser.add_subparsers(dest="source", required=True, metavar="SOURCE")
        for name, text in (
            ("filer", "the files of django-filer"),
            ("wagtail", "the images and documents of Wagtail"),
        ):
            _add_adopting(sources.add_parser(name, help=text), visibility=Visibility.UNLISTED)
        _add_field(sources.add_parser("field", help="the files of one FileField"))
        _add_references(
            sources.add_parser("references", help="fill a MediaField beside an old field")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            walks = _walks(options)
        except adopting.UnknownSourceError as error:
            raise CommandError(str(error)) from error
        run = _Run(walks, dry_run=options["dry_run"])
        try:
            run.through()
        except KeyboardInterrupt:
            code = 128 + signal.SIGINT
            raise CommandError(f"Stopped. {run.told()} {GO_ON}", returncode=code) from None
        except AppError as error:
            raise CommandError(f"{error.detail} {run.told()} {GO_ON}") from error
        finally:
            run.refusals.show(Console(file=self.stdout), what="what")  # type: ignore[arg-type]  # has `write`
        if run.refusals.failed:
            raise CommandError(run.told(), returncode=1)
        self.stdout.write(run.told())


GO_ON = "Start it again to go on."


class _Run:
    """One run: counts, and the first refusals."""

    def __init__(self, walks: Sequence[tuple[int, Steps]], *, dry_run: bool) -> None:
        self._walks, self._dry_run = walks, dry_run
        self._taken = self._known = 0
        self.refusals = Refusals()

    def through(self) -> None:
        with progress_bar() as progress:
            bar = progress.add_task("", total=sum(total for total, _ in self._walks))
            for _, steps in self._walks:
                for told in steps():
                    self._count(told)
                    progress.update(bar, advance=1, description=f"{self._taken} taken")

    def told(self) -> str:
        word = "Would take" if self._dry_run else "Took"
        known, failed = self._known, self.refusals.failed
        return f"{word} {self._taken}; {known} were there, {failed} refused."

    def _count(self, told: services.Told) -> None:
        if told.code:
            self.refusals.add(told.name, told.code, told.reason)
        else:
            self._taken, self._known = self._taken + told.taken, self._known + (not told.taken)


def _add_adopting(parser: ArgumentParser, *, visibility: str | None) -> None:
    parser.add_argument("--owner", metavar="NAME", help="whose is what has no active owner")
    parser.add_argument(
        "--visibility",
        choices=Visibility.values,
        default=visibility,
        required=visibility is None,
        help="of what everybody could fetch; the rest is private",
    )
    _add_dry_run(parser)


def _add_field(parser: ArgumentParser) -> None:
    parser.add_argument("field", metavar="APP.MODEL.FIELD")
    for name, text in WORDS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}-field",
            default="",
            metavar="FIELD",
            help=f"the field of the model that says {text}; others are reached by __",
        )
    _add_adopting(parser, visibility=None)


def _add_references(parser: ArgumentParser) -> None:
    parser.add_argument("old", metavar="APP.MODEL.FIELD", help="a FileField, or a foreign key")
    parser.add_argument("new", metavar="FIELD", help="the MediaField of the same model")
    _add_dry_run(parser)


def _add_dry_run(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--dry-run", action="store_true", help="say what it would take, and take nothing"
    )


def _walks(options: dict[str, Any]) -> list[tuple[int, Steps]]:
    """What to go through, each with about how many steps that is. Raises `UnknownSourceError`."""
    dry_run = options["dry_run"]
    if options["source"] == "references":
        reference = adopting.reference_to(options["old"], options["new"])
        return [(reference.count(), lambda: services.relink(reference=reference, dry_run=dry_run))]
    owner = find_user(options["owner"]) if options["owner"] else None
    terms = {"owner": owner, "visibility": options["visibility"], "dry_run": dry_run}
    return [
        (source.count(), lambda source=source: services.adopt(source=source, **terms))  # type: ignore[misc]
        for source in _sources(options)
    ]


def _sources(options: dict[str, Any]) -> list[adopting.Source]:
    if options["source"] == "filer":
        return [adopting.FilerSource()]
    if options["source"] == "wagtail":
        return [adopting.ImageSource(), adopting.DocumentSource()]
    wording = adopting.Wording(**{name: options[f"{name}_field"] for name in WORDS})
    return [adopting.FieldSource(options["field"], wording)]
