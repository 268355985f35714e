"""Mails become SMTP transactions: one after the other, with DATA (RFC 5321 §3.3).

Where the relay offers PIPELINING (RFC 2920) the content of one mail, its final dot and the envelope of the
next travel in one write: one round trip a mail. Else each command waits for its reply.
"""

from __future__ import annotations

import re
from typing import Final

from morefollows.courier.relays.interface import Mail, Reached, Reply
from morefollows.courier.smtp.session import Offers, Session

# What a reply may be the reply to. Every reply is matched to its command (RFC 2920 §3.1). A yes to the first three
# changes nothing.
RSET, MAIL, RCPT, DATA, CONTENT, NOTHING, CHUNK, QUIT, ANSWER = range(9)

TAKEN: Final = Reply(250, "", "", Reached.CONTENT)
NOT_OFFERED: Final = Reply(0, "", "", Reached.RELAY)
QUEUED: Final = Reply(0, "", "", Reached.QUEUED)
UNCERTAIN: Final = Reply(0, "", "", Reached.CONTENT)
BEHIND: Final = Reply(0, "", "", Reached.BEHIND)

#: How far a mail had got, by the command whose reply decided its fate.
REACHED: Final = {MAIL: Reached.MAIL, RCPT: Reached.RCPT, DATA: Reached.DATA}

_STATUS = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)")
_PATH_OCTETS = bytes(
    octet for octet in range(33, 127) if octet not in b"<>"
)  # no controls, spaces, angle brackets
_LONGEST_PATH = 254
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
    """What the relay said, with the enhanced status code taken out of its words (RFC 2034 §4).

    The words of a yes are not kept: nobody reads a million of them.
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
    # Lines that contradict each other prove nothing about a mailbox.
    return Reply(code, statuses.pop().decode() if len(statuses) == 1 else "", words, reached)


def _xtext(path: bytes) -> bytes:
    """What a path may hold, as a parameter's value (RFC 3461 §4)."""
    return path.replace(b"+", b"+2B").replace(b"=", b"+3D")


class Transactions:
    """What both ways of handing over have in common. The connection asks for it, and tells what it heard."""

    def __init__(self, connection: Session, offers: Offers) -> None:
        self._connection = connection
        self._offers = offers
        self._expected = connection.expected
        self._take = connection.relay.source.take
        self._bare = (
            offers.size is None and not offers.dsn
        )  # MAIL has no parameters, if the address is plain
        # Tell us when it fails, or takes long; but not when it is delivered (RFC 3461 §4.1).
        self._notify = b" NOTIFY=FAILURE,DELAY" if offers.dsn else b""

    def fill(self) -> None:
        """Offers what there is to offer and may be offered now."""
        raise NotImplementedError

    def heard(self, kind: int, code: int, text: bytes) -> None:
        """The reply to a command of ours. 421 is followed by the end of the connection."""
        raise NotImplementedError

    def give_up(self, *, closed_in_order: bool) -> list[tuple[Mail, Reply]]:
        """The connection has ended: the mails that were in flight, and what is known of each.

        `closed_in_order`: by 421, after which the relay does nothing more (RFC 5321 §3.8).
        """
        raise NotImplementedError

    @property
    def undecided(self) -> Mail | None:
        """The first mail whose content was handed over, and to which there is no reply."""
        return None

    @property
    def alone(self) -> bool:
        """What waits for a reply is a mail with which a connection has ended before."""
        return False

    def give_back(self, quiet: float) -> list[tuple[Mail, Reply]]:
        """The relay has not answered for so many seconds: mails that need not wait for that."""
        return []

    def next(self) -> Mail | None:
        """The next mail that can be offered on this connection; None if there is none just now."""
        connection = self._connection
        if not connection.relay.closing:
            while (mail := self._take()) is not None:
                if (unfit := self._unfit(mail)) is None:
                    if connection.idle:
                        connection.rest_no_more()
                    return mail
                mail.settle(mail, unfit)
            connection.relay.sated()
        connection.rest()
        return None

    def options(self, mail: Mail, size: int) -> bytes:
        """The parameters of MAIL. `size`: octets of the content, where the relay offers SIZE.

        Where DSN is offered a failure brings only the header back, under the name that the return path bears: it
        tells which mail it was, and nothing of its reader (RFC 3461 §4.3, §4.4). ORCPT would show a reader's address
        to whoever mail is forwarded to, and is of no use to us.
        """
        options = b"" if self._offers.size is None else b" SIZE=%d" % size
        if self._offers.dsn and mail.sender and not mail.utf8:
            options += b" RET=HDRS ENVID=" + _xtext(mail.sender[: mail.sender.rindex(b"@")])
        return options + b" SMTPUTF8" if mail.utf8 else options

    def _unfit(self, mail: Mail) -> Reply | None:
        """Why this mail can't be offered on this connection; None if it can."""
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
            return _BAD_CONTENT  # the final dot would not stand on a line of its own
        if self._offers.size and sum(map(len, mail.content)) > self._offers.size:
            return _TOO_BIG
        return None


