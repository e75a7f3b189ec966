"""Mails: each once, with the picture when there is one, ended by one click."""

from __future__ import annotations

import re
import smtplib
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.utils import timezone, translation

from apps.core.storage import ObjectStore
from apps.media import services as media_services
from apps.media import signals
from apps.media.models import Grant, MediaFile, Rendition
from apps.media.tests.views.test_access_matrix import whole_photo
from apps.notifications import dispatch, mailing, selectors, services
from apps.notifications.kinds import Email, Kind
from apps.notifications.models import Mail, Notification
from apps.notifications.services import News, revoke_previews
from apps.notifications.tests.test_announcing import announce_all
from apps.notifications.tokens import ALL, token_for

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=2)


@pytest.fixture(autouse=True)
def hints(monkeypatch: pytest.MonkeyPatch) -> list[Mail]:
    heard: list[Mail] = []
    monkeypatch.setattr(dispatch, "hint", lambda mail: heard.append(mail) or True)
    return heard


@pytest.fixture
def media(upload: Callable[..., MediaFile], own_storage: ObjectStore) -> MediaFile:
    media = whole_photo(upload, own_storage)
    MediaFile.objects.filter(pk=media.pk).update(alt_text="Waves & sand", published_version=1)
    media.refresh_from_db()
    return media


@pytest.fixture
def shared(owner: Any, stranger: Any, media: MediaFile) -> Mail:
    """The mail by which a stranger is told of a file, due now."""
    type(stranger).objects.filter(pk=stranger.pk).update(email="sam@example.org")
    stranger.refresh_from_db()
    Grant.objects.create(media=media, user=stranger, granted_by=owner)
    news = News(
        kind=Kind.SHARED,
        key="1",
        actor_id=owner.pk,
        media_id=media.pk,
        target="media",
        target_id=media.pk,
    )
    services.notify(recipient=stranger, news=news)
    Mail.objects.update(due_at=LONG_AGO)
    return Mail.objects.get()


def state(mail: Mail) -> str:
    mail.refresh_from_db()
    return mail.state


def preview_of(message: Any) -> str:
    html = message.alternatives[0][0]
    found = re.search(r'src="https?://[^/]+([^"]+)"', html)
    assert found is not None
    return found[1]


