"""What can be known of media files, their versions, renditions, captions, tags and jobs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    prefetch_related_objects,
)
from django.utils import timezone

from apps.core.words import gettext_noop as _
from apps.media.conf import options
from apps.media.exceptions import ForbiddenError, NotVisibleError, QuarantinedError
from apps.media.links import caption_name
from apps.media.models import (
    VERSION_FACTS,
    Caption,
    Emptying,
    Job,
    MediaFile,
    MediaVersion,
    Rendition,
    Status,
    Tag,
)
from apps.media.policies import (
    Action,
    Visitor,
    can_access,
    is_plainly_visible,
    listed_for,
    may_review,
    rights_among,
    visible_to,
    ways_into_lists,
)
from apps.media.processing.recipes import CLEAN

LIKENESS_DISTANCE = 10  # bits of 64 in which pictures that look the same differ at most
ALTERNATIVES = ("avif", "webp", "jpg")  # endings of one picture's names
_TAGS = Prefetch("tags", queryset=Tag.objects.order_by("name"))
Row = TypeVar("Row", MediaVersion, Rendition)


def list_media_by_user(*, user_id: Any, media_type: str | None = None) -> QuerySet[MediaFile]:
    """The user's files that are not in the trash, newest first."""
    rows = MediaFile.objects.filter(owner_id=user_id, deleted_at=None)
    if media_type:
        rows = rows.filter(media_type=media_type)
    return rows.order_by("-pk")


def list_visible_media(*, user: Visitor, newest: bool = False) -> QuerySet[MediaFile]:
    """Every file that lists show to `user`: their own, public ones; all for managers.

    With `newest`, without those of which `shown_to` shows them an older version: for whoever goes
    by what the rows themselves say of the bytes.
    """
    return MediaFile.objects.filter(listed_for(user, newest=newest)).order_by("-pk")


def ways_to_visible_media(*, user: Visitor, newest: bool = False) -> list[Q]:
    """What `list_visible_media` lists, as conditions of which one is enough: for `read_page`."""
    return ways_into_lists(user, newest=newest)


def list_trash(*, user: Visitor) -> QuerySet[MediaFile]:
    """What `user` has thrown away and can still bring back."""
    emptied = Emptying.objects.filter(owner=user.pk, asked_at__gte=OuterRef("deleted_at"))
    rows = MediaFile.objects.filter(~Exists(emptied), owner=user.pk, deleted_at__isnull=False)
    return rows.order_by("-pk")


def leaves_trash_at(media: MediaFile) -> datetime:
    """When a file that is in the trash is removed, unless it is restored."""
    thrown = media.deleted_at or timezone.now()
    return thrown + timedelta(seconds=options().trash_lifetime)


def get_visible_media(*, user: Visitor, media_id: uuid.UUID | str) -> MediaFile:
    """The file, if `user` may view it; hidden and missing both raise `NotVisibleError`.

    The rule as a query costs more to build than all else, so what is plain without it is looked at
    first. Hidden and missing both go on to it: neither headers nor time tell them apart.
    """
    try:
        rows = MediaFile.objects.filter(pk=media_id).select_related("owner")
        media = rows.first()
        if media is None or not is_plainly_visible(user, media):
            media = rows.filter(visible_to(user)).first()
    except (ValidationError, ValueError):
        media = None  # not an id at all
    if media is None:
        raise NotVisibleError(media_id)
    return shown_to(user, [media])[0]


def list_media_by_ids(*, user: Visitor, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, MediaFile]:
    """Those of the files that `user` may view, as they get them (see `shown_to`), by id."""
    rows = MediaFile.objects.filter(visible_to(user), pk__in=ids).select_related("owner")
    return {media.pk: media for media in shown_to(user, list(rows))}


def get_detailed_media(*, user: Visitor, media_id: uuid.UUID | str) -> MediaFile:
    """The file with all that showing it needs (see `with_details`), if `user` may view it.

    Raises `NotVisibleError`.
    """
    try:
        media = with_details(MediaFile.objects.filter(visible_to(user))).filter(pk=media_id).first()
    except (ValidationError, ValueError):
        media = None  # not an id at all
    if media is None:
        raise NotVisibleError(media_id)
    return shown_to(user, [media])[0]


def detail_new_media(media: MediaFile, *, tagged: bool) -> MediaFile:
    """`media`, just made by the service that returned it, as `get_detailed_media` would give it to
    its owner: for showing only, as its version is a copy of what is shown of it.

    Nothing has been made of it yet, so nothing has to be asked, but for tags where it is `tagged`.
    """
    media.current_renditions = []
    facts = {name: getattr(media, name) for name in VERSION_FACTS}
    media.current = MediaVersion(media=media, number=media.version, **facts)
    prefetched = {"captions": Caption.objects.none(), "tags": Tag.objects.none()}
    media._prefetched_objects_cache = prefetched  # type: ignore[attr-defined]  # Django's own
    if tagged:
        del prefetched["tags"]
        prefetch_related_objects([media], _TAGS)
    media.rights = rights_among(media.owner, [media])[media.pk]
    return media