class OneByOne(Transactions):
    """MAIL, RCPT, DATA and the content of one mail, then the next."""

    def __init__(self, connection: Session, offers: Offers) -> None:
        super().__init__(connection, offers)
        self._pipelining = offers.pipelining
        self._offered: Mail | None = None  # its envelope is on the way
        self._handed: Mail | None = None  # its content is on the way, or waits for its reply
        self._said: list[tuple[Mail, Reply]] = []  # what counts as soon as DATA is answered
        self._stale = False  # a transaction that failed must be reset before the next

    def fill(self) -> None:
        if self._offered is not None:
            return
        if self._expected:
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
            self._settle_said()
            self._hand_over()
            return
        if kind == CONTENT and not 300 <= code < 400:
            mail, self._handed = self._handed, None
            assert mail is not None
            self._settle(mail, TAKEN if code == 250 else reply(code, text, Reached.CONTENT))
        elif 300 <= code < 400 or (kind == DATA and code < 300):
            connection.mislead("answered out of turn")
            return
        elif kind == DATA:
            self._settle_said()
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
        if not self._expected and code != 421:
            connection.fill()

    def give_up(self, *, closed_in_order: bool) -> list[tuple[Mail, Reply]]:
        given_up = [
            (self._handed, UNCERTAIN),
            (self._offered, QUEUED if self._handed else NOT_OFFERED),
        ]
        self._handed = self._offered = None
        said, self._said = self._said, []
        if self._connection.misled:
            said = [
                (mail, UNCERTAIN if reply_.reached is Reached.CONTENT else QUEUED)
                for mail, reply_ in said
            ]
        return [*said, *((mail, reply_) for mail, reply_ in given_up if mail is not None)]

    @property
    def undecided(self) -> Mail | None:
        return self._handed

    @property
    def alone(self) -> bool:
        return self._offered is not None and self._offered.alone

    def give_back(self, quiet: float) -> list[tuple[Mail, Reply]]:
        """The next one, while we wait for a final dot's reply.

        No byte of its content has left, and closing before the final dot discards it (RFC 5321 §4.1.1.10).
        """
        mail, relay = self._offered, self._connection.relay
        if mail is None or self._handed is None or quiet < relay.patience.ahead:
            return []
        self._offered = None
        relay.brisk = False
        return [(mail, QUEUED)]

    def _hand_over(self) -> None:
        """The relay waits for content."""
        connection = self._connection
        mail, self._offered = self._offered, None
        self._stale = False
        if mail is None:  # nobody is left to get it: only the dot (RFC 2920 §3.1)
            connection.send(b".\r\n", NOTHING)
            return
        self._handed = mail
        self._expected.append(CONTENT)
        if self._pipelining and connection.relay.brisk and not mail.alone:
            connection.transport.write(b"".join((*mail.content, b".\r\n", self._envelope())))
        else:
            connection.transport.write(b"".join((*mail.content, b".\r\n")))

    def _refused(self, kind: int, code: int, text: bytes) -> None:
        """MAIL, RCPT or DATA got a no; only the first of them is about the mail."""
        mail, self._offered = self._offered, None
        self._stale = True
        if mail is not None:
            self._settle(mail, reply(code, text, REACHED[kind]))

    def _settle(self, mail: Mail, said: Reply) -> None:
        """At once, if nothing else is waited for.

        Where the next envelope is on its way, a relay that says a word too many would have one mail get another's
        reply; but it then answers DATA with what was meant for RCPT, and that is neither 354 nor a no.
        """
        if self._expected and said.code != 421:
            self._said.append((mail, said))
        else:
            self._connection.settle(mail, said)

    def _settle_said(self) -> None:
        said, self._said = self._said, []
        for mail, reply_ in said:
            self._connection.settle(mail, reply_)

    def _envelope(self) -> bytes:
        """The commands that open the next transaction, or nothing if there is no mail."""
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
