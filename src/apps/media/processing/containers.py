"""Opening films and sound: which container each sniffed type is, and what may decode it.

Only the one demuxer of the sniffed type is ever offered a file, so that a playlist with the name of
a film is damage and not a list of other files to read; a container within a container finds the
same list. Decoders are those of formats that cameras, phones and editors write. Both lists hold
for PyAV here and for the ffmpeg program (see `ffmpeg`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from apps.media.exceptions import CorruptFileError, UnsupportedTypeError

DEMUXERS: Mapping[str, str] = MappingProxyType(
    {
        "video/mp4": "mov",
        "video/quicktime": "mov",
        "video/3gpp": "mov",
        "video/3gpp2": "mov",
        "video/webm": "matroska",
        "video/x-matroska": "matroska",
        "video/x-msvideo": "avi",
        "video/mpeg": "mpeg",
        "video/mp2t": "mpegts",
        "video/ogg": "ogg",
        "video/x-ms-wmv": "asf",
        "video/x-ms-asf": "asf",
        "video/x-flv": "flv",
        "audio/mpeg": "mp3",
        "audio/mp4": "mov",
        "audio/aac": "aac",
        "audio/ogg": "ogg",
        "audio/wav": "wav",
        "audio/flac": "flac",
        "audio/aiff": "aiff",
        "audio/x-ms-wma": "asf",
        "audio/ac3": "ac3",
    }
)
PROTOCOLS = "file"
_VIDEO_DECODERS = (
    "av1 cinepak dvvideo ffv1 ffvhuff flv h263 h264 hevc huffyuv libdav1d mjpeg mpeg1video "
    "mpeg2video mpeg4 msmpeg4 msmpeg4v1 msmpeg4v2 prores qtrle rawvideo svq1 svq3 theora vc1 vp6a "
    "vp6f vp8 vp9 wmv1 wmv2 wmv3"
)
_AUDIO_DECODERS = (
    "aac aac_latm ac3 adpcm_ima_qt adpcm_ima_wav adpcm_ms adpcm_swf alac amrnb amrwb dca dvaudio "
    "eac3 evrc flac gsm_ms libopencore_amrnb libopencore_amrwb libopus libspeex libvorbis mace3 "
    "mace6 mp1 mp1float mp2 mp2float mp3 mp3float nellymoser opus pcm_alaw pcm_bluray pcm_dvd "
    "pcm_f32be pcm_f32le pcm_f64be pcm_f64le pcm_mulaw pcm_s16be pcm_s16le pcm_s24be pcm_s24le "
    "pcm_s32be pcm_s32le pcm_s8 pcm_u8 qcelp qdm2 qdmc speex truehd vorbis wmapro wmav1 wmav2 "
    "wmavoice"
)
DECODERS = frozenset(_VIDEO_DECODERS.split()) | frozenset(_AUDIO_DECODERS.split())
CODEC_WHITELIST = ",".join(sorted(DECODERS))

# What ffmpeg calls the containers when it writes them; those of films may hold only sound.
MUXERS: Mapping[str, str] = {
    "audio/mpeg": "mp3",
    "audio/mp4": "mp4",
    "audio/aac": "adts",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/aiff": "aiff",
    "audio/x-ms-wma": "asf",
    "audio/ac3": "ac3",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/3gpp": "3gp",
    "video/3gpp2": "3g2",
    "video/webm": "webm",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "video/mpeg": "vob",
    "video/mp2t": "mpegts",
    "video/ogg": "ogg",
    "video/x-ms-wmv": "asf",
    "video/x-ms-asf": "asf",
    "video/x-flv": "flv",
}
# Old phones and action cameras put more into these than ffmpeg's writers of them do; the writer of
# their common ancestor knows it all, and can sign with their name.
WIDER_MUXERS: Mapping[str, Sequence[str]] = {
    "audio/mp4": ("mov", "-brand", "M4A "),
    "video/mp4": ("mov", "-brand", "isom"),
    "video/3gpp": ("mov", "-brand", "3gp6"),
    "video/3gpp2": ("mov", "-brand", "3g2a"),
}


def demuxer_for(mime: str) -> str:
    """Raises `UnsupportedTypeError` for what is no film and no sound."""
    if mime not in DEMUXERS:
        raise UnsupportedTypeError(mime)
    return DEMUXERS[mime]


@contextmanager
def opened(path: Path, mime: str) -> Iterator[InputContainer]:
    """The file as what its sniffed type says, and nothing else. Raises `CorruptFileError`."""
    demuxer = demuxer_for(mime)
    options = {
        "format_whitelist": demuxer,
        "protocol_whitelist": PROTOCOLS,
        "codec_whitelist": CODEC_WHITELIST,
    }
    if demuxer == "mov":
        options["export_xmp"] = "1"  # among the words, where it can be searched for places
    with (
        reading_recording(),
        av.open(str(path), format=demuxer, options=options, metadata_errors="replace") as container,
    ):
        for stream in (*container.streams.video, *container.streams.audio):
            if stream.codec_context:
                stream.codec_context.thread_count = 1  # jobs are what runs side by side
        yield container


@contextmanager
def reading_recording() -> Iterator[None]:
    """Around every use of libav: what it raises is damage of the file, except for memory."""
    try:
        yield
    except av.MemoryError as error:
        raise MemoryError(str(error)) from error
    except (av.FFmpegError, UnicodeError, ValueError, OverflowError) as error:
        raise CorruptFileError(repr(error)) from error


def go_to(container: InputContainer, at: int, stream: Stream | None = None) -> None:
    """To the keyframe at or before `at`, else to the first one there is.

    `at` counts in the time base of `stream`, without one in libav's. Raises `av.FFmpegError`.
    """
    try:
        container.seek(at, stream=stream)
    except av.FFmpegError:  # nothing is that early, which containers without an index call an error
        container.seek(at, stream=stream, backward=False)


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The film's picture: the first that is no cover and that may be decoded."""
    films = (stream for stream in container.streams.video if not is_cover(stream))
    return next((stream for stream in films if _may_decode(stream)), None)


def sound_stream(container: InputContainer) -> AudioStream | None:
    """The first sound that may be decoded."""
    return next((stream for stream in container.streams.audio if _may_decode(stream)), None)


def cover_stream(container: InputContainer) -> VideoStream | None:
    """A picture that is attached to a recording."""
    return next((stream for stream in container.streams.video if is_cover(stream)), None)


def is_cover(stream: VideoStream) -> bool:
    return Disposition.attached_pic in stream.disposition


def _may_decode(stream: VideoStream | AudioStream) -> bool:
    context = stream.codec_context
    return context is not None and context.codec.name in DECODERS
