"""Where media files are used: by every foreign key to them from a model of another app.

They are found by walking Django's app registry, so that no app has to say what it uses, and none
can forget to. What a file's owner put into a collection counts as used, too: it was chosen to stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import (
    Exists,
    F,
    ForeignKey,
    Model,
    OneToOneField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
)
from django.utils import timezone

from apps.media.exceptions import ForbiddenError
from apps.media.fields import MediaField
from apps.media.models import CollectionItem, MediaAttachment, MediaFile, Rendition
from apps.media.policies import (
    Action,
    Description,
    HostUse,
    Visitor,
    can_access,
    describe_hosts,
)
from apps.media.processing.crops import Crop, cropped_name
from apps.media.processing.recipes import shows_all
from apps.media.selectors.media import shown_to, with_details

MOST_NAMED = 100
APP_LABEL = MediaFile._meta.app_label


@dataclass(frozen=True)
class UseField:
    """A foreign key from a model of another app to a media file."""

    model: type[Model]
    field: Any  # the `ForeignKey`

    @property
    def label(self) -> str:
        """`posts.postattachment.media`."""
        return f"{self.model._meta.label_lower}.{self.field.name}"

    @property
    def rows(self) -> QuerySet[Any]:
        """All rows, also those that a manager of the model would leave out."""
        return QuerySet(model=self.model)

    def of(self, media: Any) -> QuerySet[Any]:
        """The rows that use `media`: a file, or what stands for its key in a query."""
        key = media.pk if isinstance(media, MediaFile) else media
        return self.rows.filter(**{self.field.attname: key})


@dataclass(frozen=True)
class Use:
    """One row that uses a file. `host` is the object that people know: the row itself, or what it
    attaches the file to."""

    field: UseField
    row: Model
    host: Model


@dataclass(frozen=True)
class NamedUse:
    """One use as somebody is told of it: what kind of object, and where they may know it, which."""

    kind: str
    model: str
    name: str
    url: str


@lru_cache(maxsize=1)
def use_fields() -> tuple[UseField, ...]:
    """Every foreign key to a media file from outside this app, by name."""
    found = [
        UseField(model, field)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label != APP_LABEL and not model._meta.proxy
        for field in model._meta.local_concrete_fields
        if _is_use(field)
    ]
    return tuple(sorted(found, key=lambda use: use.label))


def using_models() -> list[type[Model]]:
    """The models whose rows are uses, those that inherit the foreign key included."""
    return [model for model in apps.get_models(include_auto_created=True) if using_columns(model)]


def using_columns(model: type[Model]) -> list[str]:
    """The attributes of a model's rows that hold the keys of the files they use."""
    used = {use.field for use in use_fields()}
    return [field.attname for field in model._meta.concrete_fields if field in used]


def is_used() -> Q:
    """The condition, on a media file, that something uses it at this moment."""
    condition = Q(Exists(_collected_by_owner()))
    for use in use_fields():
        condition |= Q(Exists(use.of(OuterRef("pk"))))
    return condition


def is_media_used(media_id: Any) -> bool:
    """Whether something uses the file now; ask it under the file's lock to act upon it."""
    return MediaFile.objects.filter(is_used(), pk=media_id).exists()


def list_media_usage(*, media: MediaFile) -> list[Use]:
    """Everything of other apps that uses `media`: one query for each field that may."""
    return [_use(use, row) for use in use_fields() for row in _rows(use, media)]


def list_use_names(*, media_id: Any) -> frozenset[str]:
    """The renditions that the uses of the file ask for: by the recipe that each field declares, of
    the crop that each row has."""
    names: set[str] = set()
    for use in use_fields():
        recipe, crop_field = _recipe_of(use)
        if recipe:
            crops = _crops_of(use.of(media_id), crop_field)
            names |= {cropped_name(recipe, crop) for crop in crops if not shows_all(recipe, crop)}
    return frozenset(names)


def _crops_of(rows: QuerySet[Any], crop_field: str) -> list[Crop | None]:
    """What is shown by any of `rows`, however many these are: each crop once, None for all of the
    picture."""
    if crop_field:
        return list(rows.order_by().values_list(crop_field, flat=True).distinct())
    return [None] if rows.exists() else []


def _recipe_of(use: UseField) -> tuple[str, str]:
    """The recipe by which a use is shown, and the field that has its crop; empty without."""
    if issubclass(use.model, MediaAttachment):
        return use.model.accepts.recipe, "crop"
    if isinstance(use.field, MediaField):
        return use.field.recipe, use.field.crop_field
    return "", ""


