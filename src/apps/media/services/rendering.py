"""Renditions by recipe: made when a file comes, when a recipe has changed, and when asked for.

Slow work holds neither lock nor transaction. Results are saved only under the job's own lease;
otherwise what was made is removed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from django.db.models import QuerySet

from apps.media import selectors
from apps.media.conf import options
from apps.media.models import Job, MediaFile, MediaVersion, Rendition
from apps.media.processing import sandbox
from apps.media.processing.engines import engine_for
from apps.media.processing.recipes import RecipeSet, is_for_uses, recipe_named, recipes_for
from apps.media.processing.swatches import swatch_of
from apps.media.processing.types import MIB, Facts, Focal, Limits, Output, Plan, Recipe, Rendered
from apps.media.services.allowances import limits, long_limits, programs
from apps.media.services.facts import facts_of, version_of
from apps.media.services.jobs import Claim, Work, enqueue_job
from apps.media.services.lookalikes import note_look
from apps.media.services.publication import conclude
from apps.media.services.renditions import (
    adopt,
    is_current,
    removed_when_lost,
    reserve,
    rows_of,
    write,
)
from apps.media.services.words import refresh_search_text
from apps.media.services.workplaces import private_copy

FIRST, LATER = "", "later"  # subjects of the jobs that nobody has to ask for
URGENT = 20  # priority of what somebody waits for
TEXT_LENGTH = 50_000  # characters of a document that it is found by
LOOKS = ("placeholder", "color", "likeness")
CENTRE: Focal = (0.5, 0.5)


def enqueue_renderings(
    media: MediaFile,
    version: MediaVersion,
    facts: Facts,
    *,
    priority: int = 0,
    needed: bool = True,
) -> int:
    """Have everything made that nobody has to ask for and that is missing or of a changed recipe.

    Returns how many jobs that takes.
    """
    rows = rows_of(version)
    wanted = {
        recipe.when
        for recipe in _recipes(version, facts)
        if not is_current(rows.get(recipe.name), fingerprint_for(recipe, media, version.poster_at))
    }
    jobs = [
        Work(Job.Kind.RENDER, subject, queue=queue, priority=priority, needed=needed)
        for when, subject, queue in (("first", FIRST, Job.FAST), ("later", LATER, Job.SLOW))
        if when in wanted
    ]
    for work in jobs:
        enqueue_job(media=media, version=version.number, work=work)
    _enqueue_for_uses(media, version, rows)
    return len(jobs)


def request_for_uses(media: MediaFile) -> None:
    """Have made what the uses of `media` are shown by, of its current version."""
    version = media.current
    _enqueue_for_uses(media, version, rows_of(version))


def _enqueue_for_uses(media: MediaFile, version: MediaVersion, rows: dict[str, Rendition]) -> None:
    for name in sorted(selectors.list_use_names(media_id=media.pk)):
        recipe = find_recipe(version, name)
        if recipe is None or is_current(
            rows.get(name), fingerprint_for(recipe, media, version.poster_at)
        ):
            continue
        work = Work(Job.Kind.RENDER, name, queue=Job.FAST, priority=URGENT, needed=False)
        enqueue_job(media=media, version=version.number, work=work)


def request_rendition(*, media: MediaFile, name: str) -> bool:
    """Have the named rendition made unless it is; return whether it will be there.

    However many ask, in however many processes, it is made once. False for a name that no recipe
    has, or that makes no sense for such a file.
    """
    version = media.current
    recipe = find_recipe(version, name)
    if recipe is None or not _has_programs(version):
        return False
    queue = Job.SLOW if recipe.when == "later" else Job.FAST
    work = Work(Job.Kind.RENDER, name, queue=queue, priority=URGENT, needed=False)
    enqueue_job(media=media, version=version.number, work=work)
    return True


def find_recipe(version: MediaVersion, name: str) -> Recipe | None:
    """The recipe by which such a file has a rendition of that name."""
    return recipe_named(name, version.mime_type, facts_of(version), _recipe_set())


def fingerprint_for(recipe: Recipe, media: MediaFile, poster_at: float | None = None) -> str:
    """Changes whenever the result would: crops also depend on the focal point, pictures of a film
    on the moment that they show."""
    moment = poster_at if recipe.product == "picture" else None
    name = recipe.fingerprint if moment is None else f"{recipe.fingerprint}@{moment:.3f}"
    focal = (media.focal_x, media.focal_y)
    if recipe.fit != "cover" or focal == CENTRE or recipe.crop is not None:
        return name
    return f"{name}-{focal[0]:.3f}-{focal[1]:.3f}"


def render(claim: Claim) -> None:
    """Make every rendition of the job that is missing or of a changed recipe."""
    version = version_of(claim)
    wanted = _missing(claim, version)
    with claim.saving() as media:
        rows = reserve(media, version, (recipe.name for recipe in wanted))
    if rows:
        with removed_when_lost(rows), private_copy(version, claim) as (source, out_dir):
            rendered = _run(claim, version, Plan(out_dir, wanted, programs=programs()), source)
            _store(claim, rows, rendered)
            _save(claim, version, wanted, rows, rendered)
    else:
        with claim.saving() as media:
            claim.finish()
            conclude(media)


def _missing(claim: Claim, version: MediaVersion) -> tuple[Recipe, ...]:
    rows, media = rows_of(version), claim.job.media
    return tuple(
        recipe
        for recipe in _of_job(claim.job, version)
        if not is_current(rows.get(recipe.name), fingerprint_for(recipe, media, version.poster_at))
    )


def _of_job(job: Job, version: MediaVersion) -> tuple[Recipe, ...]:
    when = {FIRST: "first", LATER: "later"}.get(job.subject)
    if when is None:
        found = find_recipe(version, job.subject)
        return (found,) if found else ()
    return tuple(one for one in _recipes(version, facts_of(version)) if one.when == when)


def _recipes(version: MediaVersion, facts: Facts) -> tuple[Recipe, ...]:
    return recipes_for(version.mime_type, facts, _recipe_set()) if _has_programs(version) else ()


def _has_programs(version: MediaVersion) -> bool:
    """Whether this machine has what files of that type need."""
    return engine_for(version.mime_type) != "office" or bool(programs().soffice)


def _recipe_set() -> RecipeSet:
    own = options().recipes
    return RecipeSet(images=own) if own else RecipeSet()


def _run(claim: Claim, version: MediaVersion, plan: Plan, source: Path) -> Rendered:
    media = claim.job.media
    return sandbox.run_render(
        source,
        version.mime_type,
        plan=replace(plan, focal=_focal(media), poster_at=version.poster_at),
        limits=_limits(claim.job, version),
        on_progress=claim.keep,
        on_idle=claim.keep,
    )


def _focal(media: MediaFile) -> Focal:
    return (media.focal_x, media.focal_y)


def _limits(job: Job, version: MediaVersion) -> Limits:
    made_by_programs = engine_for(version.mime_type) in {"video", "audio", "office"}
    slow = job.queue == Job.SLOW or made_by_programs
    chosen = long_limits(version.duration) if slow else limits()
    # A clean copy is about as large as the original.
    return replace(chosen, output_bytes=max(chosen.output_bytes, version.size + MIB))


def _store(claim: Claim, rows: list[Rendition], rendered: Rendered) -> None:
    """Write the objects to the keys of this attempt; nobody is given them yet."""
    for row, output in zip(rows, rendered.outputs, strict=True):
        row.width, row.height = output.width or None, output.height or None
        claim.wait_for(partial(write, row, output.path))


def _save(
    claim: Claim,
    version: MediaVersion,
    wanted: tuple[Recipe, ...],
    rows: list[Rendition],
    rendered: Rendered,
) -> None:
    """Serve all at once, and note what only the whole content told."""
    with claim.saving() as media:
        for recipe, row, output in zip(wanted, rows, rendered.outputs, strict=True):
            fingerprint = fingerprint_for(recipe, claim.job.media, version.poster_at)
            adopt(row, fingerprint=fingerprint, mime_type=output.mime_type)
        _drop_unknown(version, media)
        _note(media, version, rendered)
        claim.finish()
        _maybe_make_again(claim, media, version)
        conclude(media)
    if rendered.likeness:
        note_look(media=media)


def _maybe_make_again(claim: Claim, media: MediaFile, version: MediaVersion) -> None:
    """Somebody may have chosen another point or moment while this was made."""
    moment = media.versions.values_list("poster_at", flat=True).get(number=version.number)
    if (_focal(media), moment) != (_focal(claim.job.media), version.poster_at):
        work = Work(Job.Kind.RENDER, priority=URGENT, needed=False)
        enqueue_job(media=media, version=version.number, work=work)


def _drop_unknown(version: MediaVersion, media: MediaFile) -> None:
    """Renditions that no recipe makes any more go, and what no use is shown by any more."""
    asked = selectors.list_use_names(media_id=version.media_id)
    for row in _served(version).exclude(name=Rendition.FALLBACK):
        unused = is_for_uses(row.name) and row.name not in asked
        if unused or find_recipe(version, row.name) is None:
            row.delete()


def _served(version: MediaVersion) -> QuerySet[Rendition]:
    rows = Rendition.objects.filter(media_id=version.media_id, version=version.number)
    return rows.exclude(name__startswith=Rendition.TRACKS).exclude(name__startswith=Rendition.PARTS)


def _note(media: MediaFile, version: MediaVersion, rendered: Rendered) -> None:
    # Another job of the file may have added to them.
    version.refresh_from_db(fields=["metadata", "text", *LOOKS])
    version.metadata = {**version.metadata, **rendered.facts}
    words = _text_of(rendered.outputs)
    version.text = version.text if words is None else words
    if rendered.placeholder:
        version.placeholder, version.color = rendered.placeholder, rendered.color
        version.likeness = rendered.likeness or version.likeness
    version.save(update_fields=["metadata", "text", *LOOKS])
    if media.version != version.number:
        return
    if rendered.placeholder:
        for name in LOOKS:
            setattr(media, name, getattr(version, name))
        media.swatch = swatch_of(media.color)
        media.save(update_fields=[*LOOKS, "swatch", "updated_at"])
    if words is not None:
        refresh_search_text(media)


def _text_of(outputs: tuple[Output, ...]) -> str | None:
    """The beginning of the words of a document, where this run has read them."""
    found = next((output for output in outputs if output.mime_type == "text/plain"), None)
    if found is None:
        return None
    with found.path.open(encoding="utf-8", errors="replace") as file:
        return file.read(TEXT_LENGTH).replace("\0", "")
