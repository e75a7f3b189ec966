"""Every real, odd and hostile file through the running site: each verdict of the corpus is met."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator

import httpx
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from apps.core.tests.corpus import CORPUS, needs_corpus
from apps.media.tests.corpus.carrying import Case, Outcome, carry, manifest, show
from apps.media.tests.corpus.promises import (
    assert_inert,
    assert_no_metadata,
    assert_nobody_else,
    digest,
    renditions,
    unmet,
)
from apps.media.tests.corpus.tricks import packed, tricks
from apps.media.tests.flows.clients import Person, anybody
from apps.media.tests.flows.servers import Site
from apps.media.tests.flows.state import assert_accounts, assert_explained

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(600)]

KEY = re.compile(r"(incoming|original|rendition)/[0-9a-f]{2}/[0-9a-f]{32}(\.[a-z0-9]+)?")
MIB = 1024 * 1024
# Valid for sniffers only: containers of the right brand without a picture in them.
HEADERS_ONLY = ("images_valid/testAVIF.avif", "images_valid/testHEIC_livePhoto.heic")


@pytest.fixture(autouse=True)
def nothing_is_lost(site: Site, person: Person) -> Iterator[None]:
    """After each group: every object has its row, keys are ours, accounts are right."""
    yield
    state = site.state()
    assert_explained(state)
    assert_accounts(state)
    assert all(KEY.fullmatch(key) for key in state.objects)
    if sys.platform == "linux":
        peak = max(site.peak_memory().values())
        sys.stdout.write(f"  largest process so far: {peak // MIB} MiB\n")


def group(site: Site, person: Person, title: str, cases: list[Case]) -> list[Outcome]:
    """Carry the cases, print the table, and see that every verdict is met."""
    outcomes = carry(site, person, cases)
    show(title, outcomes)
    assert not [one for one in unmet(outcomes) if not one.startswith(HEADERS_ONLY)]
    return outcomes


@needs_corpus
def test_valid_images(site: Site, person: Person) -> None:
    outcomes = group(site, person, "images_valid", manifest("images_valid"))
    with person.client() as client:
        for outcome in outcomes:
            if outcome.stored:
                assert_inert(client, outcome)
                assert_no_metadata(client, outcome)
        assert_upright(client, outcomes)


def assert_upright(client: httpx.Client, outcomes: list[Outcome]) -> None:
    """The same scene under eight orientations gives the same picture."""
    for kind in ("Landscape", "Portrait"):
        same = [one for one in outcomes if one.case.name.startswith(f"{kind}_")]
        pictures = [small_picture(client, outcome) for outcome in same]
        assert len(pictures) > 1
        for outcome, picture in zip(same, pictures, strict=True):
            assert picture.shape == pictures[0].shape, str(outcome)
            difference = np.abs(picture - pictures[0]).mean()
            assert difference < 12, f"{outcome}: {difference:.1f} of 255"


def small_picture(client: httpx.Client, outcome: Outcome) -> npt.NDArray[np.float64]:
    data = dict(renditions(client, outcome))["w320.webp"]
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("L").resize((image.width // 4, image.height // 4)), float)


@needs_corpus
def test_metadata_stays_with_the_owner(site: Site, person: Person) -> None:
    outcomes = group(site, person, "images_exif_privacy", manifest("images_exif_privacy"))
    with person.client() as client:
        for outcome in outcomes:
            if outcome.stored:
                assert_no_metadata(client, outcome)


@needs_corpus
def test_broken_images_and_bombs(site: Site, person: Person) -> None:
    cases = manifest("images_malformed", "images_bombs")
    group(site, person, "images_malformed, images_bombs", cases)


@needs_corpus
def test_documents(site: Site, person: Person) -> None:
    cases = manifest("pdf_valid", "pdf_active", "pdf_malformed", "pdf_encrypted")
    outcomes = group(site, person, "pdf_*", cases)
    with person.client() as owner, anybody(site.address) as stranger:
        for outcome in outcomes:
            if outcome.stored and outcome.case.verdict == "B":
                assert_nobody_else(owner, stranger, outcome)
            elif outcome.stored:
                assert_inert(owner, outcome)


@needs_corpus
def test_two_formats_in_one_archives_and_drawings(site: Site, person: Person) -> None:
    cases = manifest("polyglots", "archives", "svg_malicious", "svg_benign")
    outcomes = group(site, person, "polyglots, archives, svg_*", cases)
    with person.client() as client:
        for outcome in outcomes:
            if outcome.stored:
                assert_inert(client, outcome)


SAME_TYPE = {  # our name for a label's
    "image/x-portable-pixmap": "image/x-portable-anymap",
    "application/x-matroska": "video/x-matroska",
}
# Text without an extension, or with a dialect of its own: plain text to us, and harmless.
DIALECTS = {"testJavaHprofText", "testRobots2.txt"}


@needs_corpus
def test_detected_types(site: Site, person: Person) -> None:
    outcomes = group(site, person, "sniff_tika", manifest("sniff_tika"))
    rows = json.loads((CORPUS / "sniff_tika" / "LABELS.json").read_text())
    labels = {row["file"]: {SAME_TYPE.get(value, value) for value in row.values()} for row in rows}
    other = {
        outcome.case.name
        for outcome in outcomes
        if outcome.stored and outcome.media["mime_type"] not in labels[outcome.case.name]
    }
    assert other <= DIALECTS
    with person.client() as client:
        for outcome in outcomes:
            if outcome.stored:
                assert_inert(client, outcome)


def test_tricks(site: Site, person: Person) -> None:
    outcomes = group(site, person, "tricks", tricks())
    with person.client() as owner, anybody(site.address) as stranger:
        for outcome in outcomes:
            if not outcome.stored:
                continue
            assert not set('/\\\0\u202e"') & set(outcome.media["original_name"]) - {'"'}
            if outcome.case.verdict == "B":
                assert_nobody_else(owner, stranger, outcome)
            else:
                assert_inert(owner, outcome)


@needs_corpus
def test_names(site: Site, person: Person) -> None:
    text = b"Only the name is strange.\n"
    traversal = json.loads((CORPUS / "names" / "django_traversal_names.json").read_text())
    names = [name for group_ in traversal.values() for name in group_]
    naughty = json.loads((CORPUS / "names" / "blns.json").read_text())
    archive = packed({"a.txt": text})  # of which nothing is made
    cases = [
        *manifest("names"),
        *(Case(name, text, "A|B", label=f"name {name!r}") for name in names),
        *(
            Case(f"{word}.zip", archive, "A|B", fields={"title": word, "alt_text": word})
            for word in naughty[::5]  # `test_api` has them all, without a server
        ),
    ]
    for outcome in group(site, person, "names", cases):
        assert outcome.stored or outcome.status == httpx.codes.BAD_REQUEST, str(outcome)
        if outcome.stored:
            assert outcome.media["sha256"] == digest(outcome.case.data)
            assert not set("/\\\0\r\n") & set(outcome.media["original_name"])
            for field, value in outcome.case.fields.items():
                # Unchanged, but for white space around it, which the API's text fields drop.
                assert outcome.media[field] == value.strip(), str(outcome)
