"""The HTTP API: what it takes, what it gives, and how it says no."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from apps.media import services
from apps.media.filters import MediaFilter
from apps.media.models import MediaFile
from apps.media.tests import samples

TEXT = b"A few plain words.\n"
URL = "/api/v1/media/"


def _file(data: bytes = TEXT, name: str = "a.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def _send(api: APIClient, data: bytes = TEXT, name: str = "a.txt", **fields: Any) -> Any:
    return api.post(URL, {"file": _file(data, name), **fields}, format="multipart")


WIRE_TYPE = "multipart/form-data; boundary=b"


def _wire(name: str) -> bytes:
    """A multipart body with this very file name; clients would have made it harmless."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').encode()
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + quoted + b'"\r\n'
    return head + b"Content-Type: text/plain\r\n\r\n" + TEXT + b"\r\n--b--\r\n"


class TestCreate:
    def test_answers_with_the_media_and_its_address(self, api: APIClient, owner: Any) -> None:
        answer = _send(
            api, caption="c", alt_text="a", title="t", tags=["x", "y"], visibility="public"
        )
        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert answer["Location"] == body["urls"]["self"]
        assert body["owner"] == {"id": owner.pk, "username": "olga"}
        assert body["tags"] == ["x", "y"]
        assert (body["status"], body["progress"], body["failure"]) == ("pending", 0, None)
        assert body["permissions"] == {"view": True, "edit": True, "delete": True, "share": True}
        assert body["urls"]["thumbnail"].endswith(".svg")
        assert set(body) == CONTRACT_FIELDS
        assert api.get(answer["Location"]).json() == body

    @pytest.mark.parametrize(
        ("sent", "tags"),
        [
            ("p,q", ["p", "q"]),
            (["p, q", "r"], ["p", "q", "r"]),
            ('"Berlin, Germany", sea', ["Berlin, Germany", "sea"]),
            ('["p", "q, r"]', ["p", "q, r"]),
            (['["p"]', "q"], ["p", "q"]),
            ("[p", ["[p"]),
            ("p,,", ["p"]),
            ("p\r\nq", ["p", "q"]),
            ("", []),
        ],
    )
    def test_tags_of_a_form(self, api: APIClient, sent: Any, tags: list[str]) -> None:
        answer = _send(api, tags=sent)
        assert answer.status_code == 201, answer.content
        assert sorted(answer.json()["tags"]) == sorted(tags)

    @pytest.mark.parametrize("sent", ["x" * 65, "x" * 200_000, "[1, [2]]", "[[" * 50_000, _file()])
    def test_no_tags_of_a_form(self, api: APIClient, sent: Any) -> None:
        answer = _send(api, tags=sent)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert not MediaFile.objects.exists()

    @pytest.mark.parametrize(
        ("data", "name", "status", "code"),
        [
            (b"", "empty.txt", 422, "empty_file"),
            (b"<html></html>", "photo.jpg", 422, "type_mismatch"),
            (b"MZ\x90\x00", "setup.exe", 415, "unsupported_type"),
        ],
    )
    def test_refuses_with_a_code(
        self,
        api: APIClient,
        nothing_happened: Callable[[], None],
        data: bytes,
        name: str,
        status: int,
        code: str,
    ) -> None:
        answer = _send(api, data, name)
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"
        body = answer.json()
        assert body["code"] == code
        assert set(body) == {"type", "title", "status", "detail", "code"}
        nothing_happened()

    def test_file_too_large(
        self, api: APIClient, settings: Any, nothing_happened: Callable[[], None]
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "MAX_SIZE": {"document": 10}}
        answer = _send(api, b"x" * 11)
        assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
        nothing_happened()

    def test_quota_exceeded(
        self, api: APIClient, settings: Any, nothing_happened: Callable[[], None]
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_BYTES": 10}
        answer = _send(api, b"x" * 11)
        assert (answer.status_code, answer.json()["code"]) == (413, "quota_exceeded")
        nothing_happened()

    def test_a_bad_field_discards_the_file(
        self, api: APIClient, nothing_happened: Callable[[], None]
    ) -> None:
        answer = _send(api, visibility="everyone")
        assert answer.status_code == 400
        assert "visibility" in answer.json()["errors"]
        nothing_happened()

    def test_without_a_file(self, api: APIClient, nothing_happened: Callable[[], None]) -> None:
        answer = api.post(URL, {"title": "t"}, format="multipart")
        assert answer.status_code == 400
        assert "file" in answer.json()["errors"]
        nothing_happened()

    def test_a_second_file_is_discarded(self, api: APIClient) -> None:
        answer = api.post(URL, {"file": _file(), "other": _file(name="b.txt")}, format="multipart")
        assert answer.status_code == 201
        assert MediaFile.objects.count() == 1

    def test_json_is_not_a_file(self, api: APIClient) -> None:
        answer = api.post(URL, {"file": "x"}, format="json")
        assert answer.status_code == 415

    def test_a_truncated_body_leaves_nothing(
        self, api: APIClient, nothing_happened: Callable[[], None]
    ) -> None:
        body = (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
            b"Content-Type: text/plain\r\n\r\nhello"
        )
        answer = api.generic("POST", URL, body, content_type="multipart/form-data; boundary=b")
        assert answer.status_code == 400
        nothing_happened()

    def test_a_refused_second_file_discards_the_first(
        self, api: APIClient, nothing_happened: Callable[[], None]
    ) -> None:
        files = {"file": _file(), "other": _file(b"MZ" * 40_000, "setup.exe")}
        answer = api.post(URL, files, format="multipart")
        assert answer.status_code == 415
        nothing_happened()

    def test_a_session_needs_its_token_against_forgery(
        self, owner: Any, nothing_happened: Callable[[], None]
    ) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(owner)
        answer = client.post(URL, {"file": _file()})
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        nothing_happened()

    def test_a_session_with_its_token_uploads(self, owner: Any) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(owner)
        client.get("/library/upload/")
        token = client.cookies["csrftoken"].value
        answer = client.post(URL, {"file": _file()}, headers={"X-CSRFToken": token})
        assert answer.status_code == 201

    @pytest.mark.django_db
    def test_anonymous_sends_no_byte(self, nothing_happened: Callable[[], None]) -> None:
        answer = APIClient().post(URL, {"file": _file()}, format="multipart")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Token")
        nothing_happened()


class TestNames:
    """Names are kept as metadata, byte for byte, or refused; never more (CONTRACT, corpus)."""

    @pytest.mark.corpus
    def test_naughty_strings_as_texts(
        self, api: APIClient, corpus: Path, upload: Callable[..., MediaFile]
    ) -> None:
        address = f"{URL}{upload(TEXT, 'a.txt').pk}/"
        for text in json.loads((corpus / "names" / "blns.json").read_text()):
            fields = dict.fromkeys(("title", "caption", "alt_text"), text)
            answer = api.patch(address, fields, format="json")
            if answer.status_code == 400:  # what is wrong for one may be right for another
                assert answer.json()["errors"]
                fields = {name: text for name in fields if name not in answer.json()["errors"]}
                answer = api.patch(address, fields, format="json")
            assert answer.status_code == 200
            assert all(answer.json()[name] in {text, text.strip()} for name in fields)

    @pytest.mark.corpus
    def test_naughty_strings_as_file_names(
        self, api: APIClient, corpus: Path, own_storage: Any, browser_of: Any, owner: Any
    ) -> None:
        client = browser_of(owner)
        answer = api.post(URL, {"file": SimpleUploadedFile("a.txt", TEXT)}, format="multipart")
        media = MediaFile.objects.get(pk=answer.json()["id"])
        for text in json.loads((corpus / "names" / "blns.json").read_text()):
            MediaFile.objects.filter(pk=media.pk).update(original_name=text[:255] or "x")
            media.versions.update(original_name=text[:255] or "x")
            sent = client.get(f"/media/{media.pk}/original")
            assert sent.status_code == 200
            assert sent.get("Content-Disposition", "").isprintable()

    @pytest.mark.corpus
    def test_traversal_names(self, api: APIClient, corpus: Path, own_storage: Any) -> None:
        names = json.loads((corpus / "names" / "django_traversal_names.json").read_text())
        for name in [item for group in names.values() for item in group]:
            answer = api.generic("POST", URL, _wire(name), content_type=WIRE_TYPE)
            assert answer.status_code in {201, 400, 415}, (name, answer.content)
        for item in own_storage.walk():
            assert "hax" not in item.key
            assert ".." not in item.key


class TestList:
    @pytest.fixture
    def library(self, upload: Callable[..., MediaFile], stranger: Any) -> dict[str, MediaFile]:
        made = {
            "notes": upload(TEXT, "notes.txt", title="Shopping list", tags=["home"]),
            "photo": upload(samples.photo_jpeg(64, 48), "sea.jpg", tags=["home", "sea"]),
            "theirs": upload(TEXT, "theirs.txt", user=stranger),
            "public": upload(TEXT, "public.txt", user=stranger, visibility="public"),
            "unlisted": upload(TEXT, "unlisted.txt", user=stranger, visibility="unlisted"),
        }
        MediaFile.objects.update(status="ready", usable=True)
        return made

    def _names(self, api: APIClient, **query: Any) -> list[str]:
        answer = api.get(URL, query)
        assert answer.status_code == 200, answer.content
        return [item["original_name"] for item in answer.json()["results"]]

    def test_shows_own_and_public_newest_first(self, api: APIClient, library: Any) -> None:
        assert self._names(api) == ["public.txt", "sea.jpg", "notes.txt"]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ({"media_type": "image"}, ["sea.jpg"]),
            ({"owner": "olga"}, ["sea.jpg", "notes.txt"]),
            ({"owner": "nobody"}, []),
            ({"tag": "home"}, ["sea.jpg", "notes.txt"]),
            ({"tag": ["home", "SEA"]}, ["sea.jpg"]),
            ({"q": "shopping"}, ["notes.txt"]),
            ({"q": "LIST notes"}, ["notes.txt"]),
            ({"q": "sea"}, ["sea.jpg"]),
            ({"q": "shopping sea"}, []),
            ({"visibility": "public"}, ["public.txt"]),
            ({"status": "failed"}, []),
            ({"created_after": "2000-01-01T00:00:00Z", "owner": "olga"}, ["sea.jpg", "notes.txt"]),
            ({"created_before": "2000-01-01T00:00:00Z"}, []),
            ({"created_before": "0774-08-08T17:58:14.8+20:30"}, []),  # beyond PostgreSQL's zones
            (
                {"since": "2000-01-01", "until": "9000-12-31", "owner": "olga"},
                ["sea.jpg", "notes.txt"],
            ),
            ({"until": "2000-01-01"}, []),
            ({"size_max": "100", "owner": "olga"}, ["notes.txt"]),
            ({"size_min": "101"}, ["sea.jpg"]),
            ({"color": ["red", "blue"]}, []),
            ({"ordering": "original_name"}, ["notes.txt", "public.txt", "sea.jpg"]),
            ({"ordering": "-size", "page_size": 1}, ["sea.jpg"]),
        ],
    )
    def test_filters(self, api: APIClient, library: Any, query: Any, names: list[str]) -> None:
        assert self._names(api, **query) == names

    def test_an_owner_is_named_or_numbered(
        self, api: APIClient, library: Any, owner: Any, stranger: Any
    ) -> None:
        assert self._names(api, owner=owner.pk) == ["sea.jpg", "notes.txt"]
        assert self._names(api, owner=stranger.pk) == ["public.txt"]
        for nobody in ("0", "-1", "9" * 30, "9" * 9_000, "1.5"):
            assert self._names(api, owner=nobody) == []
        type(stranger).objects.filter(pk=stranger.pk).update(username=str(owner.pk))
        assert self._names(api, owner=owner.pk) == ["public.txt"]  # names come first

    def test_a_name_of_an_owner_costs_no_query_of_its_own(
        self, db: None, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            str(MediaFilter({"owner": "olga"}, queryset=MediaFile.objects.all()).qs.query)

    @pytest.mark.parametrize(
        "query",
        [
            {"cursor": "garbage"},
            {"page_size": "0"},
            {"page_size": "201"},
            {"page_size": "x"},
            {"ordering": "password"},
            {"media_type": "spreadsheet"},
            {"created_after": "yesterday"},
            {"since": "0001-01-01"},
            {"until": "9999-12-31"},
            {"since": "yesterday"},
            {"size_min": "-1"},
            {"size_max": "1e30"},
            {"color": "mauve"},
            {"q": "a\x00b"},
            {"owner": "\x00"},
            {"tag": "\x00"},
        ],
    )
    def test_wrong_parameters_are_400(self, api: APIClient, library: Any, query: Any) -> None:
        answer = api.get(URL, query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")

    def test_pages_join_without_gap(self, api: APIClient, library: Any) -> None:
        seen: list[str] = []
        url: str | None = f"{URL}?page_size=1"
        while url:
            body = api.get(url).json()
            seen += [item["original_name"] for item in body["results"]]
            url = body["next"]
        assert seen == ["public.txt", "sea.jpg", "notes.txt"]

    def test_fifty_files_cost_as_many_queries_as_two(
        self,
        api: APIClient,
        owner: Any,
        upload: Callable[..., MediaFile],
        django_assert_num_queries: Any,
        run_jobs: Any,
        monkeypatch: pytest.MonkeyPatch,
        own_storage: Any,
    ) -> None:
        for number in range(3):
            upload(samples.photo_jpeg(64, 48), f"{number}.jpg", tags=["a", f"b{number}"])
        run_jobs()
        photo = MediaFile.objects.first()
        assert photo is not None
        for number in range(50):
            upload(TEXT, f"{number}.txt", tags=["a"])

        class NoStorage:
            def __getattr__(self, name: str) -> Any:
                raise AssertionError(f"storage asked for {name}")

        monkeypatch.setattr("apps.media.storage.object_store", lambda alias: NoStorage())
        # Permissions (2), ways to see a file (6, and one each of users, posts, events), rows, tags,
        # renditions.
        with django_assert_num_queries(14):
            assert len(api.get(URL, {"page_size": 2}).json()["results"]) == 2
        owner.__dict__.pop("_perm_cache", None)
        owner.__dict__.pop("_user_perm_cache", None)
        owner.__dict__.pop("_group_perm_cache", None)
        with django_assert_num_queries(14):
            assert len(api.get(URL, {"page_size": 50}).json()["results"]) == 50


class TestChange:
    def test_patch_changes_what_is_given(
        self, api: APIClient, upload: Callable[..., MediaFile]
    ) -> None:
        media = upload(TEXT, "a.txt", title="old", tags=["x"])
        answer = api.patch(
            f"{URL}{media.pk}/",
            {"title": "new", "tags": ["y", "z"], "focal_point": {"x": 0.25, "y": 1}},
            format="json",
        )
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert (body["title"], body["tags"]) == ("new", ["y", "z"])
        assert body["focal_point"] == {"x": 0.25, "y": 1.0}
        assert api.get(URL, {"q": "new"}).json()["results"]
        assert not api.get(URL, {"q": "old"}).json()["results"]

    def test_patch_takes_tags_in_json_as_they_are(
        self, api: APIClient, upload: Callable[..., MediaFile]
    ) -> None:
        url = f"{URL}{upload(TEXT, 'a.txt').pk}/"
        for tags in (["Berlin, Germany", "[x]", '["y"]'], []):
            assert api.patch(url, {"tags": tags}, format="json").json()["tags"] == sorted(tags)
        for wrong in ([""], ["x" * 65], [["x"]], {"x": 1}, ["x"] * 51):
            assert api.patch(url, {"tags": wrong}, format="json").status_code == 400
        assert api.patch(url, {"tags": "p,q"}, format="multipart").json()["tags"] == ["p", "q"]
        assert api.patch(url, {"title": "t"}, format="multipart").json()["tags"] == ["p", "q"]

    @pytest.mark.parametrize(
        "field", ["owner", "status", "size", "sha256", "id", "mime_type", "version", "deleted_at"]
    )
    def test_patch_cannot_set_facts(
        self, api: APIClient, upload: Callable[..., MediaFile], field: str
    ) -> None:
        media = upload(TEXT, "a.txt")
        before = api.get(f"{URL}{media.pk}/").json()
        api.patch(f"{URL}{media.pk}/", {field: "1"}, format="json")
        after = api.get(f"{URL}{media.pk}/").json()
        assert after[field] == before[field]

    def test_trash_and_back(self, api: APIClient, upload: Callable[..., MediaFile]) -> None:
        media = upload(TEXT, "a.txt")
        url = f"{URL}{media.pk}/"
        assert api.delete(url).status_code == 204
        assert api.get(URL).json()["results"] == []
        assert [item["id"] for item in api.get(f"{URL}trash/").json()["results"]] == [str(media.pk)]
        assert api.post(f"{url}restore/").json()["deleted_at"] is None
        assert len(api.get(URL).json()["results"]) == 1
        again = api.post(f"{url}restore/")
        assert (again.status_code, again.json()["code"]) == (409, "wrong_state")

    def test_permanent(
        self, api: APIClient, upload: Callable[..., MediaFile], own_storage: Any
    ) -> None:
        media = upload(TEXT, "a.txt")
        assert api.delete(f"{URL}{media.pk}/?permanent=true").status_code == 204
        assert api.get(f"{URL}{media.pk}/").status_code == 404
        services.bury_tombstones()
        assert list(own_storage.walk()) == []

    def test_unsupported_methods(self, api: APIClient, upload: Callable[..., MediaFile]) -> None:
        media = upload(TEXT, "a.txt")
        for method in ("PUT", "TRACE", "PROPFIND"):
            assert api.generic(method, f"{URL}{media.pk}/").status_code == 405
            assert api.generic(method, URL).status_code == 405


def test_tags_are_the_users_own(
    api: APIClient, upload: Callable[..., MediaFile], stranger: Any
) -> None:
    upload(TEXT, "a.txt", tags=["mine", "both"])
    upload(TEXT, "b.txt", tags=["mine"])
    upload(TEXT, "c.txt", tags=["theirs", "both"], user=stranger)
    body = api.get("/api/v1/tags/").json()
    assert [(tag["name"], tag["uses"]) for tag in body["results"]] == [("both", 1), ("mine", 2)]


def test_usage(api: APIClient, upload: Callable[..., MediaFile]) -> None:
    upload(TEXT, "a.txt")
    body = api.get("/api/v1/me/usage/").json()
    assert (body["used"], body["files"], body["reserved"]) == (len(TEXT), 1, 0)
    assert body["quota"] > body["used"]


def test_reprocess(api: APIClient, upload: Callable[..., MediaFile], run_jobs: Any) -> None:
    media = upload(TEXT, "a.txt")
    run_jobs()
    assert api.post(f"{URL}{media.pk}/reprocess/").json()["status"] == "pending"
    run_jobs()
    assert api.get(f"{URL}{media.pk}/").json()["status"] == "ready"


def test_missing_is_a_problem_too(api: APIClient) -> None:
    for url in (f"{URL}0198c0de-0000-7000-8000-000000000000/", "/api/v1/nothing/"):
        answer = api.get(url)
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "not_found"


CONTRACT_FIELDS = set(
    "id owner title original_name media_type mime_type size sha256 width height duration status "
    "failure progress visibility share_location caption alt_text tags focal_point placeholder "
    "color version duplicate_of created_at updated_at deleted_at urls renditions permissions "
    "chapters captions facts".split()
)


@pytest.mark.parametrize(("said", "lifetime"), [("true", "used"), ("", "kept"), ("false", "kept")])
def test_a_file_for_a_use(api: APIClient, said: str, lifetime: str) -> None:
    _send(api, **({"for_use": said} if said else {}))
    media = MediaFile.objects.get()
    assert (media.lifetime, media.expires_at is None) == (lifetime, lifetime == "kept")
