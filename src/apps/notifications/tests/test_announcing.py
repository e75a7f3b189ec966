"""Followers are told of posts, the people of an event of its photos and of being invited: once,
together, when the pictures are good, and only those who may see it at that moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from apps.events import services as events
from apps.events.models import Event
from apps.media.models import MediaFile
from apps.media.services import AttachmentItem
from apps.media.tests import samples
from apps.notifications import announcing, dispatch, mailing, selectors, services
from apps.notifications.kinds import Kind
from apps.notifications.models import Announcement, Mail, Notification
from apps.posts import services as posts
from apps.posts.models import Audience, Post
from apps.users.models import User
from apps.users.services import follow_user, unfollow_user

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=2)


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was handed to the broker, by name."""
    names: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda name, *args, queue: names.append(name) or True)
    return names


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    """A block that ends like a transaction: what waits for the commit runs."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def follower(owner: User) -> User:
    person = User.objects.create_user(username="fred", email="fred@example.org")
    follow_user(user=person, person=owner)
    return person


@pytest.fixture
def photo(upload: Callable[..., MediaFile]) -> Callable[..., MediaFile]:
    """A file without pictures, as far processed as `state` says."""
    good = {"status": "ready", "usable": True, "published_version": 1}
    states = {"ready": good, "pending": {}, "refused": {"status": "quarantined"}}

    def make(state: str = "ready", number: int = 0) -> MediaFile:
        row = upload(samples.photo_jpeg(64, 48 + number), "sea.jpg")
        MediaFile.objects.filter(pk=row.pk).update(**states[state])
        row.refresh_from_db()
        return row

    return make


@pytest.fixture
def event(owner: User) -> Event:
    starts_at = timezone.now() + timedelta(days=7)
    return events.create_event(user=owner, title="Party", starts_at=starts_at)


@pytest.fixture
def guest(event: Event, owner: User) -> User:
    person = User.objects.create_user(username="gina", email="gina@example.org")
    events.invite_guest(user=owner, event=event, name="gina")
    Announcement.objects.all().delete()  # the rest is about photos
    return person


def announce_all() -> None:
    """As a worker does when all is due."""
    Announcement.objects.update(due_at=LONG_AGO)
    for pk in Announcement.objects.filter(finished_at=None).values_list("pk", flat=True):
        announcing.announce(pk)


def told(user: User) -> list[str]:
    """What `user` reads, the newest first."""
    return [one.text for one in selectors.show(user, selectors.list_notifications(user=user))]


class TestPosts:
    def test_followers_are_told_and_nobody_else(
        self, owner: User, follower: User, stranger: User, commits: Any, sent: list[str]
    ) -> None:
        with commits():
            post = posts.create_post(author=owner, text="Low tide\nat six")
        assert told(follower) == []  # the request told nobody
        assert sent == [dispatch.ANNOUNCE]
        announce_all()
        assert told(follower) == ["olga posted: “Low tide at six”"]
        assert (told(owner), told(stranger)) == ([], [])
        (shown,) = selectors.show(follower, Notification.objects.all())
        assert shown.url == post.get_absolute_url()

    def test_of_what_is_rolled_back_nobody_is_told(
        self, owner: User, follower: User, sent: list[str]
    ) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            posts.create_post(author=owner, text="Never said")
            raise RuntimeError
        assert not Announcement.objects.exists()
        assert sent == []

    def test_a_fault_here_takes_no_post_with_it(
        self, owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: Any) -> None:
            Announcement.objects.create()  # which the database refuses

        monkeypatch.setattr(announcing, "_gathering", fail)
        posts.create_post(author=owner, text="Written all the same")
        assert Post.objects.get().text == "Written all the same"
        assert not Announcement.objects.exists()
        assert "tell_followers" in caplog.text

    def test_once_however_often_it_is_edited(
        self, owner: User, follower: User, commits: Any
    ) -> None:
        with commits():
            post = posts.create_post(author=owner, text="0", audience=Audience.ONLY_ME)
        announce_all()
        assert told(follower) == []
        for number in range(10):
            audience = (Audience.FOLLOWERS, Audience.PUBLIC)[number % 2]
            with commits():
                posts.update_post(user=owner, post=post, text=str(number), audience=audience)
            announce_all()
        assert told(follower) == ["olga posted: “9”"]
        assert Notification.objects.get().count == 1

    def test_many_within_minutes_are_one(self, owner: User, follower: User, commits: Any) -> None:
        for number in range(3):
            with commits():
                posts.create_post(author=owner, text=str(number))
        announce_all()
        assert told(follower) == ["olga wrote 3 posts"]
        Post.objects.filter(text="2").delete()
        services.forget_target(target_id=Notification.objects.get().target_id or "")
        assert told(follower) == ["olga wrote 2 posts"]

    def test_waits_for_the_picture_until_the_deadline(
        self, owner: User, follower: User, photo: Any, commits: Any
    ) -> None:
        media = photo("pending")
        with commits():
            posts.create_post(author=owner, attachments=[AttachmentItem(media)])
        announce_all()
        assert told(follower) == []
        Announcement.objects.update(deadline_at=LONG_AGO)
        announce_all()
        assert told(follower) == ["olga posted a photo"]
        assert Notification.objects.get().media_id is None

    def test_shows_the_first_good_picture(
        self, owner: User, follower: User, photo: Any, commits: Any
    ) -> None:
        pictures = [photo("refused"), photo("ready", 1), photo("ready", 2)]
        MediaFile.objects.filter(pk=pictures[0].pk).update(status="ready")
        with commits():
            posts.create_post(author=owner, attachments=[AttachmentItem(one) for one in pictures])
        MediaFile.objects.filter(pk=pictures[0].pk).update(status="quarantined")
        announce_all()
        (shown,) = selectors.show(follower, Notification.objects.all())
        assert shown.media == pictures[1]

    def test_a_refused_picture_alone_is_no_news(
        self, owner: User, follower: User, photo: Any, commits: Any
    ) -> None:
        media = photo("pending")
        with commits():
            posts.create_post(author=owner, attachments=[AttachmentItem(media)])
        MediaFile.objects.update(status="quarantined")
        announce_all()
        assert told(follower) == []
        assert Announcement.objects.get().finished_at is not None

    @pytest.mark.parametrize("end", ["deleted", "narrowed", "unfollowed", "switched off"])
    def test_v8_2_2_who_may_not_see_it_by_then_is_not_told(
        self, end: str, owner: User, follower: User, commits: Any
    ) -> None:
        with commits():
            post = posts.create_post(author=owner, text="Soon over")
        _end(end, owner, follower, post)
        announce_all()
        assert not Notification.objects.exists()

    @pytest.mark.parametrize("end", ["deleted", "narrowed", "unfollowed", "switched off"])
    def test_v8_3_2_nor_shown_or_sent_it_later(
        self, end: str, owner: User, follower: User, photo: Any, commits: Any, mailoutbox: Any
    ) -> None:
        attachments = [AttachmentItem(photo())]
        with commits():
            post = posts.create_post(author=owner, text="Soon over", attachments=attachments)
        announce_all()
        assert mailing.queue_digests() == 1
        _end(end, owner, follower, post)
        follower.refresh_from_db()
        (shown,) = selectors.show(follower, Notification.objects.all())
        assert (shown.media, "Soon over" in shown.text) == (None, False)
        assert not mailing.send_mail(Mail.objects.get().pk)
        assert mailoutbox == []

    def test_many_followers_are_told_in_batches(
        self,
        owner: User,
        monkeypatch: pytest.MonkeyPatch,
        commits: Any,
        sent: list[str],
    ) -> None:
        monkeypatch.setattr(announcing, "PEOPLE_AT_ONCE", 2)
        for number in range(5):
            follow_user(user=User.objects.create_user(username=f"f{number}"), person=owner)
        with commits():
            posts.create_post(author=owner, text="To all")
        row = Announcement.objects.get()
        assert [announcing.announce(row.pk) for _ in range(4)] == [2, 2, 1, 0]
        assert sent == [dispatch.ANNOUNCE] * 3

    def test_v2_3_3_a_worker_that_dies_tells_nobody_twice(
        self, owner: User, follower: User, commits: Any, sent: list[str]
    ) -> None:
        with commits():
            posts.create_post(author=owner, text="Told")
        row = Announcement.objects.get()
        announcing.announce(row.pk)
        Announcement.objects.update(finished_at=None, reached=0)  # killed before it said so
        sent.clear()
        assert announcing.sweep_announcements() == 1
        assert sent == [dispatch.ANNOUNCE]
        assert announcing.announce(row.pk) == 0
        assert Notification.objects.get().count == 1

    def test_what_fails_again_and_again_is_given_up(
        self, owner: User, follower: User, monkeypatch: pytest.MonkeyPatch, commits: Any
    ) -> None:
        with commits():
            posts.create_post(author=owner, text="Trouble")

        def fail(**_: Any) -> int:
            raise RuntimeError

        monkeypatch.setattr(services, "notify_many", fail)
        row = Announcement.objects.get()
        for _ in range(announcing.MOST_ATTEMPTS):
            with pytest.raises(RuntimeError):
                announcing.announce(row.pk)
            Announcement.objects.update(lease_until=LONG_AGO)
        assert announcing.announce(row.pk) == 0
        row.refresh_from_db()
        assert row.finished_at is not None


def _end(end: str, owner: User, follower: User, post: Post) -> None:
    if end == "deleted":
        posts.delete_post(user=owner, post=post)
    elif end == "narrowed":
        posts.update_post(user=owner, post=post, audience=Audience.ONLY_ME)
    elif end == "unfollowed":
        unfollow_user(user=follower, person=owner)
    else:
        User.objects.filter(pk=follower.pk).update(is_active=False)


class TestPhotosOfEvents:
    def test_sixty_are_one(
        self, owner: User, event: Event, guest: User, photos_without_bytes: Any, commits: Any
    ) -> None:
        ids = [media.pk for media in photos_without_bytes(60)]
        for start in range(0, 60, 10):  # each ten in a request of its own
            with commits():
                events.add_photos(user=owner, event=event, media_ids=ids[start : start + 10])
        assert Announcement.objects.get().files.count() == 60
        announce_all()
        assert told(guest) == ["olga added 60 photos to “Party”"]
        assert told(owner) == []
        (shown,) = selectors.show(guest, Notification.objects.all())
        assert shown.url == event.get_absolute_url()
        assert shown.media is not None

    def test_waits_until_no_more_come(
        self, owner: User, event: Event, guest: User, photo: Any, commits: Any
    ) -> None:
        with commits():
            events.add_photos(user=owner, event=event, media_ids=[photo().pk])
        row = Announcement.objects.get()
        assert announcing.announce(row.pk) == 0
        assert row.due_at > timezone.now()
        assert told(guest) == []

    def test_a_photo_is_news_once(
        self, owner: User, event: Event, guest: User, photo: Any, commits: Any
    ) -> None:
        media = photo()
        for _ in range(2):
            with commits():
                events.add_photos(user=owner, event=event, media_ids=[media.pk])
                events.add_photos(user=owner, event=event, media_ids=[media.pk])
            announce_all()
            events.remove_photos(user=owner, event=event, media_ids=[media.pk])
        assert Notification.objects.get().count == 1

    def test_what_comes_while_it_is_told_is_told_as_well(
        self, owner: User, event: Event, guest: User, photo: Any, commits: Any
    ) -> None:
        for number in range(2):
            with commits():
                events.add_photos(user=owner, event=event, media_ids=[photo("ready", number).pk])
            Announcement.objects.filter(started_at=None).update(started_at=timezone.now())
        announce_all()
        assert told(guest) == ["olga added 2 photos to “Party”"]

    def test_refused_removed_and_trashed_photos_do_not_count(
        self, owner: User, event: Event, guest: User, photo: Any, commits: Any
    ) -> None:
        made = [photo("ready", number) for number in range(4)]
        with commits():
            events.add_photos(user=owner, event=event, media_ids=[one.pk for one in made])
        MediaFile.objects.filter(pk=made[0].pk).update(status="quarantined", usable=False)
        MediaFile.objects.filter(pk=made[1].pk).update(deleted_at=timezone.now())
        events.remove_photos(user=owner, event=event, media_ids=[made[2].pk])
        announce_all()
        assert told(guest) == ["olga added a photo to “Party”"]

    def test_a_guests_photo_is_told_to_host_and_guests(
        self, owner: User, event: Event, guest: User, photo: Any, commits: Any
    ) -> None:
        Event.objects.update(guests_add_photos=True)
        media = photo()
        MediaFile.objects.update(owner=guest)
        for name, answer in (("nina", "no"), ("yves", "yes")):
            person = User.objects.create_user(username=name)
            events.invite_guest(user=owner, event=event, name=name)
            Announcement.objects.all().delete()
            events.answer_invitation(user=person, event=event, answer=answer)
        with commits():
            events.add_photos(user=guest, event=event, media_ids=[media.pk])
        announce_all()
        rows = Notification.objects.filter(kind=Kind.EVENT_MEDIA)
        assert {row.recipient.get_username() for row in rows} == {"olga", "yves"}

    def test_v8_3_2_who_is_invited_no_more_is_told_nothing(
        self, owner: User, event: Event, guest: User, photo: Any, commits: Any
    ) -> None:
        with commits():
            events.add_photos(user=owner, event=event, media_ids=[photo().pk])
        announce_all()
        invitation = event.invitations.get()
        events.withdraw_invitation(user=owner, event=event, invitation_id=invitation.pk)
        (shown,) = selectors.show(guest, Notification.objects.all())
        assert (shown.media, shown.is_there, "Party" in shown.text) == (None, False, False)
        with commits():
            events.add_photos(user=owner, event=event, media_ids=[photo("ready", 1).pk])
        announce_all()
        assert Notification.objects.get().count == 1

    def test_of_an_event_that_was_switched_off_with_its_host_nothing_is_told(
        self, owner: User, event: Event, guest: User, photo: Any, commits: Any
    ) -> None:
        with commits():
            events.add_photos(user=owner, event=event, media_ids=[photo().pk])
            User.objects.create_user(username="nina")
            events.invite_guest(user=owner, event=event, name="nina")
        User.objects.filter(pk=owner.pk).update(is_active=False)
        announce_all()
        assert not Notification.objects.exists()

    def test_an_event_that_goes_takes_along_what_told_of_it(
        self, owner: User, event: Event, guest: User, photo: Any, commits: Any, sent: list[str]
    ) -> None:
        with commits():
            events.add_photos(user=owner, event=event, media_ids=[photo().pk])
        announce_all()
        with commits():
            events.delete_event(user=owner, event=event)
        assert dispatch.FORGET in sent
        assert services.forget_target(target_id=event.pk) == 1
        assert not Notification.objects.exists()


@pytest.fixture
def photos_without_bytes(owner: User) -> Callable[[int], list[MediaFile]]:
    def make(count: int) -> list[MediaFile]:
        facts = {"media_type": "image", "mime_type": "image/jpeg", "size": 1, "status": "ready"}
        rows = [
            MediaFile(owner=owner, original_name=f"{n:03}.jpg", usable=True, **facts)
            for n in range(count)
        ]
        return MediaFile.objects.bulk_create(rows)

    return make


class TestInvitations:
    def test_whoever_is_invited_is_told_once_with_the_banner(
        self, owner: User, event: Event, photo: Any, commits: Any, mailoutbox: Any
    ) -> None:
        guest = User.objects.create_user(username="gina", email="gina@example.org")
        media = photo("pending")
        events.update_event(user=owner, event=event, banner=media)
        for _ in range(2):
            with commits():
                invitation = events.invite_guest(user=owner, event=event, name="gina")
            announce_all()
            events.withdraw_invitation(user=owner, event=event, invitation_id=invitation.pk)
        events.invite_guest(user=owner, event=event, name="gina")
        announce_all()
        assert told(guest) == ["olga invited you to “Party”"]
        mail = Mail.objects.get()
        Mail.objects.update(due_at=LONG_AGO)
        assert not mailing.send_mail(mail.pk)  # the banner is still to come
        MediaFile.objects.update(status="ready", usable=True, published_version=1)
        Mail.objects.update(due_at=LONG_AGO)
        assert mailing.send_mail(mail.pk)
        assert mailoutbox[0].subject == "olga invited you to “Party”"
        assert event.get_absolute_url() in mailoutbox[0].body

    def test_one_that_is_taken_back_is_not_mailed(
        self, owner: User, event: Event, commits: Any, mailoutbox: Any
    ) -> None:
        User.objects.create_user(username="gina", email="gina@example.org")
        invitation = events.invite_guest(user=owner, event=event, name="gina")
        announce_all()
        events.withdraw_invitation(user=owner, event=event, invitation_id=invitation.pk)
        Mail.objects.update(due_at=LONG_AGO)
        assert not mailing.send_mail(Mail.objects.get().pk)
        assert (Mail.objects.get().state, mailoutbox) == ("dropped", [])


def test_showing_all_kinds_takes_a_fixed_number_of_queries(
    owner: User,
    event: Event,
    guest: User,
    photo: Any,
    commits: Any,
    django_assert_max_num_queries: Any,
) -> None:
    follow_user(user=guest, person=owner)
    for number in range(3):
        attachments = [AttachmentItem(photo("ready", number))]
        with commits():
            posts.create_post(author=owner, text="Words", attachments=attachments)
            events.add_photos(user=owner, event=event, media_ids=[attachments[0].media.pk])
        announce_all()
        services.mark_read(user=guest)  # so that the next is one of its own
    rows = list(selectors.list_notifications(user=guest))
    assert len(rows) == 6
    with django_assert_max_num_queries(16):
        assert all(one.media and one.text and one.url for one in selectors.show(guest, rows))
