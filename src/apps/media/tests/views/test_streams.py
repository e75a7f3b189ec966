"""Films as players fetch them: everything by relative addresses, under the one access rule."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import av
import pytest
from django.core.files.base import ContentFile
from django.test import Client

from apps.media import services
from apps.media.models import MediaFile, Rendition
from apps.media.processing.streamtypes import LEAD_SECONDS
from apps.media.tests import recordings
from apps.media.tests.views.conftest import HEAD, SEGMENTS

CAPTIONS = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"
M3U8 = "application/vnd.apple.mpegurl"
AddTrack = Callable[..., Rendition]


@pytest.fixture
def owners(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(owner)


def read(answer: Any) -> str:
    assert answer.status_code == 200
    return b"".join(answer).decode()


def master_of(media: MediaFile) -> str:
    return f"/media/{media.pk}/hls/master.m3u8"


def addresses(text: str) -> list[str]:
    """All that a playlist names, in its order."""
    found = re.findall(r'URI="([^"]+)"|^([^#\n].*)$', text, re.MULTILINE)
    return [quoted or plain for quoted, plain in found]


def test_everything_is_reached_from_the_master(
    film: MediaFile, add_track: AddTrack, owner: Any, owners: Client
) -> None:
    for name, height in (("240p", 240), ("720p", 720), ("sound", 0)):
        add_track(film, name, height=height)
    services.add_caption(user=owner, media=film, file=ContentFile(CAPTIONS), language="en")
    found = addresses(read(owners.get(master_of(film))))
    assert [address.partition("?")[0] for address in found] == [
        "sound.m3u8",
        "captions-en.m3u8",
        "720p.m3u8",
        "240p.m3u8",
    ]
    for address in found:
        answer = owners.get(urljoin(master_of(film), address))
        assert answer["Content-Type"] == M3U8
        named = set(addresses(read(answer)))
        assert len(named) == 1
        stored = owners.get(urljoin(master_of(film), named.pop()))
        assert stored.status_code == 200


def test_segments_are_ranges_of_the_track(
    film: MediaFile, add_track: AddTrack, owners: Client
) -> None:
    row = add_track(film, "240p", height=240)
    add_track(film, "sound")
    url = f"/media/{film.pk}/hls/240p.m3u8"
    text = read(owners.get(url))
    whole = b"".join(owners.get(urljoin(url, addresses(text)[0])))
    assert len(whole) == row.size
    ranges = re.findall(r"BYTERANGE[:=]\"?(\d+)@(\d+)", text)
    assert ranges == [(str(HEAD), "0"), ("20", "10"), ("12", "30")]
    parts = []
    for (size, start), address in zip(ranges, addresses(text), strict=True):
        answer = owners.get(urljoin(url, address), headers={"Range": _range(size, start)})
        assert answer.status_code == 206
        parts.append(b"".join(answer))
    assert b"".join(parts) == whole
    assert answer["Content-Type"] == "video/mp4"
    assert sum(size for _, size in SEGMENTS) + HEAD == row.size


def test_old_addresses_end_when_a_film_is_made_anew(
    film: MediaFile, add_track: AddTrack, owners: Client
) -> None:
    add_track(film, "240p", height=240)
    add_track(film, "sound")
    url = f"/media/{film.pk}/hls/240p.m3u8"
    (old,) = set(addresses(read(owners.get(url))))
    assert owners.get(urljoin(url, old)).status_code == 200
    add_track(film, "240p", height=240)
    (new,) = set(addresses(read(owners.get(url))))
    assert owners.get(urljoin(url, old)).status_code == 404
    assert owners.get(urljoin(url, new)).status_code == 200


class TestPlayable:
    """A film plays as soon as one picture is there, and the sound where one will come."""

    def _status(self, client: Client, media: MediaFile) -> int:
        status: int = client.get(master_of(media)).status_code
        shown = client.get(f"/api/v1/media/{media.pk}/").json()["urls"]["hls"]
        assert bool(shown) is (status == 200)
        if shown:
            assert shown.endswith(master_of(media))
        return status

    def test_without_a_track_it_does_not(self, film: MediaFile, owners: Client) -> None:
        assert self._status(owners, film) == 404

    def test_it_waits_for_the_sound(
        self, film: MediaFile, add_track: AddTrack, owners: Client
    ) -> None:
        MediaFile.objects.filter(pk=film.pk).update(status="processing")
        add_track(film, "240p", height=240)
        assert self._status(owners, film) == 404
        add_track(film, "sound")
        assert self._status(owners, film) == 200

    def test_the_sound_alone_is_no_film(
        self, film: MediaFile, add_track: AddTrack, owners: Client
    ) -> None:
        add_track(film, "sound")
        assert self._status(owners, film) == 404

    def test_a_silent_film_does_not_wait(
        self, film: MediaFile, add_track: AddTrack, owners: Client
    ) -> None:
        MediaFile.objects.filter(pk=film.pk).update(status="processing")
        film.versions.update(metadata={"video": {"codec": "h264"}, "audio": None})
        add_track(film, "240p", height=240)
        assert self._status(owners, film) == 200

    def test_a_sound_that_never_came_is_not_waited_for(
        self, film: MediaFile, add_track: AddTrack, owners: Client
    ) -> None:
        add_track(film, "240p", height=240)
        assert self._status(owners, film) == 200

    def test_parts_are_nobodys(
        self, film: MediaFile, add_rendition: Callable[..., Rendition], owners: Client
    ) -> None:
        add_rendition(film, "part/low.0000/240p.mp4")
        assert self._status(owners, film) == 404
        for address in ("r/part%2Flow.0000%2F240p.mp4", "hls/part%2Flow.0000%2F240p.mp4"):
            assert owners.get(f"/media/{film.pk}/{address}").status_code == 404


class TestHeaders:
    @pytest.fixture
    def addressed(self, film: MediaFile, add_track: AddTrack, owner: Any) -> dict[str, str]:
        add_track(film, "240p", height=240)
        add_track(film, "sound")
        services.add_caption(user=owner, media=film, file=ContentFile(CAPTIONS), language="en")
        base = f"/media/{film.pk}/hls/"
        names = ("master.m3u8", "240p.m3u8", "captions-en.m3u8", "240p.mp4", "captions-en.vtt")
        return {name: base + name for name in names}

    def test_what_they_are(self, addressed: dict[str, str], owners: Client) -> None:
        types = {name: owners.head(url)["Content-Type"] for name, url in addressed.items()}
        assert set(list(types.values())[:3]) == {M3U8}
        assert types["240p.mp4"] == "video/mp4"
        assert types["captions-en.vtt"] == "text/vtt; charset=utf-8"

    def test_locked_like_all_bytes(self, addressed: dict[str, str], owners: Client) -> None:
        for url in addressed.values():
            answer = owners.get(url)
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer["Content-Security-Policy"]
            assert answer.get("Content-Disposition", "inline").startswith("inline")

    def test_head_ranges_and_conditions(self, addressed: dict[str, str], owners: Client) -> None:
        for url in addressed.values():
            whole = b"".join(owners.get(url))
            head = owners.head(url)
            assert (head.status_code, int(head["Content-Length"])) == (200, len(whole))
            part = owners.get(url, headers={"Range": "bytes=2-4"})
            assert (part.status_code, b"".join(part)) == (206, whole[2:5])
            beyond = owners.get(url, headers={"Range": "bytes=99999-"})
            assert beyond.status_code == 416
            same = owners.get(url, headers={"If-None-Match": head["ETag"]})
            assert same.status_code == 304
            assert owners.get(url, headers={"If-Match": '"other"'}).status_code == 412
            assert owners.post(url).status_code == 405

    def test_nothing_private_is_kept_for_others(
        self, addressed: dict[str, str], owners: Client
    ) -> None:
        for name, url in addressed.items():
            kept = owners.get(url)["Cache-Control"]
            assert kept.startswith("private")
            assert not name.endswith("m3u8") or kept == "private, no-store"

    def test_public_bytes_are_for_ever_and_playlists_are_not(
        self, addressed: dict[str, str], film: MediaFile, owners: Client
    ) -> None:
        MediaFile.objects.update(visibility="public")
        anyone = Client()
        url = addressed["240p.m3u8"]
        (track,) = set(addresses(read(anyone.get(url))))
        assert "immutable" in anyone.get(urljoin(url, track))["Cache-Control"]
        assert "immutable" not in anyone.get(addressed["240p.mp4"])["Cache-Control"]
        for name, url in addressed.items():
            if name.endswith("m3u8"):
                assert anyone.get(f"{url}?v=1")["Cache-Control"].startswith("public, max-age=60")
        MediaFile.objects.update(status="processing")
        assert anyone.get(addressed["master.m3u8"])["Cache-Control"] == "public, no-cache"

    def test_a_new_track_is_a_new_playlist(
        self, addressed: dict[str, str], film: MediaFile, add_track: AddTrack, owners: Client
    ) -> None:
        before = owners.get(addressed["master.m3u8"])["ETag"]
        add_track(film, "720p", height=720)
        answer = owners.get(addressed["master.m3u8"], headers={"If-None-Match": before})
        assert answer.status_code == 200
        assert "720p" in read(answer)


@pytest.mark.parametrize("name", ["none", "sound", "..", "%00", "240p%00", "x" * 300])
def test_unknown_tracks_are_missing(name: str, film: MediaFile, owners: Client) -> None:
    for address in (f"{name}.m3u8", f"{name}.mp4", f"captions-{name}.vtt", f"captions-{name}.m3u8"):
        assert owners.get(f"/media/{film.pk}/hls/{address}").status_code == 404


def test_a_real_film_plays_from_any_segment(
    upload: Callable[..., MediaFile], run_jobs: Callable[[], int], owners: Client
) -> None:
    """The head and any one segment are a film by themselves, where the playlist says it is."""
    film = upload(recordings.film(seconds=6), "film.mp4")
    run_jobs()
    film.refresh_from_db()
    assert film.status == "ready", film.failure_code
    master = read(owners.get(master_of(film)))
    variants = [address for address in addresses(master) if not address.startswith("sound")]
    url = urljoin(master_of(film), variants[-1])
    text = read(owners.get(url))
    head, *segments = [
        b"".join(owners.get(urljoin(url, address), headers={"Range": _range(size, start)}))
        for (size, start), address in zip(
            re.findall(r"BYTERANGE[:=]\"?(\d+)@(\d+)", text), addresses(text), strict=True
        )
    ]
    starts = [LEAD_SECONDS]
    for seconds in re.findall(r"#EXTINF:([\d.]+)", text):
        starts.append(starts[-1] + float(seconds))
    assert len(segments) == len(starts) - 1 > 1
    for segment, start in zip(segments, starts, strict=False):
        with av.open(io.BytesIO(head + segment)) as played:
            frame = next(played.decode(video=0))
        assert frame.key_frame
        assert frame.time == pytest.approx(start, abs=0.1)


def _range(size: str, start: str) -> str:
    return f"bytes={start}-{int(start) + int(size) - 1}"
