"""The admin works and changes things only through the services."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client, RequestFactory
from django.urls import reverse

from apps.media import services
from apps.media.models import AuditEvent, Job, MediaFile
from apps.media.services import publication

TEXT = b"A few plain words.\n"


@pytest.fixture
def client(staff: Any) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def media(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    made = upload(TEXT, "notes.txt", tags=["x"])
    run_jobs()
    return made


MODELS = "mediafile job upload tombstone quota tag auditevent".split()


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens(client: Client, media: MediaFile, model: str) -> None:
    media.delete() if model == "tombstone" else None
    answer = client.get(reverse(f"admin:media_{model}_changelist"))
    assert answer.status_code == 200


def test_the_list_shows_a_preview_and_filters(client: Client, media: MediaFile) -> None:
    url = reverse("admin:media_mediafile_changelist")
    assert b"icons/text" in client.get(url).content
    assert b"notes.txt" in client.get(url, {"q": "notes"}).content
    assert b"notes.txt" not in client.get(url, {"status__exact": "failed"}).content


def test_a_change_goes_through_the_service(client: Client, media: MediaFile) -> None:
    url = reverse("admin:media_mediafile_change", args=[media.pk])
    form = {"title": "New", "caption": "", "alt_text": "", "visibility": "public"}
    inlines = {
        f"{prefix}-{part}_FORMS": "0"
        for prefix in ("versions", "renditions", "jobs")
        for part in ("TOTAL", "INITIAL")
    }
    answer = client.post(url, {**form, **inlines, "expires_at_0": "", "expires_at_1": ""})
    assert answer.status_code == 302, answer.content
    media.refresh_from_db()
    assert (media.title, media.visibility) == ("New", "public")
    assert "new" in media.search_text


@pytest.mark.parametrize("action", ["trash", "reprocess", "delete_permanently"])
def test_actions(client: Client, media: MediaFile, action: str) -> None:
    url = reverse("admin:media_mediafile_changelist")
    answer = client.post(url, {"action": action, "_selected_action": [str(media.pk)]}, follow=True)
    assert b"1 done." in answer.content
    found = MediaFile.objects.filter(pk=media.pk).first()
    if action == "trash":
        assert found is not None
        assert found.deleted_at
    elif action == "reprocess":
        assert Job.objects.filter(media=media, state="queued").exists()
    else:
        assert found is None


def test_a_failing_action_is_told_and_the_rest_goes_on(client: Client, media: MediaFile) -> None:
    url = reverse("admin:media_mediafile_changelist")
    answer = client.post(
        url, {"action": "restore", "_selected_action": [str(media.pk)]}, follow=True
    )
    assert b"not in the trash" in answer.content
    assert b"0 done." in answer.content


class TestJobs:
    @pytest.fixture
    def job(self, media: MediaFile) -> Job:
        return Job.objects.filter(media=media, kind="inspect").get()

    @pytest.fixture
    def url(self) -> str:
        return reverse("admin:media_job_changelist")

    def test_the_list_tells_what_an_operator_needs(
        self, client: Client, job: Job, url: str
    ) -> None:
        page = client.get(url).content.decode()
        assert reverse("admin:media_mediafile_change", args=[job.media_id]) in page
        for shown in ("inspect", "media.fast", "done", "100 %"):
            assert shown in page

    @pytest.mark.parametrize(
        ("condition", "found"),
        [
            ({"state__exact": "done"}, True),
            ({"state__exact": "failed"}, False),
            ({"kind__exact": "join"}, False),
            ({"queue": "media.fast"}, True),
            ({"queue": "media.slow"}, False),
            ({"error_code__isempty": "0"}, False),
            ({"q": "engine_away"}, False),
            ({"q": "0198c0de-0000-7000-8000-000000000000"}, False),
        ],
    )
    def test_filters(
        self, client: Client, job: Job, url: str, condition: dict[str, str], found: bool
    ) -> None:
        assert (str(job.pk) in client.get(url, condition).content.decode()) == found

    def test_search_takes_the_id_of_a_file_or_a_job(
        self, client: Client, job: Job, url: str
    ) -> None:
        for name in (job.pk, job.media_id):
            assert str(job.pk) in client.get(url, {"q": f" {name} "}).content.decode()

    def test_cancel_and_retry(
        self, client: Client, upload: Callable[..., MediaFile], run_jobs: Any, url: str
    ) -> None:
        file = upload(TEXT, "more.txt")
        job = Job.objects.get(media=file, kind="inspect")
        assert b"1 cancelled." in _act(client, url, "cancel", job)
        file.refresh_from_db()
        assert (file.status, file.failure_code) == ("failed", "processing_cancelled")
        assert b"1 not in a state for it." in _act(client, url, "cancel", job)
        assert b"1 queued again." in _act(client, url, "retry", job)
        run_jobs()
        file.refresh_from_db()
        assert file.status == "ready"

    def test_looking_is_not_acting(self, job: Job, url: str, browser_of: Any) -> None:
        onlooker = _staff_with("view_job")
        page = browser_of(onlooker).get(url).content.decode()
        assert str(job.pk) in page
        assert 'value="cancel"' not in page
        Job.objects.update(state="queued")
        _act(browser_of(onlooker), url, "cancel", job)
        assert Job.objects.get(pk=job.pk).state == "queued"


class TestQuarantine:
    @pytest.fixture
    def held(self, media: MediaFile) -> MediaFile:
        media.current.scan = "infected"
        media.current.scanner, media.current.signature = "clamd", "Win.Test.EICAR_HDB-1"
        media.current.save()
        publication.quarantine(media, media.current)
        return media

    def test_is_a_list_that_says_what_was_found(self, client: Client, held: MediaFile) -> None:
        url = reverse("admin:media_mediafile_changelist")
        assert b"notes.txt" in client.get(url, {"status__exact": "quarantined"}).content
        detail = client.get(reverse("admin:media_mediafile_change", args=[held.pk])).content
        for shown in (b"Infected", b"clamd", b"Win.Test.EICAR_HDB-1"):
            assert shown in detail

    def test_a_new_scan_may_release(self, client: Client, held: MediaFile, run_jobs: Any) -> None:
        url = reverse("admin:media_mediafile_changelist")
        assert b"1 will be scanned." in _act(client, url, "rescan", held)
        run_jobs()
        held.refresh_from_db()
        assert (held.status, held.usable) == ("ready", True)

    def test_a_new_scan_is_for_reviewers(self, held: MediaFile, browser_of: Any) -> None:
        url = reverse("admin:media_mediafile_changelist")
        names = ("view_mediafile", "change_mediafile")
        _act(browser_of(_staff_with(*names)), url, "rescan", held)
        assert not Job.objects.filter(state="queued").exists()
        reviewer = _staff_with(*names, "review_quarantine", name="rosa")
        assert b"1 will be scanned." in _act(browser_of(reviewer), url, "rescan", held)

    def test_what_is_held_can_be_deleted(self, client: Client, held: MediaFile) -> None:
        url = reverse("admin:media_mediafile_changelist")
        assert b"1 done." in _act(client, url, "delete_permanently", held)
        assert not MediaFile.objects.exists()


def _act(client: Client, url: str, action: str, row: Any) -> bytes:
    form = {"action": action, "_selected_action": [str(row.pk)]}
    content: bytes = client.post(url, form, follow=True).content
    return content


def _staff_with(*permissions: str, name: str = "simon") -> Any:
    user = get_user_model().objects.create_user(username=name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


class TestAuditTrail:
    """Read, filtered and taken along; never changed."""

    URL = "admin:media_auditevent_changelist"

    @pytest.fixture
    def events(self, media: MediaFile, owner: Any, staff: Any) -> list[AuditEvent]:
        services.update_media(user=owner, media=media, visibility="public")
        services.delete_media(user=staff, media=media)
        services.restore_media(user=staff, media=media)
        return list(AuditEvent.objects.order_by("-pk"))

    def _shown(self, client: Client, **query: str) -> list[str]:
        answer = client.get(reverse(self.URL), query)
        assert answer.status_code == 200
        return [event.act for event in answer.context["cl"].result_list]

    def test_filters(self, client: Client, events: list[AuditEvent], media: MediaFile) -> None:
        assert self._shown(client) == ["restored", "trashed", "visibility"]
        assert self._shown(client, act__exact="trashed") == ["trashed"]
        assert self._shown(client, actor="olga") == ["visibility"]
        assert self._shown(client, actor="nobody") == []
        assert self._shown(client, q=str(media.pk)) == ["restored", "trashed", "visibility"]
        for term in (str(events[0].pk), "notes"):
            assert self._shown(client, q=term) == []
        assert self._shown(client, created_at__gte="2999-01-01 00:00:00+00:00") == []

    def test_nothing_can_be_changed(self, client: Client, events: list[AuditEvent]) -> None:
        before = list(AuditEvent.objects.values())
        pk = events[0].pk
        change = reverse("admin:media_auditevent_change", args=[pk])
        assert client.get(change).status_code == 200
        for url in (
            change,
            reverse("admin:media_auditevent_delete", args=[pk]),
            reverse("admin:media_auditevent_add"),
        ):
            assert client.post(url, {"act": "deleted", "post": "yes"}).status_code == 403
        form = {"action": "delete_selected", "_selected_action": [str(pk)], "post": "yes"}
        client.post(reverse(self.URL), form)
        assert list(AuditEvent.objects.values()) == before

    def test_export(self, client: Client, events: list[AuditEvent]) -> None:
        AuditEvent.objects.filter(act="visibility").update(actor_name="=1+1")
        form = {"action": "export", "_selected_action": [str(event.pk) for event in events]}
        answer = client.post(reverse(self.URL), form)
        assert answer.streaming
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert answer["Content-Disposition"] == 'attachment; filename="audit.csv"'
        text = b"".join(answer.streaming_content).decode()
        head, *rows = csv.reader(io.StringIO(text, newline=""))
        assert head[:4] == ["created_at", "act", "actor_id", "actor_name"]
        assert [row[1] for row in rows] == [event.act for event in events]
        assert rows[-1][3] == "'=1+1"
        assert json.loads(rows[-1][-1]) == events[-1].details

    def test_export_of_all_that_a_filter_leaves(
        self, client: Client, events: list[AuditEvent]
    ) -> None:
        form = {"action": "export", "_selected_action": [str(events[1].pk)], "select_across": "1"}
        answer = client.post(f"{reverse(self.URL)}?actor=stella", form)
        text = b"".join(answer.streaming_content).decode()
        assert [line.split(",")[1] for line in text.splitlines()] == ["act", "restored", "trashed"]

    def test_who_may_not_see_it_does_not(self, staff: Any, events: list[AuditEvent]) -> None:
        staff.is_superuser = False
        staff.save()
        client = Client()
        client.force_login(staff)
        assert client.get(reverse(self.URL)).status_code == 403
        form = {"action": "export", "_selected_action": [str(events[0].pk)]}
        assert client.post(reverse(self.URL), form).status_code == 403


def test_looking_into_a_private_file_is_written_down(client: Client, media: MediaFile) -> None:
    url = reverse("admin:media_mediafile_change", args=[media.pk])
    assert client.get(url).status_code == 200
    assert AuditEvent.objects.filter(act="viewed", media_id=media.pk).count() == 1


def test_who_may_not_share_does_not_decide_who_sees(media: MediaFile) -> None:
    user = get_user_model().objects.create_user("ed", password="x", is_staff=False)
    names = ("view_mediafile", "change_mediafile")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    assert "visibility" in _read_only_for(user, media)
    user.user_permissions.add(Permission.objects.get(codename="share_mediafile"))
    assert "visibility" not in _read_only_for(get_user_model().objects.get(pk=user.pk), media)


def _read_only_for(user: Any, media: MediaFile) -> list[str]:
    request = RequestFactory().get("/")
    request.user = user
    return admin.site.get_model_admin(MediaFile).get_readonly_fields(request, media)
