"""SMTP transactions one after the other, with DATA (RFC 5321 §3.3).

With PIPELINING (RFC 2920) one write carries a mail's content, its final dot and the next mail's
envelope: one round trip per mail. Without it, each command waits for its reply.

Invariant: every mail taken from the source is settled once or returned once by `give_up` or
`give_back`.
"""

from __future__ import annotations

import re
from typing import Final

from morefollows.courier.relays.interface import Mail, Reached, Reply
from morefollows.courier.smtp.session import Extensions, Session

# The commands that a reply can belong to. Every reply is matched to its command (RFC 2920 §3.1).
# A 2xx to one of the first three changes no state.
RSET, MAIL, RCPT, DATA, CONTENT, NOTHING, CHUNK, QUIT, ANSWER = range(9)

TAKEN: Final = Reply(250, "", "", Reached.CONTENT)
NOT_OFFERED: Final = Reply(0, "", "", Reached.RELAY)
QUEUED: Final = Reply(0, "", "", Reached.QUEUED)
UNCERTAIN: Final = Reply(0, "", "", Reached.CONTENT)
BEHIND: Final = Reply(0, "", "", Reached.BEHIND)
TRIED: Final = Reply(0, "", "", Reached.BEHIND)  #: `BEHIND`, and the connection goes on

#: How far a mail had got, by the command whose reply decided it.
REACHED: Final = {MAIL: Reached.MAIL, RCPT: Reached.RCPT, DATA: Reached.DATA}

_STATUS = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)")
# Octets of an address that need no closer look: no controls, spaces or angle brackets.
_PATH_OCTETS = bytes(octet for octet in range(33, 127) if octet not in b"<>")
_LONGEST_PATH = 254  # octets: 256 with the angle brackets (RFC 5321 §4.5.3.1.3)
_PATH_UTF8 = re.compile(rb"[!-;=?-~\x80-\xff]{1,254}").fullmatch

_BAD_RECIPIENT = Reply(
    553, "5.1.3", "The address can't be written in an SMTP command.", Reached.ENVELOPE
)
_BAD_SENDER = Reply(
    553, "5.1.7", "The return path can't be written in an SMTP command.", Reached.ENVELOPE
)
_BAD_CONTENT = Reply(554, "5.6.0", "The message does not end with a line end.", Reached.ENVELOPE)
_NEEDS_UTF8 = Reply(
    550, "5.6.7", "The relay does not take internationalised addresses.", Reached.ENVELOPE
)
_TOO_BIG = Reply(552, "5.3.4", "The message is bigger than the relay takes.", Reached.ENVELOPE)


def reply(code: int, text: bytes, reached: Reached) -> Reply:
    """Returns the `Reply`, with the enhanced status code taken out of its text (RFC 2034 §4).

    The text of a 2xx is dropped, as it is never shown.
    """
    if code < 400:
        return TAKEN if code == 250 and reached is Reached.CONTENT else Reply(code, "", "", reached)
    statuses = set()
    lines = []
    for line in text.strip().split(b"\n"):
        found = _STATUS.match(line)
        if found is not None and found[1][0] == 48 + code // 100:
            statuses.add(found[1])
            line = line[found.end() :]
        lines.append(line.strip())
    words = b" ".join(lines).decode("utf-8", "replace").strip()
    # Lines with different status codes are no evidence about a mailbox: then the status is empty.
    return Reply(code, statuses.pop().decode() if len(statuses) == 1 else "", words, reached)


def _xtext(path: bytes) -> bytes:
    """Encodes an address as the value of a parameter (RFC 3461 §4)."""
    return path.replace(b"+", b"+2B").replace(b"=", b"+3D")


