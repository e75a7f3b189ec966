"""The tus protocol, case by case: every test is named by the id of its requirement.

What needs a real line (cut connections, bodies in chunks, parallel requests) is in
`flows/test_tus_lines.py`.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.core.errors import StorageUnavailableError
from apps.core.storage import ObjectStore
from apps.media import selectors, services
from apps.media.models import MediaFile, Quota, Tombstone, Upload
from apps.media.tests.views.tus_client import BASE, TEXT, TusClient, encode

UNKNOWN = f"{BASE}{'x' * 32}/"


@pytest.fixture
def tus(api: APIClient) -> TusClient:
    return TusClient(api)


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    return f"{algorithm} {base64.b64encode(digest).decode()}"


def assert_nothing_left(store: ObjectStore) -> None:
    services.bury_tombstones()
    assert not Upload.objects.exists()
    assert not MediaFile.objects.exists()
    assert list(store.walk()) == []
    assert all(quota.bytes_reserved == 0 for quota in Quota.objects.all())


class TestCore:
    @pytest.mark.parametrize("version", [None, "99.0.0"])
    def test_core_01_02_03_04_options(self, tus: TusClient, version: str | None) -> None:
        answer = tus.request("OPTIONS", BASE, version=version)
        assert answer.status_code == 204
        assert answer["Tus-Version"] == "1.0.0"
        assert set(answer["Tus-Extension"].split(",")) >= {
            "creation",
            "creation-with-upload",
            "creation-defer-length",
            "expiration",
            "checksum",
            "termination",
            "concatenation",
        }
        assert int(answer["Tus-Max-Size"]) > 0

    def test_core_01_options_need_no_account(self) -> None:
        assert APIClient().options(BASE).status_code == 204

    @pytest.mark.parametrize("version", [None, "0.2.2"])
    def test_core_05_06_other_versions_create_nothing(
        self, tus: TusClient, version: str | None
    ) -> None:
        answer = tus.post(Upload_Length=11, version=version)
        assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")
        assert answer.json()["code"] == "wrong_protocol_version"
        assert not Upload.objects.exists()

    def test_core_07_other_versions_change_nothing(self, tus: TusClient) -> None:
        url = tus.create()
        assert tus.patch(url, TEXT, version="2.0.0").status_code == 412
        assert tus.offset(url) == 0

    def test_core_08_every_answer_names_the_version(self, tus: TusClient) -> None:
        url = tus.create()
        answers = [
            tus.post(Upload_Length=11),
            tus.head(url),
            tus.head(UNKNOWN),
            tus.patch(url, TEXT, offset=5),
            tus.patch(url, TEXT, Content_Type="text/plain"),
            tus.patch(url, TEXT),
            tus.request("GET", url),
            TusClient(APIClient()).head(url),
        ]
        assert [answer.status_code for answer in answers] == [
            201,
            200,
            404,
            409,
            415,
            204,
            405,
            401,
        ]
        assert {answer["Tus-Resumable"] for answer in answers} == {"1.0.0"}

    def test_core_09_10_head_of_a_new_upload(self, tus: TusClient) -> None:
        answer = tus.head(tus.create())
        assert (answer["Upload-Offset"], answer["Upload-Length"]) == ("0", "11")
        assert "no-store" in answer["Cache-Control"]

    def test_core_11_13_a_complete_upload_is_a_media_file(self, tus: TusClient) -> None:
        url = tus.create()
        answer = tus.patch(url, TEXT)
        assert (answer.status_code, answer["Upload-Offset"]) == (204, "11")
        media = MediaFile.objects.get()
        assert answer["Content-Location"] == f"/api/v1/media/{media.pk}/"
        again = tus.head(url)
        assert (again["Upload-Offset"], again["Upload-Length"]) == ("11", "11")
        assert again["Content-Location"] == answer["Content-Location"]
        assert media.file.read(100) == TEXT
        assert (media.original_name, media.size) == ("hello.txt", 11)

    @pytest.mark.parametrize("url", [UNKNOWN, f"{BASE}x"])
    def test_core_12_18_unknown_uploads(self, tus: TusClient, url: str) -> None:
        for answer in (tus.head(url), tus.patch(url, TEXT), tus.delete(url)):
            assert answer.status_code == 404
            assert "Upload-Offset" not in answer

    def test_core_14_in_pieces(self, tus: TusClient) -> None:
        url = tus.create()
        for offset, size in ((0, 5), (5, 1), (6, 5)):
            answer = tus.patch(url, TEXT[offset : offset + size], offset=offset)
            assert (answer.status_code, answer["Upload-Offset"]) == (204, str(offset + size))
        assert MediaFile.objects.get().file.read(100) == TEXT

    @pytest.mark.parametrize("offset", [0, 4, 6, 11])
    def test_core_15_16_wrong_offsets(self, tus: TusClient, offset: int) -> None:
        url = tus.create()
        tus.patch(url, TEXT[:5])
        answer = tus.patch(url, TEXT[:5], offset=offset)
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_offset")
        assert tus.offset(url) == 5

    def test_core_17_other_content_types(self, tus: TusClient) -> None:
        url = tus.create()
        assert tus.patch(url, TEXT, Content_Type="text/plain").status_code == 415
        assert tus.offset(url) == 0

    @pytest.mark.parametrize(
        "offset", [None, "-1", "abc", "0x0", "1e0", "+0", "9" * 23, "", " ", "٣", "1.0"]
    )
    def test_core_19_20_offsets_that_are_none(self, tus: TusClient, offset: str | None) -> None:
        url = tus.create()
        assert tus.patch(url, TEXT, offset=offset).status_code == 400
        assert tus.offset(url) == 0

    def test_core_21_more_than_announced(self, tus: TusClient, own_storage: ObjectStore) -> None:
        url = tus.create()
        assert tus.patch(url, TEXT + b"!").status_code == 400
        tus.patch(url, TEXT[:5])
        assert tus.patch(url, TEXT, offset=5).status_code == 400
        assert tus.offset(url) == 5

    def test_core_24_no_bytes(self, tus: TusClient) -> None:
        url = tus.create()
        tus.patch(url, TEXT[:5])
        answer = tus.patch(url, b"", offset=5)
        assert (answer.status_code, answer["Upload-Offset"]) == (204, "5")

    def test_core_25_a_finished_upload_takes_no_bytes(self, tus: TusClient) -> None:
        url = tus.create()
        tus.patch(url, TEXT)
        assert tus.patch(url, TEXT, offset=11).status_code in {400, 409}
        assert tus.patch(url, b"", offset=11).status_code == 204
        assert MediaFile.objects.get().file.read(100) == TEXT

    def test_core_26_method_override(self, tus: TusClient) -> None:
        url = tus.create()
        answer = tus.request("POST", url, TEXT, Upload_Offset=0, X_HTTP_Method_Override="PATCH")
        assert (answer.status_code, answer["Upload-Offset"]) == (204, "11")
        assert tus.request("POST", url).status_code == 405


class TestCreation:
    def test_cre_01_location(self, tus: TusClient) -> None:
        answer = tus.post(Upload_Length=11)
        assert answer.status_code == 201
        assert answer["Location"].startswith(BASE)
        assert Upload.objects.get().reserved == 11

    def test_cre_02_an_empty_upload_is_complete_and_no_file(self, tus: TusClient) -> None:
        url = tus.create(length=0)
        answer = tus.head(url)
        assert (answer["Upload-Offset"], answer["Upload-Length"]) == ("0", "0")
        assert not MediaFile.objects.exists()

    @pytest.mark.parametrize("length", [None, "-1", "abc", "1.5", "0x10", "9" * 23, ""])
    def test_cre_03_04_lengths_that_are_none(self, tus: TusClient, length: str | None) -> None:
        headers = {} if length is None else {"Upload_Length": length}
        assert tus.post(**headers).status_code == 400
        assert not Upload.objects.exists()

    def test_cre_05_too_large(self, tus: TusClient) -> None:
        largest = int(tus.request("OPTIONS", BASE)["Tus-Max-Size"])
        answer = tus.post(Upload_Length=largest + 1)
        assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
        assert answer["Tus-Max-Size"] == str(largest)

    def test_cre_05_beyond_the_quota(self, tus: TusClient, settings: Any) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_BYTES": 20}
        tus.create()
        answer = tus.post(Upload_Length=11)
        assert (answer.status_code, answer.json()["code"]) == (413, "quota_exceeded")
        assert Upload.objects.count() == 1

    def test_cre_06_07_metadata_comes_back(self, tus: TusClient) -> None:
        given = encode(filename="фото 写真.txt") + ",is_confidential"
        url = tus.post(Upload_Length=11, Upload_Metadata=given)["Location"]
        assert tus.head(url)["Upload-Metadata"] == given
        tus.patch(url, TEXT)
        assert MediaFile.objects.get().original_name == "фото 写真.txt"

    def test_cre_06_metadata_are_the_fields_of_the_file(self, tus: TusClient) -> None:
        given = encode(
            filename="a.txt", title="T", caption="C", tags="one, two", visibility="public"
        )
        url = tus.post(Upload_Length=11, Upload_Metadata=given)["Location"]
        tus.patch(url, TEXT)
        media = MediaFile.objects.get()
        assert (media.title, media.caption, media.visibility) == ("T", "C", "public")
        assert {tag.name for tag in media.tags.all()} == {"one", "two"}

    @pytest.mark.parametrize("tags", ['["x","y"]', "x,y", "x\ny"])
    def test_cre_06_tags_are_those_of_a_form(self, tus: TusClient, tags: str) -> None:
        given = encode(filename="a.txt", tags=tags)
        url = tus.post(Upload_Length=11, Upload_Metadata=given)["Location"]
        tus.patch(url, TEXT)
        assert {tag.name for tag in MediaFile.objects.get().tags.all()} == {"x", "y"}

    @pytest.mark.parametrize(
        "metadata", ["filename %%%", "a YQ==,a YQ==", "a b c", "a YQ==,,b", "x" * 9000]
    )
    def test_cre_08_malformed_metadata(self, tus: TusClient, metadata: str) -> None:
        assert tus.post(Upload_Length=11, Upload_Metadata=metadata).status_code == 400
        assert not Upload.objects.exists()

    @pytest.mark.parametrize(
        "fields", [{"visibility": "everybody"}, {"title": "x" * 300}, {"sha256": "short"}]
    )
    def test_cre_08_unusable_fields(self, tus: TusClient, fields: dict[str, str]) -> None:
        answer = tus.post(Upload_Length=11, Upload_Metadata=encode(**fields))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert not Upload.objects.exists()

    def test_cre_09_no_header_injection(self, tus: TusClient) -> None:
        url = tus.create(name="x\r\nSet-Cookie: a=b")
        tus.patch(url, TEXT)
        for answer in (tus.head(url), tus.api.get(f"/media/{MediaFile.objects.get().pk}/original")):
            assert "Set-Cookie" not in answer.headers
            assert not answer.cookies

    def test_cre_10_names_do_not_become_keys(self, tus: TusClient) -> None:
        url = tus.create(name="../../../../tmp/evil")
        upload = Upload.objects.get()
        assert "evil" not in url + upload.key
        assert upload.original_name == "evil"

    def test_cre_11_addresses_cannot_be_guessed(self, tus: TusClient) -> None:
        first, second = tus.create(), tus.create()
        assert first != second
        assert len(first.removeprefix(BASE).strip("/")) >= 22

    @pytest.mark.parametrize("path", ["../../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc", "a/b", "%00"])
    def test_cre_12_traversal(self, tus: TusClient, path: str) -> None:
        for method in ("HEAD", "PATCH", "DELETE", "GET"):
            answer = tus.request(method, BASE + path, Upload_Offset=0)
            assert 400 <= answer.status_code < 500

    def test_cre_13_empty_metadata(self, tus: TusClient) -> None:
        assert tus.post(Upload_Length=11, Upload_Metadata="").status_code == 201


class TestDeferredLength:
    def test_def_01_04(self, tus: TusClient) -> None:
        url = tus.post(Upload_Defer_Length=1, Upload_Metadata=encode(filename="a.txt"))["Location"]
        described = tus.head(url)
        assert described["Upload-Defer-Length"] == "1"
        assert "Upload-Length" not in described
        assert tus.patch(url, TEXT[:5]).status_code == 204
        assert Upload.objects.get().reserved >= 5
        assert tus.patch(url, TEXT[5:], offset=5, Upload_Length=11).status_code == 204
        described = tus.head(url)
        assert described["Upload-Length"] == "11"
        assert "Upload-Defer-Length" not in described
        assert MediaFile.objects.get().size == 11
        account = Quota.objects.get()
        assert (account.bytes_reserved, account.bytes_used) == (0, 11)

    def test_def_02_03(self, tus: TusClient) -> None:
        assert tus.post(Upload_Defer_Length=2).status_code == 400
        assert tus.post(Upload_Defer_Length=1, Upload_Length=11).status_code == 400
        assert not Upload.objects.exists()

    def test_def_05_06(self, tus: TusClient) -> None:
        url = tus.post(Upload_Defer_Length=1)["Location"]
        tus.patch(url, TEXT[:5])
        assert tus.patch(url, b"", offset=5, Upload_Length=4).status_code == 400
        assert tus.patch(url, b"", offset=5, Upload_Length=11).status_code == 204
        assert tus.patch(url, b"", offset=5, Upload_Length=20).status_code == 400
        assert tus.head(url)["Upload-Length"] == "11"


class TestCreationWithUpload:
    def test_cwu_01_all_at_once(self, tus: TusClient) -> None:
        answer = tus.post(TEXT, Upload_Length=11, Upload_Metadata=encode(filename="a.txt"))
        assert (answer.status_code, answer["Upload-Offset"]) == (201, "11")
        assert answer["Content-Location"] == f"/api/v1/media/{MediaFile.objects.get().pk}/"

    def test_cwu_02_some_at_once(self, tus: TusClient) -> None:
        answer = tus.post(TEXT[:5], Upload_Length=11, Upload_Metadata=encode(filename="a.txt"))
        assert (answer.status_code, answer["Upload-Offset"]) == (201, "5")
        assert tus.patch(answer["Location"], TEXT[5:], offset=5).status_code == 204
        assert MediaFile.objects.get().file.read(100) == TEXT

    def test_cwu_03_too_much(self, tus: TusClient, own_storage: ObjectStore) -> None:
        assert tus.post(TEXT + b"!", Upload_Length=11).status_code == 400
        assert_nothing_left(own_storage)

    @pytest.mark.parametrize(
        ("said", "status"), [("crc32 AAAA", 400), (checksum(b"HellO world"), 460)]
    )
    def test_cwu_a_checksum_that_is_none_or_wrong(
        self, tus: TusClient, own_storage: ObjectStore, said: str, status: int
    ) -> None:
        """Its client never hears of an address to go on with."""
        assert tus.post(TEXT, Upload_Length=11, Upload_Checksum=said).status_code == status
        assert_nothing_left(own_storage)

    def test_cwu_a_storage_that_is_away(
        self, tus: TusClient, own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*args: object) -> None:
            raise StorageUnavailableError

        with monkeypatch.context() as patch:
            patch.setattr(type(own_storage), "promote", away)
            assert tus.post(TEXT, Upload_Length=11).status_code == 503
        assert_nothing_left(own_storage)

    def test_cwu_04_another_type_is_no_body(self, tus: TusClient) -> None:
        answer = tus.post(TEXT, Upload_Length=11, Content_Type="text/plain")
        assert (answer.status_code, answer["Upload-Offset"]) == (201, "0")

    def test_cwu_06_deferred(self, tus: TusClient) -> None:
        answer = tus.post(TEXT[:5], Upload_Defer_Length=1)
        assert (answer.status_code, answer["Upload-Offset"]) == (201, "5")
        assert tus.head(answer["Location"])["Upload-Defer-Length"] == "1"


class TestCopies:
    """A hash sent ahead, of bytes that the owner has."""

    SAID = {"filename": "copy.txt", "sha256": hashlib.sha256(TEXT).hexdigest()}

    @pytest.fixture
    def present(self, tus: TusClient, run_jobs: Any) -> MediaFile:
        tus.patch(tus.create(), TEXT)
        run_jobs()
        return MediaFile.objects.get()

    def test_refused(self, tus: TusClient, present: MediaFile) -> None:
        said = encode(**self.SAID, on_duplicate="refuse")
        answer = tus.post(Upload_Length=11, Upload_Metadata=said)
        assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_file")
        assert Upload.objects.count() == 1

    def test_linked(self, tus: TusClient, present: MediaFile) -> None:
        said = encode(**self.SAID, on_duplicate="link")
        for body in (b"", TEXT):
            answer = tus.post(body, Upload_Length=11, Upload_Metadata=said)
            assert (answer.status_code, answer["Upload-Offset"]) == (201, "11")
            assert answer["Content-Location"] == f"/api/v1/media/{present.pk}/"
            assert tus.head(answer["Location"])["Upload-Offset"] == "11"
        assert MediaFile.objects.count() == 1
        assert Quota.objects.get().bytes_reserved == 0

    def test_told(self, tus: TusClient, present: MediaFile, run_jobs: Any) -> None:
        url = tus.post(Upload_Length=11, Upload_Metadata=encode(**self.SAID))["Location"]
        tus.patch(url, TEXT)
        run_jobs()
        assert MediaFile.objects.exclude(pk=present.pk).get().duplicate_of == present

    def test_a_hash_that_is_wrong(self, tus: TusClient, run_jobs: Any) -> None:
        said = encode(filename="a.txt", sha256="0" * 64)
        tus.patch(tus.post(Upload_Length=11, Upload_Metadata=said)["Location"], TEXT)
        run_jobs()
        media = MediaFile.objects.get()
        assert (media.status, media.failure_code) == ("failed", "checksum_mismatch")


class TestExpiration:
    def test_exp_01_when(self, tus: TusClient) -> None:
        created = tus.post(Upload_Length=11)
        assert created["Upload-Expires"].endswith("GMT")
        patched = tus.patch(created["Location"], TEXT[:5])
        assert patched["Upload-Expires"].endswith("GMT")

    def test_exp_02_afterwards(self, tus: TusClient, own_storage: ObjectStore) -> None:
        url = tus.create()
        tus.patch(url, TEXT[:5])
        Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert tus.head(url).status_code == 410
        assert tus.patch(url, TEXT[5:], offset=5).status_code == 410
        assert services.expire_uploads() == 1
        assert tus.head(url).status_code == 404
        Tombstone.objects.update(due_at=timezone.now())
        assert_nothing_left(own_storage)

    def test_exp_03_what_is_complete_stays(self, tus: TusClient) -> None:
        url = tus.create()
        tus.patch(url, TEXT)
        Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        services.expire_uploads()
        services.bury_tombstones()
        assert MediaFile.objects.get().file.read(100) == TEXT


class TestChecksum:
    def test_chk_01_algorithms(self, tus: TusClient) -> None:
        names = tus.request("OPTIONS", BASE)["Tus-Checksum-Algorithm"].split(",")
        assert "sha1" in names

    @pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
    def test_chk_02_03_right_and_wrong(self, tus: TusClient, algorithm: str) -> None:
        url = tus.create()
        wrong = tus.patch(url, b"HellO world", Upload_Checksum=checksum(TEXT, algorithm))
        assert (wrong.status_code, wrong.json()["code"]) == (460, "chunk_damaged")
        assert tus.offset(url) == 0
        right = tus.patch(url, TEXT, Upload_Checksum=checksum(TEXT, algorithm))
        assert right.status_code == 204
        assert MediaFile.objects.get().file.read(100) == TEXT

    @pytest.mark.parametrize(
        "text", ["crc32 AAAA", "sha1", "sha1 %%%", "", "sha1 YQ==", "SHA1 YQ=="]
    )
    def test_chk_04_06_checksums_that_are_none(self, tus: TusClient, text: str) -> None:
        url = tus.create()
        assert tus.patch(url, TEXT, Upload_Checksum=text).status_code == 400
        assert tus.offset(url) == 0

    def test_chk_05_a_wrong_second_piece(self, tus: TusClient) -> None:
        url = tus.create()
        tus.patch(url, TEXT[:5], Upload_Checksum=checksum(TEXT[:5]))
        wrong = tus.patch(url, b"XXXXXX", offset=5, Upload_Checksum=checksum(TEXT[5:]))
        assert wrong.status_code == 460
        assert tus.offset(url) == 5
        tus.patch(url, TEXT[5:], offset=5)
        assert MediaFile.objects.get().file.read(100) == TEXT


class TestTermination:
    def test_ter_01_02(self, tus: TusClient, own_storage: ObjectStore) -> None:
        url = tus.create()
        tus.patch(url, TEXT[:5])
        assert tus.delete(url).status_code == 204
        for answer in (tus.head(url), tus.patch(url, TEXT[5:], offset=5), tus.delete(url)):
            assert answer.status_code == 404
        assert_nothing_left(own_storage)

    def test_ter_03_what_is_a_file_stays_one(self, tus: TusClient) -> None:
        url = tus.create()
        tus.patch(url, TEXT)
        assert tus.delete(url).status_code == 409
        assert MediaFile.objects.count() == 1

    def test_ter_05_another_version(self, tus: TusClient) -> None:
        url = tus.create()
        assert tus.delete(url, version="9.9.9").status_code == 412
        assert tus.offset(url) == 0


class TestConcatenation:
    @pytest.fixture
    def parts(self, tus: TusClient) -> tuple[str, str]:
        """Two whole parts: `Hello ` and `world`."""
        return self.part(tus, TEXT[:6]), self.part(tus, TEXT[6:])

    @staticmethod
    def part(tus: TusClient, data: bytes) -> str:
        url = tus.create(length=len(data), name="part.bin", Upload_Concat="partial")
        assert tus.patch(url, data).status_code == 204
        return url

    @staticmethod
    def join(tus: TusClient, *parts: str, **headers: Any) -> Any:
        headers.setdefault("Upload_Metadata", encode(filename="whole.txt"))
        return tus.post(Upload_Concat=f"final;{' '.join(parts)}", **headers)

    def test_cat_01_partial(self, tus: TusClient, parts: tuple[str, str]) -> None:
        answer = tus.head(parts[0])
        assert (answer["Upload-Concat"], answer["Upload-Offset"]) == ("partial", "6")
        assert not MediaFile.objects.exists()

    @pytest.mark.parametrize("host", ["", "http://testserver"])
    def test_cat_02_03_final(self, tus: TusClient, parts: tuple[str, str], host: str) -> None:
        answer = self.join(tus, *(host + part for part in parts))
        assert answer.status_code == 201
        described = tus.head(answer["Location"])
        assert (described["Upload-Length"], described["Upload-Offset"]) == ("11", "11")
        assert described["Upload-Concat"] == f"final;{parts[0]} {parts[1]}"
        media = MediaFile.objects.get()
        assert media.file.read(100) == TEXT
        assert described["Content-Location"] == f"/api/v1/media/{media.pk}/"

    def test_cat_02_nothing_of_the_parts_is_left(
        self, tus: TusClient, parts: tuple[str, str], own_storage: ObjectStore
    ) -> None:
        self.join(tus, *parts)
        services.bury_tombstones()
        media = MediaFile.objects.get()
        assert [item.key for item in own_storage.walk()] == [media.current.key]
        account = Quota.objects.get()
        assert (account.bytes_reserved, account.bytes_used) == (0, 11)

    def test_a_lost_answer_costs_nothing(self, tus: TusClient, parts: tuple[str, str]) -> None:
        first, second = self.join(tus, *parts), self.join(tus, *parts)
        assert first["Location"] == second["Location"]
        assert MediaFile.objects.count() == 1

    def test_parts_that_were_joined_are_found_whole(
        self, tus: TusClient, parts: tuple[str, str], own_storage: ObjectStore
    ) -> None:
        """A client that never heard of the whole asks for its parts, and sends none anew."""
        place = self.join(tus, *parts)["Content-Location"]
        for part, size in zip(parts, ("6", "5"), strict=True):
            answer = tus.head(part)
            assert (answer["Upload-Offset"], answer["Upload-Length"]) == (size, size)
            assert answer["Content-Location"] == place
        assert self.join(tus, *reversed(parts)).status_code == 400
        assert tus.delete(parts[0]).status_code == 409
        Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        services.expire_uploads()
        services.bury_tombstones()
        assert not Upload.objects.exists()
        assert [item.key for item in own_storage.walk()] == [MediaFile.objects.get().current.key]

    def test_damaged_bytes_are_no_part_of_the_whole(
        self, tus: TusClient, parts: tuple[str, str]
    ) -> None:
        """Not even of a part whose length is told last, without a byte."""
        part = tus.post(TEXT[:6], Upload_Defer_Length=1, Upload_Concat="partial")["Location"]
        damaged = tus.patch(part, b"XXXX", offset=6, Upload_Checksum=checksum(TEXT[6:]))
        assert damaged.status_code == 460
        assert tus.patch(part, b"", offset=6, Upload_Length=6).status_code == 204
        assert self.join(tus, part, parts[1]).status_code == 201
        assert MediaFile.objects.get().file.read(100) == TEXT

    def test_cat_04_no_bytes(self, tus: TusClient, parts: tuple[str, str]) -> None:
        url = self.join(tus, *parts)["Location"]
        assert tus.patch(url, TEXT, offset=11).status_code == 403

    def test_cat_05_unfinished_parts(self, tus: TusClient, parts: tuple[str, str]) -> None:
        unfinished = tus.create(Upload_Concat="partial")
        assert self.join(tus, parts[0], unfinished).status_code == 400
        assert Upload.objects.count() == 3
        assert not MediaFile.objects.exists()

    def test_cat_06_a_length_is_not_looked_at(self, tus: TusClient, parts: tuple[str, str]) -> None:
        url = self.join(tus, *parts, Upload_Length=5)["Location"]
        assert tus.head(url)["Upload-Length"] == "11"

    def test_cat_07_a_part_twice(self, tus: TusClient, parts: tuple[str, str]) -> None:
        url = self.join(tus, parts[0], parts[0])["Location"]
        assert tus.head(url)["Upload-Length"] == "12"
        assert MediaFile.objects.get().file.read(100) == TEXT[:6] * 2

    @pytest.mark.parametrize(
        "text",
        ["final;http://127.0.0.1:9/x", "final;", "final;../../etc/passwd", "garbage", "", "final"],
    )
    def test_cat_08_parts_that_are_none(self, tus: TusClient, text: str) -> None:
        assert tus.post(Upload_Concat=text, Upload_Length=11).status_code == 400
        assert not Upload.objects.exists()

    def test_cat_09_too_large(self, tus: TusClient, parts: tuple[str, str], settings: Any) -> None:
        sizes = dict.fromkeys(("image", "video", "audio", "document", "other"), 10)
        settings.MEDIA_APP = {**settings.MEDIA_APP, "MAX_SIZE": sizes}
        assert self.join(tus, *parts).status_code == 413
        assert Upload.objects.count() == 2

    def test_what_is_refused_takes_its_parts_along(
        self, tus: TusClient, settings: Any, own_storage: ObjectStore
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_BYTES": 20}
        program = self.part(tus, b"MZ" + bytes(6)), self.part(tus, bytes(8))
        answer = self.join(tus, *program, Upload_Metadata=encode(filename="a.exe"))
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_type")
        assert self.join(tus, *program).status_code == 400
        assert_nothing_left(own_storage)

    def test_what_fails_for_now_keeps_its_parts(
        self,
        tus: TusClient,
        parts: tuple[str, str],
        own_storage: ObjectStore,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def away(*args: object) -> None:
            raise StorageUnavailableError

        with monkeypatch.context() as patch:
            patch.setattr(type(own_storage), "promote", away)
            assert self.join(tus, *parts).status_code == 503
        assert Quota.objects.get().bytes_reserved == 11
        assert self.join(tus, *parts).status_code == 201
        assert MediaFile.objects.get().file.read(100) == TEXT

    def test_cat_10_metadata_are_those_of_the_final_one(
        self, tus: TusClient, parts: tuple[str, str]
    ) -> None:
        url = self.join(tus, *parts, Upload_Metadata="")["Location"]
        assert "Upload-Metadata" not in tus.head(url)


class TestAccess:
    def test_auth_01_others_find_nothing(self, tus: TusClient, stranger: Any, staff: Any) -> None:
        url = tus.create()
        for user, expected in ((None, 401), (stranger, 404), (staff, 404)):
            client = APIClient()
            client.force_authenticate(user)
            other = TusClient(client)
            answers = [other.head(url), other.patch(url, TEXT), other.delete(url)]
            assert {answer.status_code for answer in answers} == {expected}
        assert tus.offset(url) == 0

    def test_auth_01_others_parts_are_none(self, tus: TusClient, stranger: Any) -> None:
        part = TestConcatenation.part(tus, TEXT)
        client = APIClient()
        client.force_authenticate(stranger)
        assert TestConcatenation.join(TusClient(client), part).status_code == 400
        assert not MediaFile.objects.exists()

    def test_v3_5_1_a_session_needs_the_token_against_cross_site_requests(
        self, tus: TusClient, owner: Any
    ) -> None:
        url = tus.create()
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(owner)
        other = TusClient(client)
        for answer in (other.post(Upload_Length=11), other.patch(url, TEXT), other.delete(url)):
            assert answer.status_code == 403
        assert tus.offset(url) == 0

    @pytest.mark.parametrize("name", ["Host", "X_Forwarded_Host"])
    def test_host_01_addresses_name_no_host(self, tus: TusClient, name: str) -> None:
        answer = tus.post(Upload_Length=11, **{name: "evil.example"})
        assert answer.status_code == 400 or "evil" not in answer["Location"]


class TestRefusals:
    """What the first bytes tell ends the upload, with the same codes as everywhere."""

    def test_as_soon_as_it_is_known(self, tus: TusClient, own_storage: ObjectStore) -> None:
        url = tus.create(length=10**6, name="a.exe")
        answer = tus.patch(url, b"MZ" + bytes(80_000))
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_type")
        assert tus.head(url).status_code == 404
        assert_nothing_left(own_storage)

    def test_at_the_end(self, tus: TusClient, own_storage: ObjectStore) -> None:
        url = tus.create(name="picture.png")
        tus.patch(url, TEXT[:5])
        answer = tus.patch(url, TEXT[5:], offset=5)
        assert (answer.status_code, answer.json()["code"]) == (422, "type_mismatch")
        assert_nothing_left(own_storage)

    def test_whole_but_not_finished_is_finished_when_asked(
        self, tus: TusClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As after a crash behind the last byte: neither the client nor the sweep loses it."""
        first, second = tus.create(), tus.create()
        with monkeypatch.context() as patch:
            patch.setattr(services, "finish_upload", lambda *, upload: None)
            tus.patch(first, TEXT)
            tus.patch(second, TEXT)
        assert tus.head(first)["Content-Location"]
        Upload.objects.update(updated_at=timezone.now() - timedelta(hours=1))
        assert services.finish_whole_uploads() == 1
        assert MediaFile.objects.count() == 2

    def test_the_owner_alone_sees_what_came_of_it(self, tus: TusClient, stranger: Any) -> None:
        tus.patch(tus.create(), TEXT)
        media = MediaFile.objects.get()
        assert not selectors.list_visible_media(user=stranger).exists()
        assert media.visibility == "private"


def test_a_file_for_a_use(api: APIClient) -> None:
    said = encode(filename="hello.txt", for_use="true")
    TusClient(api).post(TEXT, Upload_Length=len(TEXT), Upload_Metadata=said)
    media = MediaFile.objects.get()
    assert (media.lifetime, media.expires_at is None) == ("used", False)
