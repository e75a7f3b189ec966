"""`manage.py media_rotate_keys`: closes what is stored encrypted by the present SECRET_KEY."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.media import services


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Encrypt the secrets of webhooks anew under the present SECRET_KEY, while the one before "
        "still stands in SECRET_KEY_FALLBACKS: afterwards nothing stored needs that. May be run "
        "again. Exits with 1 if secrets are under a key that is gone: their owners make new ones."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        renewed, lost = services.renew_webhook_secrets()
        self.stdout.write(f"{renewed} webhooks are under the present key.")
        if lost:
            raise CommandError(f"{len(lost)} cannot be read: {', '.join(map(str, lost))}")
