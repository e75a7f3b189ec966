"""What workers do. Each task is one call of a service; messages carry ids only."""

from __future__ import annotations

from celery import shared_task

from apps.notifications import announcing, dispatch, mailing, services


@shared_task(name=dispatch.SEND_MAIL)
def send_mail(mail_id: str) -> bool:
    return mailing.send_mail(mail_id)


@shared_task(name="notifications.sweep_mails")
def sweep_mails() -> int:
    return mailing.sweep_mails()


@shared_task(name=dispatch.ANNOUNCE)
def announce(announcement_id: str) -> int:
    return announcing.announce(announcement_id)


@shared_task(name="notifications.sweep_announcements")
def sweep_announcements() -> int:
    return announcing.sweep_announcements()


@shared_task(name=dispatch.FORGET)
def forget_target(target_id: str) -> int:
    return services.forget_target(target_id=target_id)


@shared_task(name=dispatch.FORGET_LOST)
def forget_lost() -> int:
    return services.forget_lost()


@shared_task(name=dispatch.QUEUE_DIGESTS)
def queue_digests() -> int:
    return mailing.queue_digests()


@shared_task(name=dispatch.EXPIRE)
def expire() -> int:
    return services.expire_notifications()
