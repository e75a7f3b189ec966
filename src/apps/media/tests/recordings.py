"""Films and sound by property, made on the spot by ffmpeg: tiny, deterministic, nobody's copyright.

Every maker returns bytes and makes the same sample only once per run.
"""

from __future__ import annotations

import io
import struct
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import imageio_ffmpeg
from PIL import Image

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
BEEP = 0.1  # seconds of white picture and of tone at the start of each second

# -- films -------------------------------------------------------------------------------------

_FLASH = (
    f"drawbox=t=fill:color=black:enable='gte(mod(t,1),{BEEP})',"
    f"drawbox=t=fill:color=white:enable='lt(mod(t,1),{BEEP})'"
)
_TONE = f"0.8*sin(2*PI*1000*t)*lt(mod(t,1),{BEEP})"
_H264 = ("-c:v", "libx264", "-preset", "ultrafast")


@cache
def film(
    name: str = "film.mp4",
    *,
    size: tuple[int, int] = (160, 120),
    rate: str = "30",
    seconds: float = 2,
    picture: tuple[str, ...] = _H264,
    sound: tuple[str, ...] = ("-c:a", "aac"),
    filters: str = "",
) -> bytes:
    """A moving test card with a tone; the container by the name's ending. No `sound`: none."""
    card = f"testsrc2=s={size[0]}x{size[1]}:r={rate}:d={seconds}"
    arguments = ["-f", "lavfi", "-i", f"{card},{filters}" if filters else card]
    if sound:
        arguments += ["-f", "lavfi", "-i", f"sine=f=440:r=48000:d={seconds}"]
    return made(name, *arguments, *picture, *sound)


def made(name: str, *arguments: str, source: bytes = b"") -> bytes:
    """What ffmpeg writes to a file of that name; `source` is there for it as `source`."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "source").write_bytes(source)
        command = [FFMPEG, "-v", "error", "-nostdin", "-y", *arguments, name]
        subprocess.run(command, cwd=folder, check=True)
        return (Path(folder) / name).read_bytes()


@cache
def flashing(seconds: int = 10, *, rate: str = "30") -> bytes:
    """White and loud for the first tenth of each second, else black and silent."""
    card = f"color=s=160x120:r={rate}:d={seconds},{_FLASH}"
    tone = f"aevalsrc=exprs='{_TONE}':s=48000:d={seconds}"
    inputs = ("-f", "lavfi", "-i", card, "-f", "lavfi", "-i", tone)
    return made("film.mp4", *inputs, *_H264, "-bf", "2", "-g", "75", "-c:a", "aac")


def fast_start() -> bytes:
    """With its header before the data."""
    return made("film.mp4", "-i", "source", "-c", "copy", "-movflags", "+faststart", source=film())


def fragmented() -> bytes:
    """As recorders write that may lose their power at any time."""
    flags = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof")
    return film(seconds=6, picture=(*_H264, "-g", "30", *flags))


def unfinished() -> bytes:
    """Cut off before its length and index could be written."""
    return made("film.webm", "-i", "source", "-c", "copy", "-live", "1", source=webm())


def sideways() -> bytes:
    """As a phone held upright writes it: stored wide, to be turned by 90 degrees clockwise."""
    turn = ("-display_rotation", "-90", "-i", "source")
    return made("film.mov", *turn, "-c", "copy", source=film())


def mirrored(*display: str) -> bytes:
    """White above black, both as stored; shown as ffmpeg's options for reading say."""
    half = ("-f", "lavfi", "-i", "color=s=160x120:d=1,drawbox=h=60:color=white:t=fill")
    card = made("film.mp4", *half, *_H264)
    return made("film.mov", *display, "-i", "source", "-c", "copy", source=card)


def uneven() -> bytes:
    """Frames that come as they like: every third one of the first second, then two of three."""
    choice = "select='if(lt(t,1),not(mod(n,3)),mod(n,3))'"
    return film(picture=(*_H264, "-fps_mode", "vfr"), filters=choice)


def silent() -> bytes:
    return film(sound=())


def odd_size() -> bytes:
    """161 × 121 pixels, which H.264 of 4:2:0 cannot have."""
    coded = ("-c:v", "mjpeg", "-pix_fmt", "yuvj444p")
    return film("film.avi", picture=coded, sound=("-c:a", "mp3"), filters="scale=161:121")


def wide_pixels() -> bytes:
    """120 × 120 stored pixels to be shown 4:3."""
    return film(size=(120, 120), filters="setsar=4/3")


def ten_bit() -> bytes:
    coded = ("-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1")
    return film("film.mp4", picture=(*coded, "-preset", "ultrafast", "-x265-params", "log-level=0"))


def high_range() -> bytes:
    """HDR10: ten bits, BT.2020, PQ."""
    tags = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=0"
    coded = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le")
    return film("film.mp4", picture=(*coded, "-x265-params", tags), filters="format=yuv420p10le")


