"""What the parts of an SMTP connection know of each other: types alone, so that none imports another for its types."""

from __future__ import annotations

import asyncio
import ssl
from abc import abstractmethod
from collections import deque
from typing import Any, NamedTuple, Protocol

from morefollows.config.settings import RelayAddress
from morefollows.courier.relays.interface import Mail, Reply, Source
from morefollows.courier.smtp.backoff import Failure
from morefollows.courier.smtp.replies import without_addresses
from morefollows.courier.smtp.timeouts import Patience


def words(said: bytes) -> str:
    """What a relay said, fit for the desk and the log."""
    return without_addresses(said.decode(errors="replace"))


class Answer(NamedTuple):
    """A reply to one of the commands here, each of which waits for its own."""

    code: int
    lines: list[bytes]

    @property
    def text(self) -> str:
        return words(b"\n".join(self.lines))


class Offers(NamedTuple):
    """What the relay offers (RFC 5321 §2.2), as far as we make use of it."""

    pipelining: bool = False  #: RFC 2920
    chunking: bool = False  #: RFC 3030
    utf8: bool = False  #: RFC 6531
    statuses: bool = False  #: RFC 2034
    dsn: bool = False  #: RFC 3461
    size: int | None = None  #: bytes; 0: no fixed limit (RFC 1870)


class Pool(Protocol):
    """The connections to one relay, as one of them sees them."""

    address: RelayAddress
    source: Source
    helo: bytes
    patience: Patience
    tls: ssl.SSLContext
    secured: bool
    offers: Offers | None
    idle: set[Session]
    addresses: list[str]
    closing: bool
    brisk: bool
    chunking: bool
    answered: bool

    @property
    def goes_on(self) -> bool:
        """Mails are being answered, on some connection."""

    @property
    def on_trial(self) -> bool:
        """It has failed, or keeps us waiting: what it is given now may get no answer."""

    def has_secured(self) -> None:
        """The relay has agreed to STARTTLS."""

    def goes_in_clear(self) -> None:
        """The relay no longer offers STARTTLS, and goes on without."""

    def heard(self) -> None:
        """A reply has come on one of the connections."""

    def sated(self) -> None:
        """The source has no mail just now."""

    def well(self) -> None:
        """A mail was answered, the first one on its connection."""

    def lost(
        self, connection: Any, why: str, *, proven: bool, again: bool, failure: Failure = ...
    ) -> None:
        """A connection that was ready has ended; `why` is empty if it was in good order."""


class Session(asyncio.Protocol):
    """One connection, as the handshake and the transactions on it see it."""

    relay: Pool
    transport: asyncio.Transport
    expected: deque[int]  #: the commands that wait for their reply
    paused: bool
    spent: bool
    dead: bool
    misled: bool
    idle: bool
    step: str

    @property
    @abstractmethod
    def overdue(self) -> bool:
        """An answer is late."""

    @property
    @abstractmethod
    def at_rest(self) -> bool:
        """Nothing is waited for."""

    @property
    @abstractmethod
    def has_more_to_read(self) -> bool:
        """Something came behind the reply that was waited for."""

    @abstractmethod
    def await_answer(self) -> asyncio.Future[Answer]:
        """The reply that comes next, before there are mails."""

    @abstractmethod
    async def ask(self, line: bytes) -> Answer:
        """Sends a command, and waits for its reply. Raises `Trouble`."""

    @abstractmethod
    def send(self, line: bytes, kind: int) -> None:
        """Sends one command, and expects the reply to it."""

    @abstractmethod
    def settle(self, mail: Mail, reply: Reply) -> None:
        """Tells the mail's owner what the relay said."""

    @abstractmethod
    def fill(self) -> None:
        """Offers mails, as far as there are some and their turn has come."""

    @abstractmethod
    def rest(self) -> None:
        """There is no mail just now, and room for some."""

    @abstractmethod
    def rest_no_more(self) -> None:
        """There was mail, or the end has come."""

    @abstractmethod
    def mislead(self, why: str) -> None:
        """Closes at once: a reply can't be the one to its command."""

    @abstractmethod
    def abandon(self, why: str, *, closed_in_order: bool = False) -> None:
        """Closes at once."""
