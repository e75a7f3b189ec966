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
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.media import services
from apps.media.exceptions import MalwareFoundError
from apps.media.models import AuditEvent, Job, MediaFile, Quota, Tag, Webhook
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


@pytest.mark.parametrize("model", ["mediafile", "quota", "tag", "webhook"])
def test_rows_are_found_by_whatever_names_their_owner(
    client: Client, media: MediaFile, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Webhook.objects.create(owner=media.owner, url="https://example.net/")
    get_user_model().objects.filter(pk=media.owner_id).update(email="olga@example.org")
    url = reverse(f"admin:media_{model}_changelist")
    assert client.get(url, {"q": "olga"}).context["cl"].result_count == 1
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "email")
    assert client.get(url, {"q": "example.org olga"}).context["cl"].result_count == 1
    assert client.get(url, {"q": "nobody@"}).context["cl"].result_count == 0


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
        publication.quarantine(media, media.current, MalwareFoundError())
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


class TestReview:
    """The page on which reviewers decide about what was found."""

    URL = "/admin/media/mediafile/quarantine/"

    @pytest.fixture
    def held(self, media: MediaFile) -> MediaFile:
        media.current.scan = "infected"
        media.current.scanner, media.current.signature = "clamd", "Win.Test.EICAR_HDB-1"
        media.current.save()
        publication.quarantine(media, media.current, MalwareFoundError())
        return media

    @pytest.fixture
    def reviewer(self, db: None, browser_of: Any) -> Client:
        return browser_of(_staff_with("view_mediafile", "review_quarantine"))

    def _do(self, client: Client, act: str, *files: MediaFile, **more: Any) -> str:
        form = {"do": act, "ids": [str(media.pk) for media in files], **more}
        return client.post(self.URL, form, follow=True).content.decode()

    def _acts(self, media: MediaFile) -> list[str]:
        found = AuditEvent.objects.filter(media_id=media.pk).order_by("pk")
        return list(found.values_list("act", flat=True))

    def test_says_what_was_found_and_shows_no_bytes(
        self, reviewer: Client, held: MediaFile, upload: Callable[..., MediaFile]
    ) -> None:
        clean = upload(b"clean", "clean.txt")
        page = reviewer.get(self.URL).content.decode()
        for shown in ("notes.txt", "olga", "clamd", "Win.Test.EICAR_HDB-1", held.sha256):
            assert shown in page
        assert "/original" not in page
        assert "clean.txt" not in page
        assert str(clean.pk) not in page

    def test_as_many_queries_for_many_as_for_few(
        self, reviewer: Client, held: MediaFile, upload: Callable[..., MediaFile]
    ) -> None:
        counts = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as queries:
                reviewer.get(self.URL)
            counts.append(len(queries))
            for number in range(3):
                other = upload(b"%d" % number, f"{number}.txt")
                publication.quarantine(other, other.current, MalwareFoundError())
        assert counts[0] == counts[1]

    def test_is_for_reviewers_alone(self, held: MediaFile, browser_of: Any) -> None:
        names = ("view_mediafile", "change_mediafile", "delete_mediafile", "share_mediafile")
        client = browser_of(_staff_with(*names))
        assert client.get(self.URL).status_code == 403
        for act in ("release", "rescan", "remove"):
            form = {"do": act, "ids": [str(held.pk)], "reason": "because"}
            assert client.post(self.URL, form).status_code == 403
        held.refresh_from_db()
        assert held.status == "quarantined"
        assert self._acts(held) == []

    def test_letting_out_needs_a_reason(
        self, reviewer: Client, held: MediaFile, run_jobs: Any
    ) -> None:
        assert "Say why" in self._do(reviewer, "release", held, reason="  ")
        assert self._acts(held) == []
        self._do(reviewer, "release", held, reason="A sample for our tests")
        run_jobs()
        held.refresh_from_db()
        assert (held.status, held.usable, held.current.scan) == ("ready", True, "clean")
        assert self._acts(held) == ["released"]
        details = AuditEvent.objects.get(act="released").details
        assert details["reason"] == "A sample for our tests"
        assert details["signature"] == "Win.Test.EICAR_HDB-1"

    def test_scanning_again(self, reviewer: Client, held: MediaFile, run_jobs: Any) -> None:
        assert "1 file done." in self._do(reviewer, "rescan", held)
        assert self._acts(held) == ["rescanned"]
        run_jobs()
        held.refresh_from_db()
        assert held.status == "ready"

    def test_deleting_for_good_needs_that_right_too(
        self, reviewer: Client, held: MediaFile, browser_of: Any
    ) -> None:
        form = {"do": "remove", "ids": [str(held.pk)]}
        assert reviewer.post(self.URL, form).status_code == 403
        assert MediaFile.objects.filter(pk=held.pk).exists()
        both = _staff_with("view_mediafile", "review_quarantine", "delete_mediafile", name="rosa")
        assert "1 file done." in self._do(browser_of(both), "remove", held)
        assert not MediaFile.objects.exists()
        assert self._acts(held) == ["deleted"]

    def test_what_is_not_held_is_missing(
        self, reviewer: Client, media: MediaFile, held: MediaFile, upload: Any
    ) -> None:
        clean = upload(b"clean", "clean.txt")
        for act in ("release", "rescan"):
            page = self._do(reviewer, act, clean, reason="because")
            assert "file done" not in page
        assert MediaFile.objects.filter(pk=clean.pk).exists()
        assert self._acts(clean) == []
        assert "Select some files first." in self._do(reviewer, "rescan")
        assert "Select some files first." in self._do(reviewer, "steal", clean)

    def test_by_hand(self, media: MediaFile, reviewer: Client, browser_of: Any) -> None:
        url = reverse("admin:media_mediafile_changelist")
        other = browser_of(_staff_with("view_mediafile", "change_mediafile", name="carl"))
        _act(other, url, "hold", media)
        media.refresh_from_db()
        assert media.status == "ready"
        assert b"1 done." in _act(reviewer, url, "hold", media)
        media.refresh_from_db()
        assert (media.status, media.usable) == ("quarantined", False)
        assert self._acts(media) == ["held"]
        assert "Held by hand" in reviewer.get(self.URL).content.decode()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("view_mediafile", "change_mediafile"), "private"),
        (("view_mediafile", "change_mediafile", "share_mediafile"), "public"),
    ],
)
def test_visibility_of_many_needs_the_right_to_share(
    media: MediaFile, browser_of: Any, names: tuple[str, ...], expected: str
) -> None:
    operator = _staff_with(*names)
    url = reverse("admin:media_mediafile_changelist")
    page = _act(browser_of(operator), url, "make_public", media)
    media.refresh_from_db()
    assert media.visibility == expected
    assert (b"1 done." in page) == (expected == "public")
    acts = AuditEvent.objects.filter(media_id=media.pk).values_list("act", "actor")
    assert list(acts) == ([("visibility", operator.pk)] if expected == "public" else [])