def interlaced() -> bytes:
    """Fifty fields a second in MPEG-2, as from a camcorder."""
    weave = "tinterlace=interleave_top,setfield=tff"
    coded = ("-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-b:v", "800k")
    return film("film.mpg", rate="50", picture=coded, sound=("-c:a", "mp2"), filters=weave)


def surround() -> bytes:
    return film("film.mkv", sound=("-c:a", "ac3", "-ac", "6"))


def late_sound() -> bytes:
    """The sound begins half a second after the picture."""
    delayed = ("-i", "source", "-itsoffset", "0.5", "-i", "source", "-map", "0:v", "-map", "1:a")
    return made("film.mkv", *delayed, "-c", "copy", source=film())


def still_picture(seconds: int) -> bytes:
    """One frame, and a sound that goes on: as people publish music and talks."""
    tone = ("-f", "lavfi", "-i", f"sine=f=440:r=48000:d={seconds}")
    card = ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=30:d=0.03")
    return made("film.mp4", *card, *tone, *_H264, "-c:a", "aac")


def open_groups(name: str = "film.mp4") -> bytes:
    """Only the first of its keyframes is one for browsers."""
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2")
    return film(name, seconds=6, picture=(*coded, "-x264-params", "open-gop=1:keyint=48"))


def ended_broadcast(seconds: int) -> bytes:
    """The picture is gone after four seconds."""
    tone = ("-f", "lavfi", "-i", f"sine=f=440:r=48000:d={seconds}")
    coded = ("-c:v", "mpeg2video", "-c:a", "mp2")
    return made("film.ts", "-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=4", *tone, *coded)


def resting(seconds: int) -> bytes:
    """A recording of a screen: nothing changes between its third second and its last one."""
    choice = f"select='lt(t,3)+gt(t,{seconds - 1})'"
    return film(seconds=seconds, picture=(*_H264, "-fps_mode", "vfr"), filters=choice)


def short_sound() -> bytes:
    """The sound ends long before the picture."""
    tone = ("-f", "lavfi", "-i", "sine=f=440:r=48000:d=2")
    return made("film.mp4", "-i", "source", *tone, "-c:v", "copy", "-c:a", "aac", source=_eight())


def _eight() -> bytes:
    return film(seconds=8, sound=())


def loud_surround() -> bytes:
    """Nearly as loud as can be, on all six channels."""
    tone = "|".join(["0.9*sin(2*PI*440*t)"] * 6)
    channels = ("-f", "lavfi", "-i", f"aevalsrc=exprs='{tone}':c=5.1:s=48000:d=2")
    return made(
        "film.mov", "-i", "source", *channels, "-c:v", "copy", "-c:a", "pcm_s16le", source=silent()
    )


def place_of_a_track() -> bytes:
    """A tag of the picture alone says where."""
    place = ("-metadata:s:v", "location=+48.1000+011.5000/")
    return made("film.mkv", "-i", "source", "-c", "copy", *place, source=film())


def old_phone_film() -> bytes:
    """Speech of a telephone in a file of MPEG-4, and where it was taken."""
    speech = ("-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1", "-brand", "isom")
    return film("film.mov", sound=(*speech, "-metadata", "location=+48.1000+011.5000/"))


def place_in_xmp() -> bytes:
    """As editing programs write it: a box of Adobe's behind the film."""
    told = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><exif:GPSLatitude>48,6N</exif:GPSLatitude>'
    box = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC") + told
    return film() + struct.pack(">I4s", 8 + len(box), b"uuid") + box


def long_gap() -> bytes:
    """One keyframe only."""
    return film(seconds=12, rate="10", picture=(*_H264, "-g", "9999"))


def transport_stream() -> bytes:
    """As broadcast: timestamps do not start at nothing."""
    return made("film.ts", "-i", "source", "-c", "copy", "-output_ts_offset", "1000", source=film())


def phone_film() -> bytes:
    """H.263 and AMR as old telephones made them."""
    coded = ("-c:v", "h263", "-s", "176x144")
    return film("film.3gp", size=(176, 144), picture=coded, sound=("-c:a", "aac", "-ac", "1"))


def mobile_film() -> bytes:
    """MPEG-4 as the telephones of another standard made it."""
    return film("film.3g2", size=(176, 144), picture=("-c:v", "mpeg4"), sound=("-c:a", "aac"))


def windows_media(seconds: float = 2) -> bytes:
    coded = ("-c:v", "wmv2", "-b:v", "400k")
    return film("film.wmv", seconds=seconds, picture=coded, sound=("-c:a", "wmav2"))


def streaming_media() -> bytes:
    """The container of Windows Media with a codec that is older."""
    return film("film.asf", picture=("-c:v", "msmpeg4v2"), sound=("-c:a", "mp3"))


def flash(seconds: float = 2) -> bytes:
    sound = ("-c:a", "mp3", "-ar", "44100")
    return film("film.flv", seconds=seconds, picture=("-c:v", "flv"), sound=sound)


