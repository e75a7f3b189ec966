"""Fields of other models by which an object names what was adopted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import FileField, ForeignKey, Q, QuerySet

from apps.media.adopting.contract import UnknownSourceError
from apps.media.adopting.walking import installed_model, rows_after
from apps.media.fields import MediaField


@dataclass(frozen=True)
class Reference:
    """Objects of `model` name a file in the field `old`, and shall in `new`.

    `sources` are the names of which one is that of the adoption.
    """

    model: type[Any]
    old: str
    new: str
    sources: tuple[str, ...]

    def count(self) -> int:
        return self._rows().count()

    def after(self, pk: Any, most: int) -> list[Any]:
        """The next objects whose new field is empty, and whose old one is not."""
        return rows_after(self._rows(), pk, most)

    def key_of(self, row: Any) -> str:
        """What the adoption of its file is known by: a `FileField` is part of the object."""
        field = self.model._meta.get_field(self.old)
        return str(row.pk if isinstance(field, FileField) else getattr(row, field.attname))

    def _rows(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._base_manager.filter(**{f"{self.new}__isnull": True})
        named = Q(**{f"{self.old}__isnull": False})
        if isinstance(self.model._meta.get_field(self.old), FileField):
            named &= ~Q(**{self.old: ""})
        return rows.filter(named)


def reference_to(path: str, new: str) -> Reference:
    """From the field `path` (`app.Model.field`) to the `MediaField` `new` beside it.

    Raises `UnknownSourceError` where there is none, or where it names no file.
    """
    label, _, old = path.rpartition(".")
    model = installed_model(label)
    if not isinstance(_field(model, new), MediaField):
        raise UnknownSourceError(f"{model._meta.label}.{new} is no MediaField.")
    return Reference(model, old, new, _sources(model, _field(model, old)))


def _field(model: type[Any], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        raise UnknownSourceError(f"{model._meta.label} has no field {name!r}.") from None


def _sources(model: type[Any], field: Any) -> tuple[str, ...]:
    """A foreign key may lead to a model that others extend, or that extends others."""
    if isinstance(field, FileField):
        return (f"{model._meta.label_lower}.{field.name}",)
    if not isinstance(field, ForeignKey):
        raise UnknownSourceError(f"{model._meta.label}.{field.name} names no file.")
    target: Any = field.related_model
    return tuple(one._meta.label_lower for one in (target, *target._meta.get_parent_list()))
