"""A relay of each kind, with a stage behind it that does to each mail what a test asks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from morefollows.config.addresses.relay_address import RelayKind, kind_of, register_kind, relays
from morefollows.courier.relays.interface import (
    Circuit,
    Mail,
    MailSource,
    Reached,
    Relay,
    RelaySetup,
    Reply,
)
from morefollows.courier.smtp.replies import Verdict, verdict
from tests.courier.smtp.support import body
from tests.support.dns_server import DnsServer
from tests.support.provider_servers import ProviderServer
from tests.support.scripted_relay import Certificate, Rule, Script, ScriptedRelay

#: What becomes of a mail, by its number. "late" ones are accepted after a while.
PlannedResults = Mapping[int, str]


class StrictSource:
    """A `interface.MailSource` of `count` mails. Each must be taken, then settled exactly once."""

    def __init__(self, count: int) -> None:
        self._mails = [
            Mail(b"b+%d@bounces.example" % i, b"cy%d@reader.example" % i, body(i), self._settle, i)
            for i in range(count)
        ]
        self.count = count
        self.closed = False  # nothing is handed out any more
        self.taken: list[int] = []
        self.in_flight: set[int] = set()
        self.most_in_flight = 0
        self.replies: dict[int, Reply] = {}

    def take(self) -> Mail | None:
        if self.closed or not self._mails:
            return None
        mail = self._mails.pop(0)
        self.taken.append(mail.ticket)
        self.in_flight.add(mail.ticket)
        self.most_in_flight = max(self.most_in_flight, len(self.in_flight))
        return mail

    def add(self, count: int) -> None:
        for i in range(self.count, self.count + count):
            self._mails.append(
                Mail(b"b+%d@b.example" % i, b"cy%d@reader.example" % i, body(i), self._settle, i)
            )
        self.count += count

    def stuck(self, domains: Sequence[str]) -> None:
        """None is held back."""

    def _settle(self, mail: Mail, reply: Reply) -> None:
        assert mail.ticket in self.in_flight, (
            f"mail {mail.ticket} was settled twice, or never taken"
        )
        self.in_flight.discard(mail.ticket)
        self.replies[mail.ticket] = reply

    def verdicts(self) -> dict[int, Verdict]:
        return {number: verdict(reply) for number, reply in self.replies.items()}


class RelayBackend(Protocol):
    """Stands behind a relay of one kind."""

    url: str

    def took(self) -> set[int]:
        """The mails that it has taken, by their numbers."""


# -- the scripted fake -----------------------------------------------------------------------------

_FAKES: dict[str, tuple[PlannedResults, set[int]]] = {}  # host → its script, and what it took


class FakeRelay(Relay):
    """The least that a relay is: one mail after the other, in memory."""

    def __init__(
        self, source: MailSource, setup: RelaySetup, planned: PlannedResults, took: set[int]
    ) -> None:
        self._source, self._setup, self._planned, self._took = source, setup, planned, took
        self._working: asyncio.Task[None] | None = None
        self._open = False

    @property
    def connections(self) -> int:
        return int(self._open)

    @property
    def able(self) -> bool:
        return self._open

    @property
    def circuit(self) -> Circuit:
        return "closed"

    def can_carry(self, utf8: bool, size: int) -> bool | None:
        return True

    async def open(self) -> None:
        self._open = True
        self._setup.on_trouble(None)

    def wake(self) -> None:
        if self._open and (self._working is None or self._working.done()):
            self._working = asyncio.create_task(self._work())

    async def close(self) -> None:
        self._open = False
        if self._working is not None:
            await self._working

    async def _work(self) -> None:
        while self._open and (mail := self._source.take()) is not None:
            result = self._planned.get(mail.ticket, "accepted")
            await asyncio.sleep(0.1 if result == "late" else 0)
            if result in ("accepted", "late", "uncertain"):
                self._took.add(mail.ticket)
            mail.settle(mail, _REPLIES[result])


_REPLIES = {
    "accepted": Reply(250, "", "", Reached.CONTENT),
    "late": Reply(250, "", "", Reached.CONTENT),
    "deferred": Reply(451, "4.2.0", "later", Reached.RCPT),
    "refused": Reply(550, "5.1.1", "no such user", Reached.RCPT),
    "uncertain": Reply(0, "", "", Reached.CONTENT),
}

FAKE = RelayKind(
    schemes={"fake": {"port": 1}},
    example="fake://name",
    make=lambda address, source, setup: FakeRelay(source, setup, *_FAKES[address.host]),
)
register_kind(FAKE)


class _FakeBackend:
    def __init__(self, name: str, planned: PlannedResults) -> None:
        self.url = f"fake://{name}"
        self._took: set[int] = set()
        _FAKES[name] = planned, self._took

    def took(self) -> set[int]:
        return self._took


# -- SMTP ------------------------------------------------------------------------------------------

_RULES = {
    "deferred": Rule("rcpt", reply="451 4.2.0 later"),
    "refused": Rule("rcpt", reply="550 5.1.1 no such user"),
    "uncertain": Rule("content", do="take-and-drop"),
    "late": Rule("content", reply="250 2.0.0 taken", delay=0.1),
}


class _SmtpBackend:
    def __init__(self, url: str, relay: ScriptedRelay) -> None:
        self.url = url
        self._relay = relay

    def took(self) -> set[int]:
        return {int(mail.message_id[1:].split("@")[0]) for mail in self._relay.taken}


class _ApiBackend:
    """A provider's API. A few mails in a call, so that there are several calls."""

    def __init__(self, server: ProviderServer) -> None:
        self.url = f"{server.url}&batch=4"
        self._server = server

    def took(self) -> set[int]:
        return {int(mail.metadata.strip("<>").split("@")[0]) for mail in self._server.taken}


