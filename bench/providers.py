"""Many mailbox providers on loopback: smtp-sinks at addresses of their own, and a DNS server.

``python -m bench.providers COUNT`` is the DNS server: it prints its port. Every domain has the MX
host of one of the providers, by its name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator

import dns.message
import dns.rdatatype
import dns.rrset

from bench.race import BenchFailed, tool
from tests.support.ports import free_port

_STARTS = 10.0  # seconds


class _Dns(asyncio.DatagramProtocol):
    def __init__(self, count: int) -> None:
        self._count = count
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        name, kind = question.question[0].name, question.question[0].rdtype
        answer = dns.message.make_response(question, recursion_available=True)
        text = str(name)
        if kind == dns.rdatatype.MX:
            number = zlib.crc32(text.encode()) % self._count
            host = f"10 mx.provider{number}.example."
            answer.answer.append(dns.rrset.from_text(name, 3600, "IN", "MX", host))
        elif kind == dns.rdatatype.A and text.startswith("mx.provider"):
            number = int(text.split(".")[1].removeprefix("provider"))
            answer.answer.append(
                dns.rrset.from_text(name, 3600, "IN", "A", f"127.0.0.{number + 2}")
            )
        self._transport.sendto(answer.to_wire(), addr)


async def _serve(count: int) -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Dns(count), local_addr=("127.0.0.1", 0)
    )
    print(transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()


@contextlib.contextmanager
def providers(count: int) -> Iterator[tuple[int, str]]:
    """Runs that many providers. Yields their port and the DNS server's address."""
    program = tool("smtp-sink")
    if program is None:
        raise BenchFailed("smtp-sink is not installed; `apt-get install postfix` has it.")
    port = free_port()
    with contextlib.ExitStack() as stack:
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        for number in range(count):
            where = f"127.0.0.{number + 2}"
            command = [program, *user, f"{where}:{port}", "1000"]
            sink = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
            stack.callback(sink.wait)
            stack.callback(sink.terminate)
            _await_port(where, port)
        command = [sys.executable, "-m", "bench.providers", str(count)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        stack.callback(server.wait)
        stack.callback(server.terminate)
        assert server.stdout is not None
        stack.callback(server.stdout.close)
        yield port, f"127.0.0.1:{server.stdout.readline().strip()}"


def _await_port(host: str, port: int) -> None:
    deadline = time.monotonic() + _STARTS
    while True:
        with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
            return
        if time.monotonic() > deadline:
            raise BenchFailed("smtp-sink does not start")
        time.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
