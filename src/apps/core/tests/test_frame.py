"""The frame of every page: its title, the choice of a language, and how long ago things were."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client
from django.utils import timezone, translation

from apps.core.languages import language_of, offered_languages
from apps.core.templatetags.core import ago


def title_of(content: str) -> str:
    block = f"{{% load core %}}{{% page_title %}}{content}{{% endpage_title %}}"
    return Template(block).render(Context({"name": "A & B"}))


def test_the_name_of_the_site_stands_behind_the_title(settings: Any) -> None:
    settings.SITE_NAME = "Pictures <ours>"
    assert title_of("\n  {{ name }}\n") == "A &amp; B – Pictures &lt;ours&gt;"
    assert title_of("\n") == "Pictures &lt;ours&gt;"
    del settings.SITE_NAME  # a project that has none
    assert title_of("Trash") == "Trash – Media App"


@pytest.mark.django_db
def test_pages_are_called_by_the_name_of_the_site(client: Client, settings: Any) -> None:
    settings.SITE_NAME = "Our pictures"
    page = " ".join(client.get("/accounts/login/").content.decode().split())
    assert "<title>Sign in – Our pictures</title>" in page
    assert "<span>Our pictures</span>" in page
    assert "Media App" not in page


def test_languages_are_called_as_their_speakers_call_them(settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "German"), ("x-own", "Ours")]
    assert [one.name for one in offered_languages()] == ["English", "Deutsch", "Ours"]


@pytest.mark.django_db
def test_there_is_no_choice_of_one_language(client: Client, settings: Any) -> None:
    assert 'value="de"' in client.get("/").content.decode()
    settings.LANGUAGES = [("en", "English")]
    assert "/i18n/setlang/" not in client.get("/").content.decode()


def test_a_language_is_that_of_the_person_or_of_the_site(settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    people = [type("Person", (), {"language": code})() for code in ("en", "", "tlh")]
    assert [language_of(one) for one in [*people, object()]] == ["en", "de", "de", "de"]


@pytest.mark.parametrize(
    ("before", "english", "german"),
    [
        (timedelta(seconds=5), "just now", "gerade eben"),
        (timedelta(hours=1), "1 hour ago", "vor 1 Stunde"),
        (timedelta(days=2, hours=3), "2 days ago", "vor 2 Tagen"),
    ],
)
def test_how_long_ago(before: timedelta, english: str, german: str) -> None:
    moment = timezone.now() - before
    assert ago(moment).replace("\xa0", " ") == english
    with translation.override("de"):
        assert ago(moment).replace("\xa0", " ") == german
