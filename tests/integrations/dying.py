"""A proxy that passes a request on, waits for the answer, and has its caller killed before it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit

from tests.support.waiting import PATIENCE


class DyingCaller:
    """Stands between a program and More Follows.

    `kill` is called once: when More Follows has answered the first request that sends an alert, and
    nothing of the answer has been passed on.
    """

    def __init__(self, target: str, kill: Callable[[], None]) -> None:
        self.killed = False
        self.sends = 0
        self._target = urlsplit(target).netloc
        self._kill = kill
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_line: object) -> None:
                """Nothing: the test tells what it needs."""

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):
                    return lambda: outer._pass_on(self)
                raise AttributeError(name)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> DyingCaller:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _pass_on(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in ("host", "connection", "content-length", "expect")
        }
        onwards = http.client.HTTPConnection(self._target, timeout=PATIENCE)
        onwards.request(request.command, request.path, body or None, headers)
        answer = onwards.getresponse()
        content = answer.read()
        onwards.close()
        if request.command == "POST" and request.path.endswith("/alerts"):
            self.sends += 1
            if not self.killed:
                self._kill()
                self.killed = True
                request.close_connection = True
                return
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in ("content-type", "date", "location", "etag"):
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