def describe_usage(*, user: Visitor, media: MediaFile) -> list[NamedUse]:
    """Where `media` is used, for those who may edit it; at most `MOST_NAMED` of each field.

    What an object is called and where it is, its own app says (`register_use_describer`); of the
    others only the kind is told. Raises `ForbiddenError`.
    """
    if not can_access(user, media, Action.EDIT):
        raise ForbiddenError(media.pk)
    uses = [_use(use, row) for use in use_fields() for row in _rows(use, media)[:MOST_NAMED]]
    return name_uses(user, uses)


def name_uses(user: Visitor, uses: Sequence[Use]) -> list[NamedUse]:
    """`uses` as `user` is told of them, without a query for each."""
    found = describe_hosts(user, [_host_use(use) for use in uses])
    return [_named(use, said or Description("")) for use, said in zip(uses, found, strict=True)]


def _host_use(use: Use) -> HostUse:
    return HostUse(use.host, use.field.field.name if use.host is use.row else "")


def _named(use: Use, said: Description) -> NamedUse:
    meta = use.host._meta
    kind = said.kind or str(meta.verbose_name)
    return NamedUse(kind=kind, model=meta.label_lower, name=said.name, url=said.url)


def prefetch_media(field: str) -> Prefetch[Any]:
    """For `prefetch_related` of objects with a `MediaField`: their files with all that showing
    them needs. Then pass what was read through `show_media_of`."""
    return Prefetch(field, queryset=with_details(MediaFile.objects.all()))


def prefetch_attachments(name: str) -> Prefetch[Any]:
    """The same for objects with attachments of that related name: rows in order, with files."""
    return prefetch_media(f"{name}__media")


def show_media_of(user: Visitor, hosts: Iterable[Any], *lookups: str) -> None:
    """Turn the files of `hosts`, read by these helpers, into what `user` is shown of them (see
    `shown_to`), in a fixed number of queries; `lookups` are "avatar", "attachments"."""
    for lookup in lookups:  # within one, a file that several objects use is read once
        found = {media.pk: media for host in hosts for media in _media_of(host, lookup)}
        shown_to(user, list(found.values()))


def find_pictures(
    *, user: Visitor, ids: Collection[UUID], names: Collection[str]
) -> dict[tuple[UUID, str], Rendition]:
    """The renditions of these names, by file and name, of those files as `user`, who may view
    them, gets them; each with `media`. For the small pictures of many: one query, if any."""
    if not ids:
        return {}
    rows = Rendition.objects.filter(media__in=ids, media__deleted_at=None, name__in=names)
    served = rows.exclude(key="").select_related("media").defer("details")
    return {
        (row.media_id, row.name): row
        for row in served
        if row.version == _version_for(user, row.media)
    }


def _version_for(user: Visitor, media: MediaFile) -> int | None:
    """The number of what `user` gets of the file; None for nothing."""
    if media.owner_id == user.pk:
        return media.version
    return (media.published_version or media.version) if media.usable else None


def _media_of(host: Any, lookup: str) -> list[MediaFile]:
    value = getattr(host, lookup)
    if value is None or isinstance(value, MediaFile):
        return [value] if value else []
    return [row.media for row in value.all()]


def list_unused_media(*, older_than: datetime | timedelta) -> QuerySet[MediaFile]:
    """Files outside the trash that nothing uses and that came before `older_than` (a moment, or
    how long ago); the oldest first. Files of libraries (`lifetime` kept) are among them."""
    before = timezone.now() - older_than if isinstance(older_than, timedelta) else older_than
    rows = MediaFile.objects.filter(~is_used(), created_at__lt=before, deleted_at=None)
    return rows.order_by("pk")


def _is_use(field: Any) -> bool:
    if not isinstance(field, ForeignKey) or not isinstance(field.remote_field.model, type):
        return False
    # The link of a model that inherits from the file is the file itself.
    is_itself = isinstance(field, OneToOneField) and field.remote_field.parent_link
    target = field.remote_field.model._meta.concrete_model
    return target is MediaFile and not is_itself


def _collected_by_owner() -> QuerySet[CollectionItem]:
    return CollectionItem.objects.filter(media=OuterRef("pk"), added_by=F("media__owner"))


def _rows(use: UseField, media: MediaFile) -> QuerySet[Any]:
    rows = use.of(media).order_by("pk")
    if issubclass(use.model, MediaAttachment):
        return rows.select_related(use.model.host_field().name)
    return rows


def _use(use: UseField, row: Model) -> Use:
    return Use(use, row, row.host if isinstance(row, MediaAttachment) else row)
