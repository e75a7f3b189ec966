"""Programs that fetch trust what the machine trusts, unless somebody says otherwise."""

from __future__ import annotations

import os

import pytest

from launch.trust import trusting_environment


def test_what_nobody_said_is_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NODE_USE_SYSTEM_CA", "UV_SYSTEM_CERTS", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    environment = trusting_environment()
    assert (environment["NODE_USE_SYSTEM_CA"], environment["UV_SYSTEM_CERTS"]) == ("1", "true")
    assert "REQUESTS_CA_BUNDLE" in environment


def test_what_is_said_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/company/ca.pem")
    monkeypatch.setenv("NODE_USE_SYSTEM_CA", "0")
    environment = trusting_environment()
    assert environment["REQUESTS_CA_BUNDLE"] == "/company/ca.pem"
    assert environment["NODE_USE_SYSTEM_CA"] == "0"


def test_its_own_directory_is_looked_at_first() -> None:
    path = trusting_environment(first_in_path="/opt/node/bin/npm")["PATH"]
    assert path == f"/opt/node/bin{os.pathsep}{os.environ['PATH']}"