class MailTransactions:
    """What a connection calls to send mails: base of `DataTransactions` and `BdatTransactions`."""

    def __init__(self, connection: Session, offers: Extensions) -> None:
        self._connection = connection
        self._offers = offers
        self._expected = connection.expected
        self._take = connection.relay.source.take
        # MAIL needs no parameters, unless the mail is SMTPUTF8.
        self._bare = offers.size is None and not offers.dsn
        # Ask for a report on failure and delay, not on success (RFC 3461 §4.1).
        self._notify = b" NOTIFY=FAILURE,DELAY" if offers.dsn else b""

    def fill(self) -> None:
        """Sends as many mails as are available and allowed now."""
        raise NotImplementedError

    def heard(self, kind: int, code: int, text: bytes) -> None:
        """Handles the reply to the command `kind`. After 421 the connection ends."""
        raise NotImplementedError

    def give_up(self, *, closed_in_order: bool) -> list[tuple[Mail, Reply]]:
        """Called when the connection has ended. Returns each mail in flight with its reply.

        `closed_in_order`: the relay sent 421 and does nothing more (RFC 5321 §3.8).
        """
        raise NotImplementedError

    @property
    def undecided(self) -> Mail | None:
        """The first mail whose content was sent and that has no reply yet."""
        return None

    @property
    def alone(self) -> bool:
        """Whether the mail that waits for a reply ended an earlier connection."""
        return False

    def give_back(self, quiet: float) -> list[tuple[Mail, Reply]]:
        """Returns mails to settle after `quiet` seconds without a reply, each with its reply."""
        return []

    def next(self) -> Mail | None:
        """Returns the next mail that this relay can carry, or None if there is none now."""
        connection = self._connection
        most = connection.relay.mails_each
        if most and connection.carried >= most:
            connection.retiring = True
        if connection.retiring:
            return None
        if not connection.relay.closing:
            while (mail := self._take()) is not None:
                if (unfit := self._unfit(mail)) is None:
                    connection.carried += 1
                    if connection.idle:
                        connection.rest_no_more()
                    return mail
                mail.settle(mail, unfit)
            connection.relay.sated()
        connection.rest()
        return None

    def options(self, mail: Mail, size: int) -> bytes:
        """Returns the parameters of MAIL. `size`: octets of the content, used with SIZE.

        With DSN, a failure report returns the header only (RFC 3461 §4.3). ENVID (§4.4) is the
        local part of the return path: it names the mail and reveals nothing about its reader.
        ORCPT is left out, as it would show a reader's address wherever the mail is forwarded.
        """
        options = b"" if self._offers.size is None else b" SIZE=%d" % size
        if self._offers.dsn and mail.sender and not mail.utf8:
            options += b" RET=HDRS ENVID=" + _xtext(mail.sender[: mail.sender.rindex(b"@")])
        return options + b" SMTPUTF8" if mail.utf8 else options

    def _unfit(self, mail: Mail) -> Reply | None:
        """Returns why this mail can't be sent on this connection, or None if it can."""
        sender, recipient = mail.sender, mail.recipient
        strange = (sender + recipient).translate(None, _PATH_OCTETS)
        if strange or not 0 < len(recipient) <= _LONGEST_PATH >= len(sender):
            if not _international(recipient):
                return _BAD_RECIPIENT
            if sender and not _international(sender):
                return _BAD_SENDER
            if not mail.utf8:
                return _NEEDS_UTF8
        if mail.utf8 and not self._offers.utf8:  # RFC 6531 §3.2
            return _NEEDS_UTF8
        if not mail.content or mail.content[-1][-2:] != b"\r\n":
            return _BAD_CONTENT  # the final dot would not be on a line of its own
        if self._offers.size and sum(map(len, mail.content)) > self._offers.size:
            return _TOO_BIG
        return None


