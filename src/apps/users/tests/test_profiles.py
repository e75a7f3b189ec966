"""The pages of people: what they tell, who follows whom, and the end of an account."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.media import services as media_services
from apps.media.models import Erasure, MediaFile
from apps.media.processing.crops import crop_from_text
from apps.media.rates import UploadRate
from apps.media.services import AttachmentItem
from apps.media.tests import samples
from apps.users import selectors, services
from apps.users.models import Follow
from apps.users.templatetags.users import initials

PASSWORD = "correct horse battery staple"


def test_a_page_tells_what_somebody_says_of_themselves(owner: Any, browser_of: Any) -> None:
    services.update_profile(user=owner, display_name="Olga <b>", about="Likes\n<i>birds</i>")
    page = browser_of(None).get("/users/olga/").content.decode()
    assert "Olga &lt;b&gt;" in page
    assert "Likes<br>&lt;i&gt;birds&lt;/i&gt;" in page


@pytest.mark.parametrize("name", ["nobody", "sam", "a\0b"])
def test_hidden_and_missing_people_are_the_same(name: str, stranger: Any, owner: Any) -> None:
    get_user_model().objects.filter(pk=stranger.pk).update(is_active=False)
    answer = Client().get(f"/users/{name}/")
    missing = Client().get("/users/other/")
    assert (answer.status_code, answer.content) == (404, missing.content)


@pytest.mark.parametrize(
    ("name", "letters"), [("", "O"), ("Ada", "A"), ("Ada King Lovelace", "AL"), ("ß", "SS")]
)
def test_initials(name: str, letters: str, owner: Any) -> None:
    owner.display_name = name
    assert initials(owner) == letters


def test_initials_cost_no_request(owner: Any, browser_of: Any) -> None:
    page = browser_of(None).get("/users/olga/").content.decode()
    main = page[page.index("<main") :]
    assert "<img" not in main
    assert 'class="face face--large' in main


class TestFollowing:
    def test_by_the_button(self, owner: Any, stranger: Any, browser_of: Any) -> None:
        client = browser_of(stranger)
        for _ in range(2):
            assert client.post("/users/olga/follow/")["Location"] == "/users/olga/"
        assert Follow.objects.get().followed == owner
        assert "Unfollow" in client.get("/users/olga/").content.decode()
        for _ in range(2):
            client.post("/users/olga/unfollow/")
        assert not Follow.objects.exists()

    def test_nobody_follows_themselves(self, owner: Any, browser_of: Any) -> None:
        assert browser_of(owner).post("/users/olga/follow/").status_code == 422
        with pytest.raises(IntegrityError), transaction.atomic():
            Follow.objects.create(follower=owner, followed=owner)
        assert not Follow.objects.exists()

    def test_strangers_to_the_site_sign_in_first(self, owner: Any) -> None:
        answer = Client().post("/users/olga/follow/")
        assert answer["Location"] == "/accounts/login/?next="
        assert not Follow.objects.exists()

    def test_signing_in_leads_back_to_where_the_button_was(self, owner: Any) -> None:
        for came_from, back in (
            ("http://testserver/users/olga/?a=1", "/users/olga/%3Fa%3D1"),
            ("http://elsewhere.example/users/olga/", ""),
        ):
            answer = Client().post("/users/olga/follow/", headers={"referer": came_from})
            assert answer["Location"] == f"/accounts/login/?next={back}"

    def test_hidden_people_are_not_followed(self, owner: Any, stranger: Any) -> None:
        client = Client()
        client.force_login(stranger)
        get_user_model().objects.filter(pk=owner.pk).update(is_active=False)
        assert client.post("/users/olga/follow/").status_code == 404
        assert not Follow.objects.exists()


class TestEditing:
    def test_is_for_oneself(self, owner: Any, browser_of: Any) -> None:
        body = {"display_name": "Olga", "about": "words"}
        answer = browser_of(owner).post("/settings/profile/", body)
        assert answer["Location"] == "/users/olga/"
        owner.refresh_from_db()
        assert (owner.display_name, owner.about) == ("Olga", "words")

    def test_what_is_too_long_is_said(self, owner: Any, browser_of: Any) -> None:
        answer = browser_of(owner).post("/settings/profile/", {"display_name": "x" * 81})
        assert answer.status_code == 422
        owner.refresh_from_db()
        assert owner.display_name == ""

    def test_takes_nothing_else(self, owner: Any, browser_of: Any) -> None:
        browser_of(owner).post("/settings/profile/", {"is_staff": "on", "username": "root"})
        owner.refresh_from_db()
        assert (owner.is_staff, owner.username) == (False, "olga")


class TestEnd:
    def test_asks_for_the_password(self, owner: Any, browser_of: Any) -> None:
        answer = browser_of(owner).post("/settings/account/delete/", {"password": "wrong"})
        assert answer.status_code == 422
        assert "not the password" in answer.content.decode()
        assert get_user_model().objects.filter(pk=owner.pk).exists()

    def test_takes_everything_along(
        self, owner: Any, stranger: Any, upload: Any, browser_of: Any
    ) -> None:
        upload(b"words", "a.txt")
        services.follow_user(user=stranger, person=owner)
        client = browser_of(owner)
        answer = client.post("/settings/account/delete/", {"password": PASSWORD})
        assert answer["Location"] == "/"
        assert client.get("/users/olga/").status_code == 404  # at once, whatever the workers do
        media_services.run_erasure(erasure_id=Erasure.objects.get().pk)
        assert not get_user_model().objects.filter(username="olga").exists()
        assert not MediaFile.objects.exists()
        assert not Follow.objects.exists()
        assert client.get("/library/").status_code == 302

    def test_where_only_staff_deletes_it_says_whom_to_ask(
        self, owner: Any, browser_of: Any, settings: Any
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "DELETION": "staff"}
        settings.SITE_CONTACT = "desk@example.org"
        client = browser_of(owner)
        for answer in (
            client.get("/settings/account/delete/"),
            client.post("/settings/account/delete/", {"password": PASSWORD}),
        ):
            assert answer.status_code == 403
            assert 'href="mailto:desk@example.org"' in answer.content.decode()
        owner.refresh_from_db()
        assert owner.is_active
        assert not Erasure.objects.exists()

    def test_guesses_are_limited(self, owner: Any, browser_of: Any, monkeypatch: Any) -> None:
        from rest_framework.throttling import SimpleRateThrottle

        monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, "signin", "3/min")
        client = browser_of(owner)
        guesses = [
            client.post("/settings/account/delete/", {"password": "wrong"}) for _ in range(4)
        ]
        assert [answer.status_code for answer in guesses] == [422, 422, 422, 429]
        assert get_user_model().objects.filter(pk=owner.pk).exists()


class TestPictures:
    """The picture and the cover: chosen by the form, shown as their part, of one's own alone."""

    CROP = "0000-0000-0500-1000"

    @pytest.fixture
    def dressed(self, owner: Any, upload: Any, run_jobs: Any) -> Any:
        """Olga with a picture of which the left half is shown, and a cover."""
        media = upload(samples.photo_jpeg(200, 100))
        item = AttachmentItem(media, crop=crop_from_text(self.CROP))
        person = services.update_profile(user=owner, avatar=item, cover=AttachmentItem(media))
        run_jobs()
        return person

    def test_are_uploaded_and_cropped_by_the_form(self, owner: Any, browser_of: Any) -> None:
        client = browser_of(owner)
        file = SimpleUploadedFile("me.jpg", samples.photo_jpeg(64, 48))
        client.post("/settings/profile/", {"avatar-sent": "1", "avatar-files": file})
        owner.refresh_from_db()
        assert owner.avatar.original_name == "me.jpg"
        pk = owner.avatar.pk
        said = {"avatar-sent": "1", "avatar": pk, f"avatar-{pk}-crop": self.CROP}
        client.post("/settings/profile/", said)
        owner.refresh_from_db()
        assert str(owner.avatar_crop) == self.CROP
        client.post("/settings/profile/", {"display_name": "Olga"})  # without a word of it
        owner.refresh_from_db()
        assert (owner.avatar_id, str(owner.avatar_crop)) == (pk, self.CROP)
        client.post("/settings/profile/", {**said, f"avatar-{pk}-remove": "1"})
        owner.refresh_from_db()
        assert (owner.avatar, owner.avatar_crop) == (None, None)

    def test_say_that_the_whole_file_is_open(self, owner: Any, browser_of: Any) -> None:
        page = browser_of(owner).get("/settings/profile/").content.decode()
        assert page.count("may also open the whole file") == 2

    def test_of_others_are_refused(
        self, owner: Any, stranger: Any, upload: Any, browser_of: Any
    ) -> None:
        media = upload(samples.photo_jpeg(64, 48), user=stranger)
        said = {"avatar-sent": "1", "avatar": media.pk}
        hidden = browser_of(owner).post("/settings/profile/", said)
        assert "is not there any more" in hidden.content.decode()
        media_services.grant_access(user=stranger, media=media, to=owner, permission="edit")
        granted = browser_of(owner).post("/settings/profile/", said)
        assert granted.status_code == 422
        assert "files of your own" in granted.content.decode()
        owner.refresh_from_db()
        assert owner.avatar is None

    def test_are_shown_by_their_parts(self, dressed: Any, browser_of: Any) -> None:
        client = browser_of(None)
        page = client.get("/users/olga/").content.decode()
        main = page[page.index("<main") :]
        assert f"square@{self.CROP}.webp" in main
        assert "r/banner.webp" in main
        assert "thumb.webp" not in page
        address = re.findall(r'class="face__picture"\s+src="([^"]+)"', main)[0]
        assert client.get(address).status_code == 200

    def test_stand_in_the_navigation_for_one_query(
        self, dressed: Any, stranger: Any, browser_of: Any
    ) -> None:
        def count(user: Any) -> int:
            client = browser_of(user)
            client.get("/users/sam/")  # what is remembered for later requests
            with CaptureQueriesContext(connection) as queries:
                page = client.get("/users/sam/").content.decode()
            bar = page[: page.index("<main")]
            assert bar.count("face__picture") == (user == dressed)
            return len(queries)

        assert count(dressed) == count(stranger) + 1

    def test_go_with_the_trash_and_with_the_account(self, dressed: Any, stranger: Any) -> None:
        def face() -> Any:
            person = get_user_model().objects.get(pk=dressed.pk)
            selectors.show_faces(stranger, [person])
            return person.face

        assert face() is not None
        media_services.delete_media(user=dressed, media=dressed.avatar)
        assert face() is None
        media_services.restore_media(user=dressed, media=dressed.avatar)
        get_user_model().objects.filter(pk=dressed.pk).update(is_active=False)
        assert face() is None


