"""Sample documents by property, as small as their formats allow: PDFs and office documents.

Every maker returns bytes. The office documents are archives written part by part, so that a test
can say exactly which part is odd; `parts` of a maker are added to, or replace, those it writes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from types import MappingProxyType

OOXML = "application/vnd.openxmlformats-officedocument."
ODF = "application/vnd.oasis.opendocument."
DOCX, XLSX, PPTX = (
    OOXML + name
    for name in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")
)
ODT, ODS, ODP = (ODF + name for name in ("text", "spreadsheet", "presentation"))
RTF = "application/rtf"

Parts = Mapping[str, str | bytes]
_NO_PARTS: Parts = MappingProxyType({})

_PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SPACES = (
    f'xmlns:r="{_OFFICE}" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
)
_ODF_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{uri}:1.0"'
    for name, uri in {
        "office": "office",
        "text": "text",
        "table": "table",
        "draw": "drawing",
        "svg": "svg-compatible",
    }.items()
)


def archive(parts: Parts, *, packed: bool = True) -> bytes:
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return buffer.getvalue()


# -- Office Open XML ---------------------------------------------------------------------------


def _relations(*relations: tuple[str, str, str]) -> str:
    """Of identifier, kind and target; a target with a scheme is outside the package."""
    entries = "".join(
        f'<Relationship Id="{identifier}" Type="{_OFFICE}/{kind}" Target="{target}"'
        f"{' TargetMode=' + chr(34) + 'External' + chr(34) if ':' in target else ''}/>"
        for identifier, kind, target in relations
    )
    return f'<Relationships xmlns="{_PACKAGE}relationships">{entries}</Relationships>'


def _package(main: str, types: Mapping[str, str], parts: Parts) -> bytes:
    overrides = "".join(
        f'<Override PartName="/{part}" ContentType="{OOXML}{kind}+xml"/>'
        for part, kind in types.items()
    )
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    return archive(
        {
            "[Content_Types].xml": (
                f'<Types xmlns="{_PACKAGE}content-types">'
                f'<Default Extension="rels" ContentType="{rels}"/>'
                f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
            ),
            "_rels/.rels": _relations(("r1", "officeDocument", main)),
            **parts,
        }
    )


def docx(
    text: str = "Hello docx", *, body: str = "", head: str = "", parts: Parts = _NO_PARTS
) -> bytes:
    """`body` is markup behind the text, `head` what stands before the root element."""
    paragraph = f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
    document = f"{head}<w:document {_SPACES}><w:body>{paragraph}{body}</w:body></w:document>"
    types = {
        "word/document.xml": "wordprocessingml.document.main",
        "word/settings.xml": "wordprocessingml.settings",
    }
    return _package("word/document.xml", types, {"word/document.xml": document, **parts})


def linking_docx(picture: str, template: str) -> bytes:
    """Shows the picture at a URL, and is made from the template at another."""
    drawing = (
        '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="1800000" cy="1800000"/>'
        '<wp:docPr id="1" name="x"/><a:graphic><a:graphicData '
        'uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
        '<pic:cNvPr id="0" name="x"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill>'
        '<a:blip r:link="i1"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr>'
        '<a:xfrm><a:off x="0" y="0"/><a:ext cx="1800000" cy="1800000"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData>'
        "</a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )
    relations = _relations(("i1", "image", picture), ("s1", "settings", "settings.xml"))
    return docx(
        body=drawing,
        parts={
            "word/_rels/document.xml.rels": relations,
            "word/settings.xml": (
                f'<w:settings {_SPACES}><w:attachedTemplate r:id="t1"/></w:settings>'
            ),
            "word/_rels/settings.xml.rels": _relations(("t1", "attachedTemplate", template)),
        },
    )


def xlsx(text: str = "Hello xlsx") -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    types = {
        "xl/workbook.xml": "spreadsheetml.sheet.main",
        "xl/worksheets/sheet1.xml": "spreadsheetml.worksheet",
    }
    cell = f'<c r="A1" t="inlineStr"><is><t>{text}</t></is></c>'
    parts = {
        "xl/workbook.xml": (
            f'<workbook xmlns="{main}" xmlns:r="{_OFFICE}"><sheets>'
            '<sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _relations(("r1", "worksheet", "worksheets/sheet1.xml")),
        "xl/worksheets/sheet1.xml": (
            f'<worksheet xmlns="{main}"><sheetData><row r="1">{cell}</row></sheetData></worksheet>'
        ),
    }
    return _package("xl/workbook.xml", types, parts)


def pptx(text: str = "Hello pptx") -> bytes:
    types = {
        "ppt/presentation.xml": "presentationml.presentation.main",
        "ppt/slides/slide1.xml": "presentationml.slide",
    }
    shape = (
        '<p:sp><p:nvSpPr><p:cNvPr id="2" name="t"/><p:cNvSpPr txBox="1"/><p:nvPr/></p:nvSpPr>'
        '<p:spPr><a:xfrm><a:off x="900000" y="900000"/><a:ext cx="5000000" cy="900000"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr><p:txBody><a:bodyPr/>'
        f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
    )
    parts = {
        "ppt/presentation.xml": (
            f'<p:presentation {_SPACES}><p:sldIdLst><p:sldId id="256" r:id="r1"/></p:sldIdLst>'
            '<p:sldSz cx="9144000" cy="6858000"/></p:presentation>'
        ),
        "ppt/_rels/presentation.xml.rels": _relations(("r1", "slide", "slides/slide1.xml")),
        "ppt/slides/slide1.xml": (
            f'<p:sld {_SPACES}><p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/>'
            f"<p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>{shape}</p:spTree></p:cSld></p:sld>"
        ),
    }
    return _package("ppt/presentation.xml", types, parts)


# -- OpenDocument ------------------------------------------------------------------------------


def _open_document(mime: str, body: str, parts: Parts) -> bytes:
    kind = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    listed = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type=""/>'
        for name in parts
    )
    manifest = (
        f'<manifest:manifest xmlns:manifest="{kind}" manifest:version="1.2">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{mime}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        f"{listed}</manifest:manifest>"
    )
    content = (
        f'<office:document-content {_ODF_SPACES} xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'office:version="1.2"><office:body>{body}</office:body></office:document-content>'
    )
    made = {"mimetype": mime, "META-INF/manifest.xml": manifest, "content.xml": content}
    return archive({**made, **parts}, packed=False)


def odt(text: str = "Hello odt", *, parts: Parts = _NO_PARTS) -> bytes:
    return _open_document(ODT, f"<office:text><text:p>{text}</text:p></office:text>", parts)


def encrypted_odt() -> bytes:
    """As the manifest of one says it."""
    entry = "<manifest:encryption-data manifest:checksum='x'/>"
    return odt(parts={"META-INF/manifest.xml": entry})


def ods(text: str = "Hello ods") -> bytes:
    cell = f'<table:table-cell office:value-type="string"><text:p>{text}</text:p>'
    row = f"<table:table-row>{cell}</table:table-cell></table:table-row>"
    body = f'<office:spreadsheet><table:table table:name="A">{row}</table:table>'
    return _open_document(ODS, body + "</office:spreadsheet>", _NO_PARTS)


def odp(text: str = "Hello odp", *, picture: str = "", parts: Parts = _NO_PARTS) -> bytes:
    """With a frame of text, and one of the picture at a URL."""
    frame = '<draw:frame svg:x="2cm" svg:y="{}" svg:width="8cm" svg:height="5cm">{}</draw:frame>'
    words = frame.format("1cm", f"<draw:text-box><text:p>{text}</text:p></draw:text-box>")
    image = frame.format("7cm", f'<draw:image xlink:href="{picture}" xlink:type="simple"/>')
    page = f'<draw:page draw:name="p">{words}{image if picture else ""}</draw:page>'
    return _open_document(ODP, f"<office:presentation>{page}</office:presentation>", parts)


def rtf(text: str = "Hello rtf", *, picture: str = "") -> bytes:
    field = rf'{{\field{{\*\fldinst INCLUDEPICTURE "{picture}" \\d}}{{\fldrslt -}}}}'
    return rf"{{\rtf1\ansi {text} {field if picture else ''}\par}}".encode()


OFFICE = {DOCX: docx, XLSX: xlsx, PPTX: pptx, ODT: odt, ODS: ods, ODP: odp, RTF: rtf}


# -- hostile office documents ------------------------------------------------------------------


def bomb_docx(size: int = 300 * 1024 * 1024) -> bytes:
    """A part of `size` bytes in a thousandth of that."""
    buffer = io.BytesIO(docx())
    block = b" " * (1024 * 1024)
    with (
        zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as file,
        file.open("word/styles.xml", "w") as part,
    ):
        for _ in range(size // len(block)):
            part.write(block)
    return buffer.getvalue()


def crowded_docx(entries: int) -> bytes:
    return docx(parts={f"word/media/{number}": b"" for number in range(entries)})


def encrypted_docx() -> bytes:
    """The beginning of the container that office programs put an encrypted document into."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1_000)


