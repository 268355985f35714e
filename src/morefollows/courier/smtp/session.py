"""Types shared by the modules of an SMTP connection, so that these need not import each other."""

from __future__ import annotations

import asyncio
import socket
from abc import abstractmethod
from collections import deque
from typing import Any, Final, NamedTuple, Protocol

from morefollows.config.settings import RelayAddress
from morefollows.courier.relays.interface import Mail, MailSource, Reply
from morefollows.courier.smtp.backoff import FailureCause
from morefollows.courier.smtp.dialling import Dialler, Endpoint
from morefollows.courier.smtp.replies import without_addresses
from morefollows.courier.smtp.timeouts import Timeouts

#: Detects an unreachable host within two minutes (15 s + 7 × 15 s), also while a reply is awaited.
KEEPALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 7))
        if hasattr(socket, name)
    ),
)


class NotYet(asyncio.Transport):
    """Placeholder for the transport until the connection is made."""

    def abort(self) -> None:
        pass


def printable(octets: bytes) -> str:
    """Returns a relay's reply text without addresses, for the desk and the log."""
    return without_addresses(octets.decode(errors="replace"))


class SetupReply(NamedTuple):
    """The reply to a command of the connection setup, where each command waits for its reply."""

    code: int
    lines: list[bytes]

    @property
    def text(self) -> str:
        return printable(b"\n".join(self.lines))


class Extensions(NamedTuple):
    """The extensions that the relay offers and this client uses (RFC 5321 §2.2)."""

    pipelining: bool = False  #: RFC 2920
    chunking: bool = False  #: RFC 3030
    utf8: bool = False  #: RFC 6531
    statuses: bool = False  #: RFC 2034
    dsn: bool = False  #: RFC 3461
    eight_bit: bool = False  #: RFC 6152
    size: int | None = None  #: bytes (RFC 1870); 0: no fixed limit; None: SIZE is not offered


class Pool(Protocol):
    """The connection pool as a single connection uses it."""

    address: RelayAddress
    source: MailSource
    dialler: Dialler
    timeouts: Timeouts
    secured: bool
    offers: Extensions | None
    idle: set[Session]
    closing: bool
    mails_each: int
    brisk: bool
    chunking: bool
    answered: bool

    @property
    def goes_on(self) -> bool:
        """Whether mails are being answered on any connection."""

    def tries_one(self) -> bool:
        """Whether one mail in flight may be tried on an idle connection, while none is answered.

        If it is answered, the relay is well. Until then this is False.
        """

    @property
    def on_trial(self) -> bool:
        """Whether the relay has failed or is slow, so that new mails may get no reply."""

    def has_secured(self) -> None:
        """Called after a successful STARTTLS."""

    def goes_in_clear(self) -> None:
        """Called when a relay no longer offers STARTTLS and mail continues in clear text."""

    def heard(self) -> None:
        """Called when a connection has received a complete line."""

    def sated(self) -> None:
        """Called when the source has no mail at present."""

    def well(self) -> None:
        """Called at the first reply to a mail on a connection."""

    def lost(
        self, connection: Any, why: str, *, proven: bool, again: bool, failure: FailureCause = ...
    ) -> None:
        """Called when a ready connection has ended. `why` is empty after an orderly end."""


class Session(asyncio.Protocol):
    """A connection as the handshake and the transactions use it."""

    relay: Pool
    transport: asyncio.Transport
    expected: deque[int]  #: commands without a reply so far, oldest first
    paused: bool
    spent: bool
    dead: bool
    misled: bool
    idle: bool
    step: str
    retiring: bool  #: takes no further mail, and ends after the last reply
    carried: int  #: mails taken so far
    endpoint: Endpoint | None  #: what it is connected to

    @property
    @abstractmethod
    def overdue(self) -> bool:
        """Whether a reply is late."""

    @property
    @abstractmethod
    def at_rest(self) -> bool:
        """Whether no reply is outstanding."""

    @property
    @abstractmethod
    def has_more_to_read(self) -> bool:
        """Whether data arrived after the last complete reply."""

    @abstractmethod
    def await_answer(self) -> asyncio.Future[SetupReply]:
        """Returns a future for the next reply. Only for the connection setup."""

    @abstractmethod
    async def ask(self, line: bytes) -> SetupReply:
        """Sends a command and returns its reply. Raises `HandshakeError`."""

    @abstractmethod
    def send(self, line: bytes, kind: int) -> None:
        """Sends one command and adds `kind` to the expected replies."""

    @abstractmethod
    def settle(self, mail: Mail, reply: Reply) -> None:
        """Passes the relay's reply to the mail's owner."""

    @abstractmethod
    def fill(self) -> None:
        """Sends as many mails as are available and allowed now."""

    @abstractmethod
    def rest(self) -> None:
        """Marks the connection as idle: it could take mail, and the source has none."""

    @abstractmethod
    def rest_no_more(self) -> None:
        """Ends the idle state: a mail came, or the connection ends."""

    @abstractmethod
    def mislead(self, why: str) -> None:
        """Closes at once, because a reply can't belong to its command."""

    @abstractmethod
    def abandon(self, why: str, *, closed_in_order: bool = False) -> None:
        """Closes at once."""
