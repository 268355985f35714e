"""One alert is one trace, from Send to the last mail: a small OTLP/HTTP collector takes it in."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.installation import Installation
from tests.support.waiting import until


class Collector:
    """Keeps the spans that are exported to it: OTLP over HTTP, with protobuf."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.roles: set[str] = set()
        spans, roles = self.spans, self.roles

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    told = {one.key: one.value.string_value for one in resource.resource.attributes}
                    assert told["service.name"] == "morefollows"
                    roles.add(told["morefollows.role"])
                    spans.extend(span for scope in resource.scope_spans for span in scope.spans)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.close()


def test_an_alert_is_one_trace_over_all_processes(
    build: Callable[..., Installation], collector: Collector, tmp_path: Path
) -> None:
    installation = build(hold="0.5", batch_size="2", log_format="json")
    installation.environment |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    installation.start("--sample")
    readers = "".join(f"reader{n}@reader.example\n" for n in range(5))
    (tmp_path / "readers.csv").write_text("email\n" + readers)
    installation.command(
        *("readers", "import", str(tmp_path / "readers.csv"), "--topic", "breaking"),
        *("--provenance", "a list on paper", "--consented-at", "2026-01-01", "--yes"),
    )
    (tmp_path / "story.md").write_text("# The bridge is closed\n\nTrains wait.\n")
    installation.command("stories", "break", str(tmp_path / "story.md"), "--yes")

    def names() -> Counter[str]:
        return Counter(span.name for span in collector.spans)

    until("the alert's own span", lambda: names()["alert"])
    installation.stop()
    spans = collector.spans
    assert len({span.trace_id for span in spans}) == 1
    assert {"alert", "send", "hold", "batching", "batch", "relay"} == set(names())
    assert names()["alert"] == names()["hold"] == names()["send"] == 1
    assert collector.roles == {"command", "sender 1"}
    [whole] = [span for span in spans if span.name == "alert"]
    assert whole.parent_span_id == b""
    batches = {span.span_id: span for span in spans if span.name == "batch"}
    for span in spans:
        if span.name == "relay":
            assert span.parent_span_id in batches
        elif span.name != "alert":
            assert span.parent_span_id == whole.span_id

    def told(span: Any) -> dict[str, Any]:
        return {
            one.key.removeprefix("morefollows."): one.value.int_value or one.value.string_value
            for one in span.attributes
        }

    accepted = told(whole)["accepted"]
    assert accepted >= 5
    assert sum(told(span)["accepted"] or 0 for span in batches.values()) == accepted
    assert sum(told(span)["mails"] for span in spans if span.name == "relay") == accepted
    assert "@" not in str([told(span) for span in spans])
    assert '"message": "alert 1: sent"' in installation.output


@pytest.mark.parametrize(
    "environment",
    [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}],
)
def test_without_the_variables_nothing_of_opentelemetry_is_loaded(
    environment: dict[str, str],
) -> None:
    look = (
        "import sys; from morefollows.helpers.telemetry import tracing;"
        "tracing.begin_tracing(b'k', 'web'); tracing.record_alert(1, 0, 1);"
        "assert not tracing.enabled() and tracing.record_span(1, 'send', 0, 1) is None;"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    cleared = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-c", look], env={**cleared, **environment})
    assert done.returncode == 0
