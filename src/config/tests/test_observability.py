"""The dashboard and the alerts that come along name figures that exist, and are well-formed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from apps.core.metrics import COUNTED, _known
from apps.media import metrics as media_metrics

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "deploy" / "observability"
COLUMNS = 24
GIVEN = {"up"}  # by Prometheus itself


def expressions() -> Iterator[str]:
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for group in yaml.safe_load((FILES / "alerts.yml").read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FILES / "dashboard.json").read_text())
    return found


def names(text: str) -> set[str]:
    return set(re.findall(r"\bmedia_app_\w+", text))


def existing() -> dict[str, set[str]]:
    """Every name that a query may use, and the labels of its figures."""
    assert media_metrics.UPLOADS  # registered
    found: dict[str, set[str]] = {}
    for collector in list(COUNTED._collector_to_names):
        labels = set(getattr(collector, "_labelnames", ()))
        for name in COUNTED._collector_to_names[collector]:
            found[name] = labels | ({"le"} if name.endswith("_bucket") else set())
    for family in _known().collect():
        found[family.name] = {label for one in family.samples for label in one.labels}
    return found


@pytest.mark.django_db
def test_every_figure_that_is_shown_exists() -> None:
    asked = {name for expression in expressions() for name in names(expression)}
    assert len(asked) > 15
    assert asked - set(existing()) == set()


@pytest.mark.django_db
def test_labels_that_are_asked_for_exist() -> None:
    known = existing()
    for expression in expressions():
        asked = set(re.findall(r"(\w+)\s*=~?\"", expression)) | {
            label.strip()
            for group in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression)
            for label in group.split(",")
        }
        allowed = set().union(*(known[name] for name in names(expression)), {"job"})
        assert asked <= allowed, expression


@pytest.mark.django_db
def test_the_page_of_operations_names_every_figure() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    told = names(page)
    families = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in existing()}
    counters = {name for name in families if f"{name}_total" in families}
    assert families - counters == told


def test_the_dashboard_has_what_grafana_needs() -> None:
    found = dashboard()
    assert {"title", "uid", "schemaVersion", "panels", "time", "templating"} <= set(found)
    ids = [panel["id"] for panel in found["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in found["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= COLUMNS
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["targets"]
        assert panel["datasource"]["uid"] == "${source}"


def test_every_alert_says_what_is_wrong() -> None:
    rules = [
        rule
        for group in yaml.safe_load((FILES / "alerts.yml").read_text())["groups"]
        for rule in group["rules"]
    ]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    assert all(rule["labels"]["severity"] in {"page", "warn", "info"} for rule in rules)
    assert all(rule["annotations"]["summary"] for rule in rules)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
@pytest.mark.parametrize(
    "command", [("check", "rules", "alerts.yml"), ("check", "config", "prometheus.yml")]
)
def test_prometheus_takes_the_files(command: tuple[str, ...], tmp_path: Path) -> None:
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
    token = tmp_path / "token"
    token.write_text("t")
    config = tmp_path / "prometheus.yml"
    config.write_text(config.read_text().replace("/etc/prometheus/media-app.token", str(token)))
    done = subprocess.run(
        ["promtool", *command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