class TestSending:
    def test_says_it_in_words_and_with_the_picture(
        self, shared: Mail, mailoutbox: list[Any], client: Client
    ) -> None:
        assert mailing.send_mail(shared.pk)
        (message,) = mailoutbox
        assert message.to == ["sam@example.org"]
        assert message.subject == "olga shared “Secret name.jpg” with you"
        assert message.subject in message.body
        html, kind = message.alternatives[0]
        assert kind == "text/html"
        assert 'alt="Waves &amp; sand"' in html
        assert shared.pk.hex in message.extra_headers["Message-ID"]
        assert state(shared) == "sent"
        picture = client.get(preview_of(message))
        assert (picture.status_code, picture["Content-Type"]) == (200, "image/webp")

    def test_is_in_the_language_of_the_site(
        self, shared: Mail, mailoutbox: list[Any], settings: Any
    ) -> None:
        settings.LANGUAGE_CODE = "de"
        assert mailing.send_mail(shared.pk)
        (message,) = mailoutbox
        assert message.subject == "olga hat „Secret name.jpg“ für Sie freigegeben"
        assert "\nKeine solchen E-Mails mehr: http" in message.body
        html = message.alternatives[0][0]
        assert '<html lang="de" dir="ltr">' in html
        assert "Wie Sie benachrichtigt werden" in html

    def test_is_in_the_language_that_its_reader_chose(
        self, shared: Mail, stranger: Any, mailoutbox: list[Any]
    ) -> None:
        type(stranger).objects.filter(pk=stranger.pk).update(language="de")
        assert mailing.send_mail(shared.pk)
        assert mailoutbox[0].subject == "olga hat „Secret name.jpg“ für Sie freigegeben"

    def test_is_not_in_the_language_of_whoever_has_it_sent(
        self, shared: Mail, mailoutbox: list[Any]
    ) -> None:
        with translation.override("de"):
            assert mailing.send_mail(shared.pk)
        assert mailoutbox[0].subject == "olga shared “Secret name.jpg” with you"
        assert '<html lang="en" dir="ltr">' in mailoutbox[0].alternatives[0][0]

    def test_once(self, shared: Mail, mailoutbox: list[Any]) -> None:
        assert mailing.send_mail(shared.pk)
        assert not mailing.send_mail(shared.pk)
        mailing.sweep_mails()
        assert len(mailoutbox) == 1

    def test_not_before_it_is_due(self, shared: Mail, mailoutbox: list[Any]) -> None:
        Mail.objects.update(due_at=timezone.now() + timedelta(minutes=1))
        assert not mailing.send_mail(shared.pk)
        assert mailoutbox == []

    def test_waits_for_the_picture_until_the_deadline(
        self, shared: Mail, media: MediaFile, stranger: Any, mailoutbox: list[Any]
    ) -> None:
        Grant.objects.filter(user=stranger).update(permission="edit")
        MediaFile.objects.update(status="processing", usable=False)
        assert not mailing.send_mail(shared.pk)
        assert state(shared) == "waiting"
        Mail.objects.update(due_at=LONG_AGO, deadline_at=LONG_AGO)
        assert mailing.send_mail(shared.pk)
        assert "<img" not in mailoutbox[0].alternatives[0][0]

    def test_waits_for_what_its_reader_cannot_see_before_it_is_good(
        self, shared: Mail, mailoutbox: list[Any]
    ) -> None:
        MediaFile.objects.update(status="processing", usable=False)
        assert not mailing.send_mail(shared.pk)
        assert state(shared) == "waiting"
        MediaFile.objects.update(status="ready", usable=True)
        Mail.objects.update(due_at=LONG_AGO)
        assert mailing.send_mail(shared.pk)
        assert "<img" in mailoutbox[0].alternatives[0][0]

    @pytest.mark.parametrize("revoked", [False, True])
    def test_a_shared_collection_is_named_while_it_is_shared(
        self, revoked: bool, owner: Any, stranger: Any, mailoutbox: list[Any]
    ) -> None:
        type(stranger).objects.filter(pk=stranger.pk).update(email="sam@example.org")
        shelf = media_services.create_collection(user=owner, title="Summer")
        grant = media_services.grant_access(user=owner, media=shelf, to=stranger)
        announce_all()
        if revoked:
            media_services.revoke_access(user=owner, grant=grant)
        Mail.objects.update(due_at=LONG_AGO)
        assert mailing.send_mail(Mail.objects.get().pk) is not revoked
        subjects = [message.subject for message in mailoutbox]
        assert subjects == ([] if revoked else ["olga shared the collection “Summer” with you"])

    @pytest.mark.parametrize("why", ["read", "revoked", "deleted", "no address", "switched off"])
    def test_says_nothing_that_is_over(
        self, why: str, shared: Mail, media: MediaFile, stranger: Any, mailoutbox: list[Any]
    ) -> None:
        if why == "read":
            services.mark_read(user=stranger)
        elif why == "revoked":
            Grant.objects.all().delete()
        elif why == "deleted":
            MediaFile.objects.update(deleted_at=timezone.now())
        elif why == "no address":
            type(stranger).objects.update(email="")
        else:
            type(stranger).objects.update(is_active=False)
        assert not mailing.send_mail(shared.pk)
        assert (state(shared), mailoutbox) == ("dropped", [])

    def test_what_happens_after_it_left_is_in_another(
        self, owner: Any, shared: Mail, stranger: Any, media: MediaFile, mailoutbox: list[Any]
    ) -> None:
        assert mailing.send_mail(shared.pk)
        facts = {"actor_id": owner.pk, "media_id": media.pk, "target": "media"}
        news = News(kind=Kind.SHARED, key="2", group="1", target_id=media.pk, **facts)
        services.notify(recipient=stranger, news=news)
        another = Mail.objects.exclude(pk=shared.pk).get()
        Mail.objects.filter(pk=another.pk).update(due_at=LONG_AGO)
        assert mailing.send_mail(another.pk)
        assert [message.subject for message in mailoutbox] == [
            "olga shared “Secret name.jpg” with you"
        ] * 2

    def test_a_file_and_a_collection_of_the_same_minute_are_both_told(
        self, owner: Any, stranger: Any, media: MediaFile, mailoutbox: list[Any]
    ) -> None:
        type(stranger).objects.filter(pk=stranger.pk).update(email="sam@example.org")
        collection = media_services.create_collection(user=owner, title="Holiday")
        for shared in ({"collection": collection}, {"media": media}):
            grant = Grant.objects.create(user=stranger, granted_by=owner, **shared)
            signals.access_granted.tell(Grant, grant=grant)
        announce_all()
        Mail.objects.update(due_at=LONG_AGO)
        for mail in Mail.objects.all():
            assert mailing.send_mail(mail.pk)
        assert {message.subject for message in mailoutbox} == {
            "olga shared the collection “Holiday” with you",
            "olga shared “Secret name.jpg” with you",
        }

    def test_v1_3_11_a_name_cannot_add_headers(
        self, shared: Mail, media: MediaFile, mailoutbox: list[Any]
    ) -> None:
        MediaFile.objects.update(title="Sea\r\nBcc: all@example.org\n<b>")
        assert mailing.send_mail(shared.pk)
        (message,) = mailoutbox
        assert "\n" not in message.subject
        assert message.recipients() == ["sam@example.org"]
        assert "<b>" not in message.alternatives[0][0]

    def test_v1_3_11_a_name_cannot_add_lines(
        self, shared: Mail, media: MediaFile, mailoutbox: list[Any]
    ) -> None:
        forged = "Sea\n\nSign in anew:\u2028https://evil.example"
        MediaFile.objects.filter(pk=media.pk).update(title=forged, alt_text=forged)
        assert mailing.send_mail(shared.pk)
        lines = mailoutbox[0].body.splitlines()
        assert lines[0] == "olga shared “Sea Sign in anew: https://evil.example” with you"
        assert not [line for line in lines if line.startswith(("Sign", "https://evil"))]


