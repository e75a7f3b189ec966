"""Taking over files of a plain `FileField`: once, with words and addresses, whatever happens.

Other libraries are adopted in projects of their own: see `flows/test_peers`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.errors import StorageFullError
from apps.core.ids import moment_of
from apps.core.storage import ObjectStore
from apps.media import adopting, selectors, services
from apps.media.adopting.walking import aware
from apps.media.models import (
    Adoption,
    Collection,
    FormerAddress,
    MediaFile,
    Quota,
    Tombstone,
    Upload,
)
from apps.media.services import adopting as adopting_service
from apps.media.services import quotas
from apps.media.tests import samples
from apps.media.tests.hosts.models import Flyer

pytestmark = pytest.mark.django_db
PHOTO = samples.photo_jpeg(900, 600)
FIELD = "hosts.Flyer.sheet"
NAME = "hosts.flyer.sheet"
OLD = datetime(2019, 5, 4, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def old_site(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project that keeps files of its own below `/media/`."""
    settings.MEDIA_ROOT, settings.MEDIA_URL = tmp_path / "old", "/media/"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    }
    settings.ROOT_URLCONF = "apps.media.tests.hosts.urls"
    monkeypatch.setenv("COLUMNS", "300")


@pytest.fixture
def flyer(owner: Any) -> Callable[..., Flyer]:
    def make(data: bytes = PHOTO, name: str = "sea.jpg", **fields: Any) -> Flyer:
        fields = {"author": owner, "name": "By the sea", **fields}
        row: Flyer = Flyer.objects.create(sheet=ContentFile(data, name=name), **fields)
        return row

    return make


def source(**wording: str) -> adopting.FieldSource:
    return adopting.FieldSource(FIELD, adopting.Wording(**{"owner": "author", **wording}))


def adopt(**terms: Any) -> list[services.Told]:
    return list(services.adopt(source=terms.pop("source", source()), **terms))


def run(*arguments: str) -> str:
    said = io.StringIO()
    call_command("media_adopt", *arguments, stdout=said)
    return said.getvalue()


def refused(*arguments: str) -> tuple[str, str]:
    said = io.StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("media_adopt", *arguments, stdout=said)
    return str(failed.value), re.sub(r"\s+", " ", said.getvalue())


def the_file() -> MediaFile:
    return MediaFile.objects.get()


def test_a_file_comes_with_what_the_row_says_of_it(owner: Any, flyer: Any) -> None:
    row = flyer(words="Waves", printed_at=OLD)
    wording = {"title": "name", "alt_text": "words", "caption": "author__username"}
    told = adopt(source=source(**wording, created_at="printed_at"))
    assert told == [services.Told(row.sheet.name, taken=True)]
    media = the_file()
    assert (media.owner, media.original_name, media.visibility) == (owner, "sea.jpg", "unlisted")
    assert (media.title, media.alt_text, media.caption) == ("By the sea", "Waves", "olga")
    assert media.created_at == moment_of(media.pk) == OLD  # lists go by the id
    assert media.file.read(len(PHOTO) + 1) == PHOTO
    assert selectors.find_adopted(source=NAME, pk=row.pk) == media
    assert selectors.find_adopted(source=NAME, pk=0) is None
    assert row.sheet.read() == PHOTO  # the old one is left alone


def test_a_day_is_a_moment_and_no_moment_is_too_old() -> None:
    assert aware(date(2020, 5, 4)) == datetime(2020, 5, 4, tzinfo=UTC)
    assert aware(None) is None


def test_what_is_older_than_computers_count_comes_first(flyer: Any) -> None:
    flyer(printed_at=datetime(1911, 1, 1, tzinfo=UTC))
    (told,) = adopt(source=source(created_at="printed_at"))
    assert told.taken
    assert the_file().created_at.year == 1911


def test_texts_are_cut_to_what_fits(flyer: Any) -> None:
    flyer(name="sea.jpg", words="")
    Flyer.objects.update(name="n" * 300)
    adopt(source=source(title="name"))
    assert the_file().title == "n" * 255