# -- PDF ---------------------------------------------------------------------------------------


def text_pdf(
    texts: list[str],
    *,
    title: str = "",
    author: str = "",
    missing: tuple[int, ...] = (),
    side: int = 842,
) -> bytes:
    """A square page of `side` points per text, in Helvetica.

    `missing` pages, from 1, are named and are not there.
    """
    first = 5  # objects before those of the pages
    kids = " ".join(f"{first + 2 * at} 0 R" for at in range(len(texts)))
    objects = {
        1: "<</Type/Catalog/Pages 2 0 R>>",
        2: f"<</Type/Pages/Kids[{kids}]/Count {len(texts)}>>",
        3: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        4: f"<</Title({title})/Author({author})>>",
    }
    for at, text in enumerate(texts):
        page = first + 2 * at
        drawing = f"BT /F 24 Tf 40 700 Td ({text}) Tj ET"
        objects[page + 1] = f"<</Length {len(drawing)}>>stream\n{drawing}\nendstream"
        if at + 1 not in missing:
            objects[page] = (
                f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {side} {side}]/Contents {page + 1} 0 R"
                "/Resources<</Font<</F 3 0 R>>>>>>"
            )
    return _pdf(objects, "/Info 4 0 R")


def locked_pdf() -> bytes:
    """Opens with no password that anybody knows."""
    objects = {1: "<</Type/Catalog/Pages 2 0 R>>", 2: "<</Type/Pages/Kids[]/Count 0>>"}
    lock = f"<</Filter/Standard/V 1/R 2/P -4/O<{'41' * 32}>/U<{'42' * 32}>>>"
    return _pdf(objects, f"/Encrypt {lock}/ID[<{'43' * 16}><{'43' * 16}>]")


def _pdf(objects: Mapping[int, str], trailer: str) -> bytes:
    buffer = io.BytesIO(b"%PDF-1.4\n")
    buffer.seek(0, io.SEEK_END)
    places: dict[int, int] = {}
    for number in sorted(objects):
        places[number] = buffer.tell()
        buffer.write(f"{number} 0 obj\n{objects[number]}\nendobj\n".encode("latin-1"))
    start, size = buffer.tell(), max(objects) + 1
    rows = "".join(
        f"{places[number]:010} 00000 n \n" if number in places else "0000000000 65535 f \n"
        for number in range(size)
    )
    tail = f"xref\n0 {size}\n{rows}trailer<</Root 1 0 R/Size {size}{trailer}>>"
    buffer.write(f"{tail}\nstartxref\n{start}\n%%EOF".encode("latin-1"))
    return buffer.getvalue()
