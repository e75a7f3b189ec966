"""Office documents: what LibreOffice makes of them, and what it must not be able to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from apps.media.exceptions import (
    CorruptFileError,
    EngineAwayError,
    PasswordProtectedError,
    UnsafeContentError,
)
from apps.media.processing import office, sandbox
from apps.media.processing.installed import find_soffice
from apps.media.processing.recipes import PAPER, TEXT, recipes_for
from apps.media.processing.types import Facts, Limits, Plan, Programs, Recipe, Rendered
from apps.media.tests import papers, samples
from apps.media.tests.processing.conftest import Save, probe

# Generous: a busy machine takes several times the 1.5 s of CPU that a conversion costs.
LIMITS = Limits(wall_seconds=200)
MAGENTA = (255, 0, 255)

needs_soffice = pytest.mark.skipif(not find_soffice(), reason="LibreOffice is not installed")
Convert = Callable[..., Rendered]


@pytest.fixture
def convert(save: Save, tmp_path: Path) -> Convert:
    out_dir = tmp_path / "out"
    out_dir.mkdir()

    def run(source: bytes, mime: str, *recipes: Recipe, soffice: str = find_soffice()) -> Rendered:
        plan = Plan(out_dir, recipes or (PAPER,), programs=Programs(soffice=soffice))
        return sandbox.run_render(save(source), mime, plan=plan, limits=LIMITS)

    return run


def words_of(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def has_colour(path: Path, wanted: tuple[int, int, int]) -> bool:
    with pypdfium2.PdfDocument(path) as document:
        picture = document[0].render(scale=0.5).to_pil().convert("RGB")
    colours = picture.getcolors(picture.width * picture.height)
    assert colours is not None
    return any(colour == wanted for _, colour in colours)


@pytest.fixture
def secret(tmp_path: Path) -> str:
    """The URL of a picture on this machine that no document has any business with."""
    path = tmp_path / "secret.png"
    Image.new("RGB", (200, 200), MAGENTA).save(path)
    return path.as_uri()


class TestProbe:
    @pytest.mark.parametrize("mime", papers.OFFICE)
    def test_a_sound_document(self, mime: str, save: Save) -> None:
        assert probe(save(papers.OFFICE[mime]()), mime) == Facts(0, 0)

    @pytest.mark.parametrize(
        ("mime", "source"),
        [
            pytest.param(papers.DOCX, papers.encrypted_docx(), id="docx"),
            pytest.param(papers.ODT, papers.encrypted_odt(), id="odt"),
        ],
    )
    def test_a_password(self, mime: str, source: bytes, save: Save) -> None:
        with pytest.raises(PasswordProtectedError):
            probe(save(source), mime)

    def test_macros(self, save: Save) -> None:
        with pytest.raises(UnsafeContentError):
            probe(save(papers.docx(parts={"word/vbaProject.bin": b"x"})), papers.DOCX)

    @pytest.mark.parametrize(
        "source",
        [
            pytest.param(papers.bomb_docx(), id="bomb"),
            pytest.param(papers.crowded_docx(office.MAX_ENTRIES), id="crowd"),
            pytest.param(papers.archive({"a": "b"}), id="other archive"),
            pytest.param(papers.docx()[:-30], id="no directory"),
            pytest.param(b"PK\x03\x04" + bytes(200), id="nothing in it"),
            pytest.param(papers.docx().replace(b"PK\x01\x02", b"PK\x01\x03"), id="odd directory"),
        ],
    )
    def test_damage_and_bombs(self, source: bytes, save: Save) -> None:
        with pytest.raises(CorruptFileError):
            probe(save(source), papers.DOCX)


class TestWithoutLibreOffice:
    def test_it_is_away(self, convert: Convert) -> None:
        with pytest.raises(EngineAwayError):
            convert(papers.docx(), papers.DOCX, soffice="")

    def test_a_program_that_cannot_be_started(self, convert: Convert) -> None:
        with pytest.raises(EngineAwayError):
            convert(papers.docx(), papers.DOCX, soffice="/usr/lib/none/program/soffice")


@needs_soffice
class TestConversion:
    @pytest.mark.parametrize("mime", papers.OFFICE)
    def test_the_words_arrive(self, mime: str, convert: Convert) -> None:
        made = convert(papers.OFFICE[mime]("Grüße") if mime != papers.RTF else papers.rtf(), mime)
        assert ("Hello rtf" if mime == papers.RTF else "Grüße") in words_of(made.outputs[0].path)
        assert made.outputs[0].mime_type == "application/pdf"
        assert made.facts == {"pages": 1}

    def test_all_recipes_from_one_conversion_and_nothing_is_left(
        self, convert: Convert, tmp_path: Path
    ) -> None:
        recipes = recipes_for(papers.DOCX, Facts(0, 0))
        assert {PAPER.name, TEXT.name} < {recipe.name for recipe in recipes}
        made = convert(papers.docx("Hello"), papers.DOCX, *recipes)
        assert [output.name for output in made.outputs] == [recipe.name for recipe in recipes]
        assert {path.name for path in (tmp_path / "out").iterdir()} == {r.name for r in recipes}
        assert (tmp_path / "out" / TEXT.name).read_text() == "Hello\n"
        assert made.placeholder

    def test_the_importer_is_that_of_the_type(self, convert: Convert) -> None:
        """Both documents in one archive: LibreOffice alone would choose the other."""
        source = papers.odt(parts={"word/document.xml": "no document"})
        with pytest.raises(CorruptFileError):
            convert(source, papers.DOCX)


@needs_soffice
class TestHostile:
    def test_links_of_a_text(self, secret: str, convert: Convert) -> None:
        """Nor does anybody get a call."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.dotm"
            made = convert(papers.linking_docx(secret, url), papers.DOCX)
            listener.settimeout(0)
            with pytest.raises(BlockingIOError):
                listener.accept()
        assert "Hello docx" in words_of(made.outputs[0].path)
        assert not has_colour(made.outputs[0].path, MAGENTA)

    def test_links_of_slides(self, secret: str, convert: Convert) -> None:
        """The profile alone does not keep these out (seen with LibreOffice 7.4)."""
        made = convert(papers.odp(picture=secret), papers.ODP)
        assert "Hello odp" in words_of(made.outputs[0].path)
        assert not has_colour(made.outputs[0].path, MAGENTA)

    def test_links_of_rich_text(self, secret: str, convert: Convert) -> None:
        made = convert(papers.rtf(picture=secret), papers.RTF)
        assert "Hello rtf" in words_of(made.outputs[0].path)
        assert not has_colour(made.outputs[0].path, MAGENTA)

    def test_a_picture_within_is_shown(self, convert: Convert, tmp_path: Path) -> None:
        """What the tests above look for would be seen."""
        path = tmp_path / "own.png"
        Image.new("RGB", (200, 200), MAGENTA).save(path)
        parts = {"Pictures/own.png": path.read_bytes()}
        made = convert(papers.odp(picture="Pictures/own.png", parts=parts), papers.ODP)
        assert has_colour(made.outputs[0].path, MAGENTA)

    def test_entities(self, convert: Convert) -> None:
        head = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        source = papers.docx(body="<w:p><w:r><w:t>&x;</w:t></w:r></w:p>", head=head)
        with pytest.raises(CorruptFileError):
            convert(source, papers.DOCX)

    def test_another_format_under_its_name(self, convert: Convert) -> None:
        with pytest.raises(CorruptFileError):
            convert(samples.pdf(1), papers.DOCX)
