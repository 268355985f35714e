"""Other senders to compare with: the same relay, the same bytes, each in a process of its own.

``python -m bench.peers NAME HOST PORT MAILS CONNECTIONS`` reads the message from stdin (CRLF line
ends, not dot-stuffed) and sends it MAILS times. It prints the seconds from the first mail to the
last acceptance, and the CPU seconds meanwhile. Connections are opened before the clock starts, as
ours are within the hold.

`blast` is the upper limit: pipelined mails and nothing else, without readers, ledger or refusals.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

import uvloop

from morefollows.config.settings import RelayAddress
from morefollows.courier.relays.interface import Mail, Reply
from morefollows.courier.smtp.connection_pool import SmtpRelay

SENDER = "b+0123456789abcdef@herald.example"
RECIPIENT = "reader123456@reader.example"


class Failed(Exception):
    """The relay refused a mail."""


Race = Callable[[], Awaitable[None]]


async def blast(host: str, port: int, mails: int, connections: int, message: bytes) -> Race:
    """Opens its connections. Returns the function that sends the mails."""
    loop = asyncio.get_running_loop()
    supply = _Supply(mails, message)
    blasters = [_Blaster(supply) for _ in range(connections)]
    for blaster in blasters:
        await loop.create_connection(lambda one=blaster: one, host, port)  # type: ignore[misc]
        await blaster.ready

    async def race() -> None:
        for blaster in blasters:
            blaster.begin()
        await asyncio.gather(*(blaster.done for blaster in blasters))

    return race


class _Supply:
    def __init__(self, mails: int, message: bytes) -> None:
        self.left = mails
        self.envelope = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode()
        self.last = message.replace(b"\n.", b"\n..") + b".\r\n"
        self.next = self.last + self.envelope


class _Blaster(asyncio.Protocol):
    """Sends the content and the next envelope at each 354. It ignores other replies."""

    def __init__(self, supply: _Supply) -> None:
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()
        self._supply = supply
        self._hear = self._greeted
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(Failed("the relay closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._hear(data)

    def begin(self) -> None:
        self._hear = self._answered
        if self._supply.left:
            self._supply.left -= 1
            self._transport.write(self._supply.envelope)
        else:
            self.done.set_result(None)

    def _greeted(self, data: bytes) -> None:
        self._hear = self._offered
        self._transport.write(b"EHLO bench.example\r\n")

    def _offered(self, data: bytes) -> None:
        if data.splitlines()[-1][3:4] == b" " and not self.ready.done():
            self.ready.set_result(None)

    def _answered(self, data: bytes) -> None:
        if b"354 " in data:
            supply = self._supply
            if supply.left:
                supply.left -= 1
                self._transport.write(supply.next)
            else:
                self._hear = self._last_answered
                self._transport.write(supply.last)
        elif data[:1] != b"2":
            self.done.set_exception(Failed(data.decode(errors="replace").strip()))

    def _last_answered(self, data: bytes) -> None:
        if not self.done.done():
            if data[:3] == b"250":
                self.done.set_result(None)
            else:
                self.done.set_exception(Failed(data.decode(errors="replace").strip()))


async def our_client(host: str, port: int, mails: int, connections: int, message: bytes) -> Race:
    """Runs `SmtpRelay` alone, without the rest of the courier."""
    queue = _Queue(mails, message)
    relay = SmtpRelay(
        RelayAddress(host, port, starttls="never"),
        queue,
        connections=connections,
        helo="bench.example",
        on_trouble=queue.note_trouble,
    )
    await relay.open()
    for _ in range(1000):
        if len(relay.idle) == connections:
            break
        await asyncio.sleep(0.02)

    async def race() -> None:
        queue.begun = True
        relay.wake()
        await queue.done
        await relay.close()

    return race


class _Queue:
    def __init__(self, mails: int, message: bytes) -> None:
        self.begun = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = self._unanswered = mails
        self._content = (message.replace(b"\n.", b"\n.."),)

    def take(self) -> Mail | None:
        if not self._left or not self.begun:
            return None
        self._left -= 1
        return Mail(SENDER.encode(), RECIPIENT.encode(), self._content, self.settle, self._left)

    def stuck(self, domains: Sequence[str]) -> None:
        """Does nothing: there is only one recipient."""

    def settle(self, mail: Mail, reply: Reply) -> None:
        self._unanswered -= 1
        if not reply.accepted and not self.done.done():
            self.done.set_exception(Failed(f"{reply.code} {reply.text}"))
        if not self._unanswered and not self.done.done():
            self.done.set_result(None)

    def note_trouble(self, trouble: str | None) -> None:
        if trouble and not self.done.done():
            self.done.set_exception(Failed(trouble))


async def aiosmtplib(host: str, port: int, mails: int, connections: int, message: bytes) -> Race:
    """Runs aiosmtplib, an asynchronous SMTP client, with persistent connections and uvloop."""
    import aiosmtplib as library

    clients = [
        library.SMTP(hostname=host, port=port, start_tls=False, timeout=60)
        for _ in range(connections)
    ]
    for client in clients:
        await client.connect()
        await client.ehlo()
    left = mails

    async def work(client: library.SMTP) -> None:
        nonlocal left
        while left:
            left -= 1
            await client.sendmail(SENDER, [RECIPIENT], message)

    async def race() -> None:
        await asyncio.gather(*(work(client) for client in clients))

    return race


PEERS = {"blast": blast, "client": our_client, "aiosmtplib": aiosmtplib}


async def _measure(
    name: str, host: str, port: int, mails: int, connections: int
) -> dict[str, float]:
    race = await PEERS[name](host, port, mails, connections, sys.stdin.buffer.read())
    cpu, began = time.process_time(), time.monotonic()
    await race()
    return {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    name, host, port, mails, connections = sys.argv[1:]
    print(json.dumps(uvloop.run(_measure(name, host, int(port), int(mails), int(connections)))))