class DataTransactions(MailTransactions):
    """Sends MAIL, RCPT, DATA and the content of one mail, then the next."""

    def __init__(self, connection: Session, offers: Extensions) -> None:
        super().__init__(connection, offers)
        self._pipelining = offers.pipelining
        self._offered: Mail | None = None  # its envelope was sent
        self._handed: Mail | None = None  # its content was sent, and it has no reply yet
        self._held: list[tuple[Mail, Reply]] = []  # held until DATA is answered: see `_settle`
        self._stale = False  # a failed transaction needs RSET before the next one

    def fill(self) -> None:
        if self._offered is not None:
            return
        if self._expected:
            # With PIPELINING the next envelope may go out while the reply to the final dot is
            # awaited, and nothing else is: so at most one mail's content is without a reply.
            only_a_final_dot = (
                self._handed is not None and not self._handed.alone and len(self._expected) == 1
            )
            if not (only_a_final_dot and self._pipelining and self._connection.relay.brisk):
                return
        envelope = self._envelope()
        if envelope:
            self._connection.transport.write(envelope)

    def heard(self, kind: int, code: int, text: bytes) -> None:
        connection = self._connection
        if kind == DATA and code == 354:
            self._settle_held()
            self._hand_over()
            return
        # Any final reply ends the transaction; a 3xx is none (RFC 5321 §4.2.1).
        if kind == CONTENT and not 300 <= code < 400:
            mail, self._handed = self._handed, None
            assert mail is not None
            self._settle(mail, TAKEN if code == 250 else reply(code, text, Reached.CONTENT))
        elif 300 <= code < 400 or (kind == DATA and code < 300):
            connection.mislead("answered out of turn")
            return
        elif kind == DATA:
            self._settle_held()
            self._refused(kind, code, text)
        elif kind == RSET:
            if code >= 400:
                connection.mislead("refused to reset a transaction")
                return
        elif kind <= RCPT:
            if code >= 400:
                self._refused(kind, code, text)
            elif not self._pipelining:
                assert self._offered is not None
                if kind == MAIL:
                    connection.send(
                        b"RCPT TO:<%b>%b\r\n" % (self._offered.recipient, self._notify), RCPT
                    )
                else:
                    connection.send(b"DATA\r\n", DATA)
                return
        # A relay that has said 421 takes nothing more on this connection (RFC 5321 §3.8).
        if not self._expected and code != 421:
            connection.fill()

    def give_up(self, *, closed_in_order: bool) -> list[tuple[Mail, Reply]]:
        given_up = [
            (self._handed, UNCERTAIN),
            # Behind a mail whose reply is out, an envelope says nothing about the relay: it is just
            # sent again.
            (self._offered, QUEUED if self._handed else NOT_OFFERED),
        ]
        self._handed = self._offered = None
        held, self._held = self._held, []
        if self._connection.misled:
            # Of a relay that answers out of turn no reply can be trusted, a refusal neither.
            held = [
                (mail, UNCERTAIN if reply_.reached is Reached.CONTENT else QUEUED)
                for mail, reply_ in held
            ]
        return [*held, *((mail, reply_) for mail, reply_ in given_up if mail is not None)]

    @property
    def undecided(self) -> Mail | None:
        return self._handed

    @property
    def alone(self) -> bool:
        return self._offered is not None and self._offered.alone

    def give_back(self, quiet: float) -> list[tuple[Mail, Reply]]:
        """Returns the mail offered next, when the reply to a final dot is late.

        Its content was not sent, and closing before the final dot discards the transaction
        (RFC 5321 §4.1.1.10).
        """
        mail, relay = self._offered, self._connection.relay
        if mail is None or self._handed is None or quiet < relay.timeouts.ahead:
            return []
        self._offered = None
        relay.brisk = False
        return [(mail, QUEUED)]

    def _hand_over(self) -> None:
        """Sends the content after 354."""
        connection = self._connection
        mail, self._offered = self._offered, None
        self._stale = False
        # 354 although RCPT failed: send the dot alone (RFC 2920 §3.1).
        if mail is None:
            connection.send(b".\r\n", NOTHING)
            return
        if mail.hand_over is not None and not mail.hand_over(mail.ticket, True):
            # Closing before the final dot discards the transaction (RFC 5321 §4.1.1.10).
            self._offered = mail
            connection.abandon("")
            return
        self._handed = mail
        self._expected.append(CONTENT)
        if self._pipelining and connection.relay.brisk and not mail.alone:
            connection.transport.write(b"".join((*mail.content, b".\r\n", self._envelope())))
        else:
            connection.transport.write(b"".join((*mail.content, b".\r\n")))

    def _refused(self, kind: int, code: int, text: bytes) -> None:
        """Handles a 4xx or 5xx to MAIL, RCPT or DATA. Only the first one settles the mail."""
        mail, self._offered = self._offered, None
        self._stale = True
        if mail is not None:
            self._settle(mail, reply(code, text, REACHED[kind]))

    def _settle(self, mail: Mail, answer: Reply) -> None:
        """Settles the mail now, or after the reply to DATA if the next envelope was sent.

        A relay that sends one reply too many would settle a mail with another's reply. Such a
        relay answers DATA with the reply meant for RCPT, a 2xx, which `heard` detects.
        """
        if self._expected and answer.code != 421:
            self._held.append((mail, answer))
        else:
            self._connection.settle(mail, answer)

    def _settle_held(self) -> None:
        held, self._held = self._held, []
        for mail, reply_ in held:
            self._connection.settle(mail, reply_)

    def _envelope(self) -> bytes:
        """Returns the commands of the next transaction, or nothing if there is no mail."""
        if self._connection.spent:
            return b""
        if self._stale and not self._pipelining:
            self._stale = False
            self._expected.append(RSET)
            return b"RSET\r\n"
        mail = self.next()
        if mail is None:
            return b""
        self._offered = mail
        if mail.hand_over is not None:
            mail.hand_over(mail.ticket, False)
        size = 0 if self._offers.size is None else sum(map(len, mail.content))
        options = b"" if self._bare and not mail.utf8 else self.options(mail, size)
        if not self._pipelining:
            self._expected.append(MAIL)
            return b"MAIL FROM:<%b>%b\r\n" % (mail.sender, options)
        reset = b""
        if self._stale:
            self._stale = False
            self._expected.append(RSET)
            reset = b"RSET\r\n"
        self._expected.extend((MAIL, RCPT, DATA))
        return b"%bMAIL FROM:<%b>%b\r\nRCPT TO:<%b>%b\r\nDATA\r\n" % (
            reset,
            mail.sender,
            options,
            mail.recipient,
            self._notify,
        )


def _international(path: bytes) -> bool:
    if _PATH_UTF8(path) is None:
        return False
    try:
        return path.decode().isprintable()
    except UnicodeDecodeError:
        return False
