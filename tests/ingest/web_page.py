"""A web server on this machine with pages that a test puts there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class WebPages:
    """Serves what it is given, on a free port."""

    def __init__(self, allow_inside: Callable[[bool], None]) -> None:
        self.allow_inside = allow_inside
        self.asked: list[str] = []
        pages: dict[str, tuple[int, str, str, bytes]] = {}
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                found = pages.get(self.path, (404, "text/plain", "", b""))
                self.send_response(found[0])
                self.send_header("Content-Type", found[1])
                if found[2]:
                    self.send_header("Location", found[2])
                self.send_header("Content-Length", str(len(found[3])))
                self.end_headers()
                self.wfile.write(found[3])

            def log_message(self, *_: object) -> None:
                pass

        self._pages = pages
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def put(self, path: str, body: bytes, media_type: str = "text/html; charset=utf-8") -> None:
        self._pages[path] = (200, media_type, "", body)

    def redirect(self, path: str, to: str) -> None:
        self._pages[path] = (302, "text/plain", to, b"")

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def web_pages(settings: Any) -> Iterator[WebPages]:
    """A web server whose pages may be fetched, though it is on this machine."""

    def allow_inside(allowed: bool) -> None:
        settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, sources_inside=allowed)

    allow_inside(True)
    pages = WebPages(allow_inside)
    yield pages
    pages.close()
