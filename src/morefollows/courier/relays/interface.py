"""The delivery boundary: bytes and an envelope go in, a reply comes out. SMTP is one implementation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import Literal, NamedTuple, Protocol

Circuit = Literal["closed", "open", "half-open"]
#: Whether another relay can carry a mail: none can; one may when it is well again, or is connected to; one can now.
Carriers = Literal["none", "later", "ready"]


class Reached(Enum):
    """How far a mail had got when its fate was decided."""

    RELAY = (
        "relay"  #: never offered: the relay itself failed us; nothing is known about the recipient
    )
    ENVELOPE = "envelope"  #: never offered: this connection can't carry it; the reply is our own
    MAIL = "MAIL"  #: the reply to MAIL, which does not name the recipient yet
    RCPT = "RCPT"  #: the reply to RCPT
    DATA = "DATA"  #: the reply to DATA, before any content
    QUEUED = "queued"  #: never offered: it stood behind another mail on a connection that has ended
    BEHIND = "behind"  #: content handed over behind another mail's, on a connection that ended: uncertain
    CONTENT = "content"  #: content handed over; without a reply the outcome is uncertain


class Reply(NamedTuple):
    """What the relay said to one mail. ``code`` 0: it said nothing, and `reached` tells how far we had got.

    Code and status are SMTP's, by whatever kind of relay. Nobody but `replies` judges by them: see `replies.verdict`.
    """

    code: int
    status: str  #: enhanced status code (RFC 3463), "" if none
    text: str
    reached: Reached

    @property
    def accepted(self) -> bool:
        """The relay has taken the mail."""
        return 200 <= self.code < 300

    @property
    def answered(self) -> bool:
        """The relay said something, or the reply is our own because it can't carry the mail."""
        return self.code != 0


class Mail(NamedTuple):
    """One message to one recipient, ready for the wire."""

    sender: bytes  #: return path, without angle brackets
    recipient: bytes  #: without angle brackets; UTF-8 if the local part is not ASCII
    #: RFC 5322 message in pieces; CRLF line ends and a last CRLF. No line begins with a dot, so that the same bytes go
    #: after DATA and after BDAT; `compose` sees to it.
    content: Sequence[bytes]
    settle: Callable[[Mail, Reply], None]  #: called exactly once, with what the relay said
    ticket: int = 0  #: the owner's own mark; opaque to the relay
    utf8: bool = False  #: needs SMTPUTF8 (RFC 6531)
    way: Way | None = None  #: which of several relays it was given to
    alone: bool = (
        False  #: a connection has ended with it before: nothing else is in flight beside it
    )


class Throttle(Protocol):
    """How fast a relay is offered mail for a provider that defers some, as whoever hands mails out sees it."""

    @property
    def provider(self) -> Callable[[str], str]:
        """The mailbox provider of a domain."""

    @property
    def paces(self) -> Mapping[str, object]:
        """Of providers that are watched or held back; without any there is nothing to ask."""

    def may_mail(self, domain: str) -> bool:
        """Whether a mail for this domain may leave now; if so, it counts as having left."""

    def deferred(self, domain: str, reply: Reply, tries: int = 0) -> None:
        """The relay has deferred a mail for this domain."""


class Way(Protocol):
    """One of several relays, as whoever settles its mails sees it."""

    name: str

    @property
    def pacing(self) -> Throttle:
        """How fast it may be given mails."""

    def elsewhere(self, domain: str) -> bool:
        """Whether another relay may mail this domain now."""

    def heard(self, domain: str, reply: Reply, tries: int = 0) -> None:
        """One of the mails given to it is settled: what it said, and for which domain the mail was.

        `tries`: how often this recipient was deferred before.
        """

    @property
    def progress(self) -> int:
        """Mails that any relay has accepted since this process began."""

    def others(self, relays: Collection[str], utf8: bool, size: int, bulk: bool) -> Carriers:
        """Whether a relay of this lane, other than these, can carry such a mail. `size`: octets of its content."""

    @property
    def has_accepted(self) -> bool:
        """It has accepted some mail since it was last refusing many, or since this process began."""

    def objected(self, domain: str, words: str, *, to_us: bool) -> None:
        """A mail of an alert was refused. `to_us`: before the relay knew the recipient. `words` hold no address."""


class Source(Protocol):
    """Where a relay takes its mails from."""

    def take(self) -> Mail | None:
        """The next mail, or None when there is none just now. Never blocks."""

    def stuck(self, domains: Sequence[str]) -> None:
        """Each of so many mails, for these domains, holds a connection without a reply, while others get theirs."""


class Setup(NamedTuple):
    """What a sender process tells a relay that it makes. See `relay_address.RelayKind`."""

    connections: int  #: so many at the most
    helo: str  #: this machine's name, in A-labels
    on_trouble: Callable[
        [str | None], None
    ]  #: called with why the relay can't be used; None: it can again
    secured: bool = False  #: it has agreed to TLS before, perhaps with an earlier process
    on_secured: Callable[[], None] = lambda: None  #: called when it first does
    others: bool = False  #: there are other relays: it is no use waiting long for this one


class Relay(Protocol):
    """Somewhere to hand mails to."""

    @property
    def connections(self) -> int:
        """Connections that are open and take mail."""

    @property
    def able(self) -> bool:
        """There is one, and the relay takes mail by it."""

    def can_carry(self, utf8: bool, size: int) -> bool | None:
        """Whether it can be given such a mail; None as long as it has never said what it offers."""

    @property
    def circuit(self) -> Circuit:
        """Closed: in use. Open: it failed, and is left alone for a while. Half-open: one connection is trying it."""

    async def open(self) -> None:
        """Opens connections ahead of the first mail. Returns when one is ready, or at once if none can be had."""

    def wake(self) -> None:
        """Tells idle connections that `Source.take` may have a mail for them."""

    async def close(self) -> None:
        """Lets mails in flight come to their reply, within the time-outs, and says QUIT."""
