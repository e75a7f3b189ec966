"""Captions over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from apps.media.models import Caption, MediaFile
from apps.media.processing.captions import MAX_BYTES

SUBRIP = b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"


def _url(media: MediaFile) -> str:
    return f"/api/v1/media/{media.pk}/captions/"


def _send(api: APIClient, media: MediaFile, data: bytes = SUBRIP, **fields: Any) -> Any:
    body = {"file": SimpleUploadedFile("a.srt", data), "language": "en", **fields}
    return api.post(_url(media), body, format="multipart")


def test_added_listed_fetched_and_removed(api: APIClient, film: MediaFile) -> None:
    answer = _send(api, film, language="pt-br", kind="captions", label="Português", default="true")
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert {**body, "id": "", "url": ""} == {
        "id": "",
        "language": "pt-BR",
        "kind": "captions",
        "label": "Português",
        "default": True,
        "url": "",
    }
    assert api.get(_url(film)).json() == {"next": None, "previous": None, "results": [body]}
    assert api.get(f"/api/v1/media/{film.pk}/").json()["captions"] == [body]
    signed_in = Client()
    signed_in.force_login(film.owner)
    text = signed_in.get(body["url"])
    assert (text.status_code, text["Content-Type"]) == (200, "text/vtt; charset=utf-8")
    assert b"Hello" in b"".join(text)
    assert api.delete(f"{_url(film)}{body['id']}/").status_code == 204
    assert api.get(_url(film)).json()["results"] == []
    assert signed_in.get(body["url"]).status_code == 404


@pytest.mark.parametrize(
    ("data", "fields", "status", "code"),
    [
        (b"no captions", {}, 422, "unreadable_caption"),
        (b"", {}, 422, "unreadable_caption"),
        (b"x" * (MAX_BYTES + 1), {}, 413, "file_too_large"),
        (b"x" * (MAX_BYTES + 100_000), {}, 413, "file_too_large"),
        (SUBRIP, {"language": "english language"}, 400, "invalid"),
        (SUBRIP, {"kind": "chapters"}, 400, "invalid"),
        (SUBRIP, {"language": ""}, 400, "invalid"),
        (SUBRIP, {"default": "perhaps"}, 400, "invalid"),
    ],
)
def test_refusals(
    api: APIClient, film: MediaFile, data: bytes, fields: Any, status: int, code: str
) -> None:
    answer = _send(api, film, data, **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Caption.objects.exists()


def test_a_second_one_of_the_language_is_refused(api: APIClient, film: MediaFile) -> None:
    assert _send(api, film).status_code == 201
    answer = _send(api, film)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_only_recordings_have_captions(api: APIClient, film: MediaFile) -> None:
    MediaFile.objects.update(media_type="image")
    assert _send(api, film).status_code == 409


def test_a_body_without_a_file(api: APIClient, film: MediaFile) -> None:
    answer = api.post(_url(film), {"language": "en"}, format="multipart")
    assert answer.status_code == 400
    assert "file" in answer.json()["errors"]
    assert api.post(_url(film), {"language": "en"}, format="json").status_code == 415


def test_a_caption_of_another_film_is_missing(api: APIClient, film: MediaFile, upload: Any) -> None:
    _send(api, film)
    other = upload(b"A few plain words.\n", "a.txt")
    for media, caption in ((other, Caption.objects.get().pk), (film, uuid.uuid4())):
        assert api.delete(f"{_url(media)}{caption}/").status_code == 404
    assert Caption.objects.exists()


def test_a_session_needs_its_token_against_forgery(film: MediaFile) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(film.owner)

    def send(**headers: str) -> int:
        body = {"file": SimpleUploadedFile("a.srt", SUBRIP), "language": "en"}
        return client.post(_url(film), body, headers=headers).status_code

    assert send() == 403
    client.get("/library/upload/")
    assert send(**{"X-CSRFToken": client.cookies["csrftoken"].value}) == 201
