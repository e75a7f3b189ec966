"""Another password for somebody who has forgotten theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import mail
from django.test import Client

from apps.users import mailing, services

pytestmark = pytest.mark.django_db
URL = "/accounts/password/"
PASSWORD = "correct horse battery staple"
OTHER = "a staple of another battery"
FORM = {"new_password1": OTHER, "new_password2": OTHER}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is handed to workers is done."""
    monkeypatch.setattr(mailing, "hint_password", lambda user: mailing.send_password_link(user.pk))


@pytest.fixture
def reachable(owner: Any) -> Any:
    owner.email = "olga@example.org"
    owner.save()
    return owner


def sent_path() -> str:
    """Where the link of the last mail leads."""
    body = mail.outbox[-1].body
    (address,) = (line for line in body.splitlines() if line.startswith("http"))
    return "/" + address.split("/", 3)[3]


def opened(client: Client) -> Any:
    return client.get(sent_path(), follow=True)


def test_a_link_leads_to_another_password(
    client: Client, reachable: Any, browser_of: Callable[[Any], Client]
) -> None:
    elsewhere = browser_of(reachable)
    assert client.post(URL, {"email": "Olga@Example.org"}).status_code == 302
    assert mail.outbox[0].to == ["olga@example.org"]
    assert "You sign in as olga." in mail.outbox[0].body
    page = opened(client)
    assert page.status_code == 200
    answer = client.post(page.redirect_chain[-1][0], FORM, follow=True)
    assert "Sign in with it." in answer.content.decode()
    assert client.login(request=answer.wsgi_request, username="olga", password=OTHER)
    assert elsewhere.get("/settings/profile/").status_code == 302  # signed out
    assert opened(Client()).status_code == 404  # once


def test_the_answer_is_the_same_for_nobody(client: Client, reachable: Any) -> None:
    pages = [
        client.post(URL, {"email": address}, follow=True).content
        for address in ("olga@example.org", "nobody@example.org")
    ]
    assert len(mail.outbox) == 1
    assert b"If an account has this address" in pages[0]
    assert b"If an account has this address" in pages[1]


def test_a_refused_password_is_said(client: Client, reachable: Any) -> None:
    client.post(URL, {"email": reachable.email})
    page = opened(client)
    short = {"new_password1": "x", "new_password2": "x"}
    answer = client.post(page.redirect_chain[-1][0], short)
    assert answer.status_code == 422
    assert "too short" in answer.content.decode()


def test_whoever_tried_too_often_may_sign_in_with_it(client: Client, reachable: Any) -> None:
    wrong = {"username": reachable.username, "password": "wrong"}
    while client.post("/accounts/login/", wrong).status_code != 429:
        pass
    client.post(URL, {"email": reachable.email})
    client.post(opened(client).redirect_chain[-1][0], FORM)
    answer = client.post("/accounts/login/", {**wrong, "password": OTHER})
    assert answer.status_code == 302


def test_a_link_is_good_for_an_hour(
    client: Client, reachable: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(URL, {"email": reachable.email})
    late = datetime.now() + timedelta(minutes=61)  # noqa: DTZ005  as Django counts
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: late)
    assert opened(client).status_code == 404


def test_the_address_of_another_ends_the_link(client: Client, reachable: Any) -> None:
    client.post(URL, {"email": reachable.email})
    services.forget_email(user=reachable)
    assert opened(client).status_code == 404


def test_only_so_often(client: Client) -> None:
    answers = [client.post(URL, {"email": f"o{n}@example.org"}).status_code for n in range(21)]
    assert answers == [302] * 20 + [429]


@pytest.mark.parametrize("address", ["", "olga", "o@example.org\nBcc: x@example.org"])
def test_only_for_an_address(client: Client, address: str) -> None:
    assert client.post(URL, {"email": address}).status_code == 422


@pytest.mark.parametrize("path", ["x/x/", "MQ/x/", "MQ/set-password/", "w7_/x/"])
def test_what_is_no_link_leads_nowhere(client: Client, path: str) -> None:
    assert client.get(URL + path, follow=True).status_code == 404


class TestNobodyIsWrittenTo:
    def test_whose_account_is_off(self, reachable: Any) -> None:
        reachable.is_active = False
        reachable.save()
        services.send_password_links(address=reachable.email)
        assert not mailing.send_password_link(reachable.pk)
        assert not mail.outbox

    def test_who_has_no_address(self, owner: Any) -> None:
        services.send_password_links(address="")
        assert not mailing.send_password_link(owner.pk)

    def test_who_signs_in_without_a_password(self, reachable: Any) -> None:
        reachable.set_unusable_password()
        reachable.save()
        services.send_password_links(address=reachable.email)
        assert not mailing.send_password_link(reachable.pk)
