"""Reading along keys, and where stored files used to be found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from django.apps import apps
from django.db.models import Model, QuerySet
from django.utils import timezone

from apps.media.adopting.contract import UnknownSourceError

Row = TypeVar("Row", bound=Model)


def installed_model(label: str) -> type[Any]:
    """The model `app.Model`; raises `UnknownSourceError` where it is not installed."""
    app, _, name = label.partition(".")
    try:
        found: type[Any] = apps.get_model(app, name)
    except (LookupError, ValueError):
        raise UnknownSourceError(f"No model {label!r} is installed.") from None
    return found


def rows_after(rows: QuerySet[Row], pk: Any, most: int) -> list[Row]:
    """The next `most` of `rows` along their keys."""
    beyond = rows if pk is None else rows.filter(pk__gt=pk)
    return list(beyond.order_by("pk")[:most])


def path_of(storage: Any, name: str) -> str:
    """The path at which a storage gives out `name`, decoded as requests come; else nothing."""
    try:
        return path_in(storage.url(name))
    except (NotImplementedError, ValueError):  # a storage without addresses, or no such name
        return ""


def path_in(address: str) -> str:
    """The path of `address`, decoded, whatever host it names."""
    return unquote(urlsplit(address).path)


def base_name(name: str) -> str:
    return PurePosixPath(name).name


def fraction_of(point: tuple[float, float], size: Sequence[float | None]) -> tuple[float, float]:
    """A point in pixels as fractions of a picture of `size`; its middle where that is unknown."""
    width, height = size
    if not width or not height:
        return (0.5, 0.5)
    return (_within(point[0] / width), _within(point[1] / height))


def _within(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def aware(moment: date | None) -> datetime | None:
    """A moment as such; of a day its beginning."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001  made aware below
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
