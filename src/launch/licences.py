"""Which licence each package is under that the application needs: a report, and a refusal.

What is permissive passes. Anything else needs a line here that says why it may be used; a line
that no longer fits what the package says is refused like one that is missing.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from launch.place import ROOT

PERMISSIVE = frozenset(
    "0BSD Apache-2.0 BSD BSD-2-Clause BSD-3-Clause BlueOak-1.0.0 CC0-1.0 ISC MIT MIT-0 MIT-CMU "
    "PSF-2.0 Zlib".split()
)
# How packages write what has a name above.
SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause": "BSD-3-Clause",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "Python Software Foundation License": "PSF-2.0",
}
NONE = "none named"


@dataclass(frozen=True)
class Package:
    """One locked package and the licence that it names, as an SPDX expression where it can be."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True)
class Exempted:
    """A licence that is not permissive, or not named, and why the package is used all the same."""

    licence: str
    reason: str


EXCEPTIONS = {
    "certifi": Exempted("MPL-2.0", "a list of authorities, used as it comes"),
    "combine-errors": Exempted(NONE, "its readme says MIT"),
    "psycopg": Exempted("LGPL-3.0-only", "used as it comes, by its interface, for PostgreSQL"),
    "psycopg-binary": Exempted("LGPL-3.0-only", "the same, compiled; any other build will do"),
    "psycopg-pool": Exempted("LGPL-3.0-only", "as psycopg: keeps its connections"),
    "pypdfium2": Exempted(
        "BSD-3-Clause, Apache-2.0, dependency licenses", "its dependencies are permissive as well"
    ),
    "pyvips-binary": Exempted(
        "LGPL-3.0-or-later", "libvips as a library of its own; the system's does as well"
    ),
    "resvg-py": Exempted(NONE, "the licence file in its wheel is MIT"),
    "supervisor": Exempted(
        "BSD-derived (http://www.repoze.org/LICENSE.txt)", "BSD with a clause on names of authors"
    ),
}
# Permissive packages whose wheels bring programs or libraries under other licences.
CARRIED = {
    "av": "FFmpeg with x264 and x265: GPL-3.0-or-later as a whole",
    "imageio-ffmpeg": "FFmpeg as a program of its own: GPL-3.0-or-later; `FFMPEG` names another",
    "pillow-heif": "libheif and libde265: LGPL-3.0; x265: GPL-2.0",
}


def is_permissive(licence: str) -> bool:
    """Return whether an SPDX expression can be met by permissive licences alone."""
    ways = licence.replace("(", "").replace(")", "").split(" OR ")
    return any(set(way.split(" AND ")) <= PERMISSIVE for way in ways)


def spelled(text: str) -> str:
    """Return what a package says of its licence as an expression; the texts of some say nothing."""
    if text in {"", "UNKNOWN"}:
        return NONE
    parts = [SPELLINGS.get(part, part) for part in text.split("; ")]
    return " AND ".join(parts)  # classifiers do not say which; the stricter reading


def python_packages() -> Iterator[Package]:
    """Yield what `requirements/base.txt` locks and this environment has."""
    locked = (ROOT / "requirements/base.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", locked, re.MULTILINE)
    program = Path(sys.executable).with_name("pip-licenses")
    command = [str(program), "--from=mixed", "--format=json", "--packages", *names]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    for found in json.loads(done.stdout):
        name = re.sub(r"[-_.]+", "-", found["Name"]).lower()
        yield Package(name, found["Version"], spelled(found["License"]))


def script_packages() -> Iterator[Package]:
    """Yield what `package-lock.json` locks for the bundle, without what only tests need."""
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    for path, entry in sorted(lock["packages"].items()):
        if path and not entry.get("dev"):
            name = path.rpartition("node_modules/")[2]
            yield Package(name, entry["version"], spelled(entry.get("license", "")))


def objection(package: Package) -> str:
    """Return what is wrong with using `package`; empty if nothing is."""
    known = EXCEPTIONS.get(package.name)
    if known and known.licence == package.licence:
        return ""
    if known:
        return f"{package.name} says {package.licence!r}, and its exception {known.licence!r}"
    if is_permissive(package.licence):
        return ""
    return f"{package.name} is under {package.licence!r}, which is not permissive"


def remark(package: Package) -> str:
    """Return what a reader of the report has to know beside the licence."""
    known = EXCEPTIONS.get(package.name)
    return known.reason if known else CARRIED.get(package.name, "")


def table(packages: list[Package]) -> str:
    """Return the packages as rows of Markdown, in the order of their names."""
    lines = [
        f"| {item.name} | {item.version} | {item.licence} | {remark(item)} |"
        for item in sorted(packages, key=lambda item: item.name)
    ]
    return "\n".join(("| package | version | licence | remark |", "|---|---|---|---|", *lines))


def report() -> str:
    """Return the licences of all that the application needs, as Markdown."""
    return (
        "# Licences\n\nOf the packages that are locked; the app itself is under the MIT licence.\n"
        f"\n## Python\n\n{table(list(python_packages()))}\n"
        f"\n## In the bundle, and for building it\n\n{table(list(script_packages()))}\n"
    )


def main(arguments: list[str]) -> int:
    """Print the report, and on standard error each objection; return 1 if there is one."""
    packages = [*python_packages(), *script_packages()]
    objections = [text for text in map(objection, packages) if text]
    sys.stdout.write(report())
    sys.stderr.writelines(f"{text}\n" for text in objections)
    return 1 if objections else 0
