"""Pipelined transactions with BDAT, for relays that offer CHUNKING and PIPELINING.

RFC 3030 (CHUNKING), RFC 2920 (PIPELINING). Each mail is one group of commands: MAIL, RCPT, BDAT
LAST with the whole content, and RSET. Groups are written back to back and replies are matched in
order, so a distant relay costs no round trip per mail.

RSET may stand anywhere in a pipelined group (RFC 2920 §3.1). It has two purposes:

- After a refused mail, some relays keep the old sender for the next transaction. RSET clears it.
- A relay that sends one reply too many shifts all later replies. The reply to a mail therefore
  counts only after RSET got a 2xx, so an extra reply is noticed before it settles a mail.

With enhanced status codes (RFC 2034), a 2xx with another command's status is out of step. Then
the connection is closed, its undecided mails are uncertain, and this relay gets no more BDAT. An
unsolicited reply that equals the expected reply to BDAT word for word can't be detected.

Invariant: every mail taken from the source is settled once or returned once by `give_up` or
`give_back`.
"""

from __future__ import annotations

from collections import deque

from morefollows.courier.relays.interface import Mail, Reached, Reply
from morefollows.courier.smtp.session import Extensions, Session
from morefollows.courier.smtp.transactions.data import (
    BEHIND,
    CHUNK,
    MAIL,
    NOT_OFFERED,
    QUEUED,
    RCPT,
    REACHED,
    RSET,
    TRIED,
    UNCERTAIN,
    MailTransactions,
    reply,
)
from morefollows.courier.smtp.transactions.flow_control import Window

_UNKNOWN = (500, 502)  # replies to an unknown command (RFC 5321 §4.2.4)


class BdatTransactions(MailTransactions):
    """Keeps up to `Window.mails` mails in flight. The next reply is about the first of them."""

    def __init__(self, connection: Session, offers: Extensions) -> None:
        super().__init__(connection, offers)
        # Mails in flight. None: the mail was given back, and its reply is ignored.
        self._flying: deque[Mail | None] = deque()
        self._kept: Mail | None = None  # must be sent alone; waits until none is in flight
        self._alone = False  # the mail in flight must stay the only one
        self._sizes: deque[int] = deque()
        self._octets = 0  # content octets of all mails in flight
        self._refusal: Reply | None = None  # the first mail's 4xx or 5xx to MAIL or RCPT
        # The last mail and its reply, until RSET gets a 2xx.
        self._decided: tuple[Mail, Reply] | None = None
        self._unclosed = False  # the last group was written without its RSET
        self._signs: dict[int, bytes] = {}  # enhanced status of the first 2xx to each command
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
        """Writes the RSET that closes the last group, when no further mail follows for now."""
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
            self._refusal = None  # RCPT was accepted although MAIL was refused
        elif self._refusal is None:
            self._refusal = reply(code, text, REACHED[kind])

    @property
    def undecided(self) -> Mail | None:
        return next((mail for mail in self._flying if mail is not None), None)

    def _in_step(self, kind: int, text: bytes) -> bool:
        """Whether the status of a 2xx fits the command.

        It fits if it equals the first one seen for this command, or belongs to no other command.
        """
        sign, signs = text[:5], self._signs
        own = signs.setdefault(kind, sign)
        return sign == own or sign not in signs.values()

    def give_back(self, quiet: float) -> list[tuple[Mail, Reply]]:
        """Returns the mails behind one without a reply, while others get theirs.

        If no other mail waits for a reply, the last one is tried elsewhere first: it shows whether
        the relay is well. `quiet`: seconds without a reply. The first mail in flight stays here and
        keeps waiting.
        """
        relay = self._connection.relay
        if self._kept is not None and quiet >= relay.timeouts.ahead:
            kept, self._kept = self._kept, None
            return [(kept, QUEUED)]
        if quiet < relay.timeouts.behind:
            return []
        if not relay.goes_on:
            last = self._flying[-1] if len(self._flying) > 1 else None
            if last is None or not relay.tries_one():
                return []
            self._flying[-1] = None
            return [(last, TRIED)]
        behind = [(mail, BEHIND) for n, mail in enumerate(self._flying) if n and mail is not None]
        for n in range(1, len(self._flying)):
            self._flying[n] = None
        return behind

    def _decide(self, code: int, text: bytes) -> None:
        """Handles the reply to BDAT LAST: it ends the transaction and decides the mail."""
        connection, refusal = self._connection, self._refusal
        mail, size = self._flying.popleft(), self._sizes.popleft()
        self._octets -= size
        self._refusal = None
        if refusal is None and code in _UNKNOWN:
            # The relay reads the content as commands. It has taken no mail; use DATA from now on.
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
        if not self._expected or code == 421:  # no RSET reply will follow
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
            first = behind  # the reply in doubt is the previous mail's
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
