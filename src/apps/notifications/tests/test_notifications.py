"""Who is told what, once; the page, the bell, the API."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.media import services as media_services
from apps.media import signals
from apps.media.models import Grant, MediaFile, Webhook
from apps.media.tests import samples
from apps.notifications import selectors, services
from apps.notifications.kinds import Email, Kind, Ways
from apps.notifications.models import Mail, Notification, Occurrence
from apps.notifications.services import News
from apps.notifications.tests.test_announcing import announce_all
from apps.notifications.urls import urlpatterns
from apps.users.templatetags.users import hue

pytestmark = pytest.mark.django_db
URL = "/api/v1/notifications/"


@pytest.fixture
def media(upload: Callable[..., MediaFile]) -> MediaFile:
    row = upload(samples.photo_jpeg(64, 48), "sea.jpg", title="Sea")
    MediaFile.objects.filter(pk=row.pk).update(status="ready", usable=True, published_version=1)
    row.refresh_from_db()
    return row


def ready(media: MediaFile) -> None:
    signals.media_ready.tell(MediaFile, media=media)
    announce_all()


def news(**fields: Any) -> News:
    fields.setdefault("kind", Kind.MEDIA_READY)
    fields.setdefault("key", uuid.uuid4().hex)
    fields.setdefault("group", "own")
    return News(**fields)


class TestTelling:
    def test_a_ready_file_is_told_of_once(self, owner: Any, media: MediaFile) -> None:
        for _ in range(3):
            ready(media)
        (shown,) = selectors.show(owner, selectors.list_notifications(user=owner))
        assert shown.text == "Ready: “Sea”"
        assert (shown.row.count, shown.row.media_id, shown.row.mail) == (1, media.pk, None)
        assert shown.url == f"/library/{media.pk}/"

    def test_a_refused_file_says_why(self, owner: Any, media: MediaFile) -> None:
        message = "The file is damaged and cannot be read."
        MediaFile.objects.filter(pk=media.pk).update(
            status="failed", failure_code="corrupt_file", failure_message=message
        )
        signals.media_rejected.tell(MediaFile, media=media, code="corrupt_file")
        announce_all()
        (shown,) = selectors.show(owner, selectors.list_notifications(user=owner))
        assert shown.text == f"Refused: “Sea”. {message}"

    def test_a_change_that_could_not_be_made_is_told_each_time_it_was_asked_for(
        self, owner: Any, media: MediaFile
    ) -> None:
        MediaFile.objects.filter(pk=media.pk).update(status="ready")
        for asked in (True, False, True):
            signals.media_not_remade.tell(MediaFile, media=media, code="x", asked=asked)
            announce_all()
        (shown,) = selectors.show(owner, selectors.list_notifications(user=owner))
        assert shown.text == "2 changes of your files could not be made"
        Notification.objects.update(count=1)
        (shown,) = selectors.show(owner, selectors.list_notifications(user=owner))
        assert shown.text == "A change of “Sea” could not be made; it is as it was"
        assert shown.url == f"/library/{media.pk}/"

    def test_a_hundred_within_minutes_are_one(self, owner: Any) -> None:
        for _ in range(100):
            services.notify(recipient=owner, news=news(target="media"))
        row = Notification.objects.get()
        assert (row.count, Occurrence.objects.count()) == (100, 100)
        (shown,) = selectors.show(owner, [row])
        assert (shown.text, shown.url) == ("100 of your files are ready", "/library/")

    def test_what_was_read_or_is_old_stays_as_it_is(self, owner: Any) -> None:
        services.notify(recipient=owner, news=news())
        services.mark_read(user=owner)
        services.notify(recipient=owner, news=news())
        Notification.objects.update(created_at=timezone.now() - timedelta(hours=1))
        services.notify(recipient=owner, news=news())
        assert [row.count for row in Notification.objects.all()] == [1, 1, 1]

    def test_nobody_is_told_of_what_they_did(self, owner: Any) -> None:
        assert services.notify(recipient=owner, news=news(actor_id=owner.pk)) is None
        assert not Notification.objects.exists()

    def test_as_they_want_it(self, owner: Any) -> None:
        silent = {Kind.MEDIA_READY: Ways(in_page=False, email=Email.NEVER)}
        services.set_preferences(user=owner, ways=silent)
        assert services.notify(recipient=owner, news=news()) is None
        mailed = {Kind.MEDIA_READY: Ways(in_page=False, email=Email.NOW)}
        services.set_preferences(user=owner, ways=mailed)
        assert services.notify(recipient=owner, news=news()) is not None
        assert selectors.count_unread(user=owner) == 0
        assert Mail.objects.count() == 1

    def test_whoever_is_given_a_right_is_told(
        self, owner: Any, stranger: Any, media: MediaFile
    ) -> None:
        media_services.grant_access(user=owner, media=media, to=stranger)
        media_services.grant_access(user=owner, media=media, to=stranger, permission="edit")
        announce_all()
        (shown,) = selectors.show(stranger, selectors.list_notifications(user=stranger))
        assert shown.text == f"{owner.get_username()} shared “Sea” with you"
        assert (shown.row.count, Mail.objects.get().recipient) == (1, stranger)
        assert not selectors.list_notifications(user=owner).exists()

    def test_all_of_a_group_are_told(self, owner: Any, stranger: Any, media: MediaFile) -> None:
        group = Group.objects.create(name="Crew")
        group.user_set.add(stranger, owner)
        media_services.grant_access(user=owner, media=media, to=group)
        announce_all()
        assert [row.recipient for row in Notification.objects.all()] == [stranger]

    def test_of_what_is_taken_back_before_it_is_told_nothing_is(
        self, owner: Any, stranger: Any, media: MediaFile
    ) -> None:
        grant = media_services.grant_access(user=owner, media=media, to=stranger)
        media_services.revoke_access(user=owner, grant=grant)
        announce_all()
        assert not Notification.objects.exists()

    def test_a_right_that_is_taken_back_hides_the_name(
        self, owner: Any, stranger: Any, media: MediaFile
    ) -> None:
        grant = Grant.objects.create(media=media, user=stranger, granted_by=owner)
        signals.access_granted.tell(Grant, grant=grant)
        announce_all()
        grant.delete()
        (shown,) = selectors.show(stranger, selectors.list_notifications(user=stranger))
        assert "Sea" not in shown.text
        assert shown.media is None

    def test_a_webhook_that_was_turned_off_is_told_of(self, owner: Any) -> None:
        hook = Webhook.objects.create(owner=owner, url="https://example.org/", enabled=False)
        signals.webhook_disabled.tell(Webhook, webhook=hook)
        announce_all()
        assert Notification.objects.get().kind == Kind.WEBHOOK_OFF
        assert Mail.objects.get().recipient == owner

    def test_a_file_that_goes_takes_along_what_told_of_it(
        self, owner: Any, media: MediaFile
    ) -> None:
        ready(media)
        other = uuid.uuid4()
        services.notify(recipient=owner, news=news(media_id=other))
        signals.media_deleted.send(sender=MediaFile, media_id=other, owner_id=owner.pk)
        row = Notification.objects.get()
        assert (row.count, row.media_id) == (1, media.pk)
        signals.media_deleted.send(sender=MediaFile, media_id=media.pk, owner_id=owner.pk)
        assert not Notification.objects.exists()

    def test_what_tells_of_things_that_are_gone_is_swept(
        self, owner: Any, media: MediaFile
    ) -> None:
        ready(media)
        for target in ("post", "event"):
            gone = news(target=target, target_id=uuid.uuid4(), group=target)
            services.notify(recipient=owner, news=gone)
        services.notify(recipient=owner, news=news(media_id=uuid.uuid4()))
        services.notify(recipient=owner, news=news(kind=Kind.WEBHOOK_OFF))
        assert services.forget_lost() == 3
        kinds = Notification.objects.values_list("kind", "count").order_by("kind")
        assert list(kinds) == [(Kind.MEDIA_READY, 1), (Kind.WEBHOOK_OFF, 1)]
        assert services.forget_lost() == 0

    def test_an_account_that_goes_takes_its_own_along(self, owner: Any) -> None:
        services.notify(recipient=owner, news=news(kind=Kind.WEBHOOK_OFF))
        owner.delete()
        assert not Notification.objects.exists()
        assert not Mail.objects.exists()

    def test_what_is_old_is_forgotten(self, owner: Any) -> None:
        services.notify(recipient=owner, news=news())
        assert services.expire_notifications() == 0
        Notification.objects.update(created_at=timezone.now() - services.KEPT)
        assert services.expire_notifications() > 0
        assert not Notification.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", [True, False])
def test_v15_4_2_at_once_they_are_one(owner: Any, same: bool) -> None:
    start, told = threading.Barrier(4), []

    def work(number: int) -> None:
        start.wait(30)
        try:
            key = "one" if same else str(number)
            told.append(services.notify(recipient=owner, news=news(key=key)))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert len(told) == 4
    assert Notification.objects.get().count == (1 if same else 4)
    assert Occurrence.objects.count() == (1 if same else 4)


class TestPages:
    def test_the_list_and_its_number_of_queries(
        self,
        owner: Any,
        media: MediaFile,
        browser_of: Callable[[Any], Client],
        django_assert_max_num_queries: Any,
    ) -> None:
        for number in range(20):
            services.notify(
                recipient=owner, news=news(group=str(number), media_id=media.pk, target="media")
            )
        client = browser_of(owner)
        with django_assert_max_num_queries(14):
            page = client.get("/notifications/")
        assert page.content.decode().count("Ready: “Sea”") >= 20
        assert "20 unread" in page.content.decode()

    def test_who_did_it_stands_beside_what_has_no_picture(
        self, owner: Any, stranger: Any, browser_of: Callable[[Any], Client]
    ) -> None:
        told = news(kind=Kind.WEBHOOK_OFF, actor_id=stranger.pk)
        services.notify(recipient=owner, news=told)
        page = browser_of(owner).get("/notifications/").content.decode()
        assert f"face--hue-{hue(stranger)}" in page[page.index("<main") :]

    @pytest.mark.parametrize(
        ("passed", "words"),
        [
            (timedelta(seconds=50), "gerade eben"),
            (timedelta(minutes=1), "vor 1 Minute"),
            (timedelta(days=2, hours=3), "vor 2 Tagen"),
            (timedelta(days=70), "vor 2 Monaten"),
        ],
    )
    def test_says_in_german_what_happened_and_when(
        self, passed: timedelta, words: str, owner: Any, media: MediaFile, client: Client
    ) -> None:
        ready(media)
        Notification.objects.update(created_at=timezone.now() - passed)
        client.force_login(owner)
        page = client.get("/notifications/", headers={"accept-language": "de"}).content.decode()
        text = page.replace("\N{NO-BREAK SPACE}", " ")
        assert "Bereit: „Sea“" in text
        assert f">{words}<" in text
        assert 'aria-label="Benachrichtigungen, 1 ungelesen"' in text

    def test_the_bell_costs_one_query_and_says_only_what_is_new(
        self, owner: Any, browser_of: Callable[[Any], Client], django_assert_max_num_queries: Any
    ) -> None:
        services.notify(recipient=owner, news=news())
        client = browser_of(owner)
        with django_assert_max_num_queries(3):  # session, user, count
            assert b"1 unread" in client.get("/notifications/bell/?seen=0").content
        assert client.get("/notifications/bell/?seen=1").status_code == 204

    def test_opening_one_reads_it(
        self, owner: Any, media: MediaFile, browser_of: Callable[[Any], Client]
    ) -> None:
        ready(media)
        client = browser_of(owner)
        row = Notification.objects.get()
        assert client.post(f"/notifications/{row.pk}/").url == f"/library/{media.pk}/"
        assert selectors.count_unread(user=owner) == 0

    def test_all_are_marked_as_read(self, owner: Any, browser_of: Callable[[Any], Client]) -> None:
        for number in range(3):
            services.notify(recipient=owner, news=news(group=str(number)))
        client = browser_of(owner)
        assert client.post("/notifications/read/").status_code == 302
        assert selectors.count_unread(user=owner) == 0

    def test_preferences_are_kept(self, owner: Any, browser_of: Callable[[Any], Client]) -> None:
        client = browser_of(owner)
        assert client.get("/notifications/preferences/").status_code == 200
        client.post("/notifications/preferences/", {"shared-email": "digest"})
        ways = selectors.ways_of(owner)
        assert ways[Kind.SHARED] == Ways(in_page=False, email=Email.DIGEST)
        assert ways[Kind.INVITED] == Ways(in_page=True, email=Email.NOW)  # nothing was said of it
        refused = client.post("/notifications/preferences/", {"shared-email": "hourly"})
        assert refused.status_code == 400


class TestApi:
    def test_lists_counts_and_reads(self, api: APIClient, owner: Any, media: MediaFile) -> None:
        ready(media)
        services.notify(recipient=owner, news=news(kind=Kind.WEBHOOK_OFF))
        listed = api.get(URL).json()["results"]
        assert [row["kind"] for row in listed] == ["webhook_off", "media_ready"]
        assert listed[1]["media"] == str(media.pk)
        assert listed[1]["url"].endswith(f"/library/{media.pk}/")
        assert api.get(f"{URL}unread/").json() == {"count": 2}
        marked = api.post(f"{URL}read/", {"ids": [listed[0]["id"]]}, format="json")
        assert marked.json() == {"marked": 1}
        assert [row["id"] for row in api.get(f"{URL}?unread=true").json()["results"]] == [
            listed[1]["id"]
        ]
        assert api.post(f"{URL}read/").json() == {"marked": 1}
        assert api.delete(f"{URL}{listed[0]['id']}/").status_code == 204
        assert api.delete(f"{URL}{listed[0]['id']}/").status_code == 404

    def test_preferences(self, api: APIClient) -> None:
        said = {"kind": "shared", "in_page": True, "email": "never"}
        changed = api.patch(f"{URL}preferences/", {"preferences": [said]}, format="json")
        assert said in changed.json()["preferences"]
        assert changed.json() == api.get(f"{URL}preferences/").json()
        wrong = {"preferences": [{**said, "kind": "gossip"}]}
        assert api.patch(f"{URL}preferences/", wrong, format="json").status_code == 400


OPEN = {"preview", "unsubscribe"}


@pytest.mark.parametrize("name", [entry.name for entry in urlpatterns if entry.name != "stream"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_v8_2_2_every_address_is_for_the_recipient_alone(
    name: str,
    method: str,
    owner: Any,
    stranger: Any,
    staff: Any,
    browser_of: Callable[[Any], Client],
) -> None:
    """Hidden and missing are the same; nobody else changes or reads anything."""
    row = services.notify(recipient=owner, news=news(kind=Kind.WEBHOOK_OFF))
    assert row is not None
    one = name in {"open", "read", "api-detail"}
    args = [row.pk] if one else ["x" * 32] if name in OPEN else []
    before = list(Notification.objects.values())
    for user in (None, stranger, staff):
        answer = getattr(browser_of(user), method)(reverse(f"notifications:{name}", args=args))
        if name in OPEN or (one and user and name != "read"):
            assert answer.status_code in {404, 405}
        elif user is None:
            assert answer.status_code in {302, 401, 405}
        assert "nothing was accepted there" not in answer.content.decode()
    assert list(Notification.objects.values()) == before
    assert transaction.get_connection().in_atomic_block