def late_flash() -> bytes:
    """As it was when players learned H.264."""
    return film("film.flv", sound=("-c:a", "aac", "-ar", "44100"))


def webm() -> bytes:
    coded = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
    return film("film.webm", picture=coded, sound=("-c:a", "libopus"))


def matroska() -> bytes:
    return film("film.mkv", sound=("-c:a", "libvorbis"))


def theora() -> bytes:
    """Not in the wheel's ffmpeg if it lacks libtheora."""
    return film("film.ogv", picture=("-c:v", "libtheora"), sound=("-c:a", "libvorbis"))


def sound_in_a_film() -> bytes:
    """A container of films without a picture."""
    return made("film.mp4", "-i", "source", "-vn", "-c", "copy", source=film())


def with_words() -> bytes:
    """Chapters, a title, and the place it was taken at."""
    words = (
        ";FFMETADATA1\ntitle=A walk\nlocation=+48.1000+011.5000/\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=Out <1>\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Back\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words"
        path.write_text(words)
        both = ("-i", "source", "-f", "ffmetadata", "-i", str(path))
        return made("film.mp4", *both, "-map_metadata", "1", "-c", "copy", source=film())


def damaged_in_the_middle() -> bytes:
    """A tenth of the data is noise."""
    data = bytearray(film(seconds=4))
    start, length = len(data) * 4 // 10, len(data) // 10
    data[start : start + length] = bytes(range(256)) * (length // 256) + bytes(length % 256)
    return bytes(data)


# -- sound -------------------------------------------------------------------------------------

COVER = (200, 30, 30)  # red


@cache
def sound(
    name: str = "sound.wav",
    *coded: str,
    seconds: float = 2,
    level: str = "0.5*sin(2*PI*440*t)",
    channels: int = 1,
    rate: int = 44_100,
) -> bytes:
    """The same in every channel: `level` of t, -1..1; the container by the name's ending."""
    levels = "|".join([level] * channels)
    tone = f"aevalsrc=exprs='{levels}':s={rate}:d={seconds}"
    return made(name, "-f", "lavfi", "-i", tone, *coded)


def wav(levels: Sequence[float], *, rate: int = 8_000, channels: int = 1) -> bytes:
    """16 bits; `levels` of -1..1, those of all channels in turn."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        whole = (max(-32_768, min(32_767, round(level * 32_768))) for level in levels)
        file.writeframes(b"".join(struct.pack("<h", level) for level in whole))
    return buffer.getvalue()


def headless_mp3() -> bytes:
    """Of variable bit rate, without the header that would tell its length."""
    return sound("sound.mp3", "-q:a", "6", "-write_xing", "0")


def cover_jpeg(width: int = 600, height: int = 600) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), COVER).save(buffer, "JPEG")
    return buffer.getvalue()


def placed_cover() -> bytes:
    """The photograph of a phone that knows where it is, as large as `cover_jpeg`."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 6.0, 0.0), 3: "E", 4: (11.0, 30.0, 0.0)})
    buffer = io.BytesIO()
    Image.new("RGB", (200, 200), COVER).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def song(name: str = "song.mp3", *, cover: bytes = b"", **tags: str) -> bytes:
    """With tags, and with whatever `cover` is as attached picture, said to be a JPEG."""
    arguments = ["-i", "source"]
    with tempfile.TemporaryDirectory() as folder:
        if cover:
            path = Path(folder) / "cover.jpg"
            path.write_bytes(cover_jpeg())
            arguments += ["-i", str(path), "-map", "0", "-map", "1"]
            arguments += ["-disposition:v", "attached_pic"]
        for tag, text in tags.items():
            arguments += ["-metadata", f"{tag}={text}"]
        whole = made(name, *arguments, "-c:v", "copy", source=sound())
    return whole.replace(cover_jpeg(), cover.ljust(len(cover_jpeg()), b"\0")) if cover else whole


def song_with_old_tags() -> bytes:
    """ID3v1: thirty bytes each, in whatever encoding the tagger's computer had."""
    fields = ("Лето".encode("cp1251"), b"Beyonc\xe9", b"\xff\xfe\x41\0", b"1987", b"")
    tag = struct.pack("3s30s30s30s4s30sB", b"TAG", *fields, 17)
    return sound("sound.mp3", "-id3v2_version", "0") + tag


def audiobook() -> bytes:
    """Two chapters, and the place it was recorded at."""
    words = (
        ";FFMETADATA1\ntitle=A book\nlocation=+48.1000+011.5000/\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One <b>&\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words"
        path.write_text(words)
        both = ("-i", "source", "-f", "ffmetadata", "-i", str(path), "-map_metadata", "1")
        return made("book.mp4", *both, "-c:a", "aac", source=sound())


def encrypted_sound() -> bytes:
    """MPEG common encryption, with a key that nobody has."""
    key = "00112233445566778899aabbccddeeff"
    scheme = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key)
    return sound("sound.mp4", "-c:a", "aac", *scheme, "-encryption_kid", key)
