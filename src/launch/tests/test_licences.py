"""What the application needs is under permissive licences, but for what says why it is used."""

from __future__ import annotations

import re

import pytest

from launch.bundle import BUNDLE
from launch.licences import (
    CARRIED,
    EXCEPTIONS,
    Package,
    is_permissive,
    objection,
    python_packages,
    report,
    script_packages,
)


def test_every_locked_package_may_be_used() -> None:
    packages = [*python_packages(), *script_packages()]
    assert {"django", "celery", "pillow-heif"} <= {package.name for package in packages}
    assert {"htmx.org", "hls.js", "@uppy/core"} <= {package.name for package in packages}
    assert [text for text in map(objection, packages) if text] == []


def test_no_exception_outlives_its_package() -> None:
    names = {package.name for package in (*python_packages(), *script_packages())}
    assert {*EXCEPTIONS, *CARRIED} - names == set()


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("MIT", True),
        ("(MIT OR CC0-1.0)", True),
        ("GPL-3.0-only OR MIT", True),
        ("BSD-3-Clause AND MIT AND Zlib", True),
        ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("none named", False),
    ],
)
def test_permissive(licence: str, expected: bool) -> None:
    assert is_permissive(licence) is expected


def test_others_are_refused_also_when_an_exception_was_for_another_licence() -> None:
    assert "not permissive" in objection(Package("new", "1", "AGPL-3.0-only"))
    assert "its exception" in objection(Package("certifi", "9", "AGPL-3.0-only"))


def test_the_report_tells_what_wheels_carry() -> None:
    assert "x265" in report()


def test_the_bundle_brings_the_licences_of_what_is_in_it() -> None:
    text = (BUNDLE / "licences.txt").read_text()
    titled = re.split(r"^(\S+) [\d.]+\n=+\n\n", text, flags=re.MULTILINE)[1:]
    terms = dict(zip(titled[::2], titled[1::2], strict=True))
    assert {"htmx.org", "hls.js", "@uppy/core", "preact"} <= terms.keys()
    assert terms.keys() <= {package.name for package in script_packages()}
    assert "Apache License" in terms["hls.js"]
    assert [name for name, words in terms.items() if not words.strip()] == []
