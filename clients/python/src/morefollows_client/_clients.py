"""The two clients."""

from __future__ import annotations

from typing import Any

import httpx

from morefollows_client._async import AsyncRequests
from morefollows_client._calls import Retries
from morefollows_client._sync import SyncRequests

_SECONDS = 30.0
_RETRIES = Retries()


def _options(url: str, key: str, timeout: float, more: dict[str, Any]) -> dict[str, Any]:
    """`url`: of the installation; the API is below it."""
    return {
        "base_url": f"{url.rstrip('/')}/api/v1/",
        "headers": {"Authorization": f"Bearer {key}", "Accept": "application/json"},
        "timeout": timeout,
        "follow_redirects": False,
        **more,
    }


class Client(SyncRequests):
    """``with Client("https://alerts.example", key) as newsroom: …``

    `url`: the address of the installation. `key`: `mf_…`. `timeout`: seconds for connecting, and
    for each read and write. `options`: for `httpx.Client`, such as `verify` or `proxy`.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = _SECONDS,
        retries: Retries = _RETRIES,
        **options: Any,
    ) -> None:
        super().__init__(httpx.Client(**_options(url, key, timeout, options)), retries)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class AsyncClient(AsyncRequests):
    """``async with AsyncClient("https://alerts.example", key) as newsroom: …``; as `Client`."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = _SECONDS,
        retries: Retries = _RETRIES,
        **options: Any,
    ) -> None:
        super().__init__(httpx.AsyncClient(**_options(url, key, timeout, options)), retries)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()
