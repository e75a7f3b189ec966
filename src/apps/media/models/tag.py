"""A tag: one owner's word for some of their files. Other owners' words stay theirs."""

from __future__ import annotations

import unicodedata

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id


def normalise_tag(name: str) -> str:
    """One spelling for what looks the same: NFC, no white space around."""
    return unicodedata.normalize("NFC", name).strip()


def fold_tag(name: str) -> str:
    """What tags of one owner differ by: their normal spelling without case (Unicode §3.13)."""
    return normalise_tag(name).casefold()


class Tag(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="media_tags",
        verbose_name=_("owner"),
    )
    name = models.CharField(_("name"), max_length=64)
    # a letter folds to at most three
    folded = models.CharField(_("folded"), max_length=192, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints = [
            models.UniqueConstraint(fields=["owner", "folded"], name="media_tag_once_per_owner"),
        ]

    def __str__(self) -> str:
        return self.name
