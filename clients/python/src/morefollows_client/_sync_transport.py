"""Sends requests, and waits."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx

from morefollows_client._calls import AGAIN, Answer, Call, Retries, read
from morefollows_client.problems import problem_of


class SyncTransport:
    """Sends calls with one pool of connections."""

    def __init__(self, http: httpx.Client, retries: Retries) -> None:
        self._http = http
        self._retries = retries

    def _answer(self, call: Call[Answer]) -> Answer:
        found: Answer = read(call.answer, self._send(call).json())
        return found

    def _done(self, call: Call[Any]) -> None:
        self._send(call)

    def _send(self, call: Call[Any], *, stream: bool = False) -> httpx.Response:
        tried = 0
        while True:
            tried += 1
            retry_after, found = "", None
            try:
                found = self._http.send(self._request(call), stream=stream)
                if found.is_success:
                    return found
                found.read()
                if found.status_code not in AGAIN or not call.may_repeat:
                    raise problem_of(found.status_code, found.headers, found.content)
                retry_after = found.headers.get("Retry-After", "")
            except httpx.TransportError:
                if not call.may_repeat or self._retries.wait(tried, "") is None:
                    raise
            wait = self._retries.wait(tried, retry_after)
            if wait is None and found is not None:
                raise problem_of(found.status_code, found.headers, found.content)
            time.sleep(wait or 0)

    def _request(self, call: Call[Any]) -> httpx.Request:
        return self._http.build_request(
            call.method,
            call.path.removeprefix("/"),
            params=call.parameters(),
            content=call.payload(),
            headers=call.headers(),
        )

    def _lines(self, call: Call[Any]) -> Iterator[dict[str, Any]]:
        """One object a line, as they come."""
        response = self._send(call, stream=True)
        try:
            for line in response.iter_lines():
                yield json.loads(line)
        finally:
            response.close()

    def _items(self, call: Call[Any]) -> Iterator[Any]:
        """The items of all pages."""
        while True:
            found = self._answer(call)
            yield from found.items
            if found.next_cursor is None:
                return
            call.query = {**call.query, "cursor": found.next_cursor}
