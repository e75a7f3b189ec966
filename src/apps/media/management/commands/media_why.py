"""`manage.py media_why`: why a file or an object is there, and what will become of it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.media import services
from apps.media.exceptions import NotVisibleError


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Tell every reference to a file (uses by other apps, collections, grants, links, versions, "
        "renditions, jobs) and the rule that will remove it and when. Takes the id of a file or an "
        "upload, or a storage key (also as ALIAS:KEY). Changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", metavar="ID", help="an id, or a storage key")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            lines = services.explain(what=options["what"])
        except NotVisibleError as error:
            told = f"Nothing is known of {options['what']}: no row, no object, no trace."
            raise CommandError(told) from error
        self.stdout.write("\n".join(lines))
