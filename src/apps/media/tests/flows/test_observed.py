"""What an operator sees of an upload: one trace over web and worker, and the worker's figures."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from apps.media.tests import samples
from apps.media.tests.flows.clients import Person
from apps.media.tests.flows.servers import Site, running_site
from apps.media.tests.flows.test_faults import wait_all_ready
from apps.media.tests.flows.waiting import eventually
from launch.readiness import free_port

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

MOST = 1024 * 1024  # bytes of one message of spans
DONE = 'media_app_job_seconds_count{kind="render",outcome="done"} '


@dataclass(frozen=True)
class Span:
    service: str
    name: str
    trace: bytes
    id: bytes
    parent: bytes


class Collector:
    """The other end of OTLP over HTTP: it keeps what it is sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.address = ""

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            told = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.spans += [
                Span(told["service.name"], one.name, one.trace_id, one.span_id, one.parent_span_id)
                for scope in resource.scope_spans
                for one in scope.spans
            ]

    def named(self, service: str, name: str) -> Span | None:
        """The first span of `service` whose name begins so."""
        found = (one for one in self.spans if one.service == service)
        return next((one for one in found if one.name.startswith(name)), None)


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(min(int(self.headers["Content-Length"]), MOST)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: a test is read, not its traffic."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        collector.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("observed")
    observed = {
        "TRACING": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_SERVICE_NAME": "web",
        "NO_PROXY": "127.0.0.1",
        "METRICS_TOKEN": "a-token-of-this-test",
        "METRICS_DIR": str(_made(directory / "figures")),
    }
    programs = ("broker", "web")
    with running_site(
        directory / "site", programs=programs, change=lambda env: env | observed
    ) as site:
        site.change(OTEL_SERVICE_NAME="worker")
        site.start("worker")
        yield site


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


@pytest.fixture(scope="module")
def uploader(site: Site) -> Person:
    """Somebody whose photograph has become ready."""
    person = site.person()
    assert person.upload(samples.photo_jpeg(), "photo.jpg").status_code == 201
    wait_all_ready(site, person, 1)
    return person


def test_one_trace_leads_from_the_upload_to_its_renditions(
    uploader: Person, collector: Collector
) -> None:
    render = eventually(lambda: collector.named("worker", "job render"))
    upload = eventually(lambda: collector.named("web", "POST"))
    assert render is not None
    assert upload is not None
    assert render.trace == upload.trace
    assert not upload.parent  # it begins there
    ids = {one.id for one in collector.spans if one.trace == upload.trace}
    jobs = [one for one in collector.spans if one.name.startswith("job ")]
    assert {one.name for one in jobs} >= {"job inspect", "job scan", "job render"}
    assert all(one.trace == upload.trace and one.parent in ids for one in jobs)


def test_the_figures_of_workers_are_served_until_it_is_stopped(
    site: Site, uploader: Person
) -> None:
    port = free_port()
    process = site.begin("media_metrics", "--serve", f"127.0.0.1:{port}")

    def figures() -> str:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        return ""

    try:
        text = eventually(figures, within=60)
        assert [line for line in text.splitlines() if line.startswith(DONE)] == [f"{DONE}1.0"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert figures() == ""
    finally:
        process.kill()
        process.wait()
