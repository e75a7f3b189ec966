"""Figures for Prometheus: who gets them, what they say, and that processes count together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from apps.core import metrics
from apps.core.errors import ObjectMissingError
from apps.core.storage import ObjectStore, new_key

ROOT = Path(__file__).resolve().parents[4]
TOKEN = "t" * 32
COUNTING = """
import sys, django
django.setup()
from apps.core.metrics import REFUSALS
REFUSALS.labels(sys.argv[1]).inc(3)
"""
TELLING = """
import django
django.setup()
from django.test import Client
given = {"Authorization": "Bearer " + "t" * 32, "host": "localhost"}
answer = Client().get("/metrics", headers=given)
print(answer.content.decode())
"""


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every figure by name and values of labels."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def scrape(settings: Any, db: None) -> Any:
    settings.METRICS_TOKEN = TOKEN

    def ask() -> dict[tuple[str, tuple[str, ...]], float]:
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"].count("no-store") == 1
        return samples(answer.content.decode())

    return ask


@pytest.mark.parametrize(
    "given", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}]
)
def test_nobody_else_learns_that_there_are_figures(
    client: Client, settings: Any, given: dict[str, str]
) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", headers=given)
    assert answer.status_code == 404
    assert b"media_app_" not in answer.content


@pytest.mark.parametrize(("is_open", "status"), [(False, 404), (True, 200)])
def test_without_a_token_only_where_they_are_open(
    client: Client, settings: Any, db: None, is_open: bool, status: int
) -> None:
    settings.METRICS_TOKEN, settings.METRICS_OPEN = "", is_open
    for given in ({}, {"Authorization": "Bearer "}):
        assert client.get("/metrics", headers=given).status_code == status


def test_with_a_token_openness_counts_for_nothing(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN, settings.METRICS_OPEN = TOKEN, True
    assert client.get("/metrics").status_code == 404


def test_requests_and_refusals_are_counted(scrape: Any, client: Client) -> None:
    before = scrape()
    client.get("/healthz")
    client.get("/api/v1/media/00000000-0000-0000-0000-000000000001/")
    after = scrape()

    def grown(name: str, *labels: str) -> float:
        return after.get((name, labels), 0) - before.get((name, labels), 0)

    assert grown("media_app_request_seconds_count", "healthz") == 1
    assert grown("media_app_requests_total", "GET", "404") == 1
    assert grown("media_app_refusals_total", "not_found") == 1


def test_labels_are_ours(scrape: Any, client: Client) -> None:
    client.get("/an/address/of/theirs")
    client.generic("BREW", "/healthz")
    found = scrape()
    assert ("media_app_request_seconds_count", ("none",)) in found
    assert not [key for key in found if {"BREW", "/an/address/of/theirs"} & set(key[1])]


def test_operations_of_a_storage_are_timed(scrape: Any, own_storage: ObjectStore) -> None:
    before = scrape()
    with own_storage.writer(key := new_key("original")) as writer:
        writer.write(b"bytes")
    own_storage.size_of(key)
    with pytest.raises(ObjectMissingError):
        own_storage.size_of(new_key("original"))
    after = scrape()
    grown = {
        labels: value - before.get((name, labels), 0)
        for (name, labels), value in after.items()
        if name in {"media_app_storage_seconds_count", "media_app_storage_failures_total"}
    }
    found = {frozenset(labels): value for labels, value in grown.items() if value}
    kind = type(own_storage).__name__.removesuffix("Store").lower()
    assert found[frozenset({kind, "close"})] == 1
    assert found[frozenset({kind, "size_of"})] == 2
    assert found[frozenset({kind, "size_of", "object_missing"})] == 1


def test_with_the_database_away_the_counts_are_told(
    scrape: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scrape()["media_app_database_up", ()] == 1

    def away() -> Any:
        raise OperationalError("away")

    monkeypatch.setattr(metrics, "_states", [away])
    found = scrape()
    assert found["media_app_database_up", ()] == 0
    assert any(name.startswith("media_app_requests") for name, _ in found)


def test_processes_of_a_machine_count_together(tmp_path: Path) -> None:
    """As web server and workers do: none of them knows of the others."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT / "src"),
        "DATA_DIR": str(tmp_path),
        "METRICS_TOKEN": TOKEN,
    }

    def run(code: str, *arguments: str) -> str:
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    for _ in range(2):
        run(COUNTING, "somebody_said_so")
    found = samples(run(TELLING))
    assert found["media_app_refusals_total", ("somebody_said_so",)] == 6