def test_a_second_run_takes_what_is_missing(flyer: Any) -> None:
    flyer()
    adopt()
    new = flyer(name="boat.jpg")
    assert [one.taken for one in adopt()] == [False, True]
    assert MediaFile.objects.count() == Adoption.objects.count() == 2
    assert selectors.find_adopted(source=NAME, pk=new.pk) is not None


def test_what_was_removed_here_does_not_come_back(owner: Any, flyer: Any) -> None:
    row = flyer()
    adopt()
    services.delete_media(user=owner, media=the_file(), permanent=True)
    assert not any(one.taken for one in adopt())
    assert not MediaFile.objects.exists()
    assert not FormerAddress.objects.exists()
    assert selectors.find_adopted(source=NAME, pk=row.pk) is None


def test_rows_that_name_one_stored_file_share_one(owner: Any, stranger: Any, flyer: Any) -> None:
    first = flyer()
    second = Flyer.objects.create(author=owner, name="Again", sheet=first.sheet.name)
    third = Flyer.objects.create(author=stranger, name="Mine", sheet=first.sheet.name)
    adopt()
    found = [selectors.find_adopted(source=NAME, pk=row.pk) for row in (first, second, third)]
    assert found[0] == found[1] != found[2]
    assert [media.owner for media in MediaFile.objects.order_by("pk")] == [owner, stranger]


def test_the_same_bytes_of_two_rows_stay_two_files(flyer: Any) -> None:
    flyer()
    flyer(name="copy.jpg")
    adopt()
    assert MediaFile.objects.count() == 2


def test_what_is_refused_is_told_and_leaves_nothing(flyer: Any, own_storage: ObjectStore) -> None:
    flyer(b"<html></html>", name="page.jpg")
    flyer(b"", name="empty.txt")
    gone = flyer(name="gone.jpg")
    Path(gone.sheet.path).unlink()
    flyer(author=None)
    codes = [one.code for one in adopt()]
    assert codes == ["type_mismatch", "empty_file", "unreadable", "no_owner"]
    Tombstone.objects.update(due_at="2000-01-01T00:00:00Z")
    services.bury_tombstones()
    for model in (MediaFile, Upload, Adoption, FormerAddress):
        assert not model.objects.exists()
    assert not Quota.objects.exclude(bytes_reserved=0, bytes_used=0).exists()
    assert list(own_storage.walk()) == []


def test_one_refusal_does_not_stop_the_rest(flyer: Any) -> None:
    flyer(b"<html></html>", name="page.jpg")
    flyer()
    said, table = refused("field", FIELD, "--owner-field", "author", "--visibility", "private")
    assert said == "Took 1; 0 were there, 1 refused."
    assert "page.jpg" in table
    assert "type_mismatch" in table
    assert the_file().visibility == "private"


def test_quotas_hold(owner: Any, flyer: Any) -> None:
    flyer()
    Quota.objects.update_or_create(owner=owner, defaults={"bytes_limit": 10})
    assert [one.code for one in adopt()] == ["quota_exceeded"]
    assert not Adoption.objects.exists()


def test_what_has_no_active_owner_gets_the_one_that_is_named(
    owner: Any, stranger: Any, flyer: Any
) -> None:
    flyer(author=None)
    flyer(author=stranger, name="boat.jpg")
    get_user_model().objects.filter(pk=stranger.pk).update(is_active=False)
    assert all(one.taken for one in adopt(owner=owner))
    assert {media.owner for media in MediaFile.objects.all()} == {owner}


