"""`manage.py media_rescan`: have files scanned again, as scanners learn of new malware."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from apps.media import services
from apps.media.management.bulk import BulkCommand
from apps.media.models import Status


class Command(BulkCommand):
    help = (
        "Have files scanned for malware again. What is found goes into quarantine; what is in "
        "quarantine and found clean by newer rules is processed and published again. Workers do "
        "it in the background and take fresh uploads first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true", help="every file")
        which.add_argument(
            "--since", type=moment, metavar="DATE", help="files uploaded on that day or later"
        )
        which.add_argument("--quarantined", action="store_true", help="files in quarantine")
        super().add_arguments(parser)

    def choose(self, options: dict[str, Any]) -> services.Choice:
        status = Status.QUARANTINED if options["quarantined"] else ""
        return services.Choice(status=status, since=options["since"])

    def act(self, media_ids: Sequence[uuid.UUID], options: dict[str, Any]) -> int:
        return services.rescan_many(media_ids=media_ids, dry_run=options["dry_run"])


def moment(text: str) -> datetime:
    """A day or a moment as ISO 8601 writes them, in the project's time zone unless it says one."""
    try:
        day = parse_date(text)
        found = datetime(day.year, day.month, day.day) if day else parse_datetime(text)  # noqa: DTZ001
    except ValueError:
        found = None
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no date such as 2026-01-31")
    return found if timezone.is_aware(found) else timezone.make_aware(found)
