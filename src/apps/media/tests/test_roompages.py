"""What takes an owner's room, and the copies among their files."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.media import selectors, services
from apps.media.models import MediaFile, MediaVersion
from apps.media.tests.samples import photo_jpeg

Upload = Callable[..., MediaFile]
URL = "/library/storage/"


@pytest.fixture
def client(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(owner)


def test_an_empty_account(client: Client) -> None:
    answer = client.get(URL)
    assert "Nothing is stored yet." in answer.content.decode()
    assert "Room to get back" not in answer.content.decode()


def test_the_parts_are_those_of_the_account(upload: Upload, owner: Any, stranger: Any) -> None:
    upload(b"1" * 600, "a.txt")
    upload(b"2" * 400, "b.txt")
    upload(b"%PDF-1.4\n" + b"3" * 91, "c.pdf")
    upload(b"theirs", "d.txt", user=stranger)
    report = selectors.get_room_report(user=owner)
    assert sum(part.bytes for part in report.parts) == report.usage.used
    assert sum(part.files for part in report.parts) == report.usage.files == 3
    assert report.months.bars[-1].amount == report.usage.used
    assert report.months.bars[-1].height == 100
    assert report.months.most == report.usage.used
    (band,) = report.months.bars[-1].bands
    assert (band.kind, band.start, band.height) == ("document", 0, 100)
    assert [media.original_name for media in report.largest] == ["a.txt", "b.txt", "c.pdf"]


def test_kinds_of_files_are_called_as_in_the_library(client: Client, upload: Upload) -> None:
    upload(photo_jpeg(64, 64), "a.jpg")
    upload(b"words", "a.txt")
    for address in (URL, "/library/"):
        page = re.sub(r"\s+", " ", client.get(address).content.decode())
        assert re.search(r">\s?Photos\s?<", page), address
        assert re.search(r">\s?Documents\s?<", page), address
        assert not re.search(r">\s?Images?\s?<", page), address


def test_the_bar_is_the_quota(settings: Any, upload: Upload, owner: Any) -> None:
    upload(b"1" * 250, "a.txt")
    settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_BYTES": 1000}
    (part,) = selectors.get_room_report(user=owner).parts
    assert (part.start, part.width) == (0, 25)


def test_months_without_files_are_there(upload: Upload, owner: Any) -> None:
    media = upload(b"words", "a.txt")
    today = timezone.localdate()
    before = today.replace(year=today.year - 1, day=1)
    MediaVersion.objects.filter(media=media).update(created_at=timezone.now().replace(year=2001))
    months = selectors.get_room_report(user=owner).months.bars
    assert len(months) == 12
    assert all(month.amount == 0 for month in months)
    assert months[-1].first == today.replace(day=1)
    assert months[0].first > before


def test_what_can_be_given_back(
    client: Client, upload: Upload, owner: Any, run_jobs: Callable[[], int]
) -> None:
    upload(b"twice", "first.txt")
    upload(b"twice", "again.txt")
    thrown = upload(b"thrown", "thrown.txt")
    run_jobs()
    services.delete_media(user=owner, media=thrown)
    report = selectors.get_room_report(user=owner)
    assert (report.trash.count, report.trash.bytes) == (1, 6)
    assert (report.copies.count, report.copies.bytes) == (1, 5)
    assert report.old_versions.count == 0
    page = client.get(URL).content.decode()
    assert "1 file in the trash" in page
    assert "1 copy of other files" in page


def test_copies_are_listed_and_go_to_the_trash(
    client: Client, upload: Upload, run_jobs: Callable[[], int]
) -> None:
    upload(b"twice", "first.txt")
    copy = upload(b"twice", "again.txt")
    run_jobs()
    page = client.get("/library/copies/").content.decode()
    assert "again.txt" in page
    assert "first.txt" in page
    answer = client.post(f"/library/{copy.pk}/delete/", {"next": "/library/copies/"})
    assert answer["Location"] == "/library/copies/"
    assert "No copies" in client.get("/library/copies/").content.decode()


def test_nobody_else_is_told(browser_of: Callable[[Any], Client], upload: Upload) -> None:
    upload(b"words", "a.txt")
    for url in (URL, "/library/copies/"):
        assert browser_of(None).get(url).status_code == 302


def test_the_page_costs_the_same_however_many_files(
    client: Client, upload: Upload, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        upload(b"w" * (number + 1), f"{number}.txt")
    with django_assert_max_num_queries(14):
        client.get(URL)
