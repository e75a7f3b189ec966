"""What there is to be told of, and how, unless somebody wants it otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    MEDIA_READY = "media_ready", _("Your file is ready")
    MEDIA_REFUSED = "media_refused", _("Your file was refused")
    MEDIA_NOT_REMADE = "not_remade", _("A change of your file could not be made")
    SHARED = "shared", _("Something is shared with you")
    POST = "post", _("A new post of somebody you follow")
    EVENT_MEDIA = "event_media", _("New photos of an event of yours")
    INVITED = "invited", _("You are invited to an event")
    WEBHOOK_OFF = "webhook_off", _("A webhook of yours was turned off")


class Email(models.TextChoices):
    NOW = "now", _("At once")
    DIGEST = "digest", _("Once a day")
    NEVER = "never", _("Never")


@dataclass(frozen=True)
class Ways:
    """How one kind is told."""

    in_page: bool
    email: Email


DEFAULTS = {
    Kind.MEDIA_READY: Ways(in_page=True, email=Email.NEVER),
    Kind.MEDIA_REFUSED: Ways(in_page=True, email=Email.DIGEST),
    Kind.MEDIA_NOT_REMADE: Ways(in_page=True, email=Email.NEVER),
    Kind.SHARED: Ways(in_page=True, email=Email.NOW),
    Kind.POST: Ways(in_page=True, email=Email.DIGEST),
    Kind.EVENT_MEDIA: Ways(in_page=True, email=Email.DIGEST),
    Kind.INVITED: Ways(in_page=True, email=Email.NOW),
    Kind.WEBHOOK_OFF: Ways(in_page=True, email=Email.NOW),
}
# What happens again within it, before it was read, is added to what there is: a hundred uploads
# are one notification.
TOGETHER = timedelta(minutes=10)
MOST_TOGETHER = 1000
