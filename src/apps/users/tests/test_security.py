"""The page of an account's safety: tokens, the password, sign-ins."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axes.models import AccessLog
from django.test import Client
from knox.models import AuthToken
from rest_framework.test import APIClient

from apps.users import services

URL = "/settings/security/"
PASSWORD = "correct horse battery staple"
OTHER = "a staple of another battery"


@pytest.fixture
def client(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(owner)


def test_a_token_is_made_shown_once_and_revoked(client: Client) -> None:
    page = client.post(f"{URL}tokens/").content.decode()
    (token,) = re.findall(r'id="token"\s+type="text"\s+value="([^"]+)"', page)
    program = APIClient(headers={"Authorization": f"Token {token}"})
    assert program.get("/api/v1/me/usage/").status_code == 200
    again = client.get(URL).content.decode()
    assert token not in again
    key = AuthToken.objects.get().token_key
    assert key in again
    client.post(f"{URL}tokens/{key}/revoke/")
    assert program.get("/api/v1/me/usage/").status_code == 401


def test_tokens_of_others_stay(client: Client, stranger: Any) -> None:
    services.create_token(user=stranger)
    key = AuthToken.objects.get().token_key
    assert key not in client.get(URL).content.decode()
    client.post(f"{URL}tokens/{key}/revoke/")
    assert AuthToken.objects.exists()


def test_what_is_no_key_of_a_token_is_no_address(client: Client) -> None:
    """PostgreSQL compares with no text that has a NUL in it."""
    assert client.post(f"{URL}tokens/a%00b/revoke/").status_code == 404


def test_another_password_signs_other_browsers_out(
    client: Client, owner: Any, browser_of: Callable[[Any], Client]
) -> None:
    elsewhere = browser_of(owner)
    form = {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER}
    assert client.post(URL, form).status_code == 302
    assert client.get(URL).status_code == 200
    assert elsewhere.get(URL).status_code == 302
    owner.refresh_from_db()
    assert owner.check_password(OTHER)


@pytest.mark.parametrize(
    "change",
    [{"old_password": "wrong"}, {"new_password1": "12345678", "new_password2": "12345678"}],
)
def test_what_is_wrong_with_a_password_is_said(
    change: dict[str, str], client: Client, owner: Any
) -> None:
    form = {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER, **change}
    answer = client.post(URL, form)
    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_sign_ins_are_told_and_forgotten_with_the_account(owner: Any, stranger: Any) -> None:
    for person, agent in ((owner, "Mine/1.0"), (stranger, "Theirs/2.0")):
        browser = Client(headers={"User-Agent": agent})
        browser.post("/accounts/login/", {"username": person.username, "password": PASSWORD})
    shown = Client()
    shown.force_login(owner)
    page = shown.get(URL).content.decode()
    assert "Mine/1.0" in page
    assert "Theirs/2.0" not in page
    owner.delete()
    assert [row.user_agent for row in AccessLog.objects.all()] == ["Theirs/2.0"]


def test_strangers_are_sent_to_sign_in(db: None) -> None:
    assert Client().get(URL).status_code == 302
    assert Client().post(f"{URL}tokens/").status_code == 302