def test_a_run_that_is_killed_leaves_whole_files_or_none(
    flyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    flyer()
    with monkeypatch.context() as patch:
        patch.setattr(adopting_service, "_finish", _dies)
        with pytest.raises(KeyboardInterrupt):
            adopt()
    assert not MediaFile.objects.exists()
    assert not Adoption.objects.exists()
    assert [one.taken for one in adopt()] == [True]


def test_who_comes_second_makes_no_double(flyer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    flyer()
    adopt()
    monkeypatch.setattr(adopting_service, "_known", lambda *_: set())  # both have looked
    monkeypatch.setattr(adopting_service, "_adopted_bytes", lambda *_: None)
    assert [(one.taken, one.code) for one in adopt()] == [(False, "")]
    assert MediaFile.objects.count() == Adoption.objects.count() == 1
    assert not Upload.objects.filter(media=None).exists()


def test_a_full_storage_ends_the_run(flyer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    flyer()
    with monkeypatch.context() as patch:
        patch.setattr(quotas, "begin", _full)
        said, _ = refused("field", FIELD, "--owner-field", "author", "--visibility", "private")
    assert "Took 0; 0 were there, 0 refused. Start it again to go on." in said
    assert "Took 1;" in run("field", FIELD, "--owner-field", "author", "--visibility", "private")


def test_a_dry_run_takes_nothing(flyer: Any, own_storage: ObjectStore) -> None:
    flyer()
    flyer(b"<html></html>", name="page.jpg")
    terms = ("--owner-field", "author", "--visibility", "private", "--dry-run")
    said, table = refused("field", FIELD, *terms)
    assert said == "Would take 1; 0 were there, 1 refused."
    assert "type_mismatch" in table
    assert not MediaFile.objects.exists()
    assert not Upload.objects.exists()
    assert list(own_storage.walk()) == []


def test_long_lists_are_read_in_pieces(
    owner: Any, flyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopting_service, "BATCH", 2)
    shared = flyer()
    for _ in range(6):
        Flyer.objects.create(author=owner, name="Again", sheet=shared.sheet.name)
    assert sum(one.taken for one in adopt()) == 7
    with CaptureQueriesContext(transaction.get_connection()) as queries:
        assert not any(one.taken for one in adopt())
    assert len(queries) <= 5 * 3  # rows, what is known of them, their owners


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("filer",), "No model 'filer.File' is installed."),
        (("wagtail",), "No model 'wagtailimages.Image' is installed."),
        (("field", "hosts.Nothing.sheet", "--visibility", "private"), "No model 'hosts.Nothing'"),
        (("field", "hosts.Flyer.name", "--visibility", "private"), "Flyer.name is no FileField"),
        (("field", "hosts.Flyer.none", "--visibility", "private"), "There is no field 'none'"),
        (("field", "sheet", "--visibility", "private"), "No model '' is installed"),
        (("references", FIELD, "name"), "hosts.Flyer.name is no MediaField"),
        (("references", "hosts.Flyer.name", "picture"), "hosts.Flyer.name names no file"),
        (("field", FIELD, "--visibility", "private", "--owner", "nobody"), "There is no user"),
        (("field", FIELD, "--visibility", "private", "--owner-field", "name"), "leads to no user"),
        (("field", FIELD, "--visibility", "private", "--owner-field", "id"), "leads to no user"),
        (
            ("field", FIELD, "--visibility", "private", "--owner-field", "picture"),
            "leads to no user",
        ),
        (("field", FIELD, "--visibility", "private", "--title-field", "x__y"), "no field 'x__y'"),
        (("field", FIELD, "--visibility", "private", "--created-at-field", "name"), "is no date"),
    ],
)
def test_what_is_not_there_is_said(db: None, arguments: tuple[str, ...], reason: str) -> None:
    said, _ = refused(*arguments)
    assert reason in said


# -- folders -----------------------------------------------------------------------------------


class Foldered:
    """A source whose files lie in folders, as those of the peers do."""

    name, folder_name, shares_files = "peer.file", "peer.folder", False

    def __init__(self, *items: adopting.Adoptable) -> None:
        self._items = items

    def count(self) -> int:
        return len(self._items)

    def after(self, pk: Any, most: int) -> list[adopting.Adoptable]:
        return [item for item in self._items if pk is None or item.pk > pk][:most]