#: Kinds whose backend can't say "later" of a single mail.
NEVER_DEFERS = frozenset({"mailgun", "postmark", "sendgrid", "brevo", "resend"})


@asynccontextmanager
async def start_backend(
    scheme: str, planned: PlannedResults, folder: Path
) -> AsyncIterator[RelayBackend]:
    """A stage for a relay of that kind. A new kind of relay is added here."""
    if scheme == "fake":
        yield _FakeBackend(folder.name.replace("_", "-"), planned)
        return
    rules = [
        Rule(rule.at, match=f"cy{number}@", reply=rule.reply, do=rule.do, delay=rule.delay)
        for number, result in planned.items()
        if (rule := _RULES.get(result)) is not None
    ]
    if scheme in ProviderServer.MOST:
        names = {f"cy{number}@reader.example": result for number, result in planned.items()}
        async with ProviderServer(scheme, names) as server:
            yield _ApiBackend(server)
            assert server.violations == []
        return
    if scheme == "mx":
        async with (
            ScriptedRelay(Script(rules=tuple(rules))) as relay,
            DnsServer(
                "reader.example. MX 10 mx.reader.example.", "mx.reader.example. A 127.0.0.1"
            ) as dns,
        ):
            yield _SmtpBackend(
                f"mx://courier.example:{relay.port}?private=yes&resolver={dns.address}", relay
            )
            assert relay.violations == []
        return
    secure = scheme == "smtps"
    certificate = Certificate.make(folder) if secure else None
    async with ScriptedRelay(
        Script(implicit_tls=secure, rules=tuple(rules)), certificate=certificate
    ) as relay:
        yield _SmtpBackend(f"{scheme}://127.0.0.1:{relay.port}?verify=no", relay)
        assert relay.violations == []


def make_relay(
    url: str, source: MailSource, troubles: list[str | None], *, connections: int = 2
) -> Relay:
    """The relay that the product makes of this URL."""
    [address] = relays(url)
    setup = RelaySetup(connections=connections, helo="courier.example", on_trouble=troubles.append)
    relay: Relay = kind_of(address.scheme).make(address, source, setup)
    return relay
