"""Traces by OpenTelemetry, where the operator wants them: then `start` was called, else nothing of
it is loaded and a span is two lines of Python.

What leaves the process is cleaned like log lines: no share link, nothing that is signed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apps.core.logs import clean_line

_PARENT = "traceparent"  # W3C Trace Context, section 3.2
_tracer: Any = None


def start(exporter: Any = None) -> None:
    """Trace this process. Where to and under which name say the usual `OTEL_…` variables.

    Spans go to `exporter` at once, if one is given: for tests. Call it before the first request.
    Raises ImproperlyConfigured where the libraries are missing.
    """
    try:
        _start(exporter)
    except ImportError as error:
        from django.core.exceptions import ImproperlyConfigured

        told = f"Traces need the extra 'tracing': pip install 'media-app[tracing]' ({error})"
        raise ImproperlyConfigured(told) from error


def _start(exporter: Any) -> None:
    # ruff: noqa: PLC0415  loaded only where wanted
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    global _tracer  # noqa: PLW0603  one per process
    provider = TracerProvider()
    if exporter is None:
        provider.add_span_processor(BatchSpanProcessor(_cleaning(OTLPSpanExporter())))
    else:
        provider.add_span_processor(SimpleSpanProcessor(_cleaning(exporter)))
    DjangoInstrumentor().instrument(
        tracer_provider=provider,
        excluded_urls="healthz,readyz,metrics",
    )
    BotocoreInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]
    _tracer = provider.get_tracer("media_app")


def _cleaning(inner: Any) -> Any:
    """An exporter that hands cleaned spans on to `inner`."""
    from opentelemetry.sdk.trace.export import SpanExporter

    class Cleaning(SpanExporter):
        def export(self, spans: Any) -> Any:
            return inner.export([_cleaned(span) for span in spans])

        def shutdown(self) -> None:
            inner.shutdown()

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            flushed: bool = inner.force_flush(timeout_millis)
            return flushed

    return Cleaning()


def _cleaned(span: Any) -> Any:
    from opentelemetry.sdk.trace import Event, ReadableSpan

    return ReadableSpan(
        name=clean_line(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_clean(span.attributes),
        events=[Event(one.name, _clean(one.attributes), one.timestamp) for one in span.events],
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _clean(attributes: Any) -> dict[str, Any]:
    return {
        key: clean_line(value) if isinstance(value, str) else value
        for key, value in (attributes or {}).items()
    }


def stop() -> None:
    """Trace no longer: for tests."""
    from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
    from opentelemetry.instrumentation.django import DjangoInstrumentor

    global _tracer  # noqa: PLW0603
    _tracer = None
    DjangoInstrumentor().uninstrument()
    BotocoreInstrumentor().uninstrument()  # type: ignore[no-untyped-call]


@contextmanager
def span(name: str, *, parent: str = "", **attributes: str) -> Iterator[None]:
    """One step of a trace: of that of `parent` (see `current_parent`), else of the current one."""
    if _tracer is None:
        yield
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({_PARENT: parent}) if parent else None
    said = {f"media_app.{key}": value for key, value in attributes.items()}
    with _tracer.start_as_current_span(name, context=context, attributes=said):
        yield


def current_parent() -> str:
    """The current span as text, for work that goes on elsewhere; empty where nothing is traced."""
    if _tracer is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(_PARENT, "")


def trace_id() -> str:
    """The number of the current trace, for log lines."""
    return current_parent()[3:35]
