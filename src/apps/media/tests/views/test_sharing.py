"""Grants and share links over HTTP and on pages, of a file and of a collection, for those who may
share it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.media import services
from apps.media.models import AuditEvent, Collection, Grant, MediaFile, ShareLink
from apps.media.rates import SharingRate

FUTURE, PAST = "2999-01-02T03:04:05Z", "2001-01-02T03:04:05Z"


@pytest.fixture
def media(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    """A private text that is ready."""
    found = upload(b"The words.\n", "words.txt")
    run_jobs()
    return MediaFile.objects.get(pk=found.pk)


@pytest.fixture(params=["file", "collection"])
def shared(request: pytest.FixtureRequest, media: MediaFile, owner: Any) -> MediaFile | Collection:
    """What is shared: the file, or a collection with it."""
    if request.param == "file":
        return media
    found = services.create_collection(user=owner, title="Songs")
    services.add_items(user=owner, collection=found, media_ids=[media.pk])
    return found


@pytest.fixture
def grants(shared: MediaFile | Collection) -> str:
    return f"{_api(shared)}grants/"


@pytest.fixture
def links(shared: MediaFile | Collection) -> str:
    return f"{_api(shared)}share-links/"


def _api(shared: MediaFile | Collection) -> str:
    kind = "media" if isinstance(shared, MediaFile) else "collections"
    return f"/api/v1/{kind}/{shared.pk}/"


def _client(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


class TestGrants:
    def test_give_list_change_take_back(
        self, api: APIClient, grants: str, media: MediaFile, stranger: Any
    ) -> None:
        answer = api.post(grants, {"user": "sam", "expires_at": FUTURE}, format="json")
        assert answer.status_code == 201
        body = answer.json()
        assert body["user"] == {"id": stranger.pk, "username": "sam"}
        assert (body["group"], body["permission"], body["expires_at"]) == (None, "view", FUTURE)
        assert _client(stranger).get(f"/api/v1/media/{media.pk}/").status_code == 200

        form = {"user": stranger.pk, "permission": "edit"}
        changed = api.post(grants, form, format="json").json()
        assert (changed["id"], changed["permission"]) == (body["id"], "edit")
        page = api.get(grants).json()
        assert (page["next"], [row["id"] for row in page["results"]]) == (None, [body["id"]])

        assert api.delete(f"{grants}{body['id']}/").status_code == 204
        assert api.delete(f"{grants}{body['id']}/").status_code == 404
        assert _client(stranger).get(f"/api/v1/media/{media.pk}/").status_code == 404

    def test_a_part_of_it_is_changed(
        self, api: APIClient, grants: str, media: MediaFile, stranger: Any
    ) -> None:
        body = api.post(grants, {"user": "sam", "expires_at": FUTURE}, format="json").json()
        address = f"{grants}{body['id']}/"
        changed = api.patch(address, {"permission": "edit"}, format="json")
        assert (changed.status_code, changed.json()) == (200, {**body, "permission": "edit"})
        changed = api.patch(address, {"expires_at": None}, format="json").json()
        assert (changed["permission"], changed["expires_at"]) == ("edit", None)
        for form, code in (
            ({"expires_at": PAST}, "expiry_in_past"),
            ({"permission": "rule"}, "invalid"),
            ({"expires_at": "tomorrow"}, "invalid"),
        ):
            answer = api.patch(address, form, format="json")
            assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert api.get(grants).json()["results"] == [changed]
        assert _client(stranger).patch(address, {"permission": "view"}).status_code == 403

    def test_to_a_group(self, api: APIClient, grants: str, stranger: Any, media: Any) -> None:
        group = Group.objects.create(name="Choir")
        stranger.groups.add(group)
        body = api.post(grants, {"group": "Choir"}, format="json").json()
        assert (body["user"], body["group"]) == (None, {"id": group.pk, "name": "Choir"})
        assert _client(stranger).get(f"/api/v1/media/{media.pk}/").status_code == 200

    @pytest.mark.parametrize(
        ("form", "code"),
        [
            ({"user": "nobody"}, "unknown_recipient"),
            ({"user": 987654}, "unknown_recipient"),
            ({"group": "nobody"}, "unknown_recipient"),
            ({"user": "olga"}, "owner_has_access"),
            ({"user": "sam", "expires_at": PAST}, "expiry_in_past"),
            ({}, "invalid"),
            ({"user": "sam", "group": "Choir"}, "invalid"),
            ({"user": "sam", "permission": "delete"}, "invalid"),
            ({"user": "sam", "expires_at": "tomorrow"}, "invalid"),
            ({"user": True}, "invalid"),
            ({"user": ["sam"]}, "invalid"),
            ({"user": "x" * 300}, "invalid"),
            ({"user": None}, "invalid"),
        ],
    )
    def test_refusals(
        self, api: APIClient, grants: str, stranger: Any, form: dict[str, Any], code: str
    ) -> None:
        answer = api.post(grants, form, format="json")
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert not Grant.objects.exists()
        assert not AuditEvent.objects.exists()

    @pytest.mark.parametrize("kind", ["user", "group"])
    def test_half_of_a_character_is_in_no_name(
        self, api: APIClient, grants: str, kind: str
    ) -> None:
        said = json.dumps({kind: "sam\ud83d"})  # escaped: nothing else could be sent
        answer = api.post(grants, said, content_type="application/json")
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == [kind]
        assert not Grant.objects.exists()

    def test_whose_account_is_off_reads_like_nobody(
        self, api: APIClient, grants: str, stranger: Any
    ) -> None:
        missing = api.post(grants, {"user": "nobody"}, format="json")
        stranger.is_active = False
        stranger.save()
        assert api.post(grants, {"user": "sam"}, format="json").json() == missing.json()

    def test_names_are_for_those_who_may_share(
        self, grants: str, shared: Any, owner: Any, stranger: Any
    ) -> None:
        """The right is asked before anything is looked up."""
        hidden = _client(stranger).post(grants, {"user": "nobody"}, format="json")
        assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")
        services.grant_access(user=owner, media=shared, to=stranger, permission="edit")
        for name in ("nobody", "olga"):
            answer = _client(stranger).post(grants, {"user": name}, format="json")
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert _client(stranger).get(grants).status_code == 403
        assert Grant.objects.count() == 1

    def test_a_grant_of_another_file_is_missing_here(
        self, api: APIClient, grants: str, upload: Callable[..., MediaFile], stranger: Any
    ) -> None:
        other = upload(b"others", "other.txt")
        grant = services.grant_access(user=other.owner, media=other, to=stranger)
        assert api.delete(f"{grants}{grant.pk}/").status_code == 404
        assert Grant.objects.exists()

    def test_names_cannot_be_tried_at_speed(
        self, api: APIClient, grants: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """ASVS V2.4.1."""
        monkeypatch.setattr(SharingRate, "rate", "2/min")
        codes = [api.post(grants, {"user": "nobody"}, format="json") for _ in range(3)]
        assert [answer.status_code for answer in codes] == [400, 400, 429]
        assert int(codes[-1]["Retry-After"]) > 0


class TestShareLinks:
    def test_make_open_list_take_back(
        self, api: APIClient, links: str, media: MediaFile, client: Client
    ) -> None:
        form = {"expires_at": FUTURE, "password": "open sesame", "max_downloads": 3}
        answer = api.post(links, form, format="json")
        assert answer.status_code == 201
        body = answer.json()
        assert body["url"].startswith("http://testserver/share/")
        assert (body["expires_at"], body["max_downloads"], body["downloads"]) == (FUTURE, 3, 0)
        assert body["has_password"] is True
        assert "password" not in body
        assert b"words.txt" not in client.get(body["url"]).content
        client.post(body["url"], {"password": "open sesame"})
        assert b"words.txt" in client.get(body["url"]).content

        assert [row["url"] for row in api.get(links).json()["results"]] == [body["url"]]
        assert api.delete(f"{links}{body['id']}/").status_code == 204
        assert api.delete(f"{links}{body['id']}/").status_code == 404
        assert client.get(body["url"]).status_code == 404

    def test_nothing_has_to_be_said(self, api: APIClient, links: str) -> None:
        body = api.post(links).json()
        assert (body["expires_at"], body["max_downloads"], body["has_password"]) == (
            None,
            None,
            False,
        )

    @pytest.mark.parametrize(
        ("form", "code"),
        [
            ({"expires_at": PAST}, "expiry_in_past"),
            ({"max_downloads": 0}, "invalid"),
            ({"max_downloads": 2**31}, "invalid"),
            ({"password": "x" * 2000}, "invalid"),
        ],
    )
    def test_refusals(self, api: APIClient, links: str, form: Any, code: str) -> None:
        answer = api.post(links, form, format="json")
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert not ShareLink.objects.exists()

    def test_only_for_those_who_may_share(
        self, links: str, shared: Any, owner: Any, stranger: Any
    ) -> None:
        link = services.create_share_link(user=owner, media=shared)
        for status in (404, 403):
            client = _client(stranger)
            assert client.get(links).status_code == status
            assert client.post(links).status_code == status
            assert client.delete(f"{links}{link.pk}/").status_code == status
            services.grant_access(user=owner, media=shared, to=stranger, permission="edit")
        assert list(ShareLink.objects.all()) == [link]
        assert APIClient().get(links).status_code == 401


class TestLooksOfRoles:
    @pytest.mark.parametrize("address", ["/api/v1/media/{}/", "/library/{}/", "/media/{}/original"])
    def test_are_written_down_at_every_edge(
        self, media: MediaFile, staff: Any, browser_of: Any, address: str
    ) -> None:
        for _ in range(2):
            answer = browser_of(staff).get(address.format(media.pk))
            assert answer.status_code == 200
        event = AuditEvent.objects.get()
        assert (event.act, event.actor, event.media_id) == ("viewed", staff, media.pk)

    def test_are_written_down_for_each_file_of_an_archive(
        self, media: MediaFile, owner: Any, staff: Any, browser_of: Any, upload: Any
    ) -> None:
        own = upload(b"Words of staff.\n", "own.txt", user=staff)
        MediaFile.objects.filter(pk=own.pk).update(status="ready", usable=True)
        for user in (owner, staff, staff):
            url = f"/media/zip?ids={media.pk},{own.pk}"
            assert b"".join(browser_of(user).get(url).streaming_content)
        event = AuditEvent.objects.get()
        assert (event.act, event.actor, event.media_id) == ("viewed", staff, media.pk)

    def test_owners_and_grantees_are_not(
        self, media: MediaFile, owner: Any, stranger: Any, browser_of: Any
    ) -> None:
        Grant.objects.create(media=media, user=stranger)
        for user in (owner, stranger):
            assert browser_of(user).get(f"/media/{media.pk}/original").status_code == 200
        assert not AuditEvent.objects.exists()

    def test_a_refused_look_is_none(self, media: MediaFile, stranger: Any, browser_of: Any) -> None:
        assert browser_of(stranger).get(f"/media/{uuid.uuid4()}/original").status_code == 404
        assert browser_of(stranger).get(f"/media/{media.pk}/original").status_code == 404
        assert not AuditEvent.objects.exists()


class TestPage:
    """The section of a page, as it works without script."""

    def test_a_right_is_changed(
        self, shared: Any, owner: Any, stranger: Any, browser_of: Any
    ) -> None:
        browser, page = browser_of(owner), shared.get_absolute_url()
        grant = services.grant_access(
            user=owner, media=shared, to=stranger, expires_at=timezone.now() + timedelta(days=1)
        )
        ends = grant.expires_at.strftime("%Y-%m-%dT%H:%M")
        assert f'value="{ends}"' in browser.get(page).content.decode()
        form = {"permission": "edit", "expires_at": ends}
        shown = browser.post(f"{page}grants/{grant.pk}/", form, follow=True).content.decode()
        assert "The access of sam is changed." in shown
        changed = Grant.objects.get()
        assert (changed.permission, changed.expires_at) == ("edit", grant.expires_at)
        form = {"permission": "view", "expires_at": "2001-01-02T03:04"}
        answer = browser.post(f"{page}grants/{grant.pk}/", form)
        assert answer.status_code == 422
        assert f'id="grant_{grant.pk}_expires_at_error"' in answer.content.decode()
        assert 'value="2001-01-02T03:04"' in answer.content.decode()
        assert Grant.objects.get().permission == "edit"

    def test_people_and_links(
        self, shared: Any, owner: Any, stranger: Any, browser_of: Any
    ) -> None:
        browser, page = browser_of(owner), shared.get_absolute_url()
        form = {
            "kind": "user",
            "name": "sam",
            "permission": "edit",
            "expires_at": "2999-01-02T03:04",
        }
        shown = browser.post(f"{page}grants/", form, follow=True).content.decode()
        assert "sam has access." in shown
        grant = Grant.objects.get()
        assert (grant.user, grant.permission, grant.expires_at.year) == (stranger, "edit", 2999)
        form = {"expires_at": "", "password": "open sesame", "max_downloads": "3"}
        shown = browser.post(f"{page}links/", form, follow=True).content.decode()
        link = ShareLink.objects.get()
        assert f"http://testserver{link.get_absolute_url()}" in shown
        assert "0 of 3 downloads" in shown
        assert "sesame" not in shown
        code = browser.get(f"{page}links/{link.pk}/code.svg")
        assert code["Content-Type"] == "image/svg+xml"
        assert code.content.startswith(b"<svg")
        assert "no-store" in code["Cache-Control"]

        browser.post(f"{page}grants/{grant.pk}/delete/")
        browser.post(f"{page}links/{link.pk}/delete/")
        assert not Grant.objects.exists()
        assert not ShareLink.objects.exists()

    @pytest.mark.parametrize(
        ("end", "form", "words"),
        [
            ("grants/", {"kind": "user", "name": "nobody", "permission": "view"}, "nobody of this"),
            (
                "grants/",
                {"kind": "user", "name": "olga", "permission": "view"},
                "may do everything",
            ),
            ("grants/", {"kind": "user", "name": "", "permission": "view"}, "required"),
            ("grants/", {"kind": "user", "name": "sam", "permission": "delete"}, "Select a valid"),
            (
                "grants/",
                {
                    "kind": "user",
                    "name": "sam",
                    "permission": "view",
                    "expires_at": "2001-01-02T03:04",
                },
                "This time is over",
            ),
            ("links/", {"expires_at": "2001-01-02T03:04"}, "This time is over"),
            ("links/", {"max_downloads": "0"}, "greater than or equal to 1"),
        ],
    )
    def test_what_is_wrong_is_said_where_it_is(
        self,
        shared: Any,
        owner: Any,
        stranger: Any,
        browser_of: Any,
        end: str,
        form: dict[str, str],
        words: str,
    ) -> None:
        answer = browser_of(owner).post(f"{shared.get_absolute_url()}{end}", form)
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert not Grant.objects.exists()
        assert not ShareLink.objects.exists()

    @pytest.mark.parametrize("kind", ["user", "group"])
    def test_digits_are_a_name_and_no_id(
        self, shared: Any, owner: Any, stranger: Any, browser_of: Any, kind: str
    ) -> None:
        group = Group.objects.create(name="Choir")
        pk = stranger.pk if kind == "user" else group.pk
        form = {"kind": kind, "name": str(pk), "permission": "view"}
        answer = browser_of(owner).post(f"{shared.get_absolute_url()}grants/", form)
        assert answer.status_code == 422
        assert "nobody of this" in answer.content.decode()
        assert not Grant.objects.exists()

    def test_editors_see_neither_the_section_nor_the_visibility(
        self, media: MediaFile, owner: Any, stranger: Any, browser_of: Any
    ) -> None:
        services.grant_access(user=owner, media=media, to=stranger, permission="edit")
        shown = browser_of(stranger).get(media.get_absolute_url()).content.decode()
        assert 'name="title"' in shown
        assert 'name="visibility"' not in shown
        assert "Sharing" not in shown
        form = {"title": "New", "caption": "", "alt_text": "", "tags": ""}
        answer = browser_of(stranger).post(f"{media.get_absolute_url()}edit/", form)
        assert answer.status_code == 302
        media.refresh_from_db()
        assert (media.title, media.visibility) == ("New", "private")

    def test_the_page_has_the_limit_of_the_api(
        self, shared: Any, owner: Any, browser_of: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(SharingRate, "rate", "1/min")
        browser, form = browser_of(owner), {"kind": "user", "name": "x", "permission": "view"}
        url = f"{shared.get_absolute_url()}grants/"
        assert browser.post(url, form).status_code == 422
        answer = browser.post(url, form)
        assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
        assert int(answer["Retry-After"]) > 0
