"""OpenTelemetry traces, if the usual variables ask for them: one trace an alert.

`begin_tracing` is called once in each process, after it was forked. It does nothing unless
OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set; then it needs the extra
`traces`. All other OTEL_ variables are the SDK's.

An alert's trace id and the id of its first span follow from a key and the alert's number. So every
process of an installation adds to the same trace, and nothing has to be handed on.

Spans are recorded when they have ended, with their times: a mail costs nothing.
"""

from __future__ import annotations

import atexit
import hmac
import logging
import os
from contextvars import ContextVar
from typing import Any

log = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_LAST_MS = 2_000  # to export what is left when the process ends

_tracer: Any = None
_provider_in_use: Any = None
_key = b""
#: Trace id and span id of the span that is being made, if they are chosen.
_chosen: ContextVar[tuple[int, int] | None] = ContextVar("chosen ids", default=None)


def enabled() -> bool:
    """Whether traces are recorded."""
    return _tracer is not None


def begin_tracing(key: bytes, role: str) -> None:
    """Begins to record and export, if the environment asks for it. `role`: such as "web"."""
    global _tracer, _key, _provider_in_use
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    none = os.environ.get("OTEL_TRACES_EXPORTER", "otlp").lower() == "none"
    if off or none or not any(os.environ.get(name) for name in _ENDPOINTS):
        return
    try:
        provider = _provider(role)
    except ImportError:
        log.warning(
            "traces are asked for by OTEL_EXPORTER_OTLP_ENDPOINT, and can't be recorded: "
            "install the extra, `pip install morefollows[traces]`"
        )
        return
    _key, _tracer = key, provider.get_tracer("morefollows")
    _provider_in_use = provider
    atexit.register(flush_traces)


def flush_traces() -> None:
    """Exports what is left, for two seconds at most. Called before a process ends."""
    if _provider_in_use is not None:
        _provider_in_use.force_flush(_LAST_MS)


def _provider(role: str) -> Any:
    """Raises `ImportError` without the extra."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class ChosenIds(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            chosen = _chosen.get()
            return chosen[0] if chosen else super().generate_trace_id()

        def generate_span_id(self) -> int:
            chosen = _chosen.get()
            return chosen[1] if chosen else super().generate_span_id()

    attributes: dict[str, str | int] = {"morefollows.role": role, "process.pid": os.getpid()}
    if "OTEL_SERVICE_NAME" not in os.environ:
        attributes["service.name"] = "morefollows"
    provider = TracerProvider(
        resource=Resource.create({**attributes}), id_generator=ChosenIds(), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def record_span(
    alert: int, name: str, start_ms: float, end_ms: float, parent: Any = None, **facts: Any
) -> Any:
    """Records a span that has ended. Returns it, as a parent for others; None without traces.

    Times are ms since 1970. `parent`: a span; None: the alert's first span. `facts`: attributes.
    """
    if _tracer is None:
        return None
    from opentelemetry import trace

    if parent is None:
        trace_id, span_id = _ids(alert)
        flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
        first = trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)
        parent = trace.NonRecordingSpan(first)
    return _recorded(name, start_ms, end_ms, trace.set_span_in_context(parent), alert, facts)


def record_alert(alert: int, start_ms: float, end_ms: float, **facts: Any) -> None:
    """Records an alert's first span, of which all others are parts. Once, when it has ended."""
    if _tracer is None:
        return
    from opentelemetry.context import Context

    token = _chosen.set(_ids(alert))
    try:
        _recorded("alert", start_ms, end_ms, Context(), alert, facts)
    finally:
        _chosen.reset(token)


def _recorded(
    name: str, start_ms: float, end_ms: float, context: Any, alert: int, facts: dict[str, Any]
) -> Any:
    attributes = {f"morefollows.{key}": value for key, value in facts.items()}
    span = _tracer.start_span(
        name,
        context=context,
        start_time=int(start_ms * 1e6),
        attributes={"morefollows.alert": alert, **attributes},
    )
    span.end(int(max(end_ms, start_ms) * 1e6))
    return span


def _ids(alert: int) -> tuple[int, int]:
    digest = hmac.digest(_key, b"alert %d" % alert, "sha256")
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
