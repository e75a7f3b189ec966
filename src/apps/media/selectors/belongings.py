"""What is a user's in this app: found by walking its models, so that a new one is not forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import ForeignKey, QuerySet, Sum

from apps.media.models import AuditEvent, Caption, MediaFile, MediaVersion, Rendition, Upload

_WITH_FILES: tuple[type[models.Model], ...] = (MediaVersion, Rendition, Caption)


def rows_of(user: Any) -> Iterator[QuerySet[Any]]:
    """The rows that cannot be without their user, one query set for each way to be theirs."""
    for field in _references():
        if field.remote_field.on_delete is models.CASCADE:
            yield field.model._base_manager.filter(**{field.name: user.pk})


def rows_naming(user: Any) -> Iterator[tuple[QuerySet[Any], str]]:
    """The rows of others that say this user did something, each with the name of the field."""
    for field in _references():
        if field.remote_field.on_delete is not models.CASCADE:
            yield field.model._base_manager.filter(**{field.name: user.pk}), field.name


def count_belongings(*, user: Any) -> dict[str, int]:
    """How many rows of each model would go with the user."""
    counts: dict[str, int] = {}
    for rows in rows_of(user):
        _add(counts, rows)
    for model in _WITH_FILES:
        _add(counts, model._base_manager.filter(media__owner=user.pk))
    _add(counts, AuditEvent.objects.filter(actor=user.pk))
    return {kind: count for kind, count in counts.items() if count}


def bytes_of_files(**condition: Any) -> dict[str, int]:
    """Bytes stored of the files that `condition` on their rows selects, by storage."""
    sizes: dict[str, int] = {}
    for model in _WITH_FILES:
        rows = model._base_manager.filter(**{f"media__{name}": v for name, v in condition.items()})
        _add_sizes(sizes, rows, "size")
    return sizes


def bytes_of_uploads(**condition: Any) -> dict[str, int]:
    """Bytes that have arrived of unfinished uploads, by storage."""
    sizes: dict[str, int] = {}
    unfinished = Upload.objects.exclude(state=Upload.State.COMPLETED)
    _add_sizes(sizes, unfinished.filter(**condition), "offset")
    return sizes


def _add(counts: dict[str, int], rows: QuerySet[Any]) -> None:
    kind = rows.model._meta.label_lower
    counts[kind] = counts.get(kind, 0) + rows.count()


def _add_sizes(sizes: dict[str, int], rows: QuerySet[Any], field: str) -> None:
    for alias, size in rows.values_list("storage").annotate(sum=Sum(field)).order_by():
        sizes[alias] = sizes.get(alias, 0) + (size or 0)


def _references() -> Iterator[ForeignKey[Any, Any]]:
    users = apps.get_model(settings.AUTH_USER_MODEL)
    for model in apps.get_app_config(MediaFile._meta.app_label).get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, ForeignKey) and field.related_model is users:
                yield field