def test_uses_as_picture_and_cover_are_named(owner: Any, upload: Any, browser_of: Any) -> None:
    media = upload(samples.photo_jpeg(64, 48))
    for field in ("avatar", "cover"):
        media_services.attach_media(user=owner, media=media, to=owner, field=field)
    page = " ".join(browser_of(owner).get(media.get_absolute_url()).content.decode().split())
    for kind in ("Profile picture of", "Cover picture of"):
        assert f'{kind} <a href="/users/olga/">olga</a>' in page


def test_the_administration_sets_and_takes_away_pictures(
    owner: Any, staff: Any, upload: Any, browser_of: Any
) -> None:
    media = upload(samples.photo_jpeg(64, 48), for_use=True)
    client, url = browser_of(staff), f"/admin/users/user/{owner.pk}/change/"
    for chosen in (media, None):
        page = client.get(url).context["adminform"].form
        form = {name: page[name].value() for name in page.fields if page[name].value()}
        form |= {"date_joined_0": "2026-01-01", "date_joined_1": "10:00"}
        form["avatar"] = str(chosen.pk) if chosen else ""
        answer = client.post(url, form)
        assert answer.status_code == 302, answer.context["errors"]
        owner.refresh_from_db()
        assert owner.avatar == chosen
        media.refresh_from_db()
        assert media.expires_at is None  # claimed by the service


def test_the_form_counts_as_an_upload(
    owner: Any, browser_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UploadRate, "rate", "1/min")
    browser = browser_of(owner)
    answers = [browser.post("/settings/profile/", {"about": said}) for said in ("One", "Two")]
    assert [answer.status_code for answer in answers] == [302, 429]
    owner.refresh_from_db()
    assert owner.about == "One"