class Failing(EmailBackend):
    """A mail server that does what `trouble` says."""

    trouble: Exception | None = None
    at = "send"

    def open(self) -> bool:
        if Failing.at == "open" and Failing.trouble:
            raise Failing.trouble
        return True

    def send_messages(self, messages: Any) -> int:
        if Failing.at == "send" and Failing.trouble:
            raise Failing.trouble
        return super().send_messages(messages)


@pytest.fixture
def failing(settings: Any) -> type[Failing]:
    settings.EMAIL_BACKEND = f"{__name__}.Failing"
    Failing.trouble, Failing.at = None, "send"
    return Failing


class TestTrouble:
    @pytest.mark.parametrize(
        ("at", "trouble"),
        [("open", OSError()), ("send", smtplib.SMTPDataError(451, b"later"))],
    )
    def test_what_has_not_left_is_tried_again(
        self, at: str, trouble: Exception, shared: Mail, failing: Any, mailoutbox: list[Any]
    ) -> None:
        failing.trouble, failing.at = trouble, at
        assert not mailing.send_mail(shared.pk)
        assert state(shared) == "waiting"
        assert shared.attempts == 1
        assert shared.due_at > timezone.now()
        failing.trouble = None
        Mail.objects.update(due_at=LONG_AGO)
        assert mailing.send_mail(shared.pk)
        assert len(mailoutbox) == 1

    def test_is_given_up_in_the_end(self, shared: Mail, failing: Any) -> None:
        failing.trouble, failing.at = OSError(), "open"
        for _ in range(len(mailing.DELAYS) + 1):
            Mail.objects.update(due_at=LONG_AGO)
            mailing.send_mail(shared.pk)
        assert state(shared) == "failed"

    def test_what_broke_off_in_the_middle_is_not_sent_twice(
        self, shared: Mail, failing: Any, mailoutbox: list[Any]
    ) -> None:
        failing.trouble = smtplib.SMTPServerDisconnected()
        assert not mailing.send_mail(shared.pk)
        assert state(shared) == "unknown"
        failing.trouble = None
        assert not mailing.send_mail(shared.pk)
        assert mailoutbox == []

    def test_a_worker_killed_before_it_sent_loses_nothing(
        self, shared: Mail, mailoutbox: list[Any], hints: list[Mail]
    ) -> None:
        assert mailing._claim(shared.pk) is not None  # and then it is killed
        assert not mailing.send_mail(shared.pk)
        Mail.objects.update(lease_until=LONG_AGO)
        assert mailing.sweep_mails() == 1
        assert hints == [shared]
        assert mailing.send_mail(shared.pk)
        assert len(mailoutbox) == 1

    def test_a_worker_killed_while_it_sent_sends_nothing_twice(
        self, shared: Mail, mailoutbox: list[Any], hints: list[Mail]
    ) -> None:
        assert mailing._claim(shared.pk) is not None
        Mail.objects.update(handed_over_at=timezone.now(), lease_until=LONG_AGO)
        assert not mailing.send_mail(shared.pk)
        mailing.sweep_mails()
        assert (state(shared), hints, mailoutbox) == ("unknown", [], [])

    def test_an_operator_may_have_it_sent_again_under_the_same_id(
        self, shared: Mail, failing: Any, mailoutbox: list[Any]
    ) -> None:
        failing.trouble = smtplib.SMTPServerDisconnected()
        assert not mailing.send_mail(shared.pk)
        failing.trouble = None
        assert mailing.send_again(mails=[shared]) == 1
        assert mailing.send_mail(shared.pk)
        assert mailing.send_again(mails=[shared]) == 0
        assert [shared.pk.hex in one.extra_headers["Message-ID"] for one in mailoutbox] == [True]

    def test_a_worker_that_was_too_slow_sends_nothing(
        self, shared: Mail, mailoutbox: list[Any]
    ) -> None:
        slow = mailing._claim(shared.pk)
        assert slow is not None
        message = mailing._message(slow, mailing._unread(slow))
        Mail.objects.update(lease_until=LONG_AGO)
        assert mailing.send_mail(shared.pk)
        assert not mailing._hand_over(slow, message)
        assert len(mailoutbox) == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_sends(shared: Mail, mailoutbox: list[Any]) -> None:
    start, sent = threading.Barrier(4), []

    def work() -> None:
        start.wait(30)
        try:
            sent.append(mailing.send_mail(shared.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert sorted(sent) == [False, False, False, True]
    assert len(mailoutbox) == 1


class TestDigest:
    def test_is_one_mail_a_day(self, owner: Any, mailoutbox: list[Any]) -> None:
        type(owner).objects.update(email="olga@example.org")
        for number in range(3):
            news = News(kind=Kind.MEDIA_REFUSED, key=str(number), group=str(number))
            services.notify(recipient=owner, news=news)
        assert mailing.queue_digests() == 1
        assert mailing.queue_digests() == 0
        assert mailing.send_mail(Mail.objects.get().pk)
        assert mailoutbox[0].subject == "3 notifications"
        services.notify(recipient=owner, news=News(kind=Kind.MEDIA_REFUSED, key="later"))
        assert mailing.queue_digests() == 0
        assert len(mailoutbox) == 1

    def test_of_much_leaves_out_pictures_and_no_words(
        self, owner: Any, media: MediaFile, mailoutbox: list[Any]
    ) -> None:
        type(owner).objects.update(email="olga@example.org")
        facts = {"target": "media", "target_id": media.pk, "media_id": media.pk}
        for number in range(25):
            news = News(kind=Kind.MEDIA_REFUSED, key=str(number), group=str(number), **facts)
            services.notify(recipient=owner, news=news)
        assert mailing.queue_digests() == 1
        assert mailing.send_mail(Mail.objects.get().pk)
        assert mailoutbox[0].subject == "25 notifications"
        assert mailoutbox[0].body.count("Refused: “Secret name.jpg”") == 25
        assert mailoutbox[0].alternatives[0][0].count("<img") == mailing.MOST_PICTURES


class TestPicture:
    def test_v8_2_3_tells_nothing_else(
        self, shared: Mail, mailoutbox: list[Any], client: Client
    ) -> None:
        mailing.send_mail(shared.pk)
        answer = client.get(preview_of(mailoutbox[0]))
        assert "Secret" not in str(answer.headers)
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert not answer.cookies
        largest = max(row.size for row in Rendition.objects.exclude(name__startswith="hls"))
        assert len(b"".join(answer)) <= largest

    @pytest.mark.parametrize(
        "end", ["revoked", "no right", "trash", "gone", "read by nobody", "notification deleted"]
    )
    def test_v8_3_2_ends(
        self,
        end: str,
        shared: Mail,
        media: MediaFile,
        stranger: Any,
        mailoutbox: list[Any],
        client: Client,
    ) -> None:
        mailing.send_mail(shared.pk)
        address = preview_of(mailoutbox[0])
        if end == "revoked":
            revoke_previews(notifications=Notification.objects.all())
        elif end == "no right":
            Grant.objects.all().delete()
        elif end == "trash":
            MediaFile.objects.update(deleted_at=timezone.now())
        elif end == "gone":
            media.delete()
        elif end == "read by nobody":
            type(stranger).objects.update(is_active=False)
        else:
            services.delete_notification(notification=Notification.objects.get())
        answer = client.get(address)
        missing = client.get("/notifications/picture/" + "x" * 32)
        assert (answer.status_code, answer.content) == (404, missing.content)
        assert answer["Referrer-Policy"] == "no-referrer"

    def test_is_ended_in_the_administration_by_whoever_may_change_notifications(
        self, shared: Mail, owner: Any, mailoutbox: list[Any], browser_of: Any
    ) -> None:
        mailing.send_mail(shared.pk)
        type(owner).objects.filter(pk=owner.pk).update(is_staff=True)
        row, admin = Notification.objects.get(), "/admin/notifications/notification/"
        for right, ended in (("view", False), ("change", True)):
            owner.user_permissions.add(Permission.objects.get(codename=f"{right}_notification"))
            asked = {"action": "revoke", "_selected_action": str(row.pk)}
            browser_of(owner).post(admin, asked)
            row.refresh_from_db()
            assert (row.preview_token is None) is ended

    def test_is_none_of_what_is_not_clean(
        self, shared: Mail, mailoutbox: list[Any], client: Client
    ) -> None:
        mailing.send_mail(shared.pk)
        MediaFile.objects.update(usable=False, status="quarantined")
        assert client.get(preview_of(mailoutbox[0])).status_code == 404

    def test_v2_4_1_guesses_are_limited(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from apps.notifications.views.pages import PreviewRate

        monkeypatch.setattr(PreviewRate, "rate", "2/min")
        asked = [client.get("/notifications/picture/x").status_code for _ in range(3)]
        assert asked == [404, 404, 429]


class TestUnsubscribing:
    def test_one_click_ends_the_kind_without_a_sign_in(
        self, shared: Mail, stranger: Any, mailoutbox: list[Any]
    ) -> None:
        mailing.send_mail(shared.pk)
        headers = mailoutbox[0].extra_headers
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        address = re.sub(r"^<https?://[^/]+|>$", "", headers["List-Unsubscribe"])
        client = Client(enforce_csrf_checks=True)
        assert client.get(address).status_code == 200
        assert selectors.ways_of(stranger)[Kind.SHARED].email == Email.NOW
        done = client.post(address, {"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
        ways = selectors.ways_of(stranger)
        assert ways[Kind.SHARED].email == Email.NEVER
        assert ways[Kind.SHARED].in_page is True
        assert ways[Kind.WEBHOOK_OFF].email == Email.NOW

    def test_of_the_daily_mail_all_ends(self, owner: Any, client: Client) -> None:
        client.post(f"/notifications/unsubscribe/{token_for(owner.pk, ALL)}/")
        assert {way.email for way in selectors.ways_of(owner).values()} == {Email.NEVER}

    @pytest.mark.parametrize("queued", [True, False])
    def test_what_waits_to_be_mailed_is_not_mailed_either(
        self, queued: bool, owner: Any, client: Client, mailoutbox: list[Any]
    ) -> None:
        type(owner).objects.update(email="olga@example.org")
        services.notify(recipient=owner, news=News(kind=Kind.MEDIA_REFUSED, key="1"))
        if queued:
            mailing.queue_digests()
        client.post(f"/notifications/unsubscribe/{token_for(owner.pk, ALL)}/")
        mailing.queue_digests()
        mail = Mail.objects.get()
        assert not mailing.send_mail(mail.pk)
        assert (state(mail), mailoutbox) == ("dropped", [])

    def test_v9_1_1_a_forged_address_does_nothing(self, owner: Any, client: Client) -> None:
        token = token_for(owner.pk, ALL)
        for forged in (token[:-1], f"{token}A", f"A{token[1:]}", "x"):
            assert client.post(f"/notifications/unsubscribe/{forged}/").status_code == 404
        assert selectors.ways_of(owner)[Kind.SHARED].email == Email.NOW
