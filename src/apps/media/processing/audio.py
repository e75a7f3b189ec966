"""Sound: facts and cover by PyAV; playable copies, waveform and loudness from one run of ffmpeg.

Works on any recording of which only the sound matters, so that films without a picture come here
too. Nothing that is made carries metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from apps.media.exceptions import (
    CorruptFileError,
    TooLongError,
    UnsupportedTypeError,
)
from apps.media.processing import ffmpeg, recordings
from apps.media.processing.containers import MUXERS, opened, sound_stream
from apps.media.processing.covers import covers_tell_position, has_cover, render_cover
from apps.media.processing.cues import save_chapters
from apps.media.processing.loudness import FILTER, loudness_facts
from apps.media.processing.surveys import rewind, survey
from apps.media.processing.types import (
    AudioFacts,
    Facts,
    Limits,
    Output,
    Plan,
    Progress,
    Recipe,
    Rendered,
    Scalar,
)
from apps.media.processing.waveforms import (
    Collector,
    Waveform,
    extremes_filter,
    samples_per_pair,
    save_numbers,
    save_picture,
)

# Bits per second of each channel.
_AAC_RATE, _OPUS_RATE = 64_000, 48_000
_AAC_SAMPLE_RATES = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_OPUS_SAMPLE_RATE = 48_000
# Beyond eight, channels have no agreed places to mix from: the first two stand for all.
_MOST_CHANNELS = 8

_ADIF = b"ADIF"
_ESTIMATED = frozenset({"aac", "ac3"})  # containers whose length libav only guesses
_TOLERATED = 1.0  # seconds between what a header says and what the file holds
_PACKETS_TRIED, _FEWEST_SOUND = 200, 0.1  # some seconds; share of them
_FROM_SOUND = frozenset({"sound", "peaks", "waveform"})

# What a copy without the position keeps; libav knows these words in every container.
_KEPT_TAGS = ("title", "artist", "album", "album_artist", "composer", "genre", "track", "year")


# -- facts -------------------------------------------------------------------------------------


def probe(path: Path, mime: str, limits: Limits) -> Facts:
    """Facts from headers, packets and the first sound that decodes.

    Raises `TooLongError`; `UnsupportedTypeError` for ADIF; `CorruptFileError` where no sound can be
    decoded, which is also how encrypted ones end.
    """
    _refuse_adif(path)
    with opened(path, mime) as container:
        facts, _ = _sound(container, limits)
    metadata = {name: value for name, value in facts.metadata.items() if _is_legible(name, value)}
    if has_cover(path, mime, limits):
        metadata["has_cover"] = 1
    if covers_tell_position(path, mime):
        metadata["has_position"] = 1
    return replace(facts, metadata=metadata)


def _is_legible(name: str, value: Scalar) -> bool:
    """Old tags do not say their encoding; some become nothing but replacement characters."""
    return name != "has_cover" and bool(str(value).strip("\ufffd "))


def _refuse_adif(path: Path) -> None:
    """A form of AAC without frames, which nothing here reads."""
    with path.open("rb") as file:
        if file.read(len(_ADIF)) == _ADIF:
            raise UnsupportedTypeError("AAC in ADIF")


def _sound(container: InputContainer, limits: Limits) -> tuple[Facts, int]:
    """The facts, and which stream the sound is."""
    stream, audio = sound_stream(container), recordings.audio_facts(container)
    if stream is None or audio is None or not audio.sample_rate or not audio.channels:
        raise CorruptFileError("no sound that can be decoded")
    if not _mostly_decodes(container, stream):
        raise CorruptFileError("hardly any of the sound can be decoded")
    duration = _duration(container, stream)
    if duration > limits.max_duration:
        raise TooLongError(f"{duration:.0f} s")
    facts = Facts(
        width=0,
        height=0,
        duration=duration,
        metadata=recordings.metadata_of(container),
        audio=audio,
        chapters=recordings.chapters_of(container, duration),
    )
    return facts, stream.index


def _mostly_decodes(container: InputContainer, stream: AudioStream) -> bool:
    """What is encrypted has a sound packet by chance, one in a thousand."""
    rewind(container)
    packets, sounds = 0, 0
    for packet in islice(container.demux(stream), _PACKETS_TRIED):
        packets += 1
        with suppress(av.FFmpegError):
            sounds += bool(packet.decode())
    return sounds > packets * _FEWEST_SOUND


def _duration(container: InputContainer, stream: AudioStream) -> float:
    """Seconds. What is there counts: half a sound plays as well as a whole one."""
    rewind(container)
    claimed = container.duration / av.time_base if container.duration else 0.0
    there = survey(container).end
    if there is None and (not claimed or container.format.name in _ESTIMATED):
        there = _measured(container, stream)
    if there is None or abs(there - claimed) <= _TOLERATED:
        return claimed
    return there


def _measured(container: InputContainer, stream: AudioStream) -> float:
    """By going through all packets."""
    rewind(container)
    length = 0
    for packet in container.demux(stream):
        length += packet.duration or 0
    return float(length * (stream.time_base or 0))


# -- renditions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Source:
    """The file, what it is, and which of its streams is the sound."""

    path: Path
    mime: str
    facts: Facts
    stream: int

    @property
    def audio(self) -> AudioFacts:
        assert self.facts.audio is not None
        return self.facts.audio

    @property
    def duration(self) -> float:
        return self.facts.duration or 0.0


def render(path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress) -> Rendered:
    """Makes every recipe of the plan; what comes from the sound, from one decode of it.

    Then `facts` holds its loudness (see `loudness_facts`). Raises what `probe` raises, and
    `CorruptFileError` when a picture is asked of a sound without a cover.
    """
    _refuse_adif(path)
    with opened(path, mime) as container:
        source = _Source(path, mime, *_sound(container, limits))
    rendered = Rendered(())
    pictures = _of(plan, {"picture"})
    if pictures:
        rendered = render_cover(
            path, mime, plan=replace(plan, recipes=pictures), limits=limits, progress=progress
        )
    if _of(plan, _FROM_SOUND):
        rendered = replace(rendered, facts=_render_sound(source, plan, progress))
    for recipe in plan.recipes:
        _save_rest(source, recipe, plan)
    made = {output.name: output for output in rendered.outputs}
    outputs = tuple(made.get(one.name) or _output(one, plan, mime) for one in plan.recipes)
    return replace(rendered, outputs=outputs)


def _of(plan: Plan, products: Iterable[str]) -> tuple[Recipe, ...]:
    return tuple(recipe for recipe in plan.recipes if recipe.product in products)


def _save_rest(source: _Source, recipe: Recipe, plan: Plan) -> None:
    """What is made without looking at picture or sound."""
    if recipe.product == "chapters":
        save_chapters(source.facts.chapters, plan.out_dir / recipe.name)
    elif recipe.product == "clean":
        _save_clean(source, recipe, plan)


def _output(recipe: Recipe, plan: Plan, mime: str) -> Output:
    """Raises `UnsupportedTypeError` for a product that no sound has."""
    path = plan.out_dir / recipe.name
    if not path.exists():
        raise UnsupportedTypeError(f"no {recipe.product} of {mime}")
    drawn = recipe.product == "waveform"
    return Output(
        name=recipe.name,
        path=path,
        mime_type=recipe.mime_type or mime,
        width=recipe.width if drawn else 0,
        height=(recipe.height or recipe.width) if drawn else 0,
        size=path.stat().st_size,
    )


def _save_clean(source: _Source, recipe: Recipe, plan: Plan) -> None:
    """The same sound, unchanged, with the words that tell no place."""
    if source.mime not in MUXERS:
        raise UnsupportedTypeError(source.mime)
    tags = {name: source.facts.metadata.get(name) for name in _KEPT_TAGS}
    tags["date"] = tags.pop("year")
    words = [("-metadata", f"{name}={value}") for name, value in tags.items() if value]
    arguments = [*ffmpeg.source(source.path, source.mime), "-map", f"0:{source.stream}"]
    arguments += [*_NOTHING_ELSE, *(part for word in words for part in word)]
    target = plan.out_dir / recipe.name
    ffmpeg.write_same(plan.programs.ffmpeg, arguments, target, source.mime)


# -- one run of ffmpeg -------------------------------------------------------------------------

_NOTHING_ELSE = ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact")


def _render_sound(source: _Source, plan: Plan, progress: Progress) -> dict[str, Scalar]:
    """Makes what needs decoding; returns the loudness."""
    rate = source.audio.sample_rate
    samples = samples_per_pair(source.duration, rate)
    collector = Collector(rate, samples)
    sounds = _of(plan, {"sound"})
    arguments: list[str | Path] = [
        *("-threads", "1", "-filter_complex_threads", "1"),
        *ffmpeg.source(source.path, source.mime),
        *("-filter_complex", _graph(source, sounds, extremes_filter(rate, samples))),
    ]
    for number, recipe in enumerate(sounds):
        arguments += ["-map", f"[sound{number}]", *_encoding(source.audio, recipe), *_NOTHING_ELSE]
        arguments.append(plan.out_dir / recipe.name)
    arguments += ["-map", "[extremes]", "-f", "null", "-"]
    said = ffmpeg.run_ffmpeg(
        plan.programs.ffmpeg,
        arguments,
        cwd=plan.out_dir,
        loglevel="info",  # where the loudness is
        on_line=_listener(collector, source.duration, progress),
    )
    _save_waveforms(collector.waveform(), plan)
    return loudness_facts(said)


def _graph(source: _Source, sounds: Sequence[Recipe], extremes: str) -> str:
    """From the sound through the measuring of its loudness to every output."""
    few = "pan=stereo|c0=c0|c1=c1," if source.audio.channels > _MOST_CHANNELS else ""
    names = [f"[s{number}]" for number in range(len(sounds))]
    parts = [f"[0:{source.stream}]{few}{FILTER},asplit={len(names) + 1}{''.join(names)}[s]"]
    for number, recipe in enumerate(sounds):
        parts.append(f"[s{number}]{_shape(source.audio, recipe)}[sound{number}]")
    return ";".join([*parts, f"[s]{extremes}[extremes]"])


def _shape(audio: AudioFacts, recipe: Recipe) -> str:
    """One or two channels at one rate, whatever comes; mixed so that nothing clips."""
    rate = _OPUS_SAMPLE_RATE if recipe.format == "opus" else _aac_sample_rate(audio.sample_rate)
    layout = "mono" if audio.channels == 1 else "stereo"
    shape = f"aresample=rematrix_maxval=1,aformat=sample_rates={rate}:channel_layouts={layout}"
    return f"{shape},apad=whole_len={rate // 10}"  # encoders make nothing of a few samples


def _aac_sample_rate(rate: int) -> int:
    """The least that keeps all of the sound, within what every player takes."""
    return next((one for one in _AAC_SAMPLE_RATES if one >= rate), _AAC_SAMPLE_RATES[-1])


def _encoding(audio: AudioFacts, recipe: Recipe) -> list[str]:
    channels = min(audio.channels, 2)
    if recipe.format == "opus":
        return ["-c:a", "libopus", "-b:a", str(channels * _OPUS_RATE), "-f", "opus"]
    rate = str(channels * _AAC_RATE)
    return ["-c:a", "aac", "-b:a", rate, "-movflags", "+faststart", "-f", "ipod"]


def _listener(collector: Collector, duration: float, progress: Progress) -> Callable[[str], None]:
    """Collects, and tells how far the sound has come, in whole percents."""
    told = 0

    def take(line: str) -> None:
        nonlocal told
        collector.take(line)
        percent = min(100, int(100 * collector.seconds / duration)) if duration else 0
        if percent > told:
            told = percent
            progress(percent / 100)

    return take


def _save_waveforms(waveform: Waveform, plan: Plan) -> None:
    """Raises `CorruptFileError` when ffmpeg has found nothing to decode."""
    if not waveform.pairs:
        raise CorruptFileError("no sound was decoded")
    for recipe in _of(plan, {"peaks"}):
        save_numbers(waveform, plan.out_dir / recipe.name)
    for recipe in _of(plan, {"waveform"}):
        save_picture(waveform, recipe, plan.out_dir / recipe.name)
