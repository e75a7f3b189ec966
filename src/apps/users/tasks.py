"""What workers do. Each task is one call; messages carry ids only."""

from __future__ import annotations

from smtplib import SMTPException

from celery import shared_task

from apps.users import mailing


@shared_task(name=mailing.SEND_LINK)
def send_email_link(change_id: int) -> bool:
    return mailing.send_email_link(change_id)


@shared_task(
    name=mailing.SEND_PASSWORD_LINK,
    autoretry_for=(OSError, SMTPException),
    retry_backoff=30,  # seconds, then twice as many
    max_retries=5,
)
def send_password_link(user_id: int) -> bool:
    return mailing.send_password_link(user_id)


@shared_task(name=mailing.SWEEP)
def sweep_email_changes() -> int:
    return mailing.sweep_email_changes()
