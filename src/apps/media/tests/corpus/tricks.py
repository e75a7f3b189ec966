"""Uploads that try to get something executed, extracted or written elsewhere.

After the OWASP testing guide (WSTG-BUSL-08 and -09) and the file upload cheat sheet. Harmless
contents; what matters is the contradiction of name, type and bytes.
"""

from __future__ import annotations

import gzip
import io
import stat
import zipfile

from apps.media.tests import samples
from apps.media.tests.corpus.carrying import Case

PHP = b"<?php echo shell_exec($_GET['c']); ?>\n" * 4
HTML = b"<!DOCTYPE html><html><script>alert(document.domain)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'
PROGRAM = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0" + bytes(200)

# Never taken, whatever the bytes are.
REFUSED_EXTENSIONS = (
    "php PhP php3 php5 phtml pht phar asp aspx cer asa jsp jspx cgi pl py sh bat cmd exe dll com "
    "scr msi js mjs html htm xhtml shtml svg svgz xml xsl swf jar htaccess config lnk hta"
).split()
REFUSED_NAMES = (
    "photo.jpg.php",
    "photo.jpg.PHP",
    "photo.php.",
    "photo.php...",
    "photo.php ",
    "photo.php. . .",
    "photo.php%20",
    "photo.jpg%00.php",
    "photo.jpg\0.php",
    "photo.jpg/x.php",
    "photo.jpg\\x.php",
    "photo.php;jpg",
    "photo.php::$DATA",
    "photo.p\u202ehp",
    ".htaccess",
    "web.config",
)
# The bytes are a picture and the last extension says so: taken, under a name that is only shown.
HARMLESS_NAMES = (
    "photo.php.jpg",
    "photo.asp;.jpg",
    "photo.php\0.jpg",
    "photo.php%00.jpg",
    "../../../../etc/cron.d/photo.jpg",
    "..\\..\\..\\windows\\photo.jpg",
    "/etc/passwd/photo.jpg",
    "file:///etc/photo.jpg",
    "gpj.exe\u202e.jpg",
    "photo.JPG",
    "-rf.jpg",
    "$(id).jpg",
    "`id`.jpg",
    ";id;.jpg",
    "|id.jpg",
    "con.jpg",
    "'; DROP TABLE media; --.jpg",
    '"><img src=x onerror=alert(1)>.jpg',
    "{{7*7}}.jpg",
    "%s%s%n.jpg",
    "\N{PILE OF POO}.jpg",
    "a" * 300 + ".jpg",
    "photo.jpg.",
    " photo.jpg ",
)


def tricks() -> list[Case]:
    """Verdict B: refused, or failed. D: taken and inert. C: either, with a code."""
    picture = samples.photo_jpeg(120, 90)
    return [
        *(Case(f"shell.{extension}", PHP, "B") for extension in REFUSED_EXTENSIONS),
        *(Case(f"photo.{extension}", picture, "B") for extension in REFUSED_EXTENSIONS),
        *(Case(name, picture, "B") for name in REFUSED_NAMES),
        *(Case(name, picture, "A") for name in HARMLESS_NAMES),
        *contradictions(picture),
        *archives(),
    ]


def contradictions(picture: bytes) -> list[Case]:
    """Names of pictures, contents of something else; the request always says `image/jpeg`."""
    disguised = {
        "php": PHP,
        "html": HTML,
        "svg": SVG,
        "program": PROGRAM,
        "gif magic": b"GIF89a" + PHP,
        "jpeg magic": b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0" + PHP,
        "jpeg end": b"\xff\xd8\xff\xd9" + PHP,
    }
    return [
        *(Case("photo.jpg", data, "B", label=f"{what} as jpg") for what, data in disguised.items()),
        Case("photo.gif", b"GIF89a" + PHP, "B", label="gif magic and php as gif"),
        Case("photo.png", b"\x89PNG\r\n\x1a\n" + PHP, "B", label="png magic and php"),
        Case("notes.txt", HTML, "C", label="html as text"),
        Case("notes.txt", SVG, "C", label="svg as text"),
        Case("notes.pdf", b"%PDF-1.4\n" + HTML, "C", label="pdf magic and html"),
        Case("photo.jpg", picture + PHP, "D", label="jpeg with php behind it"),
        Case("photo.jpg", picture + HTML, "D", label="jpeg with html behind it"),
        Case("empty.jpg", b"", "B"),
    ]


def archives() -> list[Case]:
    """Never unpacked, so nothing in them matters."""
    return [
        Case("slip.zip", packed({"../../../../tmp/evil": PHP, "/etc/cron.d/evil": PHP}), "D"),
        Case("bomb.zip", packed({"zeros": bytes(10_000_000)}), "D"),
        Case("link.zip", _zip_with_link(), "D"),
        Case("page.svg.gz", gzip.compress(SVG), "D"),
        Case("bomb.gz", gzip.compress(bytes(10_000_000)), "D"),
    ]


def packed(members: dict[str, bytes]) -> bytes:
    """A zip of these names and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _zip_with_link() -> bytes:
    buffer = io.BytesIO()
    link = zipfile.ZipInfo("photo.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    return buffer.getvalue()