def in_folders(row: Flyer, *folders: adopting.Folder, **said: Any) -> adopting.Adoptable:
    said = {"original_name": "a.jpg", "owner_id": row.author_id, **said}
    return adopting.Adoptable(pk=row.pk, file=row.sheet, folders=folders, **said)


def test_folders_become_a_tree_of_collections_once(owner: Any, flyer: Any) -> None:
    top, inner = adopting.Folder(1, "Press"), adopting.Folder(2, " 2024 ")
    items = [in_folders(flyer(), top, inner), in_folders(flyer(), top), in_folders(flyer())]
    adopt(source=Foldered(*items[:1]))
    adopt(source=Foldered(*items))
    press, year = Collection.objects.order_by("pk")
    assert (press.title, press.parent, press.owner, press.visibility) == (
        "Press",
        None,
        owner,
        "private",
    )
    assert (year.title, year.parent) == ("2024", press)
    assert [collection.items.count() for collection in (press, year)] == [1, 1]


def test_a_tree_belongs_to_whoever_had_it_and_opens_nothing_of_others(
    owner: Any, stranger: Any, flyer: Any
) -> None:
    folder = adopting.Folder(1, "Press", owner_id=stranger.pk)
    adopt(source=Foldered(in_folders(flyer(), folder, private=True)))
    collection = Collection.objects.get()
    assert collection.owner == stranger
    assert collection.items.get().media == the_file()
    assert not selectors.list_visible_media(user=stranger).exists()


def test_a_collection_that_was_removed_here_stays_away(owner: Any, flyer: Any) -> None:
    folder = adopting.Folder(1, "Press")
    adopt(source=Foldered(in_folders(flyer(), folder)))
    services.delete_collection(user=owner, collection=Collection.objects.get())
    new = in_folders(flyer(), folder, adopting.Folder(2, "2024"))
    assert [one.taken for one in adopt(source=Foldered(new))] == [True]
    assert not Collection.objects.exists()


def test_a_tree_that_is_too_deep_is_cut(flyer: Any) -> None:
    folders = [adopting.Folder(n, str(n)) for n in range(20)]
    adopt(source=Foldered(in_folders(flyer(), *folders)))
    assert Collection.objects.count() == 16


def test_tags_and_the_focal_point_come_along(flyer: Any) -> None:
    tags = ("Sea", "sea", "x" * 90, *map(str, range(60)))
    adopt(source=Foldered(in_folders(flyer(), tags=tags, focal=(0.25, 0.75))))
    media = the_file()
    assert {"Sea", "x" * 64} < {tag.name for tag in media.tags.all()} or media.tags.count() <= 50
    assert (media.focal_x, media.focal_y) == (0.25, 0.75)


# -- old addresses -----------------------------------------------------------------------------


@pytest.fixture
def moved(flyer: Any, run_jobs: Any) -> Iterator[tuple[Flyer, MediaFile]]:
    row = flyer()
    adopt()
    media = the_file()
    FormerAddress.objects.create(
        path="/media/flyers/sea.jpg.300x200_q85.jpg", media=media, width=300
    )
    run_jobs()
    media.refresh_from_db()
    yield row, media


def test_an_old_address_leads_to_the_file(moved: Any, client: Client) -> None:
    row, media = moved
    answer = client.get(f"/media/{row.sheet.name}")
    assert answer.status_code == 301
    assert answer["Location"] == f"/media/{media.pk}/original"
    assert answer["Cache-Control"] == "private, no-store"
    assert b"".join(client.get(answer["Location"])) == PHOTO


@pytest.mark.parametrize(
    ("width", "height", "place"),
    [
        (0, None, "w320"),
        (300, 200, "w320"),
        (321, None, "w640"),
        (5000, 5000, "w640"),
        (300, 300, "thumb"),
        (500, 500, "w640"),
    ],
)
def test_an_old_thumbnail_leads_to_the_nearest_picture(
    moved: Any, client: Client, width: int, height: int | None, place: str
) -> None:
    _, media = moved
    FormerAddress.objects.filter(width=300).update(width=width, height=height)
    answer = client.get("/media/flyers/sea.jpg.300x200_q85.jpg")
    assert answer["Location"] == f"/media/{media.pk}/r/{place}"
    assert client.get(answer["Location"])["Content-Type"].startswith("image/")


