"""Traces go from a request over its job, and tell no secret; without them nothing is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from apps.core import tracing
from apps.core.origins import origin_now, resumed

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    before = list(settings.MIDDLEWARE)
    exporter = InMemorySpanExporter()
    tracing.start(exporter)
    yield exporter
    tracing.stop()
    settings.MIDDLEWARE = before


def test_work_belongs_to_the_trace_of_its_request(spans: InMemorySpanExporter) -> None:
    with tracing.span("upload"):
        origin = origin_now()
    with resumed(origin, "job render", media_id="1"):
        pass
    upload, job = spans.get_finished_spans()
    assert job.parent is not None
    assert upload.context is not None
    assert job.parent.span_id == upload.context.span_id
    assert job.attributes == {"media_app.media_id": "1"}


@pytest.mark.parametrize(
    "address", ["/share/verysecret/", "/media/s/verysecret/1/original", "/x?token=verysecret"]
)
def test_no_span_tells_a_secret(spans: InMemorySpanExporter, db: None, address: str) -> None:
    Client().get(address)
    found = spans.get_finished_spans()
    assert found
    told = repr([(span.name, dict(span.attributes or {})) for span in found])
    assert "verysecret" not in told


def test_whoever_wants_no_traces_loads_nothing(tmp_path: Path) -> None:
    code = "import sys, django; django.setup(); print([m for m in sys.modules if 'telemetry' in m])"
    environment: dict[str, Any] = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT / "src"),
        "DATA_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    loaded = [name for name in eval(done.stdout) if name.startswith("opentelemetry.inst")]
    assert loaded == []
