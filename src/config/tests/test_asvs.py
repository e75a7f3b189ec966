"""Every requirement has a test, and every test that is named for one exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from config.tests.asvs import REQUIREMENTS, Requirement

SOURCE = Path(__file__).resolve().parents[2]


@cache
def named_tests(path: Path) -> frozenset[str]:
    """The tests of a module, those in classes as `Class::test`."""
    module = ast.parse(path.read_text())
    alone = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
    in_classes = [
        f"{group.name}::{node.name}"
        for group in module.body
        if isinstance(group, ast.ClassDef)
        for node in group.body
        if isinstance(node, ast.FunctionDef)
    ]
    return frozenset(alone + in_classes)


@pytest.mark.parametrize(("key", "requirement"), REQUIREMENTS.items(), ids=REQUIREMENTS)
def test_requirement(key: str, requirement: Requirement) -> None:
    assert requirement.wanted
    assert requirement.tests or requirement.waiting, f"nothing proves {key}"
    for name in requirement.tests:
        path, _, test = name.partition("::")
        assert (SOURCE / path).is_file(), name
        assert test in named_tests(SOURCE / path), name
        assert test.split("::")[-1].startswith("test_")


def test_what_is_waited_for_is_told() -> None:
    """Whatever has no test of its own yet stands among what is not there yet."""
    told = (SOURCE.parent / "docs/security.md").read_text()
    missing = told[told.index("## What is not there yet") :]
    for key, requirement in REQUIREMENTS.items():
        assert bool(requirement.waiting) == (f"`{key}`" in missing), key
