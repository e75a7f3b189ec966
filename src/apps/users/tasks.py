"""What workers do. Each task is one call; messages carry ids only."""

from __future__ import annotations

from celery import shared_task

from apps.users import mailing


@shared_task(name=mailing.SEND_LINK)
def send_email_link(change_id: int) -> bool:
    return mailing.send_email_link(change_id)


@shared_task(name=mailing.SWEEP)
def sweep_email_changes() -> int:
    return mailing.sweep_email_changes()
