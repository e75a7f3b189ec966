"""Renditions that are made when asked for, and who gets which original."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.media.models import Job, MediaFile, MediaVersion, Rendition
from apps.media.processing.recipes import THUMBNAIL
from apps.media.tests import samples

ASKED = "w320.avif"


@pytest.fixture
def photo(upload: Callable[..., MediaFile]) -> MediaFile:
    """A ready file without a rendition and without a job."""
    media = upload(samples.photo_jpeg(400, 300), "Holiday.jpg")
    Job.objects.all().delete()
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True)
    return MediaFile.objects.get(pk=media.pk)


@pytest.fixture
def owners(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(owner)


def address(media: MediaFile, name: str = ASKED) -> str:
    return f"/media/{media.pk}/r/{name}"


def fail_job(media: MediaFile, name: str = ASKED, *, minutes_ago: int = 1) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    Job.objects.filter(media=media, subject=name).update(
        state="failed", error_code="processing_crashed", finished_at=at
    )


class TestMissing:
    def test_is_made_once_however_many_ask(self, photo: MediaFile, owners: Client) -> None:
        for _ in range(3):
            answer = owners.get(address(photo))
            assert (answer.status_code, answer["Retry-After"]) == (202, "1")
            assert answer["Cache-Control"] == "no-store"
            assert answer["Content-Type"] == "application/json"
            assert answer.json()["status"] == "processing"
        job = Job.objects.get()
        assert (job.kind, job.subject, job.needed) == ("render", ASKED, False)

    def test_head_asks_too(self, photo: MediaFile, owners: Client) -> None:
        answer = owners.head(address(photo))
        assert (answer.status_code, answer["Retry-After"], answer.content) == (202, "1", b"")
        assert Job.objects.count() == 1

    def test_is_there_afterwards(
        self, photo: MediaFile, owners: Client, run_jobs: Callable[[], int]
    ) -> None:
        assert owners.get(address(photo)).status_code == 202
        run_jobs()
        answer = owners.get(address(photo))
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/avif")
        assert MediaFile.objects.get().status == "ready"

    def test_strangers_may_ask_of_what_is_public(self, photo: MediaFile) -> None:
        assert Client().get(address(photo)).status_code == 404
        assert not Job.objects.exists()
        MediaFile.objects.update(visibility="public")
        assert Client().get(address(photo)).status_code == 202

    @pytest.mark.parametrize(
        "name", ["w321.avif", "page-1.jpg", "poster.jpg", "clean", "x", "w320.avif%00", "a" * 300]
    )
    def test_only_recipes_have_names(self, name: str, photo: MediaFile, owners: Client) -> None:
        answer = owners.get(address(photo, name))
        hidden = owners.get(address(MediaFile(), name))
        assert (answer.status_code, answer.content) == (404, hidden.content)
        assert not Job.objects.exists()

    def test_what_comes_anyway_is_not_made_twice(self, photo: MediaFile, owners: Client) -> None:
        MediaFile.objects.update(status="processing")
        assert owners.get(address(photo, "thumb.webp")).status_code == 202
        assert not Job.objects.exists()

    def test_a_failure_is_told_and_tried_again_later(
        self, photo: MediaFile, owners: Client
    ) -> None:
        owners.get(address(photo))
        fail_job(photo)
        answer = owners.get(address(photo))
        assert (answer.status_code, answer.json()["code"]) == (422, "processing_crashed")
        assert answer["Content-Type"] == "application/problem+json"
        assert Job.objects.count() == 1
        fail_job(photo, minutes_ago=11)
        assert owners.get(address(photo)).status_code == 202
        assert Job.objects.filter(state="queued").count() == 1

    @pytest.mark.parametrize("status", ["failed", "quarantined"])
    def test_nothing_is_made_of_what_was_refused(
        self, status: str, photo: MediaFile, staff: Any, browser_of: Any
    ) -> None:
        MediaFile.objects.update(status=status, failure_code="corrupt_file", failure_message="m")
        answer = browser_of(staff).get(address(photo))
        assert (answer.status_code, answer.json()["code"]) == (422, "corrupt_file")
        assert not Job.objects.exists()


class TestOutdated:
    @pytest.fixture
    def thumbnail(self, photo: MediaFile, add_rendition: Callable[..., Rendition]) -> Rendition:
        return add_rendition(
            photo,
            THUMBNAIL.name,
            samples.photo_webp(40, 40),
            mime_type="image/webp",
            fingerprint=THUMBNAIL.fingerprint,
        )

    def _get(self, client: Client, media: MediaFile) -> int:
        status: int = client.get(address(media, THUMBNAIL.name)).status_code
        return status

    def test_nothing_to_do_costs_no_query(
        self, photo: MediaFile, thumbnail: Rendition, django_assert_num_queries: Any
    ) -> None:
        MediaFile.objects.update(visibility="public")
        with django_assert_num_queries(2):  # media, rendition
            assert self._get(Client(), photo) == 200
        assert not Job.objects.exists()

    def test_the_old_copy_serves_while_the_new_one_is_made(
        self, photo: MediaFile, thumbnail: Rendition, owners: Client, run_jobs: Any
    ) -> None:
        Rendition.objects.update(fingerprint="of another recipe")
        assert [self._get(owners, photo) for _ in range(2)] == [200, 200]
        assert Job.objects.get().subject == THUMBNAIL.name
        run_jobs()
        thumbnail.refresh_from_db()
        assert thumbnail.fingerprint == THUMBNAIL.fingerprint
        assert self._get(owners, photo) == 200
        assert Job.objects.count() == 1

    def test_a_crop_follows_the_focal_point(
        self, photo: MediaFile, thumbnail: Rendition, owners: Client
    ) -> None:
        MediaFile.objects.update(focal_x=0.1)
        assert self._get(owners, photo) == 200
        assert Job.objects.count() == 1

    def test_a_failure_is_not_tried_at_every_request(
        self, photo: MediaFile, thumbnail: Rendition, owners: Client
    ) -> None:
        Rendition.objects.update(fingerprint="of another recipe")
        self._get(owners, photo)
        fail_job(photo, THUMBNAIL.name)
        assert self._get(owners, photo) == 200
        assert Job.objects.count() == 1

    def test_a_file_under_way_is_left_alone(
        self, photo: MediaFile, thumbnail: Rendition, owners: Client
    ) -> None:
        Rendition.objects.update(fingerprint="")
        MediaFile.objects.update(status="processing")
        assert self._get(owners, photo) == 200
        assert not Job.objects.exists()


class TestKinds:
    def test_a_reading_can_be_framed_by_this_site(
        self, photo: MediaFile, add_rendition: Callable[..., Rendition], owners: Client
    ) -> None:
        add_rendition(photo, "preview.html", b"<p>words</p>", mime_type="text/html")
        answer = owners.get(address(photo, "preview.html"))
        policy = {part.strip() for part in answer["Content-Security-Policy"].split(";")}
        assert policy == {
            "default-src 'none'",
            "style-src 'unsafe-inline'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
            "sandbox",
        }
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        assert answer["X-Content-Type-Options"] == "nosniff"

    def test_no_other_can_be(
        self, photo: MediaFile, add_rendition: Callable[..., Rendition], owners: Client
    ) -> None:
        add_rendition(photo, "thumb.webp", mime_type="image/webp")
        answer = owners.get(address(photo, "thumb.webp"))
        assert answer["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]

    def test_a_paper_is_an_attachment(
        self, photo: MediaFile, add_rendition: Callable[..., Rendition], owners: Client
    ) -> None:
        add_rendition(photo, "preview.pdf", samples.pdf(), mime_type="application/pdf")
        disposition = owners.get(address(photo, "preview.pdf"))["Content-Disposition"]
        assert disposition == 'attachment; filename="Holiday-preview.pdf"'

    def test_an_svg_is_an_attachment(self, photo: MediaFile, owners: Client) -> None:
        MediaVersion.objects.update(mime_type="image/svg+xml")
        answer = owners.get(f"/media/{photo.pk}/original")
        assert answer["Content-Disposition"].startswith("attachment")


class TestPlaces:
    """Others get the original without the place it was taken at, unless its owner shares it."""

    @pytest.fixture
    def placed(self, photo: MediaFile, add_rendition: Callable[..., Rendition]) -> MediaFile:
        MediaVersion.objects.update(metadata={"has_position": 1})
        MediaFile.objects.update(visibility="public")
        add_rendition(photo, "clean", b"without", mime_type="image/jpeg")
        return photo

    def _original(self, client: Client, media: MediaFile) -> Any:
        answer = client.get(f"/media/{media.pk}/original?v=1")
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert answer["Content-Disposition"] == 'inline; filename="Holiday.jpg"'
        return answer

    def test_others_get_the_copy(self, placed: MediaFile, owners: Client) -> None:
        whole, copy = self._original(owners, placed), self._original(Client(), placed)
        assert b"".join(copy) == b"without"
        assert b"".join(whole) == samples.photo_jpeg(400, 300)
        assert whole["ETag"] != copy["ETag"]

    def test_no_cache_gives_the_owners_to_others(self, placed: MediaFile, owners: Client) -> None:
        assert self._original(owners, placed)["Cache-Control"] == "private, no-store"
        assert "immutable" not in self._original(Client(), placed)["Cache-Control"]

    def test_sharing_gives_all_to_all(self, placed: MediaFile, owners: Client) -> None:
        answer = owners.patch(
            f"/api/v1/media/{placed.pk}/", {"share_location": True}, content_type="application/json"
        )
        assert answer.json()["share_location"] is True
        shared = self._original(Client(), placed)
        assert b"".join(shared) == samples.photo_jpeg(400, 300)
        assert "immutable" not in shared["Cache-Control"]

    def test_without_a_copy_there_is_nothing(self, placed: MediaFile) -> None:
        Rendition.objects.all().delete()
        assert Client().get(f"/media/{placed.pk}/original").status_code == 404
