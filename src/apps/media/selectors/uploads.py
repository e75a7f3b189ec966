"""What can be known of uploads, imports and accounts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Count, Prefetch, QuerySet, Sum

from apps.core.storage import Capability
from apps.media.conf import options
from apps.media.exceptions import NotVisibleError
from apps.media.models import (
    MediaFile,
    Quota,
    Upload,
)
from apps.media.policies import Visitor
from apps.media.selectors.media import with_details
from apps.media.storage import current_alias, store_of

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,43}")


@dataclass(frozen=True)
class StorageUsage:
    """A user's account in bytes and files."""

    used: int
    reserved: int
    quota: int
    files: int
    files_quota: int


@dataclass(frozen=True)
class UsageReport(StorageUsage):
    """The account, what it is made of, and what is on its way in.

    `by_type` gives the bytes, old versions included, and the number of files of each media type
    that there is; `uploads` the number of uploads under way and the bytes of them that have come.
    """

    by_type: dict[str, dict[str, int]]
    uploads: dict[str, int]


def accepts_direct_uploads() -> bool:
    """Whether clients can send bytes straight to the storage that new files go to."""
    return Capability.PRESIGNED_PARTS in store_of(current_alias()).capabilities


def list_quotas() -> QuerySet[Quota]:
    """The accounts of those who have stored anything, whoever stores most first."""
    return Quota.objects.select_related("owner").order_by("-bytes_used", "pk")


def get_storage_usage(*, user: Visitor) -> StorageUsage:
    """Bytes used, reserved by uploads under way, and the quota."""
    return usage_of(Quota.objects.filter(owner=user.pk).first() or Quota())


def usage_of(quota: Quota) -> StorageUsage:
    """The same of an account that was read already."""
    return StorageUsage(
        used=quota.bytes_used,
        reserved=quota.bytes_reserved,
        quota=options().quota_bytes if quota.bytes_limit is None else quota.bytes_limit,
        files=quota.files_used,
        files_quota=options().quota_files if quota.files_limit is None else quota.files_limit,
    )


def get_upload(*, user: Visitor, token: str, source: str) -> Upload:
    """The upload of `user` that has this token; raises `NotVisibleError` for any other."""
    uploads = Upload.objects.filter(owner_id=user.pk, source=source)
    return _with_token(uploads.select_related("media"), token)


def list_imports(*, user: Visitor) -> QuerySet[Upload]:
    """What the server fetches, or has fetched of late, for `user`, with the files it became."""
    files = Prefetch("media", queryset=with_details(MediaFile.objects.all()))
    own = Upload.objects.filter(owner_id=user.pk, source=Upload.Source.URL)
    return own.prefetch_related(files)


def get_import(*, user: Visitor, token: str) -> Upload:
    """The import of `user` that has this token; raises `NotVisibleError` for any other."""
    return _with_token(list_imports(user=user), token)


def _with_token(uploads: QuerySet[Upload], token: str) -> Upload:
    found = uploads.filter(token=token).first() if _TOKEN.fullmatch(token) else None
    if found is None:
        raise NotVisibleError
    return found


def has_content(*, user: Visitor, sha256: str) -> bool:
    """Whether `user` has a file of these bytes outside the trash, or has just sent it: what an
    upload declared counts until a worker has looked."""
    own = MediaFile.objects.filter(owner_id=user.pk, deleted_at=None)
    sent = Upload.objects.filter(owner_id=user.pk, sha256=sha256, media__in=own)
    return own.filter(sha256=sha256).exists() or sent.filter(media__sha256="").exists()


def get_usage_report(*, user: Visitor) -> UsageReport:
    """The user's account with what it is made of: four queries."""
    return UsageReport(
        **vars(get_storage_usage(user=user)),
        by_type=_usage_by_type(user),
        uploads=_uploads_under_way(user),
    )


def _usage_by_type(user: Visitor) -> dict[str, dict[str, int]]:
    kinds = MediaFile.objects.filter(owner=user.pk).order_by().values_list("media_type")
    files = dict(kinds.annotate(Count("pk")))
    sizes = dict(kinds.annotate(Sum("versions__size")))
    return {kind: {"files": files[kind], "bytes": sizes.get(kind) or 0} for kind in sorted(files)}


def _uploads_under_way(user: Visitor) -> dict[str, int]:
    receiving = Upload.objects.filter(owner=user.pk, state=Upload.State.RECEIVING)
    found = receiving.aggregate(count=Count("pk"), bytes=Sum("offset"))
    return {"count": found["count"], "bytes": found["bytes"] or 0}