def shown_to(user: Visitor, rows: Sequence[MediaFile]) -> list[MediaFile]:
    """`rows` as `user` gets them; every file that is read for somebody passes here.

    While a new version is not yet good, those who may not edit the file are shown the last good
    one, in everything: these rows must not be saved. Rows with details also get `rights`.
    """
    found = {media.pk: media for media in rows}
    asked = [media for media in rows if _is_detailed(media) or not media.is_settled]
    rights = rights_among(user, asked)
    for media in asked:
        media.rights = rights[media.pk]
    unsettled = [
        media for media in asked if not media.is_settled and Action.EDIT not in media.rights
    ]
    if unsettled:
        published = _of_published(MediaVersion.objects.filter(media__in=unsettled), "number")
        for version in published.defer("text"):
            _show_published(found[version.media_id], version)
        _show_renditions(unsettled)
    return list(rows)


def _is_detailed(media: MediaFile) -> bool:
    return "current_renditions" in media.__dict__  # else a query would find them


def _of_published(rows: QuerySet[Row], number: str) -> QuerySet[Row]:
    return rows.filter(**{number: F("media__published_version")})


def _show_published(media: MediaFile, version: MediaVersion) -> None:
    media.take_facts(version)
    media.status, media.progress = Status.READY, 100
    media.failure_code = media.failure_message = ""


def _show_renditions(unsettled: list[MediaFile]) -> None:
    """Those of the published version, where those of the current one were read."""
    detailed = [media for media in unsettled if _is_detailed(media)]
    if not detailed:
        return
    rows = _of_published(Rendition.objects.shown().filter(media__in=detailed), "version")
    for media in detailed:
        media.current_renditions = [row for row in rows if row.media_id == media.pk]


def get_readable_media(*, user: Visitor, media_id: uuid.UUID | str) -> MediaFile:
    """The file, if `user` may have its bytes.

    Raises `NotVisibleError`, and `QuarantinedError` or `ForbiddenError` to those who may know of
    the file.
    """
    media = get_visible_media(user=user, media_id=media_id)
    if not can_access(user, media, Action.READ):
        if media.status == Status.QUARANTINED:
            raise QuarantinedError(media_id)
        raise ForbiddenError(media_id, detail=_("This file is not known to be clean."))
    return media


def get_signed_media(*, media_id: uuid.UUID, version: int | None = None) -> MediaFile:
    """The file as others get it, to whom it was opened by an address.

    Raises `NotVisibleError` where there is nothing for others, or another than this `version`.
    """
    alive = MediaFile.objects.filter(pk=media_id, deleted_at=None, usable=True)
    media = alive.select_related("owner").first()
    if media is None:
        raise NotVisibleError(media_id)
    (media,) = shown_to(AnonymousUser(), [media])
    if version not in {None, media.version} or media.status == Status.QUARANTINED:
        raise NotVisibleError(media_id, version)
    _ = media.current  # with all that is asked of it later
    return media


def get_stamp(*, media_id: uuid.UUID) -> tuple[object, ...]:
    """What decides whether, and which of, a file's bytes others get: while it is the same, so is
    the answer of `get_signed_media`. Empty for no file. A short row, by its key."""
    decisive = ("version", "published_version", "status", "usable", "deleted_at", "share_location")
    found = MediaFile.objects.filter(pk=media_id).values_list(*decisive).first()
    return found or ()


def get_original(*, user: Visitor, media: MediaFile) -> MediaVersion | Rendition:
    """The stored bytes of `media`, as `user` may have them.

    Those who may not edit it get them without the place they were taken at, unless the owner
    shares it. Raises `NotVisibleError` while there is no such copy.
    """
    version = media.current
    open_to_all = media.share_location or not version.metadata.get("has_position")
    if open_to_all or can_access(user, media, Action.EDIT):
        return version
    return get_rendition(media=media, name=CLEAN.name)


def with_details(rows: QuerySet[MediaFile]) -> QuerySet[MediaFile]:
    """`rows` with all that showing them needs: a fixed number of queries, however many rows."""
    current = Rendition.objects.shown().filter(version=F("media__version"))
    renditions = Prefetch("renditions", queryset=current, to_attr="current_renditions")
    details = rows.select_related("owner").defer("search_text", "owner_text")
    # A cached property, which Django fills.
    return details.prefetch_related(_TAGS, renditions)  # type: ignore[no-redef]


