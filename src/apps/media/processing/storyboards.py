"""Storyboards: small frames of a film in one sheet, and an index that says when each is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from av.video.frame import VideoFrame
from PIL import Image

from apps.media.exceptions import CorruptFileError
from apps.media.processing.cues import save_cues
from apps.media.processing.frames import Film, frames_from, image_of, keyframe_at
from apps.media.processing.geometry import Size
from apps.media.processing.types import Plan, Progress, Recipe, VideoFacts

MOST_TILES = 100
_COLUMNS = 10
_STEP, _SHORTEST_STEP = 2.0, 0.2  # seconds between tiles of an ordinary film; of the shortest
_FEWEST_TILES = 5
# With keyframes further apart than this many steps, frames between them are decoded too, of films
# that are short enough.
_SPARSE = 2.0
_MOST_DECODED = 3_000  # frames


@dataclass(frozen=True, slots=True)
class Tiles:
    """How a sheet is laid out: pixels of a tile, seconds of a step."""

    size: Size
    step: float
    count: int
    duration: float

    @classmethod
    def of(cls, film: Film, side: int) -> Tiles:
        duration = film.duration
        step = max(_STEP, duration / MOST_TILES)
        step = min(step, max(duration / _FEWEST_TILES, _SHORTEST_STEP))
        count = min(MOST_TILES, max(1, round(duration / step)))
        return cls(film.size.within(side, side), max(duration / count, 0.001), count, duration)

    @property
    def sheet(self) -> Size:
        columns = min(self.count, _COLUMNS)
        return Size(columns * self.size.width, -(-self.count // columns) * self.size.height)

    def place(self, number: int) -> tuple[int, int]:
        """Left and top of a tile."""
        row, column = divmod(number, min(self.count, _COLUMNS))
        return column * self.size.width, row * self.size.height

    def middle(self, number: int) -> float:
        return (number + 0.5) * self.step


def render_storyboard(film: Film, video: VideoFacts, plan: Plan, progress: Progress) -> None:
    """Writes the sheet and the index that the plan asks for."""
    sheets = [recipe for recipe in plan.recipes if recipe.format == "jpeg"]
    tiles = Tiles.of(film, plan.recipes[0].width)
    for recipe in sheets:
        sheet = _draw(film, video, tiles, progress)
        sheet.save(plan.out_dir / recipe.name, "JPEG", quality=recipe.quality, optimize=True)
    for recipe in plan.recipes:
        if recipe.format == "vtt":
            name = sheets[0].name if sheets else Path(recipe.name).with_suffix(".jpg").name
            _save_index(tiles, name, plan.out_dir / recipe.name)


def size_of(film: Film, recipe: Recipe) -> Size:
    """Of the sheet; an index has none."""
    return Tiles.of(film, recipe.width).sheet if recipe.format == "jpeg" else Size(0, 0)


def _draw(film: Film, video: VideoFacts, tiles: Tiles, progress: Progress) -> Image.Image:
    """A place without a picture of its own shows the one before."""
    sheet = Image.new("RGB", (tiles.sheet.width, tiles.sheet.height))
    last: Image.Image | None = None
    for number, frame in enumerate(_frames(film, video, tiles)):
        if frame is not None:
            last = image_of(film, frame, tiles.size)
        if last is not None:
            sheet.paste(last, tiles.place(number))
        progress((number + 1) / tiles.count)
    if last is None:
        raise CorruptFileError("no picture can be decoded")
    return sheet


def _frames(film: Film, video: VideoFacts, tiles: Tiles) -> Iterator[VideoFrame | None]:
    gap = video.keyframe_interval or film.duration
    numerator, denominator = map(int, video.frame_rate.split("/"))
    is_short = film.duration * numerator / denominator <= _MOST_DECODED
    if gap > _SPARSE * tiles.step and is_short:
        return _one_pass(film, tiles)
    return (keyframe_at(film, tiles.middle(number)) for number in range(tiles.count))


def _one_pass(film: Film, tiles: Tiles) -> Iterator[VideoFrame | None]:
    """Decodes everything once, and takes the frames that come first after each time."""
    frames = frames_from(film, 0.0)
    for number in range(tiles.count):
        wanted = tiles.middle(number)
        yield next((frame for frame in frames if film.time_of(frame) >= wanted), None)


def _save_index(tiles: Tiles, sheet: str, path: Path) -> None:
    """Media fragments (w3.org/TR/media-frags §4.2.2) of the sheet, whose address is relative."""
    cues = []
    for number in range(tiles.count):
        left, top = tiles.place(number)
        text = f"{sheet}#xywh={left},{top},{tiles.size.width},{tiles.size.height}"
        end = tiles.duration if number == tiles.count - 1 else (number + 1) * tiles.step
        cues.append((number * tiles.step, end, text))
    save_cues(cues, path)
