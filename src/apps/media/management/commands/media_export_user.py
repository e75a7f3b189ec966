"""`manage.py media_export_user`: everything that a user has put in, as one archive."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.files.storage import InvalidStorageError
from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import AppError
from apps.media import services
from apps.media.management.longrun import Counted, Stopped, stoppable
from apps.media.management.people import find_user
from apps.media.models import MediaFile


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Write everything that a user has put in to a tar archive: the original bytes of all files "
        "with their versions, also those in the trash, subtitles, and metadata.json, which says "
        "what is known of files, tags, collections, grants and share links (without what would "
        "open them). The archive appears when it is whole; a run that ends before leaves nothing. "
        "Exits with 1 where objects are missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the name the user signs in by")
        parser.add_argument(
            "--output", type=Path, required=True, metavar="FILE", help="a new file, such as x.tar"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_user(options["name"])
        path: Path = options["output"]
        total = MediaFile.objects.filter(owner=user).count()
        try:
            with stoppable(), Counted(self.stderr, "files", total) as counted:
                done = services.export_user(user=user, path=path, on_progress=counted.advance)
        except Stopped as stopped:
            code = 128 + stopped.signal
            raise CommandError("Stopped; nothing was written.", returncode=code) from stopped
        except (OSError, AppError, InvalidStorageError) as error:
            raise CommandError(f"Nothing was written: {error!r}") from error
        self.stdout.write(
            f"{path}: {done.files} files, {done.objects} objects, {done.bytes} bytes"
            + (f", {done.missing} MISSING" if done.missing else "")
        )
        if done.missing:
            raise CommandError("Some objects are missing; metadata.json has null for them.")
