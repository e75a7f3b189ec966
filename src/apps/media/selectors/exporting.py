"""What a user has put in, as facts for themselves: plain values, one file or collection at a time.

Nothing here opens anything: no token, no password, no storage key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apps.media.models import (
    Caption,
    Collection,
    CollectionItem,
    Grant,
    MediaFile,
    MediaVersion,
    ShareLink,
)

AT_ONCE = 200
_FILE = (
    "title caption alt_text visibility share_location focal_x focal_y original_name media_type "
    "mime_type size sha256 width height duration status version created_at updated_at deleted_at"
).split()
_COLLECTION = "title description visibility created_at updated_at".split()


def iterate_files(*, user: Any) -> Iterator[MediaFile]:
    """All files of `user`, the trash included, the oldest first."""
    files = MediaFile.objects.filter(owner=user).order_by("pk")
    related = ("tags", "versions", "captions", "grants__user", "grants__group", "share_links")
    yield from files.prefetch_related(*related).iterator(chunk_size=AT_ONCE)


def describe_file(media: MediaFile) -> dict[str, Any]:
    """What is known of `media`, whose relations are fetched."""
    return {
        "id": str(media.pk),
        **{name: getattr(media, name) for name in _FILE},
        "tags": sorted(tag.name for tag in media.tags.all()),
        **_openings(media.grants.all(), media.share_links.all()),
    }


def describe_version(version: MediaVersion) -> dict[str, Any]:
    names = "number original_name mime_type size sha256 created_at metadata".split()
    return {name: getattr(version, name) for name in names}


def describe_caption(caption: Caption) -> dict[str, Any]:
    names = "language kind label size created_at".split()
    return {name: getattr(caption, name) for name in names}


def iterate_collections(*, user: Any) -> Iterator[dict[str, Any]]:
    """All collections of `user` as facts, each with the ids of what is in it, in their order."""
    found = Collection.objects.filter(owner=user).order_by("pk")
    related = ("grants__user", "grants__group", "share_links")
    for collection in found.prefetch_related(*related).iterator(chunk_size=AT_ONCE):
        items = CollectionItem.objects.filter(collection=collection).order_by("position", "pk")
        yield {
            "id": str(collection.pk),
            "parent": str(collection.parent_id) if collection.parent_id else None,
            **{name: getattr(collection, name) for name in _COLLECTION},
            "items": [str(media) for media in items.values_list("media_id", flat=True)],
            **_openings(collection.grants.all(), collection.share_links.all()),
        }


def _openings(grants: Any, links: Any) -> dict[str, Any]:
    return {
        "grants": [_describe_grant(grant) for grant in grants],
        "share_links": [_describe_link(link) for link in links],
    }


def _describe_grant(grant: Grant) -> dict[str, Any]:
    to = grant.user.get_username() if grant.user else str(grant.group)
    return {"to": to, "permission": grant.permission, "expires_at": grant.expires_at}


def _describe_link(link: ShareLink) -> dict[str, Any]:
    names = "created_at expires_at max_downloads downloads".split()
    return {
        **{name: getattr(link, name) for name in names},
        "has_password": bool(link.password),
    }
