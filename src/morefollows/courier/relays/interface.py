"""The interface of a relay: it takes an envelope and bytes and gives a reply. SMTP implements it.

Invariant: a relay calls `Mail.settle` exactly once for each mail that it took from its
`MailSource`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

Circuit = Literal["closed", "open", "half-open"]
#: Whether another relay can carry a mail. none: no relay can; later: one may, but is down, paused
#: or not connected yet; ready: one can now.
Carriers = Literal["none", "later", "ready"]


class Reached(Enum):
    """How far a mail had got when its outcome was decided."""

    RELAY = "relay"  #: not offered, as the relay failed; says nothing about the recipient
    ENVELOPE = "envelope"  #: not offered, as this relay can't carry it; the reply is our own
    MAIL = "MAIL"  #: the reply to MAIL, before the relay knows the recipient
    RCPT = "RCPT"  #: the reply to RCPT
    DATA = "DATA"  #: the reply to DATA, before any content
    QUEUED = "queued"  #: not offered; it waited behind another mail when the connection ended
    #: Content sent behind another mail's when the connection ended: uncertain.
    BEHIND = "behind"
    CONTENT = "content"  #: content sent; without a reply the outcome is uncertain


class Reply(NamedTuple):
    """The relay's reply to one mail. ``code`` 0: no reply; `reached` says how far the mail got.

    Code and status are SMTP's for every kind of relay. Only `replies.verdict` interprets them.
    """

    code: int
    status: str  #: enhanced status code (RFC 3463), "" if none
    text: str
    reached: Reached

    @property
    def accepted(self) -> bool:
        """Whether the relay accepted the mail."""
        return 200 <= self.code < 300

    @property
    def answered(self) -> bool:
        """Whether there is a reply: the relay's, or our own if it can't carry the mail."""
        return self.code != 0


class Mail(NamedTuple):
    """One message to one recipient, ready to be sent."""

    sender: bytes  #: return path, without angle brackets
    recipient: bytes  #: without angle brackets; UTF-8 if the local part is not ASCII
    #: RFC 5322 message in pieces, with CRLF line ends. The last piece ends with CRLF, too. No line
    #: begins with a dot, so that the same bytes can follow DATA and BDAT; `message.template`
    #: ensures it.
    content: Sequence[bytes]
    settle: Callable[[Mail, Reply], None]  #: called exactly once, with the reply
    ticket: int = 0  #: the owner's own number; relays don't use it
    utf8: bool = False  #: needs SMTPUTF8 (RFC 6531)
    relay: AnsweringRelay | None = None  #: the relay that it was given to
    #: A connection ended with it before, so it is sent with no other mail in flight.
    alone: bool = False
    #: For a relay that sends an envelope ahead of its content. Called with the ticket and False
    #: once the mail is taken, and with True right before its content is sent. If it returns False
    #: then, the content must not be sent: another process may have the mail by now. A relay that
    #: never calls it may send the content at once.
    hand_over: Callable[[int, bool], bool] | None = None


class Throttle(Protocol):
    """The rate limits of one relay for mailbox providers that defer mail."""

    @property
    def provider(self) -> Callable[[str], str]:
        """A function from a domain to its mailbox provider."""

    @property
    def paces(self) -> Mapping[str, object]:
        """Providers that are watched or limited. While empty, no limit needs to be checked."""

    @property
    def watching(self) -> bool:
        """Whether `may_mail` has to be asked for each mail."""

    def may_mail(self, domain: str) -> bool:
        """Whether a mail for this domain may leave now. If so, it counts against the rate."""

    def deferred(self, domain: str, reply: Reply, tries: int = 0) -> None:
        """Called when the relay deferred a mail for this domain. `tries`: earlier deferrals."""


class AnsweringRelay(Protocol):
    """One of several relays, as the code that settles its mails uses it."""

    name: str

    @property
    def throttle(self) -> Throttle:
        """Its rate limits by mailbox provider."""

    def elsewhere(self, domain: str) -> bool:
        """Whether another relay may send mail to this domain now."""

    def heard(self, domain: str, reply: Reply, tries: int = 0) -> None:
        """Called when one of its mails is settled. `domain`: the recipient's domain.

        `tries`: how often this recipient was deferred before.
        """

    @property
    def progress(self) -> int:
        """The number of mails that any relay accepted since this process began."""

    def others(self, relays: Collection[str], utf8: bool, size: int, bulk: bool) -> Carriers:
        """Whether a relay of this lane, other than `relays`, can carry such a mail.

        `size`: octets of its content.
        """

    @property
    def has_accepted(self) -> bool:
        """Whether it accepted a mail since this process began, or since it was last paused."""

    def objected(self, domain: str, words: str, *, to_us: bool, fresh: bool = False) -> None:
        """Called when a mail of an alert was refused.

        `to_us`: before the relay knew the recipient. `words`: the reply without addresses. `fresh`:
        it has accepted no mail of this alert.
        """


class MailSource(Protocol):
    """The queue that a relay takes its mails from."""

    def take(self) -> Mail | None:
        """Returns the next mail, or None if there is none now. Never blocks."""

    def stuck(self, domains: Sequence[str]) -> None:
        """Called while mails get no reply and others do. One domain for each such connection."""


class RelaySetup(NamedTuple):
    """What a sender process passes to a relay that it creates. See `relay_address.RelayKind`."""

    connections: int  #: the most connections to open
    helo: str  #: this machine's name, in A-labels
    #: Called with the reason why the relay can't be used, and with None when it can again.
    on_trouble: Callable[[str | None], None]
    secured: bool = False  #: it has used TLS before, perhaps in an earlier process
    on_secured: Callable[[], None] = lambda: None  #: called the first time it does
    others: bool = False  #: there are other relays, so long waits for this one are of no use
    senders: int = 1  #: sender processes that share the limits of a provider
    #: The DNS server, host:port; empty: the system's. `Settings.resolver`.
    resolver: str = ""
    data: Path | None = None  #: a folder for what should outlive the process
    #: Called with a domain, its mailbox provider, and for how many seconds that holds.
    on_provider: Callable[[str, str, float], None] = lambda domain, provider, seconds: None


def limit_part(limit: int, share: float) -> int:
    """Returns a whole part of a limit: at least 1, but nothing for a share of nothing.

    `share`: this sender's part, from 0 to 1; see `limits_per_sender`.
    """
    return max(1, int(limit * share + 1e-9)) if share > 0 else 0


class Relay(Protocol):
    """A service that takes mails for delivery.

    A kind that speaks to the recipients' mail providers itself has further attributes: `throttle`,
    a `provider_throttle.RelayThrottle` of its own; `direct`, true, as a reply speaks of a provider
    and not of the relay; `tls_results`, a `mx.tls_results.TlsResults`; and `reshare(share,
    connections)`, called with this sender's part and the limit of all senders. Others may have
    `limit(connections)`, called with what this sender may have.
    """

    @property
    def connections(self) -> int:
        """The number of open connections that take mail."""

    @property
    def able(self) -> bool:
        """Whether a connection is ready and the relay takes mail on it."""

    def can_carry(self, utf8: bool, size: int) -> bool | None:
        """Whether it can carry such a mail; None before its first connection."""

    @property
    def circuit(self) -> Circuit:
        """Closed: in use. Open: failed, not tried now. Half-open: one connection tries it."""

    async def open(self) -> None:
        """Opens connections before the first mail. Returns once one is ready or has failed."""

    def wake(self) -> None:
        """Called when `MailSource.take` may have mail for idle connections."""

    async def close(self) -> None:
        """Waits for the replies to mails in flight, within the time-outs, and disconnects."""
