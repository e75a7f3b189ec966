"""Films: what they are, and pictures and small clips of them, by PyAV.

A container of films that holds only sound is legal, and is the business of the engine of sound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from av.container import InputContainer

from apps.media.exceptions import UnsupportedTypeError
from apps.media.processing import audio as sounds
from apps.media.processing.bitmaps import render_pixels
from apps.media.processing.clips import clip_size, render_clip
from apps.media.processing.containers import opened, picture_stream, sound_stream
from apps.media.processing.covers import covers_tell_position
from apps.media.processing.cues import save_chapters
from apps.media.processing.ffmpeg import source as read_source
from apps.media.processing.ffmpeg import write_same
from apps.media.processing.frames import Film, poster
from apps.media.processing.geometry import Size
from apps.media.processing.recordings import (
    audio_facts,
    chapters_of,
    metadata_of,
    upright_size,
    video_facts,
)
from apps.media.processing.storyboards import render_storyboard, size_of
from apps.media.processing.surveys import seconds, survey
from apps.media.processing.types import (
    Facts,
    Limits,
    Output,
    Plan,
    Product,
    Progress,
    Recipe,
    Rendered,
)


def probe(path: Path, mime: str, limits: Limits) -> Facts:
    """Facts from the first frames and the index. Raises `CorruptFileError` when nothing can be
    decoded, `TooLongError`, `TooManyPixelsError`."""
    with opened(path, mime) as container:
        facts = _film_facts(container, limits)
    if facts is None:
        return sounds.probe(path, mime, limits)
    if facts.metadata.get("has_cover") and covers_tell_position(path, mime):
        return replace(facts, metadata={**facts.metadata, "has_position": 1})
    return facts


def _film_facts(container: InputContainer, limits: Limits) -> Facts | None:
    """None of a recording without a picture."""
    if picture_stream(container) is None:
        return None
    seen = survey(container)
    length = seconds(container, seen, limits)
    video = video_facts(container, seen, limits)
    width, height = upright_size(container, video)
    return Facts(
        width=width,
        height=height,
        duration=length,
        metadata=metadata_of(container),
        video=video,
        audio=audio_facts(container),
        chapters=chapters_of(container, length),
    )


def render(path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress) -> Rendered:
    """Makes every recipe of the plan. Raises what `probe` raises."""
    with opened(path, mime) as container:
        facts = _film_facts(container, limits)
        if facts is not None:
            return _render(_Source(path, mime, facts, Film.of(container, facts)), plan, progress)
    return sounds.render(path, mime, plan=plan, limits=limits, progress=progress)


# -- renditions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Source:
    """A film, what it is, and its frames."""

    path: Path
    mime: str
    facts: Facts
    film: Film


def _render(source: _Source, plan: Plan, progress: Progress) -> Rendered:
    """Product by product; whatever has only pictures leaves the rest as it is."""
    products = list(dict.fromkeys(recipe.product for recipe in plan.recipes))
    outputs: dict[str, Output] = {}
    whole = Rendered(())
    for number, product in enumerate(products):
        recipes = tuple(recipe for recipe in plan.recipes if recipe.product == product)
        share = _share(progress, number, len(products))
        part = _make(product, source, replace(plan, recipes=recipes), share)
        outputs |= {output.name: output for output in part.outputs}
        whole = part if product == "picture" else whole
    return replace(whole, outputs=tuple(outputs[recipe.name] for recipe in plan.recipes))


def _share(progress: Progress, number: int, count: int) -> Progress:
    return lambda fraction: progress((number + fraction) / count)


def _make(product: Product, source: _Source, plan: Plan, progress: Progress) -> Rendered:
    if product == "picture":
        return render_pixels(poster(source.film, plan.poster_at), plan, progress)
    if product not in _MAKERS:
        raise UnsupportedTypeError(f"no {product} of {source.mime}")
    sizes = _MAKERS[product](source, plan, progress)
    return Rendered(
        tuple(
            _output(recipe, plan, size, source.mime)
            for recipe, size in zip(plan.recipes, sizes, strict=True)
        )
    )


def _output(recipe: Recipe, plan: Plan, size: Size, mime: str) -> Output:
    path = plan.out_dir / recipe.name
    mime_type = recipe.mime_type or mime
    return Output(recipe.name, path, mime_type, size.width, size.height, path.stat().st_size)


def _make_storyboard(source: _Source, plan: Plan, progress: Progress) -> list[Size]:
    assert source.facts.video is not None
    render_storyboard(source.film, source.facts.video, plan, progress)
    return [size_of(source.film, recipe) for recipe in plan.recipes]


def _make_clips(source: _Source, plan: Plan, progress: Progress) -> list[Size]:
    for recipe in plan.recipes:
        render_clip(source.film, recipe, plan.out_dir / recipe.name, progress)
    return [clip_size(source.film, recipe) for recipe in plan.recipes]


def _make_chapters(source: _Source, plan: Plan, _: Progress) -> list[Size]:
    for recipe in plan.recipes:
        save_chapters(source.facts.chapters, plan.out_dir / recipe.name)
    return [Size(0, 0) for _ in plan.recipes]


def _make_clean(source: _Source, plan: Plan, progress: Progress) -> list[Size]:
    """The same picture and sound; words and tracks of data stay behind, and with them places."""
    video, audio = picture_stream(source.film.container), sound_stream(source.film.container)
    streams = [stream.index for stream in (video, audio) if stream]
    for recipe in plan.recipes:
        arguments = read_source(source.path, source.mime)
        for index in streams:
            arguments += ["-map", f"0:{index}"]
        arguments += ["-map_metadata", "-1", "-map_metadata:s", "-1", "-fflags", "+bitexact"]
        write_same(
            plan.programs.ffmpeg,
            arguments,
            plan.out_dir / recipe.name,
            source.mime,
            duration=source.film.duration,
            progress=progress,
        )
    return [source.film.size for _ in plan.recipes]


_MAKERS: Mapping[Product, Callable[[_Source, Plan, Progress], list[Size]]] = {
    "storyboard": _make_storyboard,
    "clip": _make_clips,
    "chapters": _make_chapters,
    "clean": _make_clean,
}
