"""Mails to send, and a place to note what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import uvloop

from morefollows.config.settings import RelayAddress
from morefollows.courier.relays.interface import Mail, Reached, Reply
from morefollows.courier.smtp.connection_pool import SmtpRelay
from morefollows.courier.smtp.timeouts import Timeouts
from tests.support.scripted_relay import ScriptedRelay

T = TypeVar("T")

QUICK = Timeouts(
    connect=2, command=2, data=2, block=2, content=2, quit=1, first_retry=0.01, longest_retry=0.05
)


def run(
    work: Callable[[], Coroutine[Any, Any, T]], *, loop: str = "uvloop", within: float = 180
) -> T:
    async def timed() -> T:
        async with asyncio.timeout(within):
            return await work()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
        return runner.run(timed())


def body(number: int, size: int = 0) -> list[bytes]:
    return [
        b"Message-ID: <%d@herald.example>\r\n" % number,
        b"Subject: Lighthouse keeper found safe\r\n\r\n",
        b"More follows.\r\n" * (size // 15),
        b" .a line with a dot\r\nMore follows.\r\n",
    ]


class MemorySource:
    """A `interface.MailSource` that keeps each mail until it is settled, and all replies.

    `again`: mails that the relay was never offered, or answered 4xx to, are handed out again.
    """

    def __init__(
        self,
        count: int,
        *,
        size: int = 0,
        recipient: str = "cy{}@reader.example",
        again: bool = False,
    ) -> None:
        self.waiting = [
            Mail(
                b"b+%d@bounces.example" % i,
                recipient.format(i).encode(),
                body(i, size),
                self.settle,
                i,
            )
            for i in reversed(range(count))
        ]
        self.again = again
        self.count = count
        self.replies: dict[int, list[Reply]] = {}
        self.in_flight: set[int] = set()
        self.relay: SmtpRelay | None = None
        self._empty = asyncio.Event()

    def take(self) -> Mail | None:
        if not self.waiting:
            return None
        mail = self.waiting.pop()
        assert mail.ticket not in self.in_flight
        self.in_flight.add(mail.ticket)
        return mail

    def stuck(self, domains: Sequence[str]) -> None:
        """None is held back."""

    def settle(self, mail: Mail, reply: Reply) -> None:
        assert mail.ticket in self.in_flight, f"mail {mail.ticket} was settled twice"
        self.in_flight.discard(mail.ticket)
        self.replies.setdefault(mail.ticket, []).append(reply)
        never_offered = reply.code == 0 and reply.reached in (Reached.RELAY, Reached.QUEUED)
        if self.again and (never_offered or 400 <= reply.code < 500):
            self.waiting.append(mail)
            if self.relay is not None:
                asyncio.get_running_loop().call_soon(self.relay.wake)
        elif not self.waiting and not self.in_flight:
            self._empty.set()

    async def settled(self) -> None:
        await self._empty.wait()

    def codes(self) -> list[int]:
        """The last reply's code of each mail, in the order of the mails."""
        return [self.replies[i][-1].code for i in range(self.count)]

    def accepted(self) -> set[int]:
        return {i for i, replies in self.replies.items() if replies[-1].code == 250}

    def uncertain(self) -> set[int]:
        """Mails that were uncertain at least once."""
        return {
            i
            for i, replies in self.replies.items()
            if any(
                reply.code == 0 and reply.reached in (Reached.CONTENT, Reached.BEHIND)
                for reply in replies
            )
        }


def client(
    port: int,
    source: MemorySource,
    *,
    connections: int = 1,
    timeouts: Timeouts = QUICK,
    troubles: list[str | None] | None = None,
    secured: bool = False,
    on_secured: Callable[[], None] = lambda: None,
    **address: Any,
) -> SmtpRelay:
    source.relay = SmtpRelay(
        RelayAddress("127.0.0.1", port, **address),
        source,
        connections=connections,
        helo="courier.example",
        on_trouble=(troubles if troubles is not None else []).append,
        timeouts=timeouts,
        secured=secured,
        on_secured=on_secured,
    )
    return source.relay


async def deliver(relay: ScriptedRelay, source: MemorySource, **options: Any) -> list[str | None]:
    """Opens, sends until every mail is settled, and closes. Returns the troubles that were told."""
    troubles: list[str | None] = []
    smtp = client(relay.port, source, troubles=troubles, **options)
    await smtp.open()
    smtp.wake()
    await source.settled()
    await smtp.close()
    assert not source.in_flight
    return troubles


def numbers(relay: ScriptedRelay) -> list[int]:
    """Which mails the relay took, by the number in their Message-IDs."""
    return [int(mail.message_id[1:].split("@")[0]) for mail in relay.taken]