class TestQuotas:
    @pytest.fixture
    def url(self, media: MediaFile, owner: Any) -> str:
        return reverse("admin:media_quota_change", args=[owner.pk])

    def test_the_list_shows_usage(self, client: Client, owner: Any, media: MediaFile) -> None:
        Quota.objects.filter(owner=owner).update(bytes_used=95, bytes_limit=100)
        page = client.get(reverse("admin:media_quota_changelist")).content.decode()
        for shown in ("olga", "95 %", "usage-bar--full", "95\xa0bytes"):
            assert shown in page

    def test_a_limit_is_set_taken_away_and_written_down(
        self, client: Client, url: str, owner: Any, staff: Any
    ) -> None:
        used = Quota.objects.get(owner=owner).bytes_used
        assert client.post(url, {"space": "1.5", "files_limit": "7"}).status_code == 302
        quota = Quota.objects.get(owner=owner)
        assert (quota.bytes_limit, quota.files_limit) == (1_610_612_736, 7)
        assert quota.bytes_used == used
        client.post(url, {"space": "1.5", "files_limit": "7"})  # changes nothing
        client.post(url, {"space": "", "files_limit": ""})
        quota.refresh_from_db()
        assert (quota.bytes_limit, quota.files_limit) == (None, None)
        events = list(AuditEvent.objects.filter(act="quota").order_by("pk"))
        assert len(events) == 2
        assert events[0].actor == staff
        assert events[0].details == {
            "owner": str(owner.pk),
            "before": {"bytes": None, "files": None},
            "after": {"bytes": 1_610_612_736, "files": 7},
        }
        assert client.get(reverse("admin:media_auditevent_changelist")).status_code == 200

    def test_a_limit_left_alone_stays_to_the_byte(
        self, client: Client, url: str, owner: Any
    ) -> None:
        Quota.objects.filter(owner=owner).update(bytes_limit=1_000_000_001)
        client.post(url, {"space": "0.931", "files_limit": "9"})
        quota = Quota.objects.get(owner=owner)
        assert (quota.bytes_limit, quota.files_limit) == (1_000_000_001, 9)

    @pytest.mark.parametrize("space", ["-1", "x", "99999999999"])
    def test_what_is_no_limit_is_refused(
        self, client: Client, url: str, owner: Any, space: str
    ) -> None:
        assert client.post(url, {"space": space, "files_limit": ""}).status_code == 200
        assert Quota.objects.get(owner=owner).bytes_limit is None
        assert not AuditEvent.objects.filter(act="quota").exists()

    def test_for_whoever_has_stored_nothing_yet(self, client: Client, stranger: Any) -> None:
        form = {"owner": stranger.pk, "space": "2", "files_limit": ""}
        assert client.post(reverse("admin:media_quota_add"), form).status_code == 302
        assert Quota.objects.get(owner=stranger).bytes_limit == 2 * 1024**3

    def test_looking_is_not_changing(self, url: str, owner: Any, browser_of: Any) -> None:
        client = browser_of(_staff_with("view_quota"))
        assert client.get(url).status_code == 200
        assert client.post(url, {"space": "1", "files_limit": ""}).status_code == 403
        assert client.get(reverse("admin:media_quota_add")).status_code == 403
        assert Quota.objects.get(owner=owner).bytes_limit is None


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


@pytest.mark.parametrize("name", ["Two", " two ", "   ", "y" * 65])
def test_a_name_that_a_tag_cannot_have_is_refused(
    client: Client, media: MediaFile, name: str
) -> None:
    tag = media.tags.get()
    Tag.objects.create(owner=media.owner, name="two", folded="two")
    answer = client.post(reverse("admin:media_tag_change", args=[tag.pk]), {"name": name})
    assert answer.status_code == 200
    assert answer.context["adminform"].errors
    tag.refresh_from_db()
    assert tag.name == "x"
