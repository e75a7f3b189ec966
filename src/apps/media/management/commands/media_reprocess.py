"""`manage.py media_reprocess`: have files inspected and rendered again, behind fresh uploads."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from apps.media import services
from apps.media.management.bulk import BulkCommand, media_id
from apps.media.management.people import find_user
from apps.media.models import Status
from apps.media.models.media_file import MediaType


class Command(BulkCommand):
    help = (
        "Have files inspected and all their renditions made anew: every file, or those that all "
        "given options name. Old renditions are served until the new ones are there. Workers do "
        "it in the background and take fresh uploads first; files in quarantine are left out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--id", action="append", type=media_id, dest="ids", default=[], help="may be repeated"
        )
        parser.add_argument("--type", choices=MediaType.values, default="", dest="media_type")
        parser.add_argument("--status", choices=Status.values, default="")
        parser.add_argument("--owner", default="", metavar="NAME")
        parser.add_argument(
            "--changed",
            action="store_true",
            help="make only what is missing or of a changed recipe, of files that are in use",
        )
        super().add_arguments(parser)

    def choose(self, options: dict[str, Any]) -> services.Choice:
        if options["owner"]:
            find_user(options["owner"])
        named = {name: options[name] for name in ("media_type", "status", "owner")}
        return services.Choice(ids=tuple(options["ids"]), **named)

    def act(self, media_ids: Sequence[uuid.UUID], options: dict[str, Any]) -> int:
        return services.reprocess_many(
            media_ids=media_ids, changed_only=options["changed"], dry_run=options["dry_run"]
        )
