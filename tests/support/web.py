"""One plain HTTP request, as mail providers and link scanners make it: no redirects."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.support.waiting import PATIENCE

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def request(
    method: str, url: str, body: bytes | None = None, *, timeout: float = PATIENCE, **headers: str
) -> Response:
    """`headers`: with underscores for hyphens."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=timeout)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(
            method, target, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        return Response(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def request_patiently(method: str, url: str) -> Response:
    """Asks again while the answer is 503, as clients that read `Retry-After` do."""
    deadline = time.monotonic() + PATIENCE
    while (answer := request(method, url)).status == 503 and time.monotonic() < deadline:
        time.sleep(1)
    return answer


def one_click(url: str, *, form_data: bool = False) -> Response:
    """Unsubscribes as Gmail does (RFC 8058 §3.2): urlencoded, or as form data."""
    if not form_data:
        kind, body = FORM, b"List-Unsubscribe=One-Click"
    else:
        kind = "multipart/form-data; boundary=mail"
        body = (
            b'--mail\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            b"One-Click\r\n--mail--\r\n"
        )
    return request("POST", url, body, Content_Type=kind)
