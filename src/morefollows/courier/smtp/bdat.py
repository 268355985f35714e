"""Many mails in flight on one connection, where the relay offers CHUNKING and PIPELINING (RFC 3030, RFC 2920).

Each mail is one group: MAIL, RCPT, all of its content in one BDAT LAST, and RSET. Groups leave back to back, and
replies are matched in order; a relay far away costs no round trip a mail. RSET, which RFC 2920 §3.1 lets stand
anywhere, has two purposes. Were a mail refused, a relay that does not reset by itself would go on with its sender, and
take the next with another's return path. And a relay that says a word too many shifts all replies behind it: what it
said to a mail counts only when RSET has got its yes, so that a refusal of the content still finds its mail undecided.

Where the relay offers enhanced status codes (RFC 2034), a yes that bears another command's status is out of step. Then
the connection is given up, all on it is uncertain, and this relay is no longer spoken to in this way. What nobody can
tell is a relay that says, unasked, word for word what the end of a mail would have got.
"""

from __future__ import annotations

from collections import deque

from morefollows.courier.relays.interface import Mail, Reached, Reply
from morefollows.courier.smtp.data import (
    BEHIND,
    CHUNK,
    MAIL,
    NOT_OFFERED,
    QUEUED,
    RCPT,
    REACHED,
    RSET,
    UNCERTAIN,
    Transactions,
    reply,
)
from morefollows.courier.smtp.flow_control import Window
from morefollows.courier.smtp.session import Offers, Session

_UNKNOWN = (500, 502)  # what a relay answers to a command that it does not know (RFC 5321 §4.2.4)


class Chunks(Transactions):
    """At most a `Window` of mails in flight. The mail that replies are about is the first of them."""

    def __init__(self, connection: Session, offers: Offers) -> None:
        super().__init__(connection, offers)
        self._flying: deque[Mail | None] = (
            deque()
        )  # None: it was given back, and its reply is of no interest
        self._kept: Mail | None = None  # to be sent alone, when those in flight are answered
        self._alone = False  # what is in flight is to stay alone
        self._sizes: deque[int] = deque()
        self._octets = 0  # of all contents in flight
        self._refusal: Reply | None = None  # what the first in flight got at MAIL or RCPT
        self._decided: tuple[Mail, Reply] | None = (
            None  # what the relay said to it, until RSET has got its yes
        )
        self._unclosed = False  # the last group that left has no RSET behind it yet
        self._signs: dict[int, bytes] = {}  # the enhanced status of the first yes to each command
        self._window = Window()
        if connection.relay.on_trial:
            self._window.mails = 1

    def fill(self) -> None:
        connection, flying, window = self._connection, self._flying, self._window
        if connection.spent or (flying and (self._alone or connection.overdue)):
            return
        while not connection.paused and window.admits(len(flying), self._octets):
            mail, self._kept = self._kept or self.next(), None
            if mail is None:
                self._close_group()
                return
            if mail.alone and flying:
                self._kept = mail
                self._close_group()
                return
            size = sum(map(len, mail.content))
            head = b"%bMAIL FROM:<%b>%b\r\nRCPT TO:<%b>%b\r\nBDAT %d LAST\r\n" % (
                b"RSET\r\n" if self._unclosed else b"",
                mail.sender,
                self.options(mail, size),
                mail.recipient,
                self._notify,
                size,
            )
            self._expected.extend(
                (RSET, MAIL, RCPT, CHUNK) if self._unclosed else (MAIL, RCPT, CHUNK)
            )
            self._unclosed = True
            flying.append(mail)
            self._sizes.append(size)
            self._octets += size
            window.sent(len(flying))
            connection.transport.write(b"".join((head, *mail.content)))
            self._alone = mail.alone
            if mail.alone:
                self._close_group()
                return

    def _close_group(self) -> None:
        """Nothing follows for now: RSET asks for the last word on what is in flight."""
        if self._unclosed:
            self._unclosed = False
            self._connection.send(b"RSET\r\n", RSET)

    def heard(self, kind: int, code: int, text: bytes) -> None:
        connection = self._connection
        if 300 <= code < 400:
            connection.mislead("answered out of turn")
        elif code < 300 and self._offers.statuses and not self._in_step(kind, text):
            connection.mislead("answered out of step")
        elif kind == CHUNK:
            self._decide(code, text)
        elif kind == RSET:
            if code >= 400:
                connection.mislead("refused to reset a transaction")
                return
            self._settle()
            connection.fill()
        elif code < 400:
            self._refusal = None  # a relay that takes the recipient after all
        elif self._refusal is None:
            self._refusal = reply(code, text, REACHED[kind])

    @property
    def undecided(self) -> Mail | None:
        return next((mail for mail in self._flying if mail is not None), None)

    def _in_step(self, kind: int, text: bytes) -> bool:
        """A yes bears the status that the first one to this command had, or at least no other command's."""
        sign, signs = text[:5], self._signs
        own = signs.setdefault(kind, sign)
        return sign == own or sign not in signs.values()

    def give_back(self, quiet: float) -> list[tuple[Mail, Reply]]:
        """Those behind a mail that gets no reply, while other mails get theirs. The first is waited for."""
        relay = self._connection.relay
        if self._kept is not None and quiet >= relay.patience.ahead:
            kept, self._kept = self._kept, None
            return [(kept, QUEUED)]
        if quiet < relay.patience.behind or not relay.goes_on:
            return []
        behind = [(mail, BEHIND) for n, mail in enumerate(self._flying) if n and mail is not None]
        for n in range(1, len(self._flying)):
            self._flying[n] = None
        return behind

    def _decide(self, code: int, text: bytes) -> None:
        """The reply to BDAT, which is the last of a transaction: only now the mail's fate is known."""
        connection, refusal = self._connection, self._refusal
        mail, size = self._flying.popleft(), self._sizes.popleft()
        self._octets -= size
        self._refusal = None
        if refusal is None and code in _UNKNOWN:
            # What follows would be taken for commands. It has taken nothing, and will be spoken to with DATA.
            connection.relay.chunking = False
            self._flying.appendleft(mail)
            connection.abandon(
                f"answers BDAT with {code}, though it offers CHUNKING", closed_in_order=True
            )
            return
        self._window.answered(code)
        self._decided = (
            None if mail is None else (mail, refusal or reply(code, text, Reached.CONTENT))
        )
        if not self._expected or code == 421:  # nothing will follow that could tell more
            self._settle()
            if code != 421:
                connection.fill()

    def _settle(self) -> None:
        decided, self._decided = self._decided, None
        if decided is not None:
            self._connection.settle(*decided)

    def give_up(self, *, closed_in_order: bool) -> list[tuple[Mail, Reply]]:
        misled = self._connection.misled
        first, behind = (NOT_OFFERED, QUEUED) if closed_in_order else (UNCERTAIN, BEHIND)
        if self._decided is not None and misled:
            first = behind  # the reply that is in doubt is that of the one before
        given_up = [
            (mail, first if n == 0 else behind)
            for n, mail in enumerate(self._flying)
            if mail is not None
        ]
        if self._refusal is not None and not misled and self._flying[0] is not None:
            given_up[0] = (self._flying[0], self._refusal)
        if self._decided is not None:
            given_up.insert(0, (self._decided[0], UNCERTAIN) if misled else self._decided)
        if self._kept is not None:
            given_up.append((self._kept, QUEUED))
        self._flying.clear()
        self._decided = self._kept = None
        if misled:
            self._connection.relay.chunking = False
        return given_up
