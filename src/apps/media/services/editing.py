"""Changing what an owner says about a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext

from apps.core.words import gettext_noop as _
from apps.media.exceptions import BadRequestError, ForbiddenError
from apps.media.models import (
    AuditEvent,
    Job,
    Lifetime,
    MediaFile,
    Tag,
    Visibility,
    fold_tag,
    normalise_tag,
)
from apps.media.policies import Action, Visitor, can_access
from apps.media.services.auditing import note
from apps.media.services.deletion import announce_withdrawal
from apps.media.services.jobs import Work, enqueue_job
from apps.media.services.locks import lock_media
from apps.media.services.releasing import unclaimed_until
from apps.media.services.words import (
    refresh_search_text,
    refresh_search_texts_of,
    searchable,
)

EDITABLE = frozenset(
    {
        "title",
        "caption",
        "alt_text",
        "visibility",
        "focal_x",
        "focal_y",
        "share_location",
        "expires_at",
    }
)
# What decides who sees how much of a file.
SHARING = ("visibility", "share_location")
MAX_TAGS = 50


def update_media(*, user: Visitor, media: MediaFile, **fields: Any) -> MediaFile:
    """Change `fields` (those of `EDITABLE`, and `tags`: a list of names) of `media`.

    Whoever changes one of `SHARING` must also have the right to share, and whoever changes
    `expires_at` that to delete. Raises `ForbiddenError`, `NotVisibleError`, `BadRequestError` for a
    field that cannot be set, `ValidationError`.
    """
    if not can_access(user, media, Action.EDIT):
        raise ForbiddenError(media.pk)
    if unknown := sorted(set(fields) - EDITABLE - {"tags"}):
        raise BadRequestError(
            detail=_("The field “%(name)s” cannot be set."), values={"name": unknown[0]}
        )
    with transaction.atomic():
        media = lock_media(media)
        _ensure_may_end(user, media, fields)
        _change_sharing(user, media, fields)
        _note_changes(user, media, fields)
        tags = fields.pop("tags", None)
        if fields.get("visibility", Visibility.PUBLIC) != Visibility.PUBLIC:
            announce_withdrawal(media)
        for name, value in fields.items():
            setattr(media, name, value)
        media.clean_fields(exclude=_all_but(fields))
        if tags is not None:
            set_tags(media=media, names=tags)
        media.search_text = searchable(media)
        media.save(update_fields=[*fields, "search_text", "updated_at"])
        if {"focal_x", "focal_y"} & set(fields) and media.usable and media.is_settled:
            work = Work(Job.Kind.RENDER, needed=False)  # the crops, whose recipe this changes
            enqueue_job(media=media, version=media.version, work=work)
    return media


def _ensure_may_end(user: Visitor, media: MediaFile, fields: Mapping[str, Any]) -> None:
    """Whoever says when `media` goes has it deleted."""
    changes = fields.get("expires_at", media.expires_at) != media.expires_at
    if changes and not can_access(user, media, Action.DELETE):
        raise ForbiddenError(media.pk)


def _change_sharing(user: Visitor, media: MediaFile, fields: dict[str, Any]) -> None:
    """Write down what `fields` change of who sees `media`, if `user` may change that."""
    changes = {
        name: fields[name]
        for name in SHARING
        if name in fields and fields[name] != getattr(media, name)
    }
    if not changes:
        return
    if not can_access(user, media, Action.SHARE):
        raise ForbiddenError(media.pk)
    before = {name: getattr(media, name) for name in changes}
    note(AuditEvent.Act.VISIBILITY, user=user, media=media, before=before, after=changes)


def _note_changes(user: Visitor, media: MediaFile, fields: Mapping[str, Any]) -> None:
    """Write down what else `fields` change: which, not from what to what."""
    changed = {
        name
        for name, value in fields.items()
        if name not in {*SHARING, "tags"} and value != getattr(media, name)
    }
    if "tags" in fields and _keys_of(fields["tags"]) != {tag.folded for tag in media.tags.all()}:
        changed.add("tags")
    if changed:
        note(AuditEvent.Act.EDITED, user=user, media=media, fields=sorted(changed))


def _keys_of(names: Iterable[str]) -> set[str]:
    return {fold_tag(name) for name in names} - {""}


def build_media(*, owner: Visitor, **fields: Any) -> MediaFile:
    """An unsaved media file of `owner` with its search text. What is `for_use` lives as long as
    something uses it, and waits a while for the first."""
    if fields.pop("for_use", False):
        fields |= {"lifetime": Lifetime.USED, "expires_at": unclaimed_until()}
    media = MediaFile(owner_id=owner.pk or 0, **fields)
    media.search_text = searchable(media)
    return media


def check_texts(*, fields: Mapping[str, Any], tags: Iterable[str]) -> None:
    """Raise `ValidationError` unless these texts can be stored; nothing is written."""
    texts = {name: value for name, value in fields.items() if name != "for_use"}
    MediaFile(**texts).clean_fields(exclude=_all_but(texts))
    tag_names(tags)


def set_tags(*, media: MediaFile, names: Iterable[str]) -> None:
    """Make the owner's tags of these names, new ones included, the tags of `media`."""
    media.tags.set(ensure_tags(owner_ids={media.owner_id}, names=tag_names(names)))
    refresh_search_text(media)


@transaction.atomic
def rename_tag(*, tag: Tag, name: str) -> Tag:
    """Give `tag` another name, by which its files are found from now on.

    The files are locked before it and along their ids, as by who tags them. Raises
    `ValidationError` for an unusable name or one that the owner's other tag has.
    """
    carried = MediaFile.tags.through.objects.filter(tag=tag).values("mediafile")
    list(MediaFile.objects.filter(pk__in=carried).select_for_update().order_by("pk").values("pk"))
    tag.name, tag.folded = normalise_tag(name), fold_tag(name)
    tag.full_clean()
    tag.save(update_fields=["name", "folded"])
    refresh_search_texts_of(tag)  # also of files that got it before it was ours
    return tag


def tag_names(names: Iterable[str]) -> list[str]:
    """The distinct usable names, in order; raises `ValidationError`."""
    cleaned = {fold_tag(name): normalise_tag(name) for name in names}
    cleaned.pop("", None)
    if len(cleaned) > MAX_TAGS:
        raise ValidationError({"tags": gettext("At most %(most)s tags.") % {"most": MAX_TAGS}})
    for name in cleaned.values():
        try:
            Tag(name=name).clean_fields(exclude=_all_but({"name"}, model=Tag))
        except ValidationError as error:
            raise ValidationError({"tags": error.messages}) from error
    return list(cleaned.values())


def ensure_tags(*, owner_ids: Collection[Any], names: Iterable[str]) -> list[Tag]:
    """The tags of these names of each of the owners; those that are missing are made.

    In one order for everybody, so that parallel requests wait for each other and never in a ring.
    """
    wanted = {fold_tag(name): name for name in names}
    rows = [
        Tag(owner_id=owner_id, name=wanted[key], folded=key)
        for owner_id in sorted(owner_ids)
        for key in sorted(wanted)
    ]
    Tag.objects.bulk_create(rows, ignore_conflicts=True)
    return list(Tag.objects.filter(owner_id__in=owner_ids, folded__in=wanted))


def _all_but(names: Iterable[str], *, model: type = MediaFile) -> set[str]:
    every = {field.name for field in model._meta.get_fields()}  # type: ignore[attr-defined]
    return every - set(names)
