"""Notifications, what they stand for, how people want them, and the mails that tell of them.

A file is named by its id and not by a foreign key: being told of it is no use of it, and must not
keep it.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.notifications.kinds import Email, Kind


class Mail(models.Model):
    """One e-mail: the truth about its sending. `key` names what it is for, so that there is one.

    A worker that holds `lease` prepares it. From `handed_over_at` on nobody knows whether it has
    left, unless the worker says so: it is never sent again by itself. Its id makes its Message-ID.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        DROPPED = "dropped", _("Dropped: there was nothing left to tell")
        FAILED = "failed", _("Failed")
        UNKNOWN = "unknown", _("Unknown: the worker was lost while it was sent")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notification_mails",
        verbose_name=_("recipient"),
    )
    key = models.CharField(_("key"), max_length=100, unique=True)
    is_digest = models.BooleanField(_("digest"), default=False)
    state = models.CharField(
        _("state"), max_length=16, choices=State.choices, default=State.WAITING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"))
    # then it goes without pictures that are still to come
    deadline_at = models.DateTimeField(_("deadline"))
    lease = models.UUIDField(_("lease"), null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    handed_over_at = models.DateTimeField(_("handed over"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=200, blank=True)  # for the operator
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        indexes = [
            models.Index(fields=["due_at"], name="mail_due", condition=Q(state="waiting")),
            models.Index(
                fields=["recipient", "-id"], name="mail_digests", condition=Q(is_digest=True)
            ),
        ]

    def __str__(self) -> str:
        return f"mail {self.pk} ({self.state})"


class Notification(models.Model):
    """Something that somebody is told. It stands for `count` things that happened together.

    While `open`, what happens of the same `group` is added; there is one such at a time.
    `media_id` is of the newest file, for the picture; `target_id` of the newest thing that it leads
    to. `preview_token` opens that picture, and nothing else, to whoever has the mail.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notifications",
        verbose_name=_("recipient"),
    )
    kind = models.CharField(_("kind"), max_length=32, choices=Kind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("actor"),
    )
    group = models.CharField(_("group"), max_length=120)
    open = models.BooleanField(_("still open"), default=True)
    count = models.PositiveIntegerField(_("count"), default=0)
    media_id = models.UUIDField(_("file ID"), null=True, blank=True)
    # media, collection, post, event
    target = models.CharField(_("target"), max_length=32, blank=True)
    target_id = models.UUIDField(_("target ID"), null=True, blank=True)
    in_page = models.BooleanField(_("in the page"), default=True)
    email = models.CharField(_("e-mail"), max_length=16, choices=Email.choices, default=Email.NEVER)
    mail = models.ForeignKey(
        Mail,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="notifications",
        verbose_name=_("mail"),
    )
    preview_token = models.CharField(
        _("preview token"), max_length=43, unique=True, null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = [
            models.Index(
                fields=["recipient", "-id"], name="notification_list", condition=Q(in_page=True)
            ),
            models.Index(
                fields=["recipient"],
                name="notification_unread",
                condition=Q(in_page=True, read_at=None),
            ),
            models.Index(
                fields=["recipient"],
                name="notification_digest",
                condition=Q(email="digest", mail=None),
            ),
            models.Index(fields=["created_at"], name="notification_age"),
            models.Index(
                fields=["media_id"],
                name="notification_picture",
                condition=Q(media_id__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "group"],
                condition=Q(open=True),
                name="notification_open_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.recipient_id}"


class Occurrence(models.Model):
    """What happened, by a `key` that comes once: nobody is told of it twice.

    It is `count` things, of one file or of one target; it goes when that goes.
    """

    notification = models.ForeignKey(
        Notification,
        on_delete=models.CASCADE,
        related_name="occurrences",
        verbose_name=_("notification"),
    )
    key = models.CharField(_("key"), max_length=160, unique=True)
    count = models.PositiveIntegerField(_("count"), default=1)
    media_id = models.UUIDField(_("file ID"), null=True, blank=True)
    target_id = models.UUIDField(_("target ID"), null=True, blank=True)

    class Meta:
        verbose_name = _("occurrence")
        verbose_name_plural = _("occurrences")
        indexes = [
            models.Index(fields=["media_id"], name="occurrence_media"),
            models.Index(fields=["target_id"], name="occurrence_target"),
        ]

    def __str__(self) -> str:
        return self.key


class Announcement(models.Model):
    """Something that people are to be told of: the truth about how far that has come.

    It is written in the transaction of what it tells of, which is its `subject_id`: a post, an
    event, a file, a grant, a webhook. With a `recipient` it is for them alone.
    What happens until it begins (`started_at`) is gathered in it. Then a worker that holds `lease`
    goes along the people by their keys, some at a time, and notes whom it has `reached`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=32, choices=Kind.choices)
    subject_id = models.UUIDField(_("subject ID"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("actor"),
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("recipient"),
    )
    due_at = models.DateTimeField(_("due"))
    # then it goes without pictures that are still to come
    deadline_at = models.DateTimeField(_("deadline"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    reached = models.BigIntegerField(_("reached"), default=0)
    # since somebody was reached
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease = models.UUIDField(_("lease"), null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        indexes = [
            models.Index(fields=["due_at"], name="announcement_due", condition=Q(finished_at=None)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id", "actor"],
                condition=Q(started_at=None, finished_at=None, recipient=None),
                name="announcement_gathers_once",
            ),
            models.UniqueConstraint(
                fields=["kind", "subject_id", "actor", "recipient"],
                condition=Q(started_at=None, finished_at=None, recipient__isnull=False),
                name="announcement_to_one_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"


class AnnouncedFile(models.Model):
    """A file that an announcement is about, by a `key` that comes once: it is news once."""

    announcement = models.ForeignKey(
        Announcement, on_delete=models.CASCADE, related_name="files", verbose_name=_("announcement")
    )
    key = models.CharField(_("key"), max_length=100, unique=True)
    media_id = models.UUIDField(_("file ID"))

    class Meta:
        verbose_name = _("announced file")
        verbose_name_plural = _("announced files")

    def __str__(self) -> str:
        return self.key


class Preference(models.Model):
    """How somebody wants to be told of one kind; without a row as `kinds.DEFAULTS` says."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notification_preferences",
        verbose_name=_("user"),
    )
    kind = models.CharField(_("kind"), max_length=32, choices=Kind.choices)
    in_page = models.BooleanField(_("in the page"))
    email = models.CharField(_("e-mail"), max_length=16, choices=Email.choices)

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="preference_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id}"
