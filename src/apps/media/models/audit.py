"""The audit trail: who opened, closed, removed or looked into what. Only ever added to."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id


class AuditEvent(models.Model):
    """One act. Files, collections and people are named by id, so that the line outlives them.

    `details` never holds a token, a password or the name of a private file.
    """

    class Act(models.TextChoices):
        GRANTED = "granted", _("Granted")
        GRANT_CHANGED = "grant_changed", _("Grant changed")
        REVOKED = "revoked", _("Revoked")
        LINK_MADE = "link_made", _("Link made")
        LINK_REVOKED = "link_revoked", _("Link revoked")
        LINK_OPENED = "link_opened", _("Link opened")
        SIGNED = "signed", _("Address signed")
        VISIBILITY = "visibility", _("Visibility changed")
        EDITED = "edited", _("Details changed")
        SHAPED = "shaped", _("Picture edited")
        POSTER = "poster", _("Poster chosen")
        REPLACED = "replaced", _("File replaced")
        VERSION_BACK = "version_back", _("Version restored")
        VERSION_GONE = "version_gone", _("Version deleted")
        TRASHED = "trashed", _("Trashed")
        RESTORED = "restored", _("Restored")
        DELETED = "deleted", _("Deleted")
        VIEWED = "viewed", _("Viewed by role")
        ERASED = "erased", _("User erased")
        RESCANNED = "rescanned", _("Scanned again")
        RELEASED = "released", _("Let out of quarantine")
        HELD = "held", _("Put into quarantine")
        QUOTA = "quota", _("Quota changed")
        ROLE = "role", _("Role given or taken")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    act = models.CharField(_("act"), max_length=16, choices=Act.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("actor"),
    )
    # As long as that of a user model by e-mail address, which is 254 characters, may be.
    actor_name = models.CharField(_("actor name"), max_length=255, blank=True)
    media_id = models.UUIDField(_("file ID"), null=True)
    collection_id = models.UUIDField(_("collection ID"), null=True)
    details = models.JSONField(_("details"), default=dict)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("act in the audit trail")
        verbose_name_plural = _("acts in the audit trail")
        indexes = [
            models.Index(fields=["media_id", "-id"], name="audit_media"),
            models.Index(fields=["collection_id", "-id"], name="audit_collection"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["act", "-id"], name="audit_act"),
        ]

    def __str__(self) -> str:
        return f"{self.act} by {self.actor_name or 'nobody'}"
