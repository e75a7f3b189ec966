"""A `FileField` of some model, also where easy-thumbnails or sorl-thumbnail gave its class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateField, FileField, Q, QuerySet

from apps.media.adopting.contract import Adoptable, OldAddress, UnknownSourceError
from apps.media.adopting.thumbnails import thumbnails_of
from apps.media.adopting.walking import aware, base_name, installed_model, path_of, rows_after


@dataclass(frozen=True)
class Wording:
    """Which fields of the model say what; one of another model is reached by `__`."""

    owner: str = ""
    title: str = ""
    alt_text: str = ""
    caption: str = ""
    created_at: str = ""


class FieldSource:
    """The files of one field. Rows that name the same stored file share one."""

    folder_name = ""
    shares_files = True

    def __init__(self, path: str, wording: Wording = Wording()) -> None:
        """`path` is `app.Model.field`. Raises `UnknownSourceError`, also where the owner is no
        user, or the time no date."""
        label, _, self._field = path.rpartition(".")
        self._model = installed_model(label)
        self._wording = wording
        _ensure_file_field(self._model, self._field)
        fields = [_ensure_field(self._model, named) for named in vars(wording).values()]
        _ensure_user(wording.owner, fields[0])
        _ensure_date(wording.created_at, fields[-1])
        self._owner = _key_path(wording.owner, fields[0])
        self._words = {name: path for name, path in vars(wording).items() if name != "owner"}
        self.name = f"{self._model._meta.label_lower}.{self._field}"

    def count(self) -> int:
        return self._rows().count()

    def after(self, pk: Any, most: int) -> list[Adoptable]:
        rows = rows_after(self._rows(), pk, most)
        made = thumbnails_of([getattr(row, self._field) for row in rows])
        return [self._adoptable(row, made) for row in rows]

    def _rows(self) -> QuerySet[Any]:
        empty = Q(**{self._field: ""}) | Q(**{f"{self._field}__isnull": True})
        joined = [name.rpartition("__")[0] for name in vars(self._wording).values()]
        rows: QuerySet[Any] = self._model._base_manager.exclude(empty)
        return rows.select_related(*filter(None, joined)) if any(joined) else rows

    def _adoptable(self, row: Any, made: dict[str, list[OldAddress]]) -> Adoptable:
        file = getattr(row, self._field)
        said = {name: _value(row, path) for name, path in self._words.items()}
        return Adoptable(
            pk=row.pk,
            file=file,
            original_name=base_name(file.name),
            owner_id=_value(row, self._owner),
            title=str(said["title"] or ""),
            alt_text=str(said["alt_text"] or ""),
            caption=str(said["caption"] or ""),
            created_at=aware(said["created_at"]),
            addresses=(OldAddress(path_of(file.storage, file.name)), *made[file.name]),
        )


def _value(row: Any, path: str) -> Any:
    if not path:
        return None
    return reduce(lambda found, name: getattr(found, name, None), path.split("__"), row)


def _key_path(path: str, field: Any) -> str:
    """The path to the key of what the last field of `path` names: it is read with the row."""
    above, _, _ = path.rpartition("__")
    return "__".join(filter(None, (above, field.attname))) if path else ""


def _ensure_file_field(model: type[Any], name: str) -> None:
    if isinstance(_ensure_field(model, name), FileField):
        return
    raise UnknownSourceError(f"{model._meta.label}.{name} is no FileField.")


def _ensure_user(path: str, field: Any) -> None:
    """The key of anything else may be that of some user, too, who would get the files."""
    if not path:
        return
    named = field.model if field.primary_key else None  # of a user's own field
    if not issubclass(field.related_model or named or type(None), get_user_model()):
        raise UnknownSourceError(f"{path!r} leads to no user; others are reached by __.")


def _ensure_date(path: str, field: Any) -> None:
    if path and not isinstance(field, DateField):
        raise UnknownSourceError(f"{path!r} is no date.")


def _ensure_field(model: type[Any], path: str) -> Any:
    field: Any = None
    for name in path.split("__") if path else ():
        try:
            field = model._meta.get_field(name)
        except (FieldDoesNotExist, AttributeError):
            raise UnknownSourceError(f"There is no field {path!r}.") from None
        model = field.related_model
    return field
