"""Where a person's mails go: asked for with the password, confirmed by whoever reads there."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone

from apps.users import mailing, services
from apps.users.models import EmailChange

pytestmark = pytest.mark.django_db
URL = "/settings/email/"
ADDRESS = "olga@example.org"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def client(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(owner)


@pytest.fixture
def change(owner: Any) -> EmailChange:
    return services.propose_email(user=owner, address=ADDRESS, password=PASSWORD)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server that hangs up."""

    def hang_up(*args: Any) -> int:
        raise smtplib.SMTPServerDisconnected("away")

    monkeypatch.setattr(EmailBackend, "send_messages", hang_up)


def email_of(person: Any) -> str:
    person.refresh_from_db()
    return str(person.email)


def ask(client: Client, address: str = ADDRESS, password: str = PASSWORD) -> Any:
    return client.post(URL, {"address": address, "password": password})


class TestAsked:
    def test_a_link_leads_to_the_page_that_confirms_it(self, client: Client, owner: Any) -> None:
        assert ask(client).status_code == 302
        assert mailing.send_email_link(EmailChange.objects.get().pk)
        (message,) = mail.outbox
        assert message.to == [ADDRESS]
        (address,) = (line for line in message.body.splitlines() if line.startswith("http"))
        path = "/" + address.split("/", 3)[3]
        assert ADDRESS in client.get(path).content.decode()
        assert email_of(owner) == ""  # opened, by whatever program
        assert client.post(path).status_code == 302
        assert email_of(owner) == ADDRESS
        assert client.get(path).status_code == client.post(path).status_code == 404

    def test_only_for_the_password(self, client: Client) -> None:
        answer = ask(client, password="wrong")
        assert answer.status_code == 422
        assert "not the password" in answer.content.decode()
        assert not EmailChange.objects.exists()

    @pytest.mark.parametrize("address", ["", "olga", "a@b@c", "o@example.org\nBcc: x@example.org"])
    def test_only_for_an_address(self, client: Client, address: str) -> None:
        assert ask(client, address).status_code == 422
        assert not EmailChange.objects.exists()

    def test_only_so_often(self, client: Client, settings: Any) -> None:
        answers = [ask(client, f"olga{number}@example.org") for number in range(21)]
        assert {answer.status_code for answer in answers[:20]} == {302}
        assert answers[20].status_code == 429

    def test_in_the_language_of_the_person(self, owner: Any, change: EmailChange) -> None:
        services.remember_language(user=owner, language="de")
        mailing.send_email_link(change.pk)
        assert mail.outbox[0].subject == "Ist das Ihre E-Mail-Adresse?"

    def test_the_page_says_what_is_to_be_opened(self, client: Client, change: EmailChange) -> None:
        assert "on its way to <strong>olga@example.org" in client.get(URL).content.decode()


class TestLinks:
    def test_another_address_ends_the_one_before(
        self, client: Client, owner: Any, change: EmailChange
    ) -> None:
        services.propose_email(user=owner, address="olga@example.net", password=PASSWORD)
        assert client.post(f"{URL}{change.token}/").status_code == 404
        assert client.post(f"{URL}{EmailChange.objects.get().token}/").status_code == 302
        assert email_of(owner) == "olga@example.net"

    def test_is_good_for_the_person_alone(
        self, change: EmailChange, stranger: Any, browser_of: Callable[[Any], Client]
    ) -> None:
        assert browser_of(stranger).post(f"{URL}{change.token}/").status_code == 404
        assert email_of(stranger) == ""

    def test_leads_strangers_to_sign_in_first(self, change: EmailChange) -> None:
        answer = Client().get(f"{URL}{change.token}/")
        assert answer["Location"] == f"/accounts/login/?next={URL}{change.token}/"

    def test_is_good_for_a_day(self, client: Client, owner: Any, change: EmailChange) -> None:
        EmailChange.objects.update(asked_at=timezone.now() - timedelta(hours=25))
        assert client.post(f"{URL}{change.token}/").status_code == 404
        assert mailing.sweep_email_changes() == 1
        assert not EmailChange.objects.exists()

    @pytest.mark.parametrize("token", ["x", "a%00b", "%C3%A4"])
    def test_that_is_none_leads_nowhere(
        self, client: Client, change: EmailChange, token: str
    ) -> None:
        assert client.get(f"{URL}{token}/").status_code == 404


class TestSending:
    def test_once(self, change: EmailChange) -> None:
        assert mailing.send_email_link(change.pk)
        assert not mailing.send_email_link(change.pk)
        assert len(mail.outbox) == 1

    def test_is_tried_again_and_given_up(
        self, change: EmailChange, broken: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        EmailChange.objects.update(asked_at=timezone.now() - 2 * mailing.PAUSE)
        hinted: list[int] = []
        monkeypatch.setattr(mailing, "hint", lambda row: hinted.append(row.pk) or True)
        for _ in range(mailing.ATTEMPTS):
            assert mailing.sweep_email_changes() == 1
            assert not mailing.send_email_link(hinted.pop())
        assert mailing.sweep_email_changes() == 0

    def test_not_to_an_account_that_is_off(self, owner: Any, change: EmailChange) -> None:
        owner.is_active = False
        owner.save()
        assert not mailing.send_email_link(change.pk)

    def test_not_what_is_gone(self, owner: Any, change: EmailChange) -> None:
        services.forget_email(user=owner)
        assert not mailing.send_email_link(change.pk)


def test_an_address_is_removed_with_what_was_asked_for(
    client: Client, owner: Any, change: EmailChange
) -> None:
    services.confirm_email(user=owner, token=change.token)
    services.propose_email(user=owner, address="olga@example.net", password=PASSWORD)
    assert ADDRESS in client.get(URL).content.decode()
    client.post(f"{URL}forget/")
    assert email_of(owner) == ""
    assert not EmailChange.objects.exists()


def test_the_preferences_say_where_mails_go(
    client: Client, owner: Any, change: EmailChange
) -> None:
    assert "no address yet" in client.get("/notifications/preferences/").content.decode()
    services.confirm_email(user=owner, token=change.token)
    assert f"E-mails go to {ADDRESS}." in client.get("/notifications/preferences/").content.decode()
