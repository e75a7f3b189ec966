"""Signing up, in and out by the pages; who tries too often is told to wait."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework.throttling import SimpleRateThrottle

from apps.users.forms import SignUpForm

PASSWORD = "correct horse battery staple"
HTML = {"Accept": "text/html"}


@pytest.fixture
def form() -> dict[str, str]:
    return {"username": "nina", "password1": PASSWORD, "password2": PASSWORD}


def test_signing_up_signs_in(db: None, form: dict[str, str]) -> None:
    client = Client()
    assert client.post("/accounts/signup/", form)["Location"] == "/library/"
    assert client.get("/library/").status_code == 200
    assert get_user_model().objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password1": "12345678", "password2": "12345678"}, "password2"),
        ({"password2": "another password"}, "password2"),
        ({"username": "a b"}, "username"),
        ({"username": ""}, "username"),
        ({"username": "."}, "username"),
        ({"username": ".."}, "username"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    change: dict[str, str], field: str, db: None, form: dict[str, str]
) -> None:
    answer = Client().post("/accounts/signup/", {**form, **change})
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not get_user_model().objects.exists()


def test_people_read_german(owner: Any) -> None:
    client = Client(headers={"accept-language": "de"})
    wrong = {"username": "olga", "password": "wrong"}
    answer = client.post("/accounts/login/", wrong).content.decode()
    assert "Neu hier?" in answer
    assert "Benutzername" in answer
    assert "Please" not in answer
    client.force_login(owner)
    form = client.get("/settings/profile/").content.decode()
    assert "Was andere statt Ihres Benutzernamens lesen." in form
    answer = client.post("/settings/account/delete/", {"password": "wrong"})
    assert "Das ist nicht das Passwort Ihres Kontos." in answer.content.decode()
    page = client.get("/users/olga/").content.decode()
    assert "<strong>0</strong> Follower · folgt <strong>0</strong>" in page


def test_a_name_is_given_once(owner: Any, form: dict[str, str]) -> None:
    answer = Client().post("/accounts/signup/", {**form, "username": "olga"})
    assert "already exists" in answer.content.decode()


def test_a_name_that_somebody_else_takes_in_this_moment_is_told(
    owner: Any, form: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = SignUpForm.is_valid

    def is_valid_until_the_other_one_comes(self: SignUpForm) -> bool:
        is_valid = looked(self)
        get_user_model().objects.filter(pk=owner.pk).update(username="nina")
        return is_valid

    monkeypatch.setattr(SignUpForm, "is_valid", is_valid_until_the_other_one_comes)
    answer = Client().post("/accounts/signup/", form)
    assert answer.status_code == 200
    assert "already exists" in answer.content.decode()
    assert get_user_model().objects.get() == owner


def test_sign_ups_are_limited_by_address(
    db: None, form: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"signup": "2/hour"})
    for name in ("a", "b"):
        assert Client().post("/accounts/signup/", {**form, "username": name}).status_code == 302
    answer = Client().post("/accounts/signup/", {**form, "username": "c"}, headers=HTML)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert b"<html" in answer.content
    assert not get_user_model().objects.filter(username="c").exists()


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/"])
def test_who_is_in_needs_no_door(path: str, owner: Any) -> None:
    client = Client()
    client.force_login(owner)
    assert client.get(path)["Location"] == "/library/"


def test_signing_in_leads_on_and_out_needs_a_post(owner: Any) -> None:
    client = Client()
    sent = {"username": "olga", "password": PASSWORD, "next": "/library/trash/"}
    assert client.post("/accounts/login/", sent)["Location"] == "/library/trash/"
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/")["Location"] == "/"
    assert client.get("/library/").status_code == 302


def test_signing_in_never_leads_to_another_site(owner: Any) -> None:
    sent = {"username": "olga", "password": PASSWORD, "next": "https://example.org/"}
    assert Client().post("/accounts/login/", sent)["Location"] == "/library/"


def test_a_wrong_password_is_not_told_from_a_wrong_name(owner: Any) -> None:
    texts = []
    for name in ("olga", "nobody"):
        answer = Client().post("/accounts/login/", {"username": name, "password": "wrong"})
        text = answer.content.decode().replace(name, "")
        texts.append(re.sub(r'csrfmiddlewaretoken" value="[^"]+"', "", text))
    assert texts[0] == texts[1]
    assert "errorlist" in texts[0]


def test_too_many_wrong_passwords_close_the_door_for_a_while(owner: Any, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    client = Client(headers=HTML)
    wrong = {"username": "olga", "password": "wrong"}
    answers = [client.post("/accounts/login/", wrong) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) == 15 * 60
    right = client.post("/accounts/login/", {"username": "olga", "password": PASSWORD})
    assert right.status_code == 429
    assert client.get("/library/").status_code == 302


def test_sign_ins_are_limited_by_address(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"signin": "2/hour"})
    for name in ("a", "b"):
        wrong = {"username": name, "password": "wrong"}
        assert Client().post("/accounts/login/", wrong).status_code == 200
    right = {"username": "olga", "password": PASSWORD}
    answer = Client().post("/accounts/login/", right, headers=HTML)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert Client().get("/accounts/login/").status_code == 200
