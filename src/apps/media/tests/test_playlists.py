"""What players read: addresses, ranges, rates, order."""

from __future__ import annotations

import re

import pytest

from apps.media.models import Rendition
from apps.media.playlists import (
    TextEntry,
    TrackEntry,
    track_entry,
    write_master,
    write_text,
    write_track,
)


def picture(name: str, peak: int, *, height: int = 360, **more: object) -> TrackEntry:
    values = {
        "tag": f"tag-{name}",
        "codecs": "avc1.4d401e",
        "head": 700,
        "segments": [(4.0, 1000), (2.5, 400)],
        "average": peak // 2,
        "width": 640,
        "height": height,
        "frame_rate": 30000 / 1001,
    }
    return TrackEntry(name=name, peak=peak, **{**values, **more})  # type: ignore[arg-type]


SOUND = TrackEntry("sound", "tag-sound", "mp4a.40.2", 600, [(4.0, 90)], 140_000, 128_000)


def variants(text: str) -> list[str]:
    return re.findall(r"^(\w+)\.m3u8", text, re.MULTILINE)


def attributes(text: str, tag: str) -> list[dict[str, str]]:
    lines = [line for line in text.splitlines() if line.startswith(f"{tag}:")]
    pattern = r'([A-Z-]+)=("[^"]*"|[^,]*)'
    return [dict(re.findall(pattern, line.partition(":")[2])) for line in lines]


class TestMaster:
    def test_a_variant_says_what_it_takes(self) -> None:
        text = write_master([picture("360p", 800_000)], SOUND, [])
        (variant,) = attributes(text, "#EXT-X-STREAM-INF")
        assert variant == {
            "BANDWIDTH": "940000",
            "AVERAGE-BANDWIDTH": "528000",
            "CODECS": '"avc1.4d401e,mp4a.40.2"',
            "RESOLUTION": "640x360",
            "FRAME-RATE": "29.970",
            "AUDIO": '"sound"',
        }
        assert text.splitlines()[-1] == "360p.m3u8?v=tag-360p"
        assert text.startswith("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n")

    def test_the_sound_is_a_group(self) -> None:
        (sound,) = attributes(write_master([picture("360p", 800_000)], SOUND, []), "#EXT-X-MEDIA")
        assert (sound["TYPE"], sound["DEFAULT"]) == ("AUDIO", "YES")
        assert sound["URI"] == '"sound.m3u8?v=tag-sound"'

    def test_a_silent_film_names_no_group(self) -> None:
        text = write_master([picture("360p", 800_000)], None, [])
        assert "#EXT-X-MEDIA" not in text
        assert "AUDIO" not in text

    @pytest.mark.parametrize(
        ("peaks", "order"),
        [
            ([9_000_000, 300_000, 1_900_000, 4_000_000], ["p2", "p1", "p3", "p0"]),
            ([9_000_000, 5_000_000], ["p1", "p0"]),
            ([300_000, 200_000], ["p0", "p1"]),
        ],
    )
    def test_starts_in_the_middle_and_then_rises(self, peaks: list[int], order: list[str]) -> None:
        pictures = [picture(f"p{number}", peak) for number, peak in enumerate(peaks)]
        assert variants(write_master(pictures, None, [])) == order

    def test_texts_are_a_group(self) -> None:
        texts = [
            TextEntry("en", "t1", "en", "English", default=True),
            TextEntry("en.cc", "t2", "en", "English", describing=True),
            TextEntry("pt-BR", "t3", "pt-BR", ""),
        ]
        text = write_master([picture("360p", 800_000)], None, texts)
        found = attributes(text, "#EXT-X-MEDIA")
        assert [one["NAME"] for one in found] == ['"English"', '"English (en.cc)"', '"pt-BR"']
        assert [one["DEFAULT"] for one in found] == ["YES", "NO", "NO"]
        assert [one["URI"] for one in found] == [
            '"captions-en.m3u8?v=t1"',
            '"captions-en.cc.m3u8?v=t2"',
            '"captions-pt-BR.m3u8?v=t3"',
        ]
        assert ["CHARACTERISTICS" in one for one in found] == [False, True, False]
        assert attributes(text, "#EXT-X-STREAM-INF")[0]["SUBTITLES"] == '"text"'

    def test_a_name_cannot_leave_its_quotes(self) -> None:
        hostile = TextEntry("en", "t", "en", 'a",URI="https://x"\n#EXT-X-ENDLIST\r\u2028')
        text = write_master([picture("360p", 800_000)], None, [hostile])
        (line,) = attributes(text, "#EXT-X-MEDIA")
        assert line["URI"] == '"captions-en.m3u8?v=t"'
        assert len(text.splitlines()) == 6


class TestTrack:
    def test_segments_are_ranges_without_gap(self) -> None:
        text = write_track(picture("360p", 800_000))
        assert text == (
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n"
            '#EXT-X-MAP:URI="360p.mp4?v=tag-360p",BYTERANGE="700@0"\n'
            "#EXTINF:4.000000,\n#EXT-X-BYTERANGE:1000@700\n360p.mp4?v=tag-360p\n"
            "#EXTINF:2.500000,\n#EXT-X-BYTERANGE:400@1700\n360p.mp4?v=tag-360p\n"
            "#EXT-X-ENDLIST\n"
        )

    @pytest.mark.parametrize(("seconds", "target"), [(4.004, 5), (0.2, 1), (6.0, 6)])
    def test_no_segment_is_longer_than_the_target(self, seconds: float, target: int) -> None:
        text = write_track(picture("360p", 1, segments=[(seconds, 10)]))
        assert f"#EXT-X-TARGETDURATION:{target}\n" in text

    def test_comes_from_a_row(self) -> None:
        details = {
            "codecs": "avc1.4d401e",
            "frame_rate": 25.0,
            "head": 700,
            "peak": 5,
            "average": 4,
            "segments": [[4.0, 1000]],
        }
        row = Rendition(name="hls/360p.mp4", width=640, height=360, details=details)
        entry = track_entry(row, tag="t")
        assert (entry.name, entry.segments, entry.width) == ("360p", [(4.0, 1000)], 640)
        assert entry.duration == 4.0


def test_a_caption_is_one_segment() -> None:
    text = write_text(TextEntry("en", "t", "en", ""), duration=61.5)
    assert "#EXT-X-TARGETDURATION:62\n" in text
    assert text.endswith("#EXTINF:61.500000,\ncaptions-en.vtt?v=t\n#EXT-X-ENDLIST\n")
