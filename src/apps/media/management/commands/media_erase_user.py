"""`manage.py media_erase_user`: everything of a user goes; a receipt says what went."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.media import selectors, services
from apps.media.exceptions import StillProtectedError
from apps.media.management.bulk import progress_bar
from apps.media.management.people import maybe_find_user
from apps.media.models import Erasure


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Remove everything of a user: files with all versions and renditions, uploads under way, "
        "collections, captions, grants, share links, tags, jobs, the account itself and what other "
        "apps keep with it. Their name leaves the audit trail. Prints a receipt as JSON that names "
        "nobody. A run that was interrupted, however hard, is gone on with by the same command, or "
        "by the worker's sweep a few minutes later."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the name the user signs in by")
        parser.add_argument("--keep-account", action="store_true", help="all but the account")
        parser.add_argument("--dry-run", action="store_true", help="only count what would go")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--receipt",
            type=Path,
            metavar="FILE",
            help="write the receipt there, not to the output",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user, keep = maybe_find_user(options["name"]), options["keep_account"]
        begun = _begun(options["name"], user)
        if user is None and begun is None:
            raise CommandError(f"There is no user {options['name']!r}.")
        if options["dry_run"]:
            self._tell(user)
            return
        if not options["yes"] and not (begun and (keep or not begun.keeps_account)):
            self._ask(user, keep)
        self._hand_over(self._erase(user, begun, keep), options["receipt"])

    def _hand_over(self, receipt: dict[str, Any], path: Path | None) -> None:
        text = json.dumps(receipt, indent=2)
        try:
            if path:
                path.write_text(text + "\n")
                return
        except OSError as error:  # what it tells of has gone: it must not go, too
            self.stdout.write(text)
            raise CommandError(f"All of this was removed; {path}: {error.strerror}") from error
        self.stdout.write(text)

    def _tell(self, user: Any) -> None:
        counts = selectors.count_belongings(user=user) if user is not None else {}
        for kind, count in sorted(counts.items()):
            self.stdout.write(f"{count:>10} {kind}")
        self.stdout.write("Nothing was removed.")

    def _ask(self, user: Any, keep_account: bool) -> None:
        self._tell(user)
        if not sys.stdin.isatty():
            raise CommandError("Say --yes to have all of this removed for good.")
        what = "all of this" if keep_account else "all of this and the account"
        if input(f"Remove {what} for good? Type the name: ") != user.get_username():
            raise CommandError("Nothing was removed.")

    def _erase(self, user: Any, begun: Erasure | None, keep_account: bool) -> dict[str, Any]:
        try:
            with progress_bar() as progress:
                bar = progress.add_task("removed", total=None)
                on_progress = partial(progress.advance, bar)
                if begun is not None and user is None:
                    return services.run_erasure(erasure_id=begun.pk, on_progress=on_progress)
                return services.erase_user(
                    user=user, by=None, keep_account=keep_account, on_progress=on_progress
                )
        except KeyboardInterrupt:
            told = "Stopped. The same command goes on; so does the worker's sweep in a few minutes."
            raise CommandError(told, returncode=130) from None
        except StillProtectedError as error:
            raise CommandError(f"{error.detail} {error.args}") from error


def _begun(name: str, user: Any) -> Erasure | None:
    """The erasure to go on with: of this user, or of whoever had the name and is gone."""
    begun = services.find_open_erasure(name=name)
    if begun and user is not None and begun.subject != str(user.pk):
        return None
    return begun
