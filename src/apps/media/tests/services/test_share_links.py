"""Share links: what they open, for how long, and how often."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from apps.media import selectors, services
from apps.media.exceptions import (
    BadRequestError,
    ExpiryInPastError,
    ForbiddenError,
    NotVisibleError,
)
from apps.media.models import (
    AuditEvent,
    Collection,
    CollectionItem,
    CollectionPlace,
    Grant,
    MediaFile,
    ShareLink,
)
from apps.media.services.sharing import ENDED_SHOWN

Act = AuditEvent.Act


@pytest.fixture
def media(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    """A private text that is ready."""
    found = upload(b"The words.\n", "words.txt")
    run_jobs()
    return MediaFile.objects.get(pk=found.pk)


def _opens(link: ShareLink, media: MediaFile) -> bool:
    """Whether the link is in force and shows the file."""
    found = selectors.find_open_link(token=link.token)
    if found is None:
        return False
    try:
        return selectors.get_shared_media(link=found, media_id=media.pk) == media
    except NotVisibleError:
        return False


class TestMaking:
    def test_a_link_opens_the_file(self, media: MediaFile, owner: Any) -> None:
        link = services.create_share_link(user=owner, media=media)
        assert _opens(link, media)
        assert len(link.token) == 32  # 192 bits (ASVS V11.5.1)
        event = AuditEvent.objects.get()
        assert (event.act, event.actor, event.media_id) == (Act.LINK_MADE, owner, media.pk)
        assert link.token not in str(event.details)

    def test_the_password_is_kept_as_a_hash(self, media: MediaFile, owner: Any) -> None:
        link = services.create_share_link(user=owner, media=media, password="open sesame")
        assert link.has_password
        assert "sesame" not in link.password
        assert link.accepts("open sesame")
        assert not link.accepts("open  sesame")
        assert "sesame" not in str(AuditEvent.objects.get().details)

    def test_an_empty_password_is_none(self, media: MediaFile, owner: Any) -> None:
        assert not services.create_share_link(user=owner, media=media, password="").has_password

    def test_refusals_leave_nothing(self, media: MediaFile, owner: Any, stranger: Any) -> None:
        over = timezone.now() - timedelta(seconds=1)
        for error, terms in (
            (ForbiddenError, {"user": stranger}),
            (ExpiryInPastError, {"user": owner, "expires_at": over}),
            (BadRequestError, {"user": owner, "max_downloads": 0}),
            (BadRequestError, {"user": owner, "password": "x" * 2000}),
        ):
            with pytest.raises(error):
                services.create_share_link(media=media, **terms)
        assert not ShareLink.objects.exists()
        assert not AuditEvent.objects.exists()

    def test_editors_make_none(self, media: MediaFile, owner: Any, stranger: Any) -> None:
        services.grant_access(user=owner, media=media, to=stranger, permission="edit")
        with pytest.raises(ForbiddenError):
            services.create_share_link(user=stranger, media=media)
        assert not ShareLink.objects.exists()

    def test_revoking_ends_it_at_once(self, media: MediaFile, owner: Any, stranger: Any) -> None:
        link = services.create_share_link(user=owner, media=media)
        with pytest.raises(ForbiddenError):
            services.revoke_share_link(user=stranger, link=link)
        assert _opens(link, media)
        services.revoke_share_link(user=owner, link=link)
        assert not _opens(link, media)
        with pytest.raises(NotVisibleError):
            services.revoke_share_link(user=owner, link=link)
        with pytest.raises(NotVisibleError):
            services.count_download(link=link)
        acts = AuditEvent.objects.order_by("pk").values_list("act", flat=True)
        assert list(acts) == [Act.LINK_MADE, Act.LINK_REVOKED]


class TestWhatALinkOpens:
    @pytest.mark.parametrize(
        "change",
        [
            {"deleted_at": "2026-01-01T00:00:00Z"},
            {"usable": False},
            {"usable": False, "status": "quarantined"},
            {"status": "quarantined"},
        ],
    )
    def test_nothing_that_is_not_fit_to_be_seen(
        self, media: MediaFile, owner: Any, change: dict[str, Any]
    ) -> None:
        link = services.create_share_link(user=owner, media=media)
        MediaFile.objects.filter(pk=media.pk).update(**change)
        assert not _opens(link, media)

    def test_no_other_file(
        self, media: MediaFile, owner: Any, upload: Callable[..., MediaFile], run_jobs: Any
    ) -> None:
        other = upload(b"others\n", "other.txt", visibility="public")
        run_jobs()
        link = services.create_share_link(user=owner, media=media)
        assert not _opens(link, other)

    def test_nothing_once_its_time_is_over(self, media: MediaFile, owner: Any) -> None:
        until = timezone.now() + timedelta(hours=1)
        link = services.create_share_link(user=owner, media=media, expires_at=until)
        assert _opens(link, media)
        ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert not _opens(link, media)

    def test_nothing_once_the_owner_is_switched_off(self, media: MediaFile, owner: Any) -> None:
        link = services.create_share_link(user=owner, media=media)
        owner.is_active = False
        owner.save()
        assert not _opens(link, media)

    def test_nothing_once_its_maker_may_not_share_any_more(
        self, media: MediaFile, staff: Any
    ) -> None:
        link = services.create_share_link(user=staff, media=media)
        assert _opens(link, media)
        staff.is_staff = staff.is_superuser = False
        staff.save()
        assert not _opens(link, media)

    @pytest.mark.parametrize("token", ["", "\0", "x" * 32, "%", "é"])
    def test_no_such_token(self, db: None, token: str) -> None:
        assert selectors.find_open_link(token=token) is None


class TestCollections:
    @pytest.fixture
    def album(self, owner: Any, media: MediaFile) -> Collection:
        """An album with the file in an album within it."""
        outer = Collection.objects.create(owner=owner, title="Outer")
        inner = Collection.objects.create(owner=owner, title="Inner", parent=outer)
        for above, below, depth in ((outer, outer, 0), (inner, inner, 0), (outer, inner, 1)):
            CollectionPlace.objects.create(ancestor=above, descendant=below, depth=depth)
        CollectionItem.objects.create(collection=inner, media=media, position=1, added_by=owner)
        return outer

    def test_a_link_opens_all_below(self, album: Collection, media: MediaFile, owner: Any) -> None:
        link = services.create_share_link(user=owner, media=album)
        assert _opens(link, media)
        inner = selectors.list_shared_children(collection=album).get()
        (item,) = selectors.list_shared_items(link=link, collection=inner)
        assert selectors.get_shared_items(link=link, items=[item]) == [media]
        assert list(selectors.list_shared_items(link=link, collection=album)) == []
        assert AuditEvent.objects.get().collection_id == album.pk

    def test_but_nothing_above_or_beside(
        self, album: Collection, media: MediaFile, owner: Any
    ) -> None:
        beside = Collection.objects.create(owner=owner, title="Beside")
        CollectionPlace.objects.create(ancestor=beside, descendant=beside, depth=0)
        link = services.create_share_link(user=owner, media=beside)
        assert not _opens(link, media)

    def test_not_what_others_put_in(
        self, album: Collection, media: MediaFile, owner: Any, stranger: Any
    ) -> None:
        CollectionItem.objects.update(added_by=stranger)
        link = services.create_share_link(user=owner, media=album)
        assert not _opens(link, media)


class TestSweeping:
    """What ended is shown for a while, then it goes."""

    @pytest.fixture
    def ended(self, media: MediaFile, owner: Any, stranger: Any) -> Callable[..., None]:
        """Links and grants by when they ended: none, or how long ago."""

        def make(*ago: timedelta | None) -> None:
            for number, each in enumerate(ago):
                album = Collection.objects.create(owner=owner, title=f"{number}")
                moment = None if each is None else timezone.now() - each
                for shared in ({"media": media}, {"collection": album}):
                    ShareLink.objects.create(created_by=owner, expires_at=moment, **shared)
                Grant.objects.create(collection=album, user=stranger, expires_at=moment)

        return make

    def test_after_a_while_and_nothing_else(self, ended: Any) -> None:
        hour = timedelta(hours=1)
        ended(None, -hour, hour, ENDED_SHOWN - hour, ENDED_SHOWN + hour, 2 * ENDED_SHOWN)
        assert services.sweep_ended_shares() == 2 * (2 + 1)
        assert services.sweep_ended_shares() == 0
        assert (ShareLink.objects.count(), Grant.objects.count()) == (4 * 2, 4)
        due = timezone.now() - ENDED_SHOWN
        assert not ShareLink.objects.filter(expires_at__lt=due).exists()
        assert not Grant.objects.filter(expires_at__lt=due).exists()

    def test_some_at_a_time(self, ended: Any) -> None:
        ended(*[2 * ENDED_SHOWN] * 3)
        assert [services.sweep_ended_shares(limit=2) for _ in range(4)] == [2 + 2, 2 + 1, 2, 0]


@pytest.mark.django_db(transaction=True)
def test_v2_3_4_as_many_downloads_as_allowed_never_one_more(
    upload: Callable[..., MediaFile], owner: Any
) -> None:
    """ASVS V2.3.4: the last downloads are wanted by several at once."""
    media = upload(b"words", "words.txt")
    link = services.create_share_link(user=owner, media=media, max_downloads=3)
    start, taken, refused = threading.Barrier(8), [], []

    def take() -> None:
        try:
            start.wait(timeout=30)
            services.count_download(link=link)
            taken.append(1)
        except NotVisibleError:
            refused.append(1)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    link.refresh_from_db()
    assert (len(taken), len(refused), link.downloads) == (3, 5, 3)


def test_the_database_does_not_count_further_either(media: MediaFile, owner: Any) -> None:
    link = services.create_share_link(user=owner, media=media, max_downloads=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        ShareLink.objects.filter(pk=link.pk).update(downloads=2)