def test_an_old_thumbnail_of_what_is_no_picture_leads_to_the_file(
    flyer: Any, run_jobs: Any, client: Client
) -> None:
    flyer(b"A few plain words.\n", name="words.txt")
    adopt()
    run_jobs()
    FormerAddress.objects.create(path="/media/words.jpg", media=the_file(), width=100)
    assert client.get("/media/words.jpg")["Location"] == f"/media/{the_file().pk}/original"


def test_hidden_and_missing_are_one(owner: Any, moved: Any, browser_of: Any) -> None:
    row, media = moved
    services.update_media(user=owner, media=media, visibility="private")
    hidden = browser_of(None).get(f"/media/{row.sheet.name}")
    missing = browser_of(None).get("/media/flyers/never.jpg")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.headers == missing.headers
    assert browser_of(owner).get(f"/media/{row.sheet.name}").status_code == 301
    services.delete_media(user=owner, media=media)
    assert browser_of(None).get(f"/media/{row.sheet.name}").status_code == 404


def test_what_everybody_may_list_may_be_kept(owner: Any, moved: Any, client: Client) -> None:
    row, media = moved
    services.update_media(user=owner, media=media, visibility="public")
    assert client.get(f"/media/{row.sheet.name}")["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize(
    "path",
    ["//evil.example/x", "../../etc/passwd", "https://evil.example/", "%00", "x" * 4000],
)
def test_a_path_is_looked_up_and_nothing_else(db: None, client: Client, path: str) -> None:
    assert client.get(f"/media/{path}").status_code == 404


def test_only_reading_is_answered(moved: Any, client: Client) -> None:
    row, _ = moved
    assert client.head(f"/media/{row.sheet.name}").status_code == 301
    assert client.post(f"/media/{row.sheet.name}").status_code == 405


def test_names_that_are_written_in_addresses(flyer: Any, run_jobs: Any, client: Client) -> None:
    row = flyer(name="müß 100%.jpg")
    adopt()
    run_jobs()
    assert client.get(row.sheet.url).status_code == 301


# -- references --------------------------------------------------------------------------------


def test_new_fields_are_filled_beside_the_old(owner: Any, flyer: Any) -> None:
    row, other = flyer(), flyer(name="words.txt", data=b"A few plain words.\n")
    adopt()
    said, table = refused("references", FIELD, "picture")
    assert said == "Took 1; 0 were there, 1 refused."
    assert f"hosts.Flyer {other.pk}" in table
    assert "wrong_kind" in table
    row.refresh_from_db()
    assert row.picture == selectors.find_adopted(source=NAME, pk=row.pk)
    other.delete()
    assert run("references", FIELD, "picture") == "Took 0; 0 were there, 0 refused.\n"


def test_a_foreign_key_leads_to_what_its_object_has_become(flyer: Any) -> None:
    old = flyer()
    row = Flyer.objects.create(name="Reprint", original=old)
    adopt()
    media = selectors.find_adopted(source=NAME, pk=old.pk)
    Adoption.objects.create(source="hosts.flyer", source_pk=str(old.pk), media=media)
    assert "Would take 1;" in run("references", "hosts.Flyer.original", "picture", "--dry-run")
    run("references", "hosts.Flyer.original", "picture")
    row.refresh_from_db()
    assert row.picture == media


def test_what_was_not_adopted_is_told(flyer: Any) -> None:
    flyer()
    _, table = refused("references", FIELD, "picture")
    assert "not_adopted" in table


def _dies(*_: Any) -> None:
    raise KeyboardInterrupt


def _full(**_: Any) -> None:
    raise StorageFullError
