"""Every address × every kind of visitor × every visibility: who gets what (ASVS V8.2).

The rows are generated from the URL table: an address without an expectation fails the test. Here
are the addresses, in `test_access_roles` what every role gets from them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.core.storage import ObjectStore, new_key
from apps.media import services
from apps.media.models import (
    Caption,
    Collection,
    CollectionItem,
    Grant,
    MediaFile,
    Rendition,
    ShareLink,
    Upload,
)
from apps.media.processing.recipes import THUMBNAIL
from apps.media.tests import samples
from apps.media.urls import urlpatterns

ROLES = ("anonymous", "stranger", "owner", "staff")
VISIBILITIES = ("private", "unlisted", "public")

# What shows one file to those who may view it.
VIEWING = {
    "media:media-detail",
    "media:media-similar",
    "media:captions",
    "media:detail",
    "media:status",
}
# What gives its bytes, or what is made of them.
READING = {
    "media:original",
    "media:rendition",
    "media:hls-master",
    "media:hls-playlist",
    "media:hls-track",
    "media:hls-caption",
    "media:hls-caption-playlist",
}
# The same under a token, whoever brings it: see `test_signed`.
SIGNED = {name.replace("media:", "media:signed-") for name in READING}
# What signs addresses of what one may read, for those who are signed in.
SIGNING = "media:signed-urls"
# What needs the right to change it, besides PATCH and DELETE: all by POST.
CHANGING = {
    "media:media-restore",
    "media:media-reprocess",
    "media:captions",
    "media:edit",
    "media:delete",
    "media:restore",
    "media:purge",
    "media:reprocess",
    "media:keep",
    "media:add-caption",
    "media:remove-caption",
    "media:edits",
    "media:turn",
    "media:poster",
    "media:choose-poster",
    "media:media-replace",
    "media:replace",
    "media:version-restore",
    "media:restore-version",
    "media:delete-version",
}
# What needs the right to share it: all by POST.
SHARING = {
    "media:grants",
    "media:share-links",
    "media:add-grant",
    "media:change-grant",
    "media:remove-grant",
    "media:add-link",
    "media:remove-link",
}
# What whoever has the address of a share link gets: see also `test_share_links`.
LINKED = {"media:share", "media:share-media"} | {
    name.replace(":", ":share-", 1) for name in READING
}
BY_METHOD = {"PATCH": "media:media-detail", "DELETE": "media:media-detail"} | {
    "DELETE caption": "media:caption",
    "DELETE version": "media:version",
    "GET versions": "media:versions",
    "GET usage": "media:media-usage",
}
SHARING_BY_METHOD = {
    "GET grants": "media:grants",
    "PATCH grant": "media:grant",
    "DELETE grant": "media:grant",
    "GET share links": "media:share-links",
    "GET code of link": "media:code-of-link",
    "DELETE share link": "media:share-link",
}
# What tells of a file to those who may share it.
TELLING = {"GET activity": "media:media-activity", "GET activity page": "media:activity"}
# The same of a collection: see `test_sharing_collections`.
SHARING_SHELVES = {name.replace(":", ":collection-", 1) for name in SHARING}
SHARING_SHELVES_BY_METHOD = {
    what: name.replace(":", ":collection-", 1) for what, name in SHARING_BY_METHOD.items()
}
# What whoever has a link to a collection gets: see `test_share_links`.
COLLECTION_LINKED = {"media:share-collection"}
# What belongs to whoever asks, and needs a sign-in.
PERSONAL = {
    "media:library",
    "media:choose",
    "media:media-cards",
    "media:media-ids",
    "media:media-outline",
    "media:media-suggestions",
    "media:tag-suggestions",
    "media:upload",
    "media:storage",
    "media:copies",
    "media:lookalikes",
    "media:unused",
    "media:trash",
    "media:media-trash",
    "media:tag-list",
    "media:usage",
    "media:import-list",
    "media:collections",
    "media:webhooks",
    "media:webhooks-page",
}
# What empties the trash of whoever asks, or takes out what is theirs: see `test_emptying` and
# `test_selections`.
EMPTYING = {"media:empty-trash", "media:undo-trash"}
# What tells of one webhook to its owner alone: see `test_webhooks`.
HOOKED = {
    "media:webhook",
    "media:webhook-secret",
    "media:webhook-ping",
    "media:webhook-deliveries",
    "media:webhook-delivery",
    "media:webhook-replay",
}
# The same as pages: see `test_webhookpages`.
HOOK_PAGES = {"media:webhook-page", "media:replay-page"}
# What takes uploads of whoever asks, and what its owner alone knows by a token: see `test_tus`,
# `test_direct`, `test_imports`.
TAKING = {"media:tus", "media:direct"}
TOKENED = {
    "media:tus-upload",
    "media:direct-upload",
    "media:direct-parts",
    "media:direct-complete",
    "media:import-detail",
}
OPEN = {"media:home", "media:media-list", "media:collection-list"}
# What shows a collection to those who may view it, and what changes it: all by POST but the first.
SHELVING = {
    "media:collection-detail",
    "media:collection-items",
    "media:collection",
    "media:collection-archive",
}
ARRANGING = {
    "media:collection-edit",
    "media:collection-move",
    "media:collection-delete",
    "media:collection-order",
}
# What gives those of the files named in its query that one may have: see `test_archives`.
CHOOSING = {"media:selection-archive"}
# What names files and collections in its body: see `test_bodies_name_nothing_hidden`.
NAMING = {"media:bulk", "media:selection", "media:collection-new"}
# What tells other sites of what everybody may see, whoever asks: see `test_embedding`.
EMBEDDING = {"media:oembed"}
STATES = ["pending", "processing", "failed", "quarantined", "deleted"]
TRACK = {
    "codecs": "avc1.42c00d",
    "frame_rate": 25.0,
    "head": 10,
    "peak": 900,
    "average": 800,
    "segments": [[4.0, 20]],
}


def _names() -> set[str]:
    found = set()
    for entry in urlpatterns:
        for item in getattr(entry, "url_patterns", [entry]):
            found.add(f"media:{item.name}")
    return found


def test_every_address_has_its_row() -> None:
    known = VIEWING | READING | CHANGING | set(BY_METHOD.values()) | SIGNED | {SIGNING}
    known |= SHARING | set((SHARING_BY_METHOD | TELLING).values()) | LINKED | COLLECTION_LINKED
    shelves = SHELVING | ARRANGING | NAMING | CHOOSING
    shelves |= SHARING_SHELVES | set(SHARING_SHELVES_BY_METHOD.values())
    shelves |= EMBEDDING | HOOK_PAGES | EMPTYING
    assert _names() == known | PERSONAL | TAKING | TOKENED | OPEN | HOOKED | shelves


@pytest.mark.parametrize("name", sorted(TAKING))
def test_strangers_to_the_site_send_nothing(db: None, name: str) -> None:
    client = APIClient()
    answer = client.post(reverse(name), HTTP_TUS_RESUMABLE="1.0.0", HTTP_UPLOAD_LENGTH="5")
    assert answer.status_code == 401
    assert not Upload.objects.exists()


@pytest.fixture
def photo(upload: Callable[..., MediaFile], own_storage: ObjectStore) -> MediaFile:
    return whole_photo(upload, own_storage)


def whole_photo(upload: Callable[..., MediaFile], own_storage: ObjectStore) -> MediaFile:
    """A ready file with all that a file can have, without running an engine."""
    media = upload(samples.photo_jpeg(64, 48), "Secret name.jpg", tags=["hidden word"])
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True, progress=100)
    for name, kind, details in (
        ("thumb.webp", "image/webp", {}),
        ("hls/240p.mp4", "video/mp4", TRACK),
    ):
        stored = _stored(own_storage, samples.photo_webp(64, 48))
        Rendition.objects.create(
            media=media,
            version=1,
            name=name,
            state="ready",
            mime_type=kind,
            width=64,
            height=48,
            details=details,
            fingerprint=THUMBNAIL.fingerprint,
            **stored,
        )
    Caption.objects.create(media=media, language="en", **_stored(own_storage, b"WEBVTT\n"))
    Grant.objects.create(media=media, group=Group.objects.create(name="Empty"))
    ShareLink.objects.create(media=media, created_by=media.owner)
    media.refresh_from_db()
    return media


def _stored(store: ObjectStore, data: bytes) -> dict[str, Any]:
    key = new_key("rendition")
    with store.writer(key) as writer:
        writer.write(data)
    return {"storage": "media", "key": key, "size": len(data)}


@pytest.fixture
def visit(
    owner: Any, stranger: Any, staff: Any, browser_of: Callable[[Any], Client]
) -> Callable[[str], Client]:
    people = {"anonymous": None, "stranger": stranger, "owner": owner, "staff": staff}
    return lambda role: browser_of(people[role])


def _address(name: str, media: MediaFile) -> str:
    caption = media.captions.first()
    last = {
        "media:rendition": "thumb.webp",
        "media:hls-playlist": "240p",
        "media:hls-track": "240p",
        "media:hls-caption": "en",
        "media:hls-caption-playlist": "en",
        "media:caption": caption.pk if caption else uuid.uuid4(),
        "media:remove-caption": caption.pk if caption else uuid.uuid4(),
        "media:grant": _pk(media.grants),
        "media:remove-grant": _pk(media.grants),
        "media:change-grant": _pk(media.grants),
        "media:share-link": _pk(media.share_links),
        "media:remove-link": _pk(media.share_links),
        "media:code-of-link": _pk(media.share_links),
        "media:version": 1,
        "media:version-restore": 1,
        "media:restore-version": 1,
        "media:delete-version": 1,
    }
    return reverse(name, args=[media.pk, *([last[name]] if name in last else [])])


def _pk(rows: Any) -> uuid.UUID:
    row = rows.first()
    return row.pk if row else uuid.uuid4()


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_by_a_token(name: str, photo: MediaFile, visit: Any, owner: Any) -> None:
    plain = _address(name.replace("signed-", ""), photo)
    clients = [visit(role) for role in ROLES]
    for rendition, opens in ((None, True), ("hls", "hls" in name)):
        signed = services.create_signed_url(user=owner, media=photo, rendition=rendition)
        token = signed.split("/")[3]
        for visibility in VISIBILITIES:
            MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
            for client in clients:
                answer = client.get(plain.replace("/media/", f"/media/s/{token}/"))
                assert answer.status_code == (200 if opens else 403)
                assert "public" not in answer.get("Cache-Control", "")
                forged = client.get(plain.replace("/media/", f"/media/s/x{token[1:]}/"))
                assert (forged.status_code, forged.json()["code"]) == (403, "invalid_signature")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", sorted(SIGNED))
def test_a_token_opens_nothing_unfinished(
    name: str, state: str, photo: MediaFile, visit: Any, owner: Any
) -> None:
    token = services.create_signed_url(user=owner, media=photo).split("/")[3]
    _bring_into(state, photo)
    plain = _address(name.replace("signed-", ""), photo)
    assert visit("owner").get(plain.replace("/media/", f"/media/s/{token}/")).status_code == 404


def _bring_into(state: str, media: MediaFile) -> None:
    change: dict[str, Any] = {"visibility": "public"}
    if state == "deleted":
        change["deleted_at"] = "2026-01-01T00:00:00Z"
    else:
        change |= {"status": state, "usable": False, "failure_code": "corrupt_file"}
    MediaFile.objects.filter(pk=media.pk).update(**change)


@pytest.mark.parametrize("name", sorted(READING))
def test_quarantine_is_for_reviewers_alone(
    name: str, photo: MediaFile, staff: Any, visit: Any
) -> None:
    _bring_into("quarantined", photo)
    staff.is_superuser = False
    staff.save()
    answer = visit("staff").get(_address(name, photo))
    assert (answer.status_code, answer.json()["code"]) == (403, "quarantined")
    staff.user_permissions.add(Permission.objects.get(codename="review_quarantine"))
    assert visit("staff").get(_address(name, photo)).status_code == 200


def _change(client: Client, name: str, media: MediaFile) -> Any:
    url = _address((BY_METHOD | SHARING_BY_METHOD | TELLING).get(name, name), media)
    if name.startswith("PATCH"):
        return client.patch(url, {"title": "new"}, content_type="application/json")
    if name.startswith("GET"):
        return client.get(url)
    if name.startswith("DELETE"):
        return client.delete(url)
    file = SimpleUploadedFile("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nx\n")
    return client.post(url, {"title": "new", "file": file, "language": "de", "kind": "subtitles"})


def _rows(media: MediaFile) -> list[Any]:
    rows = (media.captions, media.grants, media.share_links)
    return [MediaFile.objects.filter(pk=media.pk).values().get(), *(list(r.values()) for r in rows)]


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", [*sorted(SHARING), *SHARING_BY_METHOD, *TELLING])
def test_sharing(name: str, role: str, visibility: str, photo: MediaFile, visit: Any) -> None:
    MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
    before = _rows(photo)
    answer = _change(visit(role), name, photo)
    if role in {"owner", "staff"}:
        assert answer.status_code in {200, 201, 204, 302, 400, 422}
        return
    if role == "anonymous":
        assert answer.status_code in {302, 401}
        assert answer.get("Location", "/accounts/login/").startswith("/accounts/login/")
    else:
        assert answer.status_code == (404 if visibility == "private" else 403)
    assert _rows(photo) == before


@pytest.mark.parametrize("permission", ["view", "edit"])
@pytest.mark.parametrize("name", [*sorted(SHARING), *SHARING_BY_METHOD, *TELLING])
def test_grantees_share_nothing(
    name: str, permission: str, photo: MediaFile, stranger: Any, visit: Any
) -> None:
    Grant.objects.create(media=photo, user=stranger, permission=permission)
    before = _rows(photo)
    assert _change(visit("stranger"), name, photo).status_code == 403
    assert _rows(photo) == before


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(LINKED))
def test_whoever_has_the_link(
    name: str, role: str, visibility: str, photo: MediaFile, visit: Any
) -> None:
    MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
    link = photo.share_links.get()
    address = _linked(name, photo, link.token)
    assert visit(role).get(address).status_code == 200
    assert visit(role).get(_linked(name, photo, "x" * 32)).status_code == 404
    link.delete()
    assert visit(role).get(address).status_code == 404


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", sorted(LINKED))
def test_no_link_opens_what_is_unfinished(
    name: str, state: str, photo: MediaFile, visit: Any
) -> None:
    _bring_into(state, photo)
    token = photo.share_links.get().token
    for role in ROLES:
        assert visit(role).get(_linked(name, photo, token)).status_code == 404


def _linked(name: str, media: MediaFile, token: str) -> str:
    if name == "media:share":
        return reverse(name, args=[token])
    if name == "media:share-media":
        return reverse(name, args=[token, media.pk])
    inner = _address(name.replace(":share-", ":", 1), media)
    return inner.replace("/media/", f"/share/{token}/", 1)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(PERSONAL | OPEN))
def test_lists_show_strangers_nothing_private(
    name: str, role: str, photo: MediaFile, visit: Any
) -> None:
    answer = visit(role).get(reverse(name), follow=False)
    if role == "anonymous" and name in PERSONAL:
        assert answer.status_code in {302, 401}
    if role in {"anonymous", "stranger"}:
        text = b"".join(answer) if answer.streaming else answer.content
        assert b"Secret name" not in text
        assert b"hidden word" not in text
        assert str(photo.pk).encode() not in text


def test_withdrawing_publicity_works_at_once(photo: MediaFile, visit: Any) -> None:
    MediaFile.objects.filter(pk=photo.pk).update(visibility="public")
    client, url = visit("anonymous"), _address("media:original", photo)
    assert client.get(url).status_code == 200
    MediaFile.objects.filter(pk=photo.pk).update(visibility="private")
    assert client.get(url).status_code == 404


def test_a_disabled_owner_sees_nothing(photo: MediaFile, owner: Any, visit: Any) -> None:
    client = visit("owner")
    owner.is_active = False
    owner.save()
    assert client.get(_address("media:original", photo)).status_code == 404


def test_staff_may_upload_only_as_themselves(staff: Any, owner: Any, visit: Any) -> None:
    body = {"file": SimpleUploadedFile("a.txt", b"words"), "owner": owner.pk}
    answer = visit("staff").post("/api/v1/media/", body)
    assert answer.json()["owner"]["username"] == "stella"


def test_renditions_of_an_old_version_are_gone(photo: MediaFile, visit: Any) -> None:
    Rendition.objects.filter(media=photo).update(version=7)
    for name in ("media:hls-master", "media:hls-playlist", "media:hls-track"):
        assert visit("owner").get(_address(name, photo)).status_code == 404
    assert visit("owner").get(_address("media:rendition", photo)).status_code == 202


# -- collections -------------------------------------------------------------------------------

BEHIND = (*VISIBILITIES, "public in private", "granted", "expired")


@pytest.fixture
def shelf(photo: MediaFile, owner: Any) -> Collection:
    """A collection in another one, with the photo and a collection in it."""
    outer = services.create_collection(user=owner, title="Outer name", visibility="public")
    found = services.create_collection(user=owner, title="Hidden shelf", parent=outer)
    services.create_collection(user=owner, title="Hidden inner", parent=found)
    services.add_items(user=owner, collection=found, media_ids=[photo.pk])
    return found


def _open(shelf: Collection, behind: str, owner: Any, stranger: Any) -> None:
    if behind in VISIBILITIES:
        services.update_collection(user=owner, collection=shelf, visibility=behind)
    elif behind == "public in private":
        services.update_collection(user=owner, collection=shelf, visibility="public")
        services.update_collection(user=owner, collection=shelf.parent, visibility="private")
    else:
        ends = timezone.now() + timedelta(hours=1 if behind == "granted" else -1)
        Grant.objects.create(collection=shelf.parent, user=stranger, expires_at=ends)


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(SHELVING))
def test_viewing_collections(
    name: str, role: str, behind: str, shelf: Collection, owner: Any, stranger: Any, visit: Any
) -> None:
    _open(shelf, behind, owner, stranger)
    answer = visit(role).get(reverse(name, args=[shelf.pk]))
    by_grant = behind == "granted" and role == "stranger"
    if role in {"owner", "staff"} or behind in {"unlisted", "public"} or by_grant:
        assert answer.status_code == 200
    else:
        _assert_same_as_missing(answer, visit(role), name, shelf.pk)


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("role", ["anonymous", "stranger"])
def test_collections_open_their_files_to_the_same(
    role: str,
    behind: str,
    photo: MediaFile,
    shelf: Collection,
    owner: Any,
    stranger: Any,
    visit: Any,
) -> None:
    _open(shelf, behind, owner, stranger)
    client = visit(role)
    by_grant = behind == "granted" and role == "stranger"
    opened = behind in {"unlisted", "public"} or by_grant
    for name in ("media:media-detail", "media:original", "media:rendition"):
        assert client.get(_address(name, photo)).status_code == (200 if opened else 404)
    listed = client.get("/api/v1/media/", {"collection": shelf.pk}).json()["results"]
    assert bool(listed) == (opened and behind != "unlisted")
    shelves = client.get("/api/v1/collections/").json()["results"]
    titles = {one["title"] for one in shelves}
    assert ("Hidden shelf" in titles) == (opened and behind != "unlisted")
    assert ("Hidden inner" in titles) == by_grant


@pytest.mark.parametrize("role", ["anonymous", "stranger"])
def test_lists_of_collections_show_nothing_hidden(
    role: str, photo: MediaFile, shelf: Collection, visit: Any
) -> None:
    client = visit(role)
    queries = ({}, {"parent": "none"}, {"parent": shelf.pk}, {"parent": shelf.parent_id})
    for query in queries:
        answer = client.get("/api/v1/collections/", query)
        assert b"Hidden" not in answer.content
        assert str(shelf.pk).encode() not in answer.content
    assert client.get("/api/v1/media/", {"collection": shelf.pk}).json()["results"] == []
    outer = client.get(f"/api/v1/collections/{shelf.parent_id}/").json()
    assert (outer["file_count"], outer["urls"]["cover"]) == (0, None)


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", [*sorted(ARRANGING), "PATCH", "DELETE", "POST", "PUT IN ORDER"])
def test_arranging(
    name: str,
    role: str,
    visibility: str,
    shelf: Collection,
    photo: MediaFile,
    owner: Any,
    visit: Any,
) -> None:
    services.update_collection(user=owner, collection=shelf, visibility=visibility)
    before = _shelf_rows(shelf)
    answer = _arrange(visit(role), name, shelf, photo)
    if role in {"owner", "staff"}:
        assert answer.status_code in {200, 204, 302}
        assert _shelf_rows(shelf) != before or name in {"POST", "PUT IN ORDER"}
        return
    assert answer.status_code in {302, 401, 403, 404}
    if answer.status_code == 302:
        assert answer["Location"].startswith("/accounts/login/")
    if visibility == "private" and role == "stranger":
        assert answer.status_code == 404
    assert _shelf_rows(shelf) == before


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("role", [*ROLES, "viewer", "editor"])
@pytest.mark.parametrize("name", [*sorted(SHARING_SHELVES), *SHARING_SHELVES_BY_METHOD])
def test_sharing_collections(
    name: str, role: str, visibility: str, shelf: Collection, owner: Any, stranger: Any, visit: Any
) -> None:
    """Grantees are so by a grant on what it lies in."""
    services.update_collection(user=owner, collection=shelf, visibility=visibility)
    Grant.objects.create(collection=shelf, group=Group.objects.get(name="Empty"))
    ShareLink.objects.create(collection=shelf, created_by=owner)
    is_grantee = role in {"viewer", "editor"}
    if is_grantee:
        permission = role.removesuffix("er").removesuffix("or")
        Grant.objects.create(collection=shelf.parent, user=stranger, permission=permission)
    before = _ways_in(shelf)
    answer = _share(visit("stranger" if is_grantee else role), name, shelf)
    if role in {"owner", "staff"}:
        assert answer.status_code in {200, 201, 204, 302, 400, 422}
        assert "/accounts/" not in answer.get("Location", "")
        assert (_ways_in(shelf) != before) == (name in CHANGING_WAYS)
        return
    if role == "anonymous":
        assert answer.status_code in {302, 401}
        assert answer.get("Location", "/accounts/login/").startswith("/accounts/login/")
    else:
        unseen = visibility == "private" and not is_grantee
        assert answer.status_code == (404 if unseen else 403)
    assert _ways_in(shelf) == before


# Of those above: what changes something without a form that says more.
CHANGING_WAYS = {
    "DELETE grant",
    "DELETE share link",
    "media:collection-share-links",
    "media:collection-add-link",
    "media:collection-remove-grant",
    "media:collection-remove-link",
}


def _share(client: Client, name: str, shelf: Collection) -> Any:
    last = {"grant": shelf.grants, "link": shelf.share_links}
    full = SHARING_SHELVES_BY_METHOD.get(name, name)
    end = full.rpartition("-")[2]
    is_one = end in last and "add" not in full
    url = reverse(full, args=[shelf.pk, *([_pk(last[end])] if is_one else [])])
    send = {"GET": client.get, "DELETE": client.delete, "PATCH": client.patch}
    return send.get(name.partition(" ")[0], client.post)(url)


def _ways_in(shelf: Collection) -> list[Any]:
    return [list(shelf.grants.values()), list(shelf.share_links.values())]


def _arrange(client: Client, name: str, shelf: Collection, photo: MediaFile) -> Any:
    url, items = (
        reverse(f"media:collection-{part}", args=[shelf.pk]) for part in ("detail", "items")
    )
    json = {"content_type": "application/json"}
    match name:
        case "PATCH":
            return client.patch(url, {"title": "new"}, **json)
        case "DELETE":
            return client.delete(url)
        case "POST":
            return client.post(items, {"media": [str(photo.pk)]}, **json)
        case "PUT IN ORDER":
            return client.patch(items, {"media": [str(photo.pk)]}, **json)
    body = {"title": "new", "parent": "", "ids": [str(photo.pk)], "do": "remove"}
    return client.post(reverse(name, args=[shelf.pk]), body)


def _shelf_rows(shelf: Collection) -> list[Any]:
    rows = Collection.objects.filter(pk=shelf.pk)
    fields = ("title", "parent", "visibility", "open_to", "cover")
    return [list(rows.values(*fields)), list(CollectionItem.objects.values("media", "position"))]


def test_bodies_name_nothing_hidden(
    photo: MediaFile, shelf: Collection, stranger: Any, visit: Any
) -> None:
    client, json = visit("stranger"), {"content_type": "application/json"}
    missing = uuid.uuid4()
    for action in ("delete", "restore", "tag", "visibility"):
        more = {"tags": ["x"], "visibility": "public"}
        body = {"ids": [str(photo.pk), str(missing)], "action": action, **more}
        hidden, other = client.post("/api/v1/media/bulk/", body, **json).json()["results"]
        assert (hidden["code"], hidden["detail"]) == ("not_found", other["detail"])
        assert other["code"] == "not_found"
    own = services.create_collection(user=stranger, title="theirs")
    for pk in (shelf.pk, missing):
        body = {"ids": [str(photo.pk)], "action": "collect", "collection": str(pk)}
        assert client.post("/api/v1/media/bulk/", body, **json).status_code == 404
        form = {"title": "x", "parent": pk}
        assert client.post(reverse("media:collection-new"), form).status_code == 404
        form = {"ids": [photo.pk], "do": "collect", "collection": pk}
        assert client.post(reverse("media:selection"), form).status_code == 404
    for pk in (photo.pk, missing):
        body = {"media": [str(pk)]}
        url = reverse("media:collection-items", args=[own.pk])
        assert client.post(url, body, **json).status_code == 404
    client.post(
        reverse("media:selection"), {"ids": [photo.pk], "do": "collect", "collection": own.pk}
    )
    client.post(reverse("media:selection"), {"ids": [photo.pk], "do": "delete"})
    assert not own.items.exists()
    assert MediaFile.objects.get(pk=photo.pk).deleted_at is None


@pytest.mark.parametrize("name", sorted(NAMING))
def test_bodies_need_a_sign_in(name: str, photo: MediaFile, visit: Any) -> None:
    before = _rows(photo)
    body = {"ids": [str(photo.pk)], "action": "delete", "do": "delete", "title": "x"}
    answer = visit("anonymous").post(reverse(name), body)
    assert answer.status_code in {302, 401}
    assert _rows(photo) == before
    assert not Collection.objects.exists()


def _assert_like_missing(answer: Any, client: Client, name: str, photo: MediaFile) -> None:
    """The same answer, header for header, as for an id that never existed."""
    missing = MediaFile(pk=uuid.uuid4(), version=1)
    other = client.get(_address(name, missing))
    _assert_alike(answer, other, photo.pk, missing.pk)


def _assert_same_as_missing(answer: Any, client: Client, name: str, pk: uuid.UUID) -> None:
    missing = uuid.uuid4()
    _assert_alike(answer, client.get(reverse(name, args=[missing])), pk, missing)


def _assert_alike(answer: Any, other: Any, pk: uuid.UUID, missing: uuid.UUID) -> None:
    assert answer.status_code in {404, 302, 401}
    assert answer.status_code == other.status_code
    assert answer.content.replace(str(pk).encode(), b"") == other.content.replace(
        str(missing).encode(), b""
    )
    assert set(answer.headers) == set(other.headers)
