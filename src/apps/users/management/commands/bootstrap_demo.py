"""Creates the demo account, and gives an empty one the files that are named.

For development only: the password is public. Running it again changes nothing.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from apps.media import selectors, services
from apps.users.models import User

LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "testserver"}
USERNAME = "demo"
PASSWORD = "demo-password"  # noqa: S105  # printed at every start


class Command(BaseCommand):
    """`manage.py bootstrap_demo [FILE …]`."""

    # `migrate` has just run them, and they cost more than this command does.
    requires_system_checks = ()
    help = "Create the demo account; upload FILEs to it if it owns no media yet (development only)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE")

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        if not set(settings.ALLOWED_HOSTS) <= LOOPBACK:
            raise CommandError("The demo account has a public password: only for this machine.")
        user = ensure_demo_user()
        if owns_media(user):
            return
        for file in files:
            upload_sample(user, file)
            self.stdout.write(f"Uploaded {file.name}")


def ensure_demo_user() -> User:
    """Return the demo account, created if it was missing; an existing one stays as it is."""
    users = get_user_model().objects
    existing = users.filter(username=USERNAME).first()
    return existing or users.create_user(username=USERNAME, password=PASSWORD)


def owns_media(user: User) -> bool:
    """Return whether `user` has media, be it in the trash."""
    in_library = selectors.list_media_by_user(user_id=user.pk)
    return in_library.exists() or selectors.list_trash(user=user).exists()


def upload_sample(user: User, file: Path) -> None:
    """Put `file` into the library of `user` under a title made of its name."""
    title = file.stem.replace("-", " ").capitalize()
    services.import_media_from_path(user=user, path=file, title=title, tags=["sample"])
