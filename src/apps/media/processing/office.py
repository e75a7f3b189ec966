"""Office documents as PDF, by LibreOffice; pictures and words then by the engine of PDFs.

LibreOffice gets a private profile that forbids macros and links, one importer by name, no network
(see `jail`) and no sight of the machine's files (see `veil`). The probe opens nothing: it reads the
archive's directory. What LibreOffice leaves behind is thrown away here.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from apps.media.exceptions import (
    CorruptFileError,
    EngineAwayError,
    PasswordProtectedError,
    ProcessingCrashedError,
    ProcessingTimeoutError,
    UnsafeContentError,
)
from apps.media.processing import pdf
from apps.media.processing.programs import ProgramFailedError, run_program
from apps.media.processing.types import MIB, Facts, Limits, Output, Plan, Progress, Rendered
from apps.media.processing.veil import veiled
from apps.media.processing.words import written

MAX_ENTRIES = 10_000  # of an archive
MAX_UNPACKED = 1024 * MIB  # bytes of all entries, as the directory has them
MAX_RATIO = 200  # of unpacked to packed; XML of long tables reaches 50
RATIO_FROM = 64 * MIB  # unpacked bytes below which no ratio is a bomb
_MAX_DIRECTORY = 4 * MIB  # bytes
_MAX_MANIFEST = MIB

_CONVERTED = 0.7  # of the progress

_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # MS-CFB 2.2: what encrypted OOXML is put into
_END_RECORD = b"PK\x05\x06"  # APPNOTE 4.3.16
_END_SIZE, _LONGEST_COMMENT = 22, 65_535
_ENCRYPTED_ENTRY = 1  # general purpose flag
_ENCRYPTED_PART = b"encryption-data"  # ODF 1.2 part 3 §4.4
_MANIFEST = "META-INF/manifest.xml"
_MACROS = "vbaproject.bin"
_SIGNALLED = 128  # what a shell adds to the number of the signal that ended a program


@dataclass(frozen=True, slots=True)
class _Format:
    """How to know and to open one type. `importer` is LibreOffice's own name.

    A name in every such archive begins with `part` (empty: no archive). Not the main part's whole
    name, which writers may choose.

    `keeps_links_out` says that the profile's settings alone were seen to keep linked pictures out.
    """

    extension: str
    importer: str
    part: str
    keeps_links_out: bool = False


_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
_FORMATS: Mapping[str, _Format] = MappingProxyType(
    {
        _OOXML + "wordprocessingml.document": _Format(
            "docx", "MS Word 2007 XML", "word/", keeps_links_out=True
        ),
        _OOXML + "spreadsheetml.sheet": _Format("xlsx", "Calc MS Excel 2007 XML", "xl/"),
        _OOXML + "presentationml.presentation": _Format(
            "pptx", "Impress MS PowerPoint 2007 XML", "ppt/"
        ),
        _ODF + "text": _Format("odt", "writer8", "content.xml", keeps_links_out=True),
        _ODF + "spreadsheet": _Format("ods", "calc8", "content.xml"),
        _ODF + "presentation": _Format("odp", "impress8", "content.xml"),
        "application/rtf": _Format("rtf", "Rich Text Format", ""),
    }
)

# Of LibreOffice's registry: component, name, value.
_SETTINGS = (
    ("org.openoffice.Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("org.openoffice.Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("org.openoffice.Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("org.openoffice.Office.Calc/Content/Update", "Link", "2"),  # never
    ("org.openoffice.Office.Writer/Content/Update", "Link", "0"),  # never
    ("org.openoffice.Setup/Office", "ooSetupInstCompleted", "true"),
)
# Where packages put LibreOffice's configuration and extensions, besides its own directory.
_ITS_FILES = (Path("/etc/libreoffice"), Path("/var/lib/libreoffice"))


def probe(path: Path, mime: str, limits: Limits) -> Facts:
    """That the container is sound; how many pages it has is known after the conversion only.

    Raises `CorruptFileError`, `PasswordProtectedError` and `UnsafeContentError`.
    """
    del limits
    with path.open("rb") as file:
        if file.read(len(_COMPOUND_FILE)) == _COMPOUND_FILE:
            raise PasswordProtectedError("a compound file")
    if part := _FORMATS[mime].part:
        _check_archive(path, part)
    return Facts(0, 0)


def render(path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress) -> Rendered:
    """The PDF, and what the recipes want of it; `facts` say how many pages it has.

    Raises what `probe` and the engine of PDFs raise, and `EngineAwayError` without LibreOffice.
    """
    probe(path, mime, limits)
    with _desk(plan.out_dir) as desk:
        paper = _converted(path, mime, plan, desk)
        progress(_CONVERTED)
        facts = pdf.probe(paper, "", limits)
        others = tuple(recipe for recipe in plan.recipes if recipe.product != "paper")
        rendered = pdf.render(
            paper,
            "",
            plan=replace(plan, recipes=others),
            limits=limits,
            progress=lambda part: progress(_CONVERTED + (1 - _CONVERTED) * part),
        )
        outputs = {output.name: output for output in (*rendered.outputs, *_papers(plan, paper))}
    return replace(
        rendered,
        outputs=tuple(outputs[recipe.name] for recipe in plan.recipes),
        facts={"pages": facts.pages},
    )


def _papers(plan: Plan, paper: Path) -> Iterator[Output]:
    for recipe in plan.recipes:
        if recipe.product == "paper":
            target = plan.out_dir / recipe.name
            shutil.copyfile(paper, target)
            yield written(recipe, target)


# -- the archive -------------------------------------------------------------------------------


def _check_archive(path: Path, part: str) -> None:
    _check_end(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_entries(entries, path.stat().st_size, part)
            _check_manifest(archive)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError) as error:
        raise CorruptFileError(error) from error


def _check_end(path: Path) -> None:
    """The directory's size before anybody reads it: an entry costs a hundred times its bytes."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT))
        tail = file.read(_END_SIZE + _LONGEST_COMMENT)
    at = tail.rfind(_END_RECORD)
    if at < 0 or at + _END_SIZE > len(tail):
        raise CorruptFileError("no directory")
    entries = int.from_bytes(tail[at + 10 : at + 12], "little")
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    if entries > MAX_ENTRIES or directory > _MAX_DIRECTORY:
        raise CorruptFileError(f"{entries} entries in a directory of {directory} bytes")


