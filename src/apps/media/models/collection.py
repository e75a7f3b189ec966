"""Collections: a tree of places where files are put in order. They hold files, never own them."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.media.models.media_file import MediaFile, Visibility

MAX_LEVELS = 16  # of a tree, its root included


class Collection(models.Model):
    """One collection of an owner.

    `open_to` is what `visibility` comes to here: nothing is more open than what it lies in. What
    is granted on a collection holds for all below it (see `CollectionPlace`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="media_collections",
        verbose_name=_("owner"),
    )
    # What lies in one that goes may be another's, and stays (see `trees.lift_out_of`).
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="children",
        verbose_name=_("parent"),
    )
    title = models.CharField(_("title"), max_length=255)
    description = models.TextField(_("description"), max_length=10_000, blank=True)
    visibility = models.CharField(
        _("visibility"), max_length=16, choices=Visibility.choices, default=Visibility.PRIVATE
    )
    open_to = models.CharField(
        _("open to"),
        max_length=16,
        choices=Visibility.choices,
        default=Visibility.PRIVATE,
        editable=False,
    )
    cover = models.ForeignKey(
        MediaFile,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="covers",
        verbose_name=_("cover"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    # What the visitor it was read for gets of it: see `selectors.collections_shown_to`.
    rights: frozenset[str] = frozenset()
    shown_cover: MediaFile | None = None
    shown_parent_id: UUID | None = None
    file_count: int = 0

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        indexes = [
            models.Index(fields=["owner", "-id"], name="collection_owner"),
            models.Index(fields=["parent", "title", "id"], name="collection_children"),
            models.Index(
                fields=["-id"], name="collection_public", condition=Q(open_to=Visibility.PUBLIC)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(visibility__in=Visibility.values), name="collection_visibility_known"
            ),
            models.CheckConstraint(
                condition=Q(open_to__in=Visibility.values), name="collection_open_to_known"
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="collection_not_in_itself"),
            models.CheckConstraint(condition=~Q(title=""), name="collection_has_title"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("media:collection", args=[self.pk])


class CollectionPlace(models.Model):
    """That `descendant` lies `depth` levels below `ancestor`; 0 is the collection itself.

    The transitive closure of `Collection.parent`: a right on an ancestor is one join away.
    """

    ancestor = models.ForeignKey(
        Collection, on_delete=models.CASCADE, related_name="below", verbose_name=_("ancestor")
    )
    descendant = models.ForeignKey(
        Collection, on_delete=models.CASCADE, related_name="above", verbose_name=_("descendant")
    )
    depth = models.PositiveSmallIntegerField(_("depth"))

    class Meta:
        verbose_name = _("place of a collection")
        verbose_name_plural = _("places of collections")
        constraints = [
            models.UniqueConstraint(F("descendant"), F("ancestor"), name="collection_place_once"),
            models.CheckConstraint(
                condition=Q(depth__lt=MAX_LEVELS), name="collection_place_depth"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.descendant_id} below {self.ancestor_id}"


class CollectionItem(models.Model):
    """A file in a collection, at a position (lower comes first; there are gaps).

    A collection opens only those files that their owners put into it: whoever else collects a file
    shows it to those who may see it anyway.
    """

    collection = models.ForeignKey(
        Collection, on_delete=models.CASCADE, related_name="items", verbose_name=_("collection")
    )
    media = models.ForeignKey(
        MediaFile, on_delete=models.CASCADE, related_name="collected", verbose_name=_("file")
    )
    position = models.BigIntegerField(_("position"))
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("added by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("file in a collection")
        verbose_name_plural = _("files in collections")
        indexes = [
            models.Index(fields=["collection", "position", "id"], name="collection_item_order"),
        ]
        constraints = [
            models.UniqueConstraint(F("media"), F("collection"), name="collection_item_once"),
        ]

    def __str__(self) -> str:
        return f"{self.media_id} in {self.collection_id}"