def list_versions(*, user: Visitor, media: MediaFile) -> QuerySet[MediaVersion]:
    """Every version of `media` that there is, the newest first, for those who may edit the file.

    Raises `ForbiddenError`: what was replaced may have been replaced for a reason.
    """
    if not can_access(user, media, Action.EDIT):
        raise ForbiddenError(media.pk)
    return media.versions.select_related("media").defer("text").order_by("-number")


def get_old_version(*, user: Visitor, media: MediaFile, number: int) -> MediaVersion:
    """A version whose bytes `user` wants; the rule is that of the current ones.

    Raises `ForbiddenError`, `NotVisibleError`, `QuarantinedError`.
    """
    version = list_versions(user=user, media=media).filter(number=number).first()
    if version is None:
        raise NotVisibleError(media.pk, number)
    if may_review(user) or version.scan == MediaVersion.Scan.CLEAN:
        return version
    if version.scan == MediaVersion.Scan.INFECTED:
        raise QuarantinedError(media.pk, number)
    if media.owner_id != user.pk:
        raise ForbiddenError(media.pk, detail=_("This version is not known to be clean."))
    return version


def get_version(*, media: MediaFile) -> MediaVersion:
    """The current version of `media`."""
    return media.current


def get_rendition(*, media: MediaFile, name: str) -> Rendition:
    """The served rendition `name` of the current version; raises `NotVisibleError`."""
    rendition = find_rendition(media=media, name=name)
    if rendition is None:
        raise NotVisibleError(media.pk, name)
    return rendition


def find_rendition(*, media: MediaFile, name: str) -> Rendition | None:
    """The served rendition `name` of the current version, if there is one."""
    found = Rendition.objects.filter(media=media, version=media.version, name=name).exclude(key="")
    # Some databases refuse to compare with a NUL instead of finding nothing.
    return None if "\0" in name else found.defer("details").first()


def list_alternatives(*, media: MediaFile, stem: str) -> list[Rendition]:
    """The served pictures that differ in format only: `w640.avif`, `w640.webp`, … of `w640`.

    The ones that fewest programs read come first.
    """
    if "\0" in stem:  # some databases refuse to compare with it
        return []
    names = [f"{stem}.{ending}" for ending in ALTERNATIVES]
    served = Rendition.objects.filter(media=media, version=media.version, name__in=names)
    found = {row.name: row for row in served.exclude(key="").defer("details")}
    return [found[name] for name in names if name in found]


def list_tracks(*, media: MediaFile) -> list[Rendition]:
    """The tracks of the film that are served, with what playlists say of them."""
    served = Rendition.objects.filter(media=media, version=media.version).exclude(key="")
    return list(served.filter(name__startswith=Rendition.TRACKS).order_by("name"))


def list_captions(*, media: MediaFile) -> QuerySet[Caption]:
    """Its captions in the order they were added."""
    return Caption.objects.filter(media=media).order_by("pk")


def read_captions(*, media: MediaFile) -> list[Caption]:
    """What `list_captions` gives, without a query where they were fetched with the file."""
    return sorted(media.captions.all(), key=lambda caption: caption.pk)


def get_caption(*, media: MediaFile, name: str) -> Caption:
    """The caption of that name (see `links.caption_name`); raises `NotVisibleError`."""
    captions = list_captions(media=media)
    found = next((caption for caption in captions if caption_name(caption) == name), None)
    if found is None:
        raise NotVisibleError(media.pk, name)
    return found


def get_caption_by_id(*, media: MediaFile, caption_id: uuid.UUID) -> Caption:
    """The caption, if it is one of `media`; raises `NotVisibleError`."""
    found = Caption.objects.filter(media=media, pk=caption_id).select_related("media").first()
    if found is None:
        raise NotVisibleError(media.pk, caption_id)
    return found


def find_failed_request(*, media: MediaFile, name: str, since: datetime) -> Job | None:
    """The job that was to make the rendition `name` and has failed for good since then."""
    failed = Job.objects.filter(
        media=media,
        version=media.version,
        kind=Job.Kind.RENDER,
        subject=name,
        state=Job.State.FAILED,
        finished_at__gte=since,
    )
    return failed.order_by("-finished_at").first()


def list_requested_names(*, media: MediaFile) -> frozenset[str]:
    """The renditions of `media` that were asked for and are still to be made."""
    left = Job.objects.filter(
        media=media, kind=Job.Kind.RENDER, state__in=(Job.State.QUEUED, Job.State.RUNNING)
    )
    return frozenset(left.exclude(subject__in=("", "later")).values_list("subject", flat=True))


def list_tags(*, user: Visitor) -> QuerySet[Tag]:
    """The user's tags by name, each with `uses`: how many files outside the trash carry it."""
    uses = Count("media_files", filter=Q(media_files__deleted_at=None))
    return Tag.objects.filter(owner=user.pk).annotate(uses=uses).order_by("name", "pk")


def list_jobs(*, media: MediaFile) -> QuerySet[Job]:
    return media.jobs.order_by("-pk")
