"""PostgreSQL over TCP on its own port, and nftables rules that drop its packets. Needs root."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit


@contextlib.contextmanager
def over_tcp(url: str) -> Iterator[str]:
    """Forwards a port on 127.0.0.1 to the Unix socket of `url`. Returns the URL with the port."""
    parts = urlsplit(url)
    folder = unquote(parts.netloc.rpartition("@")[2])
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    loop = asyncio.new_event_loop()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def put_through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind, before = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, before), copy(behind, writer))

    async def serve() -> None:
        server = await asyncio.start_server(put_through, sock=listening)
        await server.serve_forever()

    threading.Thread(target=loop.run_forever, daemon=True, name="database").start()
    task = asyncio.run_coroutine_threadsafe(serve(), loop)
    try:
        yield f"postgres://postgres@127.0.0.1:{port}{parts.path}"
    finally:
        task.cancel()
        loop.call_soon_threadsafe(loop.stop)


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None, url
    return port


@contextlib.contextmanager
def dropped(port: int) -> Iterator[None]:
    """Drops all packets of this port on 127.0.0.1: neither reset nor acknowledgement arrives."""
    table = f"morefollows_{port}"
    rules = "".join(
        f"add rule inet {table} out ip daddr 127.0.0.1 tcp {side} {port} drop\n"
        for side in ("dport", "sport")
    )
    hook = "{ type filter hook output priority 0; }"
    _nft(f"add table inet {table}\nadd chain inet {table} out {hook}\n{rules}")
    try:
        yield
    finally:
        _nft(f"delete table inet {table}\n")


def _nft(commands: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=commands, text=True, check=True)
