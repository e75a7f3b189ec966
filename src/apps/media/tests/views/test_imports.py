"""The API of imports: whose they are, what they tell, how they end."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.core.tests.outbound.sources import answer, reach_of, serving
from apps.media import dispatch, services
from apps.media.models import MediaFile, Upload
from apps.media.tests import samples
from apps.media.views.imports import ImportRate

URL = "/api/v1/uploads/imports/"
PHOTO = samples.photo_jpeg(320, 240)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "send", lambda *args, **kwargs: True)


def begin(api: APIClient, url: str = "https://files.example/photo.jpg", **fields: Any) -> Any:
    return api.post(URL, {"url": url, **fields}, format="json")


def test_is_accepted_and_told_of(api: APIClient) -> None:
    begun = begin(api, title="Sea", tags=["a"], filename="mine.jpg")
    assert begun.status_code == 202
    body = begun.json()
    assert begun["Location"].endswith(f"{URL}{body['id']}/")
    assert (body["state"], body["filename"]) == ("receiving", "mine.jpg")
    assert (body["progress"], body["size"], body["failure"], body["media"]) == (None, None) * 2
    assert api.get(begun["Location"]).json() == body
    assert api.get(URL).json()["results"] == [body]
    assert str(Upload.objects.get().pk) not in begun.content.decode()


def test_becomes_the_media(api: APIClient) -> None:
    with serving(answer(PHOTO)) as source:
        begun = begin(api, source.url(host="files.example"), title="Sea").json()
        services.run_import(upload_id=Upload.objects.get().pk, reach=reach_of(source))
    shown = api.get(f"{URL}{begun['id']}/").json()
    assert (shown["state"], shown["progress"], shown["size"]) == ("completed", 100, len(PHOTO))
    assert shown["media"]["title"] == "Sea"
    assert shown["media"] == api.get(URL).json()["results"][0]["media"]


def test_progress_is_of_what_is_durable(api: APIClient) -> None:
    begun = begin(api).json()
    Upload.objects.update(length=1000, offset=250)
    shown = api.get(f"{URL}{begun['id']}/").json()
    assert (shown["progress"], shown["received"], shown["size"]) == (25, 250, 1000)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://a@b:c#@d/", " http://a.example/"])
def test_s1_s6_what_is_never_fetched_has_failed(api: APIClient, url: str) -> None:
    begun = begin(api, url)
    assert begun.status_code == 202
    assert begun.json()["state"] == "failed"
    assert begun.json()["failure"]["code"] == "url_not_allowed"
    assert not MediaFile.objects.exists()


@pytest.mark.parametrize(
    "body",
    [{}, {"url": ""}, {"url": "x" * 5000}, {"url": "http://a.example/", "visibility": "all"}],
)
def test_unusable_requests_leave_nothing(api: APIClient, body: dict[str, str]) -> None:
    refused = api.post(URL, body, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    assert not Upload.objects.exists()


def test_cancelled_it_is_gone(api: APIClient) -> None:
    address = begin(api)["Location"]
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404
    assert api.delete(address).status_code == 404
    assert not Upload.objects.exists()


def test_a_failed_one_can_be_cleared_away(api: APIClient) -> None:
    assert api.delete(begin(api, "file:///x")["Location"]).status_code == 204


def test_a_finished_one_cannot_be_cancelled(api: APIClient) -> None:
    with serving(answer(PHOTO)) as source:
        address = begin(api, source.url(host="files.example"))["Location"]
        services.run_import(upload_id=Upload.objects.get().pk, reach=reach_of(source))
    refused = api.delete(address)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    assert MediaFile.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "delete"])
def test_is_nobody_elses(api: APIClient, stranger: Any, staff: Any, method: str) -> None:
    address = begin(api)["Location"]
    for person in (stranger, staff):
        other = APIClient()
        other.force_authenticate(person)
        assert getattr(other, method)(address).status_code == 404
        assert other.get(URL).json()["results"] == []
    assert Upload.objects.exists()


def test_needs_a_sign_in(api: APIClient) -> None:
    address, nobody = begin(api)["Location"], APIClient()
    for answered in (
        nobody.get(URL),
        nobody.post(URL),
        nobody.get(address),
        nobody.delete(address),
    ):
        assert answered.status_code == 401


def test_other_uploads_are_no_imports(api: APIClient, owner: Any) -> None:
    announced = services.Announcement(name="a.jpg", length=10)
    upload = services.begin_upload(user=owner, announced=announced)
    assert api.get(f"{URL}{upload.token}/").status_code == 404
    assert api.delete(f"{URL}{upload.token}/").status_code == 404
    assert api.get(URL).json()["results"] == []


@pytest.mark.parametrize("token", ["x", "a" * 44, "%00", "ä", "a.b"])
def test_no_token(api: APIClient, token: str) -> None:
    assert api.get(f"{URL}{token}/").status_code == 404


def test_is_limited_in_rate(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImportRate, "rate", "2/min")
    assert [begin(api).status_code for _ in range(3)] == [202, 202, 429]
    assert api.get(URL).status_code == 200


def test_a_list_costs_the_same_however_long(
    api: APIClient, owner: Any, upload: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        begin(api)
        media = upload(PHOTO, f"{number}.jpg")
        Upload.objects.filter(media=media).update(source="url")
    with django_assert_max_num_queries(8):
        assert len(api.get(URL).json()["results"]) == 10
