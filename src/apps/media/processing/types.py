"""The words that engines and their callers share: limits, recipes, facts and results.

Immutable values only; nothing here touches a file or a library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

Fit = Literal["inside", "cover"]
Format = Literal[
    "webp", "jpeg", "png", "avif", "mp4", "m4a", "opus", "json", "vtt", "txt", "html", "pdf", "same"
]
Product = Literal[
    "picture",  # of the file as a whole: itself, its first page, its poster frame, its cover
    "page",  # one page of a document
    "storyboard",  # small frames of a film in one sheet, and their index
    "clip",  # some seconds of a film, silent and small
    "chapters",
    "sound",
    "peaks",  # a waveform as numbers
    "waveform",  # and as a picture
    "text",  # a document's words
    "reading",  # a text as safe HTML
    "paper",  # an office document as PDF
    "clean",  # the original without the place it was taken at
]
When = Literal["first", "later", "asked"]
Scalar = str | int | float
Focal = tuple[float, float]
"""The point to keep in view when cropping: x and y as fractions 0..1 of the upright image."""

Progress = Callable[[float], None]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run of an engine may take. Bytes, seconds and pixels.

    Pixel, frame and page limits are checked from headers before anything is decoded; the others
    are enforced by the kernel. `max_total_pixels` counts all frames of an animation.
    `memory_bytes` is address space: what PERFORMANCE measurements call ordinary work (48 Mpx,
    progressive) stays under 512 MiB including 180 MB of mapped libraries.
    """

    max_pixels: int = 50_000_000
    max_total_pixels: int = 200_000_000
    max_frames: int = 1_000
    max_pages: int = 5_000
    max_duration: float = 24 * 3600.0
    memory_bytes: int = 768 * MIB
    cpu_seconds: int = 60
    wall_seconds: float = 120.0
    output_bytes: int = 64 * MIB  # of any single file that is written


MIME_TYPES: Mapping[Format, str] = MappingProxyType(
    {
        "webp": "image/webp",
        "jpeg": "image/jpeg",
        "png": "image/png",
        "avif": "image/avif",
        "mp4": "video/mp4",
        "m4a": "audio/mp4",
        "opus": "audio/ogg",
        "json": "application/json",
        "vtt": "text/vtt",
        "txt": "text/plain",
        "html": "text/html",
        "pdf": "application/pdf",
    }
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make one rendition. Data: it has no code and comes from settings.

    `inside` keeps the whole picture within `width` × `height` (no height: only the width and the
    format bound it); `cover` crops it to exactly that shape. Neither ever enlarges. `quality` is
    1..100. `effort` 0..6 buys bytes with CPU: WebP's own scale; AVIF's, of which 2 is the most;
    JPEG is plain at 0, has tables of its own from 1 on, and is progressive from 2 on. `animated`
    keeps all frames. Products other than pictures use what of it makes sense for them. The format
    `same` is that of the source.

    `crop` is the part of the upright picture that is shown, as left, top, width and height in
    thousandths; `cover` is then around the middle of it, whatever the focal point.

    `when` says which job makes it: the first one, a later one that may take minutes, or none
    until somebody asks.
    """

    name: str
    width: int = 0
    height: int | None = None
    fit: Fit = "inside"
    format: Format = "webp"
    quality: int = 80
    effort: int = 2
    animated: bool = False
    product: Product = "picture"
    page: int = 1
    when: When = "first"
    crop: tuple[int, int, int, int] | None = None

    @property
    def mime_type(self) -> str:
        """Empty for the format `same`."""
        return MIME_TYPES.get(self.format, "")

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change whenever the result would."""
        result = {key: value for key, value in asdict(self).items() if key != "when"}
        if self.crop is None:  # as before there were any
            del result["crop"]
        canonical = json.dumps(result, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Programs:
    """Paths of the outside programs an engine may start; empty where there is none."""

    ffmpeg: str = ""
    soffice: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make and where: each recipe becomes `out_dir / recipe.name`. `poster_at` is the
    moment of a film that pictures of it show, seconds; without one what is seen decides."""

    out_dir: Path
    recipes: tuple[Recipe, ...]
    focal: Focal | None = None
    programs: Programs = Programs()
    poster_at: float | None = None


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The film's picture. Width and height are stored pixels, before turning.

    `rotation` is what players turn it by (0, 90, 180, 270, clockwise), `mirrored` says that it is
    put upside down, as in water, before that. `frame_rate` is a fraction
    such as "30000/1001"; `variable` says that frames are not evenly spaced. `keyframe_interval` is
    the longest time in seconds between two points where playing can start, 0 when unknown.
    `bit_rate` is bits per second, 0 when unknown.
    """

    codec: str
    profile: str
    pixel_format: str
    width: int
    height: int
    frame_rate: str
    rotation: int = 0
    mirrored: bool = False
    square_pixels: bool = True
    variable: bool = False
    interlaced: bool = False
    hdr: bool = False
    keyframe_interval: float = 0.0
    bit_rate: int = 0


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """The sound. `bit_rate` is bits per second, `sample_rate` Hz; 0 when unknown."""

    codec: str
    channels: int
    sample_rate: int
    bit_rate: int = 0


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named stretch; seconds."""

    start: float
    end: float
    title: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file is. Width and height are pixels, upright; of a PDF, its first page at 72 dpi;
    0 for what has no picture.

    `frames` counts those of an animation (1 for a still), `pages` those of a document (0 for
    anything else), `duration` is seconds (one round of an animation). `metadata` holds harmless
    facts (camera, lens, taken_at, has_alpha…), never a position: at most that it has one
    (`has_position`), and that there is a cover picture (`has_cover`) or text (`has_text`).
    """

    width: int
    height: int
    frames: int = 1
    pages: int = 0
    duration: float | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    video: VideoFacts | None = None
    audio: AudioFacts | None = None
    chapters: tuple[Chapter, ...] = ()

    @property
    def animated(self) -> bool:
        return self.frames > 1


@dataclass(frozen=True, slots=True)
class Output:
    """One file that an engine wrote: pixels (0 for what is no picture) and bytes."""

    name: str
    path: Path
    mime_type: str
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """All that one run made. `placeholder` is a base64 ThumbHash, `color` is `#rrggbb`, `likeness`
    a perceptual hash of 16 hex digits; each is empty where there is no picture.

    `facts` are those that only the whole content tells, such as loudness. `cpu_seconds` and
    `peak_bytes` (resident) are what the run cost, measured by the sandbox; they are for logs and
    benchmarks.
    """

    outputs: tuple[Output, ...]
    placeholder: str = ""
    color: str = ""
    likeness: str = ""
    facts: Mapping[str, Scalar] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