def _check_entries(entries: list[zipfile.ZipInfo], packed: int, part: str) -> None:
    if len(entries) > MAX_ENTRIES:
        raise CorruptFileError(f"{len(entries)} entries")
    if any(entry.flag_bits & _ENCRYPTED_ENTRY for entry in entries):
        raise PasswordProtectedError("an encrypted entry")
    unpacked = sum(entry.file_size for entry in entries)
    is_bomb = unpacked > RATIO_FROM and unpacked > MAX_RATIO * packed
    if is_bomb or unpacked > MAX_UNPACKED:
        raise CorruptFileError(f"{packed} bytes unpack to {unpacked}")
    names = {entry.filename for entry in entries}
    if not any(name.startswith(part) for name in names):
        raise CorruptFileError(f"no {part}")
    if any(name.lower().endswith(_MACROS) for name in names):
        raise UnsafeContentError("macros")


def _check_manifest(archive: zipfile.ZipFile) -> None:
    if _MANIFEST not in archive.namelist():
        return
    with archive.open(_MANIFEST) as manifest:
        if _ENCRYPTED_PART in manifest.read(_MAX_MANIFEST):
            raise PasswordProtectedError("an encrypted part")


# -- LibreOffice -------------------------------------------------------------------------------


@contextmanager
def _desk(out_dir: Path) -> Iterator[Path]:
    """A directory for everything that is not asked for. No recipe's name begins with a dot."""
    desk = out_dir / ".desk"
    desk.mkdir(mode=0o700)
    try:
        yield desk
    finally:
        shutil.rmtree(desk, ignore_errors=True)


def _converted(path: Path, mime: str, plan: Plan, desk: Path) -> Path:
    if not plan.programs.soffice:
        raise EngineAwayError("no LibreOffice")
    soffice = Path(plan.programs.soffice).resolve()  # /opt/…/program/soffice, not the link to it
    format_ = _FORMATS[mime]
    document = desk / f"document.{format_.extension}"
    _put(path, document)
    _write_profile(desk / "profile")
    with veiled(plan.out_dir / ".veil", desk, (*_ITS_FILES, soffice.parents[1])) as is_hidden:
        if not is_hidden and not format_.keeps_links_out:
            raise EngineAwayError("the machine's files cannot be hidden from LibreOffice here")
        _run(soffice, format_, document)
    paper = desk / "document.pdf"
    _check_plain(paper)
    return paper


def _put(path: Path, document: Path) -> None:
    """Under a name of our own. A link where that is possible: a copy counts as written bytes."""
    try:
        os.link(path, document)
    except OSError:
        shutil.copyfile(path, document)


def _write_profile(profile: Path) -> None:
    user = profile / "user"
    user.mkdir(parents=True)
    items = "".join(
        f'<item oor:path="/{path}"><prop oor:name="{name}" oor:op="fuse">'
        f"<value>{value}</value></prop></item>"
        for path, name, value in _SETTINGS
    )
    (user / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry">' + items + "</oor:items>"
    )


def _run(soffice: Path, format_: _Format, document: Path) -> None:
    desk = document.parent
    command = (
        soffice,
        f"-env:UserInstallation={(desk / 'profile').as_uri()}",
        "--headless",
        "--norestore",
        "--nolockcheck",
        f"--infilter={format_.importer}",
        "--convert-to",
        "pdf",
        "--outdir",
        desk,
        document,
    )
    try:
        run_program(command, cwd=desk)
    except ProgramFailedError as error:
        raise _reason(error) from error


def _reason(error: ProgramFailedError) -> Exception:
    """LibreOffice starts itself through a script, which tells of signals by its status."""
    ended_by = error.status - _SIGNALLED
    if ended_by in {signal.SIGXCPU, signal.SIGKILL}:
        return ProcessingTimeoutError(error.said)
    if ended_by > 0:
        return ProcessingCrashedError(error.said)
    return CorruptFileError(error.said)


def _check_plain(paper: Path) -> None:
    """LibreOffice says nothing by its status when it cannot read a document.

    Taken over by one, it may have left a link to a file that it could not read itself.
    """
    try:
        status = paper.lstat()
    except FileNotFoundError as error:
        raise CorruptFileError("LibreOffice made nothing of it") from error
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise ProcessingCrashedError("not a plain file")
