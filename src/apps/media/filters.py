"""The filters of media lists, the same for the API and the pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import django_filters
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.core.ids import first_id
from apps.media.models import (
    VERSION_FACTS,
    Collection,
    CollectionItem,
    MediaFile,
    fold_tag,
)
from apps.media.models.media_file import MediaType, Status, Visibility
from apps.media.policies import collections_visible_to, items_shown_to
from apps.media.processing.swatches import SWATCHES

MAX_WORDS = 8
# A day from either end of the calendar, where a change of the time zone cannot leave it.
REPRESENTABLE = [
    MinValueValidator(datetime(1, 1, 2, tzinfo=UTC)),
    MaxValueValidator(datetime(9999, 12, 30, tzinfo=UTC)),
]

# Days that an id can be of (see `core.ids`).
DAYS = [MinValueValidator(date(1970, 1, 2)), MaxValueValidator(date(9999, 12, 30))]
SIZES = [MinValueValidator(0), MaxValueValidator(2**63 - 1)]


class MomentField(django_filters.fields.IsoDateTimeField):  # type: ignore[misc]
    """A moment in UTC, since databases know fewer time zones than ISO 8601 can write."""

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        return moment and moment.astimezone(UTC)


class MomentFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    field_class = MomentField


class DayFilter(django_filters.DateFilter):  # type: ignore[misc]
    """A day in the site's time zone, as 2024-12-31."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, validators=DAYS, input_formats=["%Y-%m-%d"], **kwargs)


class MediaFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Query parameters of a media list. `tag` may be repeated: all must be there."""

    media_type = django_filters.MultipleChoiceFilter(choices=MediaType.choices)
    status = django_filters.MultipleChoiceFilter(choices=Status.choices)
    visibility = django_filters.MultipleChoiceFilter(choices=Visibility.choices)
    owner = django_filters.CharFilter(method="filter_owner", label="user name, or id")
    tag = django_filters.CharFilter(method="filter_tag", label="name of a tag")
    q = django_filters.CharFilter(method="filter_words", label="words to find")
    collection = django_filters.UUIDFilter(method="filter_collection", label="id of a collection")
    created_after = MomentFilter(
        field_name="created_at", lookup_expr="gte", validators=REPRESENTABLE
    )
    created_before = MomentFilter(
        field_name="created_at", lookup_expr="lt", validators=REPRESENTABLE
    )

    since = DayFilter(method="filter_since", label="the first day")
    until = DayFilter(method="filter_until", label="the last day")
    size_min = django_filters.NumberFilter(field_name="size", lookup_expr="gte", validators=SIZES)
    size_max = django_filters.NumberFilter(field_name="size", lookup_expr="lte", validators=SIZES)
    color = django_filters.MultipleChoiceFilter(
        field_name="swatch", choices=[(name, name) for name in SWATCHES]
    )
    duplicates = django_filters.BooleanFilter(
        method="filter_duplicates", label="your copies of older files of yours, or all others"
    )

    class Meta:
        model = MediaFile
        fields: list[str] = []

    def filter_owner(self, rows: QuerySet[MediaFile], name: str, value: str) -> QuerySet[MediaFile]:
        """Media of the user with this name, or with this id where nobody has that name; an unknown
        one finds nothing."""
        users = get_user_model()
        key = _key_in(value)
        if key is None or users._default_manager.filter(**{users.USERNAME_FIELD: value}).exists():
            return rows.filter(**{f"owner__{users.USERNAME_FIELD}": value})
        return rows.filter(owner=key)

    def filter_tag(self, rows: QuerySet[MediaFile], name: str, value: str) -> QuerySet[MediaFile]:
        every = self._every("tag")
        if any("\0" in tag for tag in every):  # the form has looked at the last one only
            return rows.none()
        for tag in every:
            rows = rows.filter(pk__in=_tagged(tag))
        return rows

    def filter_collection(
        self, rows: QuerySet[MediaFile], name: str, value: Any
    ) -> QuerySet[MediaFile]:
        """What the collection shows; one that the visitor does not see finds nothing."""
        visitor = getattr(self.request, "user", None) or AnonymousUser()
        seen = Collection.objects.filter(collections_visible_to(visitor), pk=value)
        items = CollectionItem.objects.filter(items_shown_to(visitor), collection__in=seen)
        return rows.filter(pk__in=items.values("media"))

    def filter_words(self, rows: QuerySet[MediaFile], name: str, value: str) -> QuerySet[MediaFile]:
        """Every word must occur somewhere in the names, texts or tags.

        In the visitor's own files, camera, lens and time count too: facts that others never get,
        hence must not find by either.
        """
        words = value.casefold().split()[:MAX_WORDS]
        return rows.filter(*(self._occurs(word) for word in words))

    def filter_since(
        self, rows: QuerySet[MediaFile], name: str, value: date
    ) -> QuerySet[MediaFile]:
        """Along the ids, which are in order of time, hence along the index of every list."""
        return rows.filter(pk__gte=first_id(_midnight(value)))

    def filter_until(
        self, rows: QuerySet[MediaFile], name: str, value: date
    ) -> QuerySet[MediaFile]:
        return rows.filter(pk__lt=first_id(_midnight(value + timedelta(days=1))))

    def filter_duplicates(
        self, rows: QuerySet[MediaFile], name: str, value: bool
    ) -> QuerySet[MediaFile]:
        """The visitor's own only: what else an owner has is told to nobody."""
        visitor = getattr(self.request, "user", None)
        copies = Q(owner=getattr(visitor, "pk", None), duplicate_of__isnull=False)
        return rows.filter(copies if value else ~copies)

    def _occurs(self, word: str) -> Q:
        anywhere = Q(search_text__contains=word)
        visitor = getattr(self.request, "user", None)
        if visitor is None or not visitor.is_authenticated:
            return anywhere
        # That the text is not empty is for the index, which leaves out the files that have none.
        return anywhere | (Q(owner=visitor.pk, owner_text__contains=word) & ~Q(owner_text=""))

    def _every(self, name: str) -> list[str]:
        data: Any = self.data
        values = data.getlist(name) if hasattr(data, "getlist") else [data[name]]
        return [value for value in values if value]


# What a row says of its newest version.
_OF_NEWEST = frozenset({*VERSION_FACTS, "media_type", "status", "swatch"})
_FILTERS_OF_NEWEST = frozenset(
    name for name, one in MediaFilter.base_filters.items() if one.field_name in _OF_NEWEST
)


def goes_by_newest(query: Mapping[str, str]) -> bool:
    """Whether a list that is asked for like this is filtered or sorted by what only those may know
    who get the newest version of a file."""
    sort = query.get("ordering", "").removeprefix("-")
    return sort in _OF_NEWEST or not _FILTERS_OF_NEWEST.isdisjoint(query)


def _key_in(text: str) -> Any:
    """What `text` is as the id of a user; None for none."""
    try:
        return get_user_model()._meta.pk.clean(text, None)
    except ValidationError:
        return None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _tagged(name: str) -> QuerySet[Any]:
    through = MediaFile.tags.through
    return through._default_manager.filter(tag__folded=fold_tag(name)).values("mediafile")
