"""Sends requests, while others run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from morefollows_client._calls import AGAIN, Answer, Call, Retries, read
from morefollows_client.problems import problem_of


class AsyncTransport:
    """Sends calls with one pool of connections."""

    def __init__(self, http: httpx.AsyncClient, retries: Retries) -> None:
        self._http = http
        self._retries = retries

    async def _answer(self, call: Call[Answer]) -> Answer:
        found: Answer = read(call.answer, (await self._send(call)).json())
        return found

    async def _done(self, call: Call[Any]) -> None:
        await self._send(call)

    async def _send(self, call: Call[Any], *, stream: bool = False) -> httpx.Response:
        tried = 0
        while True:
            tried += 1
            retry_after, found = "", None
            try:
                found = await self._http.send(self._request(call), stream=stream)
                if found.is_success:
                    return found
                await found.aread()
                if found.status_code not in AGAIN or not call.may_repeat:
                    raise problem_of(found.status_code, found.headers, found.content)
                retry_after = found.headers.get("Retry-After", "")
            except httpx.TransportError:
                if not call.may_repeat or self._retries.wait(tried, "") is None:
                    raise
            wait = self._retries.wait(tried, retry_after)
            if wait is None and found is not None:
                raise problem_of(found.status_code, found.headers, found.content)
            await asyncio.sleep(wait or 0)

    def _request(self, call: Call[Any]) -> httpx.Request:
        return self._http.build_request(
            call.method,
            call.path.removeprefix("/"),
            params=call.parameters(),
            content=call.payload(),
            headers=call.headers(),
        )

    async def _lines(self, call: Call[Any]) -> AsyncIterator[dict[str, Any]]:
        """One object a line, as they come."""
        response = await self._send(call, stream=True)
        try:
            async for line in response.aiter_lines():
                yield json.loads(line)
        finally:
            await response.aclose()

    async def _items(self, call: Call[Any]) -> AsyncIterator[Any]:
        """The items of all pages."""
        while True:
            found = await self._answer(call)
            for item in found.items:
                yield item
            if found.next_cursor is None:
                return
            call.query = {**call.query, "cursor": found.next_cursor}
