"""Mails for many domains, and providers on loopback addresses of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from morefollows.courier.mx.relay import DirectRelay
from morefollows.courier.relays.interface import Mail, Reply
from tests.courier.relays.support import make_relay
from tests.courier.smtp.support import body
from tests.support.dns_server import DnsServer
from tests.support.scripted_relay import Certificate, Script, ScriptedRelay


class ReaderMails:
    """A `MailSource` that passes by mails whose provider has no room, as the ledger does."""

    def __init__(self, recipients: Sequence[str]) -> None:
        self.relay: DirectRelay | None = None
        self.replies: dict[int, Reply] = {}
        self.order: list[int] = []  # of settling
        self.recipients = list(recipients)
        self._waiting = [
            Mail(b"b+%d@bounces.example" % i, one.encode(), body(i), self._settle, i)
            for i, one in enumerate(recipients)
        ]
        self._flying: set[int] = set()
        self._done = asyncio.Event()

    def take(self) -> Mail | None:
        assert self.relay is not None
        for at, mail in enumerate(self._waiting):
            if self.relay.throttle.may_mail(mail.recipient.decode().rpartition("@")[2]):
                self._flying.add(mail.ticket)
                return self._waiting.pop(at)
        return None

    def stuck(self, domains: Sequence[str]) -> None:
        """None is held back."""

    def _settle(self, mail: Mail, reply: Reply) -> None:
        assert mail.ticket in self._flying, "settled twice, or never taken"
        self._flying.discard(mail.ticket)
        domain = mail.recipient.decode().rpartition("@")[2]
        assert self.relay is not None
        if reply.code == 421 or reply.code == 0:  # as the ledger does: it goes again at once
            self._waiting.append(mail)
            asyncio.get_running_loop().call_soon(self.relay.wake)
            return
        if 400 <= reply.code < 500:
            self.relay.throttle.deferred(domain, reply)
        self.replies[mail.ticket] = reply
        self.order.append(mail.ticket)
        if len(self.replies) == len(self.recipients):
            self._done.set()

    async def settled(self) -> None:
        """Waits until every mail has its reply. Wakes the relay, as the sender does."""
        assert self.relay is not None
        while not self._done.is_set():
            self.relay.wake()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await self._done.wait()

    def outcomes(self) -> dict[str, str]:
        """Recipient → code and status."""
        return {
            self.recipients[i]: f"{reply.code} {reply.status}".strip()
            for i, reply in self.replies.items()
        }


@asynccontextmanager
async def providers(
    scripts: Mapping[str, Script],
    *,
    records: Sequence[str] = (),
    certificates: Mapping[str, Certificate] | None = None,
    secure: bool = False,
) -> AsyncIterator[tuple[DnsServer, dict[str, ScriptedRelay]]]:
    """Runs a provider for each domain, at an address of its own, all on one port.

    The MX host of ``a.example`` is ``mx.a.example``. `records`: further ones.
    """
    async with contextlib.AsyncExitStack() as stack:
        dns = await stack.enter_async_context(DnsServer(*records, secure=secure))
        found: dict[str, ScriptedRelay] = {}
        port = 0
        for number, (domain, script) in enumerate(scripts.items(), 2):
            relay = ScriptedRelay(
                script,
                host=f"127.0.0.{number}",
                port=port,
                certificate=(certificates or {}).get(domain),
            )
            found[domain] = await stack.enter_async_context(relay)
            port = relay.port
            dns.add(f"{domain}. MX 10 mx.{domain}.")
            dns.add(f"mx.{domain}. A 127.0.0.{number}")
        yield dns, found
        for relay in found.values():
            assert relay.violations == []


async def send(
    dns: DnsServer,
    relays: Mapping[str, ScriptedRelay],
    mails: ReaderMails,
    options: str = "",
    *,
    connections: int = 20,
) -> list[str | None]:
    """Sends all mails and closes. Returns what the desk was told."""
    port = next(iter(relays.values())).port
    troubles: list[str | None] = []
    relay = make_relay(
        f"mx://courier.example:{port}?private=yes&resolver={dns.address}{options}",
        mails,
        troubles,
        connections=connections,
    )
    assert isinstance(relay, DirectRelay)
    mails.relay = relay
    await relay.open()
    await mails.settled()
    await relay.close()
    return troubles
