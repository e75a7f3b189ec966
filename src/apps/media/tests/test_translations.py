"""The catalogues of the apps and the frame: complete, compiled, and used by what people read."""

from __future__ import annotations

import gettext
import io
import re
import symtable
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation.template import templatize
from rest_framework.test import APIClient

from apps.core.errors import AppError
from apps.media.exceptions import BadRequestError, EmptyFileError
from apps.media.models import MediaFile, MediaVersion
from apps.media.tests.samples import photo_jpeg
from apps.media.views.factsheet import describe

SOURCE = Path(__file__).resolve().parents[3]
NAMES = (
    "apps/core",
    "apps/events",
    "apps/media",
    "apps/notifications",
    "apps/posts",
    "apps/users",
    "config",
)
GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}
KEYWORDS: Any = {
    **DEFAULT_KEYWORDS,
    "gettext_noop": None,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
Upload = Callable[..., MediaFile]
PLACEHOLDER = re.compile(r"%\(\w+\)s|%[sd]")


def read_catalogue(app: str) -> Catalog:
    with (SOURCE / app / "locale/de/LC_MESSAGES/django.po").open("rb") as file:
        return read_po(file)


def messages_of(app: str) -> list[Message]:
    return [message for message in read_catalogue(app) if message.id]


def texts_of(words: str | list[str] | tuple[str, ...]) -> list[str]:
    return [words] if isinstance(words, str) else list(words)


def templates_of(app: str) -> list[Path]:
    return sorted((SOURCE / app / "templates").rglob("*.html"))


# -- the catalogues ---------------------------------------------------------------------------


@pytest.mark.parametrize("app", NAMES)
def test_every_message_is_translated(app: str) -> None:
    wanting = [
        message.id
        for message in messages_of(app)
        if message.fuzzy or not all(texts_of(message.string))
    ]
    assert wanting == []


@pytest.mark.parametrize("app", NAMES)
def test_a_translation_has_the_placeholders_of_its_message(app: str) -> None:
    for message in messages_of(app):
        wanted = {frozenset(PLACEHOLDER.findall(text)) for text in texts_of(message.id)}
        found = {frozenset(PLACEHOLDER.findall(text)) for text in texts_of(message.string)}
        assert found <= wanted, message.id


def test_a_message_means_the_same_in_every_catalogue() -> None:
    """Django puts them into one: where two differ, it depends on their order what is read."""
    meant: dict[Any, str | list[str]] = {}
    for message in chain.from_iterable(map(messages_of, NAMES)):
        key = (message.context, *texts_of(message.id))
        assert meant.setdefault(key, message.string) == message.string, key


@pytest.mark.parametrize("app", NAMES)
def test_the_compiled_catalogue_is_that_of_the_words(app: str) -> None:
    with (SOURCE / app / "locale/de/LC_MESSAGES/django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in messages_of(app):
        one, *more = texts_of(message.id)
        if more:
            found = [compiled.ngettext(one, more[0], number) for number in (1, 2)]
        elif message.context:
            found = [compiled.pgettext(message.context, one)]
        else:
            found = [compiled.gettext(one)]
        assert found == texts_of(message.string), "run bin/messages"


@pytest.mark.parametrize("app", NAMES)
def test_the_catalogue_has_all_that_is_marked(app: str) -> None:
    known = {(message.context, texts_of(message.id)[0]) for message in messages_of(app)}
    assert set(marked_in(app)) - known == set(), "run bin/messages"


@pytest.mark.parametrize("app", NAMES)
def test_no_function_hides_the_mark_by_a_name_of_its_own(app: str) -> None:
    for path in modules_of(app):
        for scope in scopes_in(symtable.symtable(path.read_text(), str(path), "exec")):
            if scope.get_type() == "function" and "_" in scope.get_identifiers():
                name = scope.lookup("_")
                assert not (name.is_local() and name.is_referenced()), (path, scope.get_name())


def scopes_in(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from scopes_in(child)


def modules_of(app: str) -> Iterator[Path]:
    skipped = {"tests", "migrations", "management"}
    for path in (SOURCE / app).rglob("*.py"):
        if not skipped & set(path.relative_to(SOURCE / app).parts):
            yield path


def marked_in(app: str) -> Iterator[tuple[str | None, str]]:
    for path in modules_of(app):
        yield from read_marked(path.read_text())
    for path in templates_of(app):
        # As Python that says the same; what is no message in it is crossed out.
        lines = templatize(path.read_text()).splitlines()
        yield from read_marked("\n".join(line.strip() for line in lines))


def read_marked(source: str) -> Iterator[tuple[str | None, str]]:
    for _, words, _, context in extract("python", io.BytesIO(source.encode()), KEYWORDS):
        yield context, texts_of(words)[0]


# -- the models -------------------------------------------------------------------------------

OWN_APPS = [name.rpartition("/")[2] for name in NAMES if name.startswith("apps/")]


def models_of(app: str) -> list[type[Model]]:
    return [*apps.get_app_config(app).get_models()] if apps.is_installed(f"apps.{app}") else []


def names_in(model: type[Model]) -> Iterator[tuple[str, Any]]:
    """What forms and the administration call a model, its fields, and the choices there; a key is
    never shown."""
    about = model._meta
    yield f"{about.label}", about.verbose_name
    yield f"{about.label} (plural)", about.verbose_name_plural
    for field in (*about.local_fields, *about.local_many_to_many):
        if field.primary_key:
            continue
        label = f"{about.label}.{field.name}"
        yield label, field.verbose_name
        if field.help_text:
            yield f"{label} (help)", field.help_text
        for value, words in field.choices or ():
            yield f"{label}={value}", words


@pytest.mark.parametrize("app", OWN_APPS)
def test_an_app_has_a_name_in_german(app: str) -> None:
    config = apps.get_app_config(app)
    assert not models_of(app) or isinstance(config.verbose_name, Promise)


@pytest.mark.parametrize("app", OWN_APPS)
def test_models_and_fields_have_names_in_german(app: str) -> None:
    """Marked is enough: what is marked is in the catalogue, and that is complete (see above)."""
    named = [pair for model in models_of(app) for pair in names_in(model)]
    assert [label for label, words in named if not isinstance(words, Promise)] == []


def test_a_name_of_a_field_reads_german() -> None:
    with translation.override("de"):
        assert str(MediaFile._meta.verbose_name_plural) == "Mediendateien"
        assert str(MediaFile._meta.get_field("deleted_at").verbose_name) == "Papierkorb seit"


# -- the templates ----------------------------------------------------------------------------

UNSAID = re.compile(
    r"<style>.*?</style>|{%\s*comment\s*%}.*?{%\s*endcomment\s*%}"
    r"|{%\s*blocktranslate.*?{%\s*endblocktranslate\s*%}"
    r"|{%.*?%}|{{.*?}}|{#.*?#}|&\w+;",
    re.DOTALL,
)
ATTRIBUTES = re.compile(r'\b(?:aria-label|aria-description|title|placeholder|alt|label)="([^"]*)"')
TAG = re.compile(r"<[^>]*>")
NAMES_OF_THINGS = {"Media App", "SHA-256"}
CLASSES = re.compile(r"\bpage-\w+")


@pytest.mark.parametrize("app", NAMES)
def test_templates_have_no_words_that_are_not_marked(app: str) -> None:
    for path in templates_of(app):
        text = CLASSES.sub("", UNSAID.sub("", path.read_text()))
        said = [*ATTRIBUTES.findall(text), *TAG.sub("\n", text).splitlines()]
        bare = [line for line in map(tidy, said) if re.search(r"[A-Za-z]{2}", line)]
        assert bare == [], path.name


def tidy(line: str) -> str:
    for name in NAMES_OF_THINGS:
        line = line.replace(name, "")
    return line.strip()


# -- the scripts ------------------------------------------------------------------------------

SCRIPTS = SOURCE.parent / "frontend/src"
SAID = re.compile(r'\bt\(\s*"([^"]+)"')
COUNTED = re.compile(r'\btn\(\s*"([^"]+)",\s*"([^"]+)"')
ENTRY = re.compile(r'^  (?:"([^"]+)"|(\w+)):(.*?)(?=^  \S|^\})', re.MULTILINE | re.DOTALL)
VALUES = re.compile(r"{\w+}")


def test_scripts_say_everything_in_german() -> None:
    sources = [
        path.read_text() for path in SCRIPTS.rglob("*.ts*") if path.parent.name != "language"
    ]
    said = {words for source in sources for words in SAID.findall(source)}
    counted = {many for source in sources for _, many in COUNTED.findall(source)}
    german = {a or b: words for a, b, words in ENTRY.findall((SCRIPTS / "words-de.ts").read_text())}
    assert set(german) == said | counted
    for words, meant in german.items():
        assert set(VALUES.findall(words)) == set(VALUES.findall(meant)), words
    assert all("one:" in german[many] and "other:" in german[many] for many in counted)


# -- what is read -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_page_is_in_the_language_that_is_asked_for(client: Client) -> None:
    page = client.get("/", headers=GERMAN)
    text = page.content.decode()
    assert '<html lang="de" dir="ltr">' in text
    assert "Konto anlegen" in text
    assert page["Content-Language"] == "de"
    assert "Accept-Language" in page["Vary"]


@pytest.mark.django_db
def test_others_read_english(client: Client) -> None:
    for asked in ({}, {"accept-language": "tlh"}):
        page = client.get("/", headers=asked)
        assert '<html lang="en" dir="ltr">' in page.content.decode()
        assert "Create an account" in page.content.decode()


@pytest.mark.django_db
def test_a_language_that_is_written_from_the_right_says_so(client: Client, settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("ar", "العربية")]
    page = client.get("/", headers={"accept-language": "ar"})
    assert '<html lang="ar" dir="rtl">' in page.content.decode()


def test_the_library_speaks_german(client: Client, owner: Any, upload: Upload) -> None:
    media = upload(photo_jpeg())
    client.force_login(owner)
    text = client.get("/library/", headers=GERMAN).content.decode()
    assert "1 Datei gezeigt." in text
    assert "Neueste" in text
    assert f"{media} auswählen" in text


def test_the_facts_of_a_film_are_german() -> None:
    video = {
        "codec": "h264",
        "frame_rate": "25/1",
        "hdr": False,
        "interlaced": True,
        "bit_rate": None,
    }
    version = MediaVersion(metadata={"video": video})
    with translation.override("de"):
        assert describe(version, everything=False) == [("Bild", "H.264, 25 Bilder/s, Zeilensprung")]


@pytest.mark.django_db
def test_a_refusal_is_told_in_german_and_keeps_its_code(api: APIClient) -> None:
    empty = SimpleUploadedFile("leer.png", b"")
    answer = api.post("/api/v1/media/", {"file": empty}, headers=GERMAN)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "empty_file")
    assert problem["detail"] == "Die Datei ist leer."
    assert problem["title"] == "Nicht verarbeitbar"


@pytest.mark.django_db
def test_the_description_of_the_api_is_one_for_all(client: Client) -> None:
    english = client.get("/api/schema/").content
    assert client.get("/api/schema/", headers=GERMAN).content == english
    assert b"Private" in english


def test_an_error_page_is_in_german(client: Client, db: None) -> None:
    page = client.get("/nothing/here", headers={**GERMAN, "accept": "text/html"})
    assert page.status_code == 404
    assert "Zur Startseite" in page.content.decode()


def test_files_are_the_same_in_every_language(client: Client, owner: Any, upload: Upload) -> None:
    media = upload(photo_jpeg())
    client.force_login(owner)
    answer = client.get(f"/media/{media.pk}/original", headers=GERMAN)
    assert answer.status_code == 200
    assert "Content-Language" not in answer
    assert "Accept-Language" not in answer.get("Vary", "")


# -- errors -----------------------------------------------------------------------------------


def test_an_error_is_read_in_german_and_kept_as_it_was_written() -> None:
    error = EmptyFileError()
    with translation.override("de"):
        assert error.detail == "Die Datei ist leer."
        assert error.written == "The file is empty."


def test_numbers_find_their_place_in_both_languages() -> None:
    error = BadRequestError(detail="At most %(most)s files at once.", values={"most": 100})
    assert error.written == error.detail == "At most 100 files at once."
    with translation.override("de"):
        assert error.detail == "Höchstens 100 Dateien auf einmal."


def test_a_percent_sign_without_values_is_left_alone() -> None:
    assert AppError(detail="100 % sure").detail == "100 % sure"
