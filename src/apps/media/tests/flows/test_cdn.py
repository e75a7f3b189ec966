"""A caching nginx as the CDN of a whole site: what it keeps, what it never gets, and a purge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from apps.media.tests import samples
from apps.media.tests.flows.clients import API, Person, anybody, send
from apps.media.tests.flows.nginx import running_cache
from apps.media.tests.flows.servers import Site, running_site
from apps.media.tests.flows.test_faults import wait_all_ready
from launch.nginx import nginx_program

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(240),
    pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed"),
]

ASKED = 5  # times


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Site]:
    with (
        running_site(tmp_path_factory.mktemp("site"), programs=()) as site,
        running_cache(cache, behind=site.address) as cdn,
    ):
        site.change(MEDIA_CDN_URL=cdn)
        site.start("broker", "web", "worker")
        site.wait_ready()
        yield site


def publish(person: Person, visibility: str) -> dict[str, Any]:
    """What the API tells of a photograph that is ready."""
    data = samples.photo_jpeg()
    with person.client() as client:
        fields = {"visibility": visibility}
        answer = send(client, "photo.jpg", [data], size=len(data), fields=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def addresses(person: Person, media_id: str) -> list[str]:
    shown = person.get(f"{API}{media_id}/").json()
    return [rendition["url"] for rendition in shown["renditions"]]


def cached(address: str) -> tuple[int, str]:
    """The status, and what the cache says of itself."""
    answer = httpx.get(address, trust_env=False)
    return answer.status_code, answer.headers.get("X-Cache", "")


def purge(cache: Path, prefix: str) -> int:
    """Forget what has this prefix, as a CDN does when it is told; return how much."""
    key = f"KEY: {prefix}".encode()
    kept = [path for path in (cache / "shared").rglob("*") if path.is_file()]
    found = [path for path in kept if key in path.read_bytes()]
    for path in found:
        path.unlink()
    return len(found)


def test_what_is_public_comes_from_the_site_once_and_goes_when_purged(
    site: Site, cache: Path
) -> None:
    person = site.person()
    media = publish(person, "public")
    wait_all_ready(site, person, 1)
    public = addresses(person, media["id"])
    assert public
    for address in public:
        assert not address.startswith(site.address)
        said = [cached(address) for _ in range(ASKED)]
        assert said == [(200, "MISS"), *[(200, "HIT")] * (ASKED - 1)]
        assert "immutable" in httpx.get(address, trust_env=False).headers["Cache-Control"]
    with person.client() as client:
        hidden = client.patch(f"{API}{media['id']}/", json={"visibility": "private"})
    assert hidden.status_code == 200
    assert purge(cache, f"/media/{media['id']}/") == len(public)
    assert {cached(address)[0] for address in public} == {404}


def test_what_is_private_has_no_address_there_and_is_never_kept(site: Site, cache: Path) -> None:
    person = site.person()
    media = publish(person, "private")
    wait_all_ready(site, person, 1)
    private = addresses(person, media["id"])
    assert private
    assert all(address.startswith(site.address) for address in private)
    with anybody(site.environment["MEDIA_CDN_URL"], headers=person.headers) as client:
        for address in private:
            parts = urlsplit(address)
            for _ in range(2):
                answer = client.get(f"{parts.path}?{parts.query}")
                assert (answer.status_code, answer.headers["X-Cache"]) == (200, "MISS")
    assert purge(cache, f"/media/{media['id']}/") == 0
