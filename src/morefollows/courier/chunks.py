"""Many mails in flight on one connection, where the relay offers CHUNKING and PIPELINING (RFC 3030, RFC 2920).

Each mail is one group: MAIL, RCPT, and all of its content in one BDAT LAST. Groups leave back to back, and replies
are matched in order; a relay far away costs no round trip a mail. Between two groups in flight stands RSET (RFC 2920
§3.1 lets it stand anywhere): were the first refused, a relay that does not reset by itself would go on with its
sender, and take the second with another's return path.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from morefollows.courier.boundary import Mail, Reached, Reply
from morefollows.courier.hello import Offers
from morefollows.courier.transactions import CHUNK, MAIL, NOT_OFFERED, RCPT, RSET, UNCERTAIN, Transactions, reply
from morefollows.courier.window import Window

if TYPE_CHECKING:
    from morefollows.courier.dialogue import Connection

_UNKNOWN = (500, 502)  # what a relay answers to a command that it does not know (RFC 5321 §4.2.4)


class Chunks(Transactions):
    """At most a `Window` of mails in flight. The mail that replies are about is the first of them."""

    def __init__(self, connection: Connection, offers: Offers) -> None:
        super().__init__(connection, offers)
        self._flying: deque[Mail] = deque()
        self._sizes: deque[int] = deque()
        self._octets = 0  # of all contents in flight
        self._refusal: Reply | None = None  # what the first in flight got at MAIL or RCPT
        self._stale = False  # the last transaction failed
        self._window = Window()

    def fill(self) -> None:
        connection, flying, window = self._connection, self._flying, self._window
        if connection.spent:
            return
        while not connection.paused and window.admits(len(flying), self._octets):
            mail = self.next()
            if mail is None:
                return
            size = sum(map(len, mail.content))
            options = self.options(mail, size)
            head = b"MAIL FROM:<%b>%b\r\nRCPT TO:<%b>\r\nBDAT %d LAST\r\n" % (
                mail.sender,
                options,
                mail.recipient,
                size,
            )
            if flying or self._stale:
                head = b"RSET\r\n" + head
                self._expected.append(RSET)
                self._stale = False
            self._expected.extend((MAIL, RCPT, CHUNK))
            flying.append(mail)
            self._sizes.append(size)
            self._octets += size
            window.sent(len(flying))
            connection.transport.write(b"".join((head, *mail.content)))

    def heard(self, kind: int, code: int, text: bytes) -> None:
        connection = self._connection
        if 300 <= code < 400:
            connection.abandon("answered out of turn")
        elif kind == CHUNK:
            self._decided(code, text)
        elif kind == RSET:
            if code >= 400:
                connection.abandon("refused to reset a transaction")
        elif kind <= RCPT:
            if code < 400:
                self._refusal = None  # a relay that takes the recipient after all
            elif self._refusal is None:
                self._refusal = reply(code, text, Reached.ENVELOPE)
            # After a no, the yes that follows is no longer without meaning.
            connection.smooth = self._refusal is None

    def _decided(self, code: int, text: bytes) -> None:
        """The reply to BDAT, which is the last of a transaction: only now the mail's fate is known."""
        connection, refusal = self._connection, self._refusal
        mail = self._flying.popleft()
        self._octets -= self._sizes.popleft()
        self._refusal = None
        connection.smooth = True
        if refusal is None and code in _UNKNOWN:
            # What follows would be taken for commands. It has taken nothing, and will be spoken to with DATA.
            connection.relay.chunking = False
            self._flying.appendleft(mail)
            self._sizes.appendleft(0)
            connection.abandon(f"answers BDAT with {code}, though it offers CHUNKING", closed_in_order=True)
            return
        self._stale = refusal is not None or code >= 400
        self._window.answered(code)
        connection.settle(mail, refusal or reply(code, text, Reached.CONTENT))
        if code != 421:
            connection.fill()

    def give_up(self, *, closed_in_order: bool) -> list[tuple[Mail, Reply]]:
        given_up = [(mail, NOT_OFFERED if closed_in_order else UNCERTAIN) for mail in self._flying]
        if self._refusal is not None:
            given_up[0] = (self._flying[0], self._refusal)
        self._flying.clear()
        return given_up
