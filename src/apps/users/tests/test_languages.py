"""A language is chosen by a button, kept by the browser, and remembered for who is signed in."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.users.models import User

PASSWORD = "correct horse battery staple"
CHOICE = "/i18n/setlang/"


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=False, headers={"accept-language": "en"})


def html_of(client: Client, path: str = "/") -> str:
    return client.get(path).content.decode()


@pytest.mark.django_db
def test_a_visitor_chooses_and_stays_where_they_are(client: Client) -> None:
    answer = client.post(CHOICE, {"language": "de", "next": "/accounts/login/?next=/library/"})
    assert answer["Location"] == "/accounts/login/?next=/library/"
    cookie = answer.cookies["django_language"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("de", True, "Lax")
    page = html_of(client, "/accounts/login/")
    assert '<html lang="de"' in page
    assert 'value="de" lang="de" aria-current="true"' in " ".join(page.split())


@pytest.mark.django_db
def test_a_language_that_there_is_not_changes_nothing(client: Client, owner: User) -> None:
    client.force_login(owner)
    answer = client.post(CHOICE, {"language": "tlh", "next": "https://evil.example/"})
    assert answer["Location"] == "/"
    assert "django_language" not in answer.cookies
    owner.refresh_from_db()
    assert owner.language == ""


def test_only_a_form_of_ours_changes_it(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post(CHOICE, {"language": "de"}).status_code == 403
    assert client.get(CHOICE).status_code == 405
    owner.refresh_from_db()
    assert owner.language == ""


def test_another_browser_of_the_same_person_knows_it(client: Client, owner: User) -> None:
    owner.set_password(PASSWORD)
    owner.save()
    client.force_login(owner)
    client.post(CHOICE, {"language": "de"})
    other = Client(headers={"accept-language": "en"})
    other.post("/accounts/login/", {"username": owner.username, "password": PASSWORD})
    assert '<html lang="de"' in html_of(other, "/library/")


@pytest.mark.django_db
def test_whoever_never_chose_reads_what_their_browser_asks_for(client: Client) -> None:
    person = User.objects.create_user("nora", password=PASSWORD)
    client.post("/accounts/login/", {"username": "nora", "password": PASSWORD})
    assert "django_language" not in client.cookies
    assert person.language == ""


@pytest.mark.django_db
def test_an_account_remembers_the_language_it_was_made_in() -> None:
    client = Client(headers={"accept-language": "de"})
    form = {"username": "nina", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/accounts/signup/", form)
    assert User.objects.get().language == "de"
