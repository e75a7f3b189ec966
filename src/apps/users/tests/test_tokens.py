"""Tokens for programs: got by name and password, used, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

PASSWORD = "correct horse battery staple"
URL = "/api/v1/auth/token/"


def _ask(password: str = PASSWORD, name: str = "olga", **headers: str) -> Any:
    body = {"username": name, "password": password}
    return APIClient(headers=headers).post(URL, body, format="json")


def test_a_token_opens_the_api_and_is_kept_only_as_a_digest(owner: Any) -> None:
    answer = _ask()
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    token = answer.json()["token"]
    client = APIClient(headers={"Authorization": f"Token {token}"})
    assert client.get("/api/v1/me/usage/").status_code == 200
    assert token not in str(AuthToken.objects.values())


def test_a_revoked_token_is_worth_nothing(owner: Any) -> None:
    client = APIClient(headers={"Authorization": f"Token {_ask().json()['token']}"})
    other = _ask().json()["token"]
    assert client.delete(URL).status_code == 204
    assert client.get("/api/v1/me/usage/").status_code == 401
    client = APIClient(headers={"Authorization": f"Token {other}"})
    assert client.get("/api/v1/me/usage/").status_code == 200


@pytest.mark.parametrize(("name", "password"), [("olga", "wrong"), ("nobody", PASSWORD)])
def test_wrong_name_and_wrong_password_are_one_answer(name: str, password: str, owner: Any) -> None:
    answer = _ask(password, name)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_credentials"
    assert "errors" not in answer.json()


@pytest.mark.parametrize("body", [{}, {"username": "olga"}, {"username": [], "password": {}}])
def test_what_is_missing_is_named(body: dict[str, Any], owner: Any) -> None:
    answer = APIClient().post(URL, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert "password" in answer.json()["errors"]


def test_a_disabled_user_gets_none(owner: Any) -> None:
    owner.is_active = False
    owner.save()
    assert _ask().status_code == 400


def test_a_stale_token_does_not_bar_the_way_to_a_new_one(owner: Any) -> None:
    assert _ask(Authorization="Token 0123456789").status_code == 200


def test_too_many_wrong_passwords_are_a_problem_with_a_time(owner: Any, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    answer = [_ask("wrong") for _ in range(3)][-1]
    assert answer.status_code == 429
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "locked_out"
    assert int(answer["Retry-After"]) > 0
    assert _ask().status_code == 429


def test_asking_is_limited_by_address(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"token": "2/min"})
    assert [_ask().status_code for _ in range(3)] == [200, 200, 429]


def test_deleting_without_a_token_is_refused(owner: Any) -> None:
    assert APIClient().delete(URL).status_code == 401
    client = APIClient()
    client.force_login(owner)
    assert client.delete(URL).status_code in {401, 403}


def test_an_expired_token_is_refused_and_gone(owner: Any) -> None:
    client = APIClient(headers={"Authorization": f"Token {_ask().json()['token']}"})
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert client.get("/api/v1/me/usage/").status_code == 401
    assert not AuthToken.objects.exists()


def test_the_other_tokens_are_looked_through_when_one_is_renewed(owner: Any) -> None:
    expired, used = AuthToken.objects.create(owner)[0], AuthToken.objects.create(owner)
    AuthToken.objects.filter(pk=expired.pk).update(expiry=timezone.now() - timedelta(days=1))
    client = APIClient(headers={"Authorization": f"Token {used[1]}"})
    assert client.get("/api/v1/me/usage/").status_code == 200
    assert AuthToken.objects.filter(pk=expired.pk).exists()
    later = timezone.now() + timedelta(days=29)
    AuthToken.objects.filter(pk=used[0].pk).update(expiry=later)
    assert client.get("/api/v1/me/usage/").status_code == 200
    assert list(AuthToken.objects.values_list("pk", flat=True)) == [used[0].pk]
    assert AuthToken.objects.get().expiry > later
