"""The words that engines and their callers share: limits, recipes, facts and results.

Immutable values only; nothing here touches a file or a library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Fit = Literal["inside", "cover"]
Format = Literal["webp", "jpeg", "png"]
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
    memory_bytes: int = 768 * MIB
    cpu_seconds: int = 60
    wall_seconds: float = 120.0
    output_bytes: int = 64 * MIB  # of any single file that is written


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make one rendition. Data: it has no code and comes from settings.

    `inside` keeps the whole picture within `width` × `height` (no height: only the width and the
    format bound it); `cover` crops it to exactly that shape. Neither ever enlarges. `quality` is
    1..100. `effort` 0..6 buys bytes with CPU: WebP's own scale; JPEG is plain at 0, has tables of
    its own from 1 on, and is progressive from 2 on. `animated` keeps all frames.
    """

    name: str
    width: int
    height: int | None = None
    fit: Fit = "inside"
    format: Format = "webp"
    quality: int = 80
    effort: int = 2
    animated: bool = False

    @property
    def mime_type(self) -> str:
        return f"image/{self.format}"

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change whenever the result would."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make and where: each recipe becomes `out_dir / recipe.name`."""

    out_dir: Path
    recipes: tuple[Recipe, ...]
    focal: Focal | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file is. Width and height are pixels, upright; of a PDF, its first page at 72 dpi.

    `frames` counts those of an animation (1 for a still), `pages` those of a document (0 for an
    image), `duration` is one round of the animation in seconds. `metadata` holds harmless facts
    (camera, lens, taken_at, orientation, has_alpha…), never a position.
    """

    width: int
    height: int
    frames: int = 1
    pages: int = 0
    duration: float | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def animated(self) -> bool:
        return self.frames > 1


@dataclass(frozen=True, slots=True)
class Output:
    """One file that an engine wrote: pixels and bytes."""

    name: str
    path: Path
    mime_type: str
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """All that one run made. `placeholder` is a base64 ThumbHash, `color` is `#rrggbb`.

    `cpu_seconds` and `peak_bytes` (resident) are what the run cost, measured by the sandbox; they
    are for logs and benchmarks.
    """

    outputs: tuple[Output, ...]
    placeholder: str
    color: str
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
