"""Webhooks: addresses that are told of their owner's files, and what they were told."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id


class Webhook(models.Model):
    """Where messages go. `events` are the types that it wants.

    `secret` signs them and is stored encrypted (`apps.core.cipher`); `old_secret` signs beside it
    until `old_secret_until`, so that a receiver can change over. `failing_since` is when the first
    message was not taken since one was; until `resting_until` none is tried.
    """

    class Event(models.TextChoices):
        READY = "media.ready"
        REJECTED = "media.rejected"
        DELETED = "media.deleted"

    class Ending(models.TextChoices):
        """Why we stopped sending."""

        FAILING = "failing", _("Nothing was accepted for a long time")
        GONE = "gone", _("The receiver said that it is gone")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="media_webhooks",
        verbose_name=_("owner"),
    )
    url = models.CharField(_("URL"), max_length=2048)
    description = models.CharField(_("description"), max_length=200, blank=True)
    events = models.JSONField(_("kinds of messages"), default=list)
    enabled = models.BooleanField(_("switched on"), default=True)
    disabled_reason = models.CharField(
        _("disabled reason"), max_length=16, choices=Ending.choices, blank=True
    )
    secret = models.TextField(_("secret"), editable=False)
    old_secret = models.TextField(_("old secret"), blank=True, editable=False)
    old_secret_until = models.DateTimeField(_("old secret until"), null=True, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    resting_until = models.DateTimeField(_("resting until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        indexes = [models.Index(fields=["owner", "-id"], name="webhook_owner")]

    def __str__(self) -> str:
        return f"webhook {self.pk}"


class DeliveryState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")


class WebhookDelivery(models.Model):
    """One message to one webhook: the truth about its sending, as `Job` is about work.

    Written in the transaction of what it tells. `payload` is the text that is signed and sent, the
    same at every attempt; the id names the message, so that receivers can drop what comes twice.
    """

    PING = "webhook.ping"
    State = DeliveryState

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("webhook")
    )
    event = models.CharField(_("message"), max_length=32)
    media_id = models.UUIDField(_("file ID"), null=True, blank=True)  # the file may be gone
    payload = models.TextField(_("payload"))
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease = models.UUIDField(_("lease"), null=True, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    answer_status = models.PositiveSmallIntegerField(_("answer status"), null=True, blank=True)
    # where there was no answer
    error_code = models.CharField(_("error code"), max_length=64, blank=True)
    due_at = models.DateTimeField(_("due"))  # not before
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)  # last handed to the broker
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        indexes = [
            models.Index(fields=["webhook", "-id"], name="delivery_webhook"),
            models.Index(fields=["due_at"], name="delivery_due", condition=Q(state="queued")),
            models.Index(
                fields=["webhook", "due_at"], name="delivery_next", condition=Q(state="queued")
            ),
            models.Index(
                fields=["lease_until"], name="delivery_running", condition=Q(state="running")
            ),
            models.Index(
                fields=["finished_at"],
                name="delivery_old",
                condition=Q(finished_at__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease__isnull=False, lease_until__isnull=False),
                name="delivery_running_has_lease",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} ({self.state})"
