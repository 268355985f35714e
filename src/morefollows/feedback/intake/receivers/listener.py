"""The LMTP (RFC 2033) and SMTP listener for the domain of return paths.

Limits: octets of a mail, connections in all and of one network, seconds without a command and
without a mail, and recipients that are ours.
Mails that arrive together share one transaction. Nothing is relayed, and nothing is answered.

Invariant: a mail is answered with 250 only after it was committed.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from morefollows.config.addresses.intake_address import IntakeAddress
from morefollows.feedback.intake.actions import Arrived
from morefollows.feedback.intake.reading.mime import MOST_OCTETS
from morefollows.helpers import client_address, networks, public_addresses

log = logging.getLogger(__name__)

# aiosmtpd logs each command, with its addresses.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)

_SIZE = 2_000_000  # octets of one mail, by default
_CONNECTIONS = 50  # at once, by default
_SHARE = 5  # one network of the Internet may have a fifth of the connections
_IDLE_SECONDS = 60.0  # without a command
_MAIL_SECONDS = 300.0  # without a mail: commands alone keep no connection
_MOST_RECIPIENTS = 100
_AT_ONCE = 200  # mails in one transaction
_OFTEN = ("MAIL", "RCPT", "DATA", "RSET")  # a client may send many mails on one connection
# Who must always be reachable (RFC 5321 §4.5.1, RFC 2142), and the addresses that we hand out.
_OURS = re.compile(r"(?:b|leave)\+[0-9a-f]{46}|fbl|postmaster|abuse", re.IGNORECASE)

Store = Callable[[str, Sequence[Arrived]], Awaitable[object]]


class BounceListener:
    """One listening socket. `store` writes mails in one transaction, and raises if it can't."""

    def __init__(self, receiver: IntakeAddress, domains: frozenset[str], store: Store) -> None:
        self.receiver = receiver
        self.domains = domains  #: that mail is taken for
        self._store = store
        self._size = int(receiver.options.get("size", _SIZE))
        self._most = int(receiver.options.get("connections", _CONNECTIONS))
        self._open: dict[asyncio.BaseTransport, tuple[str, asyncio.TimerHandle]] = {}
        self._arrived: list[tuple[list[Arrived], asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Starts to listen. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._protocol, self.receiver.host, self.receiver.port
        )

    @property
    def port(self) -> int:
        """The actual port."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Ends all connections. What has not been committed was not acknowledged."""
        if self._server is not None:
            self._server.close()
        for transport in list(self._open):
            transport.abort() if isinstance(transport, asyncio.Transport) else transport.close()
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=5)

    def _protocol(self) -> SMTP:
        kind = _LmtpConnection if self.receiver.scheme == "lmtp" else _SmtpConnection
        connection = kind(
            self,
            data_size_limit=self._size,
            enable_SMTPUTF8=True,
            decode_data=False,
            ident="More Follows",
            timeout=_IDLE_SECONDS,
            command_call_limit={"*": 200, **dict.fromkeys(_OFTEN, 100_000)},
            loop=asyncio.get_running_loop(),
        )
        connection.begun, connection.ended = self._begun, self._ended
        return connection

    def _begun(self, transport: asyncio.BaseTransport) -> bool:
        """Whether one more connection is taken."""
        peer = str((transport.get_extra_info("peername") or ("",))[0])
        address = client_address.behind_proxies(peer, "", 0)
        # Our own relays, and what they pass on, come from few addresses.
        network = networks.network(address) if public_addresses.is_public(address) else ""
        of_network = sum(one == network for one, _until in self._open.values())
        if len(self._open) >= self._most or (
            network and of_network >= max(1, self._most // _SHARE)
        ):
            return False
        self._open[transport] = network, self._until(transport)
        return True

    def _ended(self, transport: asyncio.BaseTransport) -> None:
        if found := self._open.pop(transport, None):
            found[1].cancel()

    def _until(self, transport: asyncio.BaseTransport) -> asyncio.TimerHandle:
        """Has the connection ended if no mail has come by it for a while."""
        return asyncio.get_running_loop().call_later(_MAIL_SECONDS, transport.close)

    def _goes_on(self, transport: asyncio.BaseTransport | None) -> None:
        if transport is not None and (found := self._open.get(transport)):
            found[1].cancel()
            self._open[transport] = found[0], self._until(transport)

    # -- called by aiosmtpd

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        local, _at, domain = address.rpartition("@")
        if domain.lower().rstrip(".") not in self.domains:
            return "550 5.7.1 We take no mail for that domain"
        if not _OURS.fullmatch(local):
            return "550 5.1.1 No such address"
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        path = (envelope.mail_from or "").strip("<>")
        sender = f"Return-Path: <{path}>\r\n".encode("utf-8", "replace")
        arrived = [
            Arrived(sender + raw[:MOST_OCTETS], address, size=len(raw))
            for address in envelope.rcpt_tos
        ]
        stored = asyncio.get_running_loop().create_future()
        self._arrived.append((arrived, stored))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        self._goes_on(server.transport)
        reply = "250 2.0.0 Taken" if await stored else "451 4.3.0 Can't be stored now"
        # LMTP wants a reply for each recipient (RFC 2033 §4.2).
        return "\r\n".join([reply] * (len(arrived) if self.receiver.scheme == "lmtp" else 1))

    async def _write(self) -> None:
        while self._arrived:
            some, self._arrived = self._arrived[:_AT_ONCE], self._arrived[_AT_ONCE:]
            try:
                await self._store(
                    self.receiver.name, [one for arrived, _ in some for one in arrived]
                )
                done = True
            except Exception as error:
                log.error("mail can't be stored: %s", type(error).__name__)
                done = False
            for _arrived, stored in some:
                if not stored.done():
                    stored.set_result(done)


class _Limited:
    """Counts the connections, and refuses those above the limit (RFC 5321 §3.8: 421)."""

    begun: Callable[[asyncio.BaseTransport], bool]
    ended: Callable[[asyncio.BaseTransport], None]
    _counted: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self.begun(transport):
            if isinstance(transport, asyncio.Transport):
                transport.write(b"421 4.3.2 Too many connections\r\n")
            transport.close()
            return
        self._counted = transport
        super().connection_made(transport)  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        if self._counted is not None:
            self.ended(self._counted)
            super().connection_lost(error)  # type: ignore[misc]


class _SmtpConnection(_Limited, SMTP):
    pass


class _LmtpConnection(_Limited, LMTP):
    pass


def own_domains(bounce_domain: str, sender_address: str) -> frozenset[str]:
    """The domains that mail is taken for."""
    sender: Any = sender_address.rpartition("@")[2]
    return frozenset(one.lower() for one in (bounce_domain, sender) if one)
