"""What becomes of each kind of file, through all jobs: rows, objects, states, who may see it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import av
import pytest
from PIL import Image

from apps.core.storage import ObjectStore
from apps.media import selectors, services
from apps.media.exceptions import NotVisibleError, QuarantinedError, WrongStateError
from apps.media.models import AuditEvent, Job, MediaFile, MediaVersion, Rendition, Tombstone
from apps.media.policies import Action, can_access
from apps.media.processing.installed import find_soffice
from apps.media.tests import papers, recordings, samples

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
Upload = Callable[..., MediaFile]
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def processed(upload: Upload, run_jobs: Any) -> Upload:
    """A file with all its jobs done."""

    def make(data: bytes, name: str, **fields: Any) -> MediaFile:
        media = upload(data, name, **fields)
        run_jobs()
        media.refresh_from_db()
        return media

    return make


def names(media: MediaFile) -> set[str]:
    return set(media.renditions.exclude(key="").values_list("name", flat=True))


def rendition_bytes(store: ObjectStore, media: MediaFile, name: str) -> bytes:
    row = media.renditions.get(name=name)
    return b"".join(store.read_range(row.key, 0, row.size))


def frames(data: bytes) -> int:
    with av.open(io.BytesIO(data)) as container:
        return sum(1 for _ in container.decode(video=0))


def old_film(seconds: float = 10) -> bytes:
    """MPEG-4 part 2, which browsers do not play."""
    return recordings.film(seconds=seconds, picture=("-c:v", "mpeg4"))


class TestFilms:
    def test_one_that_players_know_is_copied(self, processed: Upload) -> None:
        film = processed(recordings.film(size=(320, 240), seconds=3), "film.mp4")
        assert (film.status, film.failure_code) == ("ready", "")
        assert (film.width, film.height) == (320, 240)
        assert film.duration == pytest.approx(3, abs=0.2)
        assert {
            "hls/copy.mp4",
            "hls/sound.mp4",
            "video.mp4",
            "poster.jpg",
            "thumb.webp",
            "storyboard.jpg",
            "storyboard.vtt",
            "preview.mp4",
        } <= names(film)
        assert film.placeholder

    def test_one_they_do_not_know_is_encoded_in_one_pass(
        self, processed: Upload, own_storage: ObjectStore
    ) -> None:
        film = processed(recordings.sideways(), "clip.mov")
        assert film.status == "ready"
        tracks = {name for name in names(film) if name.startswith("hls/")}
        assert "hls/copy.mp4" not in tracks
        assert tracks - {"hls/sound.mp4"}
        assert frames(rendition_bytes(own_storage, film, "video.mp4")) > 0

    def test_a_long_one_is_cut_into_jobs_and_joined(
        self, processed: Upload, settings: Any, own_storage: ObjectStore
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "STRETCH_SECONDS": 4}
        film = processed(old_film(), "clip.mp4")
        assert film.status == "ready"
        stretched = Job.objects.filter(media=film, kind="stream", subject__startswith="rest.")
        assert stretched.count() > 1
        assert Job.objects.filter(media=film, kind="join").exists()
        assert not film.renditions.filter(name__startswith="part/").exists()
        track = next(name for name in sorted(names(film)) if name.endswith("p.mp4"))
        assert frames(rendition_bytes(own_storage, film, track)) == 300

    def test_a_stretch_that_fails_is_done_again_alone(
        self, upload: Upload, run_jobs: Any, settings: Any
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "STRETCH_SECONDS": 4}
        film = upload(old_film(), "clip.mp4")
        for job in Job.objects.filter(state="queued"):
            services.run_job(job.pk)
        first = Job.objects.filter(kind="stream", state="queued").order_by("-priority").first()
        assert first is not None
        services.cancel_job(job=first)
        film.refresh_from_db()
        assert (film.status, film.failure_code) == ("failed", "processing_cancelled")
        for job in Job.objects.filter(state="cancelled"):
            services.retry_job(job=job)
        run_jobs()
        film.refresh_from_db()
        assert film.status == "ready"

    def test_processing_again_replaces_every_track(self, processed: Upload, run_jobs: Any) -> None:
        film = processed(recordings.film(seconds=2), "film.mp4")
        before = dict(film.renditions.values_list("name", "key"))
        services.reprocess_media(user=film.owner, media=film)
        run_jobs()
        after = dict(film.renditions.values_list("name", "key"))
        assert set(after) == set(before)
        assert not set(after.values()) & set(before.values())
        gone = set(Tombstone.objects.values_list("key", flat=True))
        assert set(before.values()) <= gone


class TestSounds:
    def test_what_is_made(self, processed: Upload, own_storage: ObjectStore) -> None:
        song = processed(recordings.song(cover=recordings.cover_jpeg(), title="Tune"), "a.mp3")
        assert song.status == "ready"
        assert {"audio.m4a", "audio.opus", "waveform.json", "waveform.png"} <= names(song)
        assert {"cover.jpg", "thumb.webp"} <= names(song)
        peaks = json.loads(rendition_bytes(own_storage, song, "waveform.json"))
        assert peaks["version"] == 2
        assert "loudness" in " ".join(song.current.metadata)

    def test_sound_in_a_container_for_films_is_sound(self, processed: Upload) -> None:
        media = processed(recordings.sound_in_a_film(), "talk.mp4")
        assert media.status == "ready"
        assert "audio.m4a" in names(media)
        assert not {name for name in names(media) if name.startswith("hls/")}


class TestDocuments:
    def test_a_pdf_is_found_by_its_words(self, processed: Upload, owner: Any) -> None:
        paper = processed(papers.text_pdf(["Quantum marmalade"]), "paper.pdf")
        assert {"preview.pdf.jpg", "thumb.webp", "text.txt"} <= names(paper)
        assert "quantum marmalade" in MediaFile.objects.get(pk=paper.pk).search_text
        services.update_media(user=owner, media=paper, title="Other")
        assert "quantum marmalade" in MediaFile.objects.get(pk=paper.pk).search_text

    def test_a_text_has_a_safe_page(self, processed: Upload, own_storage: ObjectStore) -> None:
        note = processed(b"# Title\n\n<script>alert(1)</script>\n", "note.md")
        page = rendition_bytes(own_storage, note, "preview.html").decode()
        assert "<h1>Title</h1>" in page
        assert "<script" not in page

    @pytest.mark.skipif(not find_soffice(), reason="LibreOffice is not installed")
    def test_an_office_document_has_pages(self, processed: Upload) -> None:
        letter = processed(papers.docx("Dear marmalade"), "letter.docx")
        assert letter.status == "ready"
        assert {"preview.pdf", "preview.pdf.jpg", "text.txt"} <= names(letter)
        assert letter.current.metadata["pages"] == 1


class TestPlaces:
    def test_others_get_the_original_without_the_place(
        self, processed: Upload, owner: Any, stranger: Any, own_storage: ObjectStore
    ) -> None:
        photo = processed(samples.geotagged_jpeg(), "trip.jpg", visibility="public")
        mine = selectors.get_original(user=owner, media=photo)
        theirs = selectors.get_original(user=stranger, media=photo)
        assert isinstance(mine, MediaVersion)
        assert isinstance(theirs, Rendition)
        clean = b"".join(own_storage.read_range(theirs.key, 0, theirs.size))
        with Image.open(io.BytesIO(clean)) as image:
            assert not image.getexif().get_ifd(0x8825)
        shared = services.update_media(user=owner, media=photo, share_location=True)
        assert isinstance(selectors.get_original(user=stranger, media=shared), MediaVersion)

    def test_without_a_clean_copy_others_get_nothing(
        self, processed: Upload, stranger: Any
    ) -> None:
        photo = processed(samples.geotagged_jpeg(), "trip.jpg", visibility="public")
        photo.renditions.filter(name="clean").delete()
        with pytest.raises(NotVisibleError):
            selectors.get_original(user=stranger, media=photo)


class TestCrops:
    def test_a_new_focal_point_makes_the_crops_anew_and_nothing_else(
        self, processed: Upload, run_jobs: Any, owner: Any
    ) -> None:
        photo = processed(samples.photo_jpeg(700, 500), "photo.jpg")
        before = dict(photo.renditions.values_list("name", "key"))
        services.update_media(user=owner, media=photo, focal_x=0.1, focal_y=0.2)
        run_jobs()
        photo.refresh_from_db()
        after = dict(photo.renditions.values_list("name", "key"))
        assert photo.status == "ready"
        assert {name for name in after if after[name] != before[name]} == {"thumb.webp"}


class TestMalware:
    def test_nobody_gets_what_is_in_quarantine(
        self,
        processed: Upload,
        owner: Any,
        staff: Any,
        heard: list[Any],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            media = processed(EICAR, "notes.txt", visibility="public")
        assert (media.status, media.failure_code) == ("quarantined", "malware_found")
        assert not media.usable
        assert not media.renditions.exists()
        assert media.current.signature
        assert [name for name, _ in heard] == ["media_rejected"]
        with pytest.raises(QuarantinedError):
            selectors.get_readable_media(user=owner, media_id=media.pk)
        staff.is_superuser = False
        assert not can_access(staff, media, Action.READ)
        with pytest.raises(WrongStateError):
            services.reprocess_media(user=owner, media=media)

    def test_before_the_scan_nobody_else_sees_it(
        self, upload: Upload, run_jobs: Any, stranger: Any
    ) -> None:
        media = upload(samples.photo_jpeg(400, 300), visibility="public")
        Job.objects.filter(kind="scan").update(due_at="2999-01-01T00:00:00Z")
        run_jobs()
        media.refresh_from_db()
        assert (media.status, media.usable) == ("processing", False)
        assert names(media)
        with pytest.raises(NotVisibleError):
            selectors.get_visible_media(user=stranger, media_id=media.pk)
        Job.objects.filter(kind="scan").update(due_at="2000-01-01T00:00:00Z")
        run_jobs()
        assert selectors.get_visible_media(user=stranger, media_id=media.pk).status == "ready"

    def test_what_newer_rules_find_clean_goes_on(self, processed: Upload, run_jobs: Any) -> None:
        media = processed(b"harmless\n", "a.txt")
        MediaVersion.objects.update(scan="infected", signature="Old")
        MediaFile.objects.update(status="quarantined", usable=False, failure_code="malware_found")
        assert services.rescan_media(media=MediaFile.objects.all()) == 1
        run_jobs()
        media.refresh_from_db()
        assert (media.status, media.usable, media.failure_code) == ("ready", True, "")

    def test_what_is_being_scanned_is_told_and_not_noted_again(
        self, processed: Upload, staff: Any
    ) -> None:
        media = processed(b"harmless\n", "a.txt")
        services.hold_media(user=staff, media=media)
        done = [services.rescan_quarantined(user=staff, ids=[media.pk])[0] for _ in range(2)]
        assert [outcome.code for outcome in done] == ["", "wrong_state"]
        assert AuditEvent.objects.filter(act=AuditEvent.Act.RESCANNED).count() == 1
        assert Job.objects.filter(media=media, kind="scan", state="queued").count() == 1

    def test_what_a_person_holds_no_scan_lets_out(
        self, processed: Upload, run_jobs: Any, staff: Any
    ) -> None:
        media = processed(b"harmless\n", "a.txt")
        services.hold_media(user=staff, media=media)
        assert services.rescan_media(media=[media]) == 1
        run_jobs()
        media.refresh_from_db()
        assert (media.status, media.usable) == ("quarantined", False)
        assert media.failure_code == media.current.failure_code == "held_for_review"
        services.release_quarantined(user=staff, ids=[media.pk], reason="It is ours.")
        run_jobs()
        media.refresh_from_db()
        assert (media.status, media.usable, media.failure_code) == ("ready", True, "")

    def test_what_a_person_holds_is_malware_once_a_scanner_says_so(
        self, processed: Upload, upload: Upload, run_jobs: Any, staff: Any
    ) -> None:
        media = upload(EICAR, "notes.txt")
        services.hold_media(user=staff, media=media)
        assert services.rescan_media(media=[media]) == 1
        run_jobs()
        media.refresh_from_db()
        assert (media.status, media.failure_code) == ("quarantined", "malware_found")
        assert media.current.signature


class TestAsked:
    def test_a_known_name_is_made_once_however_many_ask(
        self, processed: Upload, run_jobs: Any
    ) -> None:
        photo = processed(samples.photo_jpeg(700, 500), "photo.jpg")
        for _ in range(5):
            assert services.request_rendition(media=photo, name="w640.avif")
        assert Job.objects.filter(subject="w640.avif").count() == 1
        run_jobs()
        photo.refresh_from_db()
        assert (photo.status, "w640.avif" in names(photo)) == ("ready", True)

    @pytest.mark.parametrize("name", ["w641.avif", "page-1.jpg", "../thumb.webp", "clean"])
    def test_an_unknown_one_is_refused(self, processed: Upload, name: str) -> None:
        photo = processed(samples.photo_jpeg(700, 500), "photo.jpg")
        assert not services.request_rendition(media=photo, name=name)
        assert not Job.objects.filter(state="queued").exists()

    def test_pages(self, processed: Upload, run_jobs: Any) -> None:
        paper = processed(samples.pdf(3), "paper.pdf")
        assert services.request_rendition(media=paper, name="page-3.jpg")
        assert not services.request_rendition(media=paper, name="page-4.jpg")
        run_jobs()
        assert "page-3.jpg" in names(paper)
