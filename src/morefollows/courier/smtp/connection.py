"""One SMTP connection to a relay (RFC 5321): parsing replies, time-outs, and the end.

`handshake` does everything before the first mail. Mails are sent by `bdat` if the relay offers
PIPELINING and CHUNKING, else by `data`.

Invariant: every mail that a connection took is settled exactly once, however it ends.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import Final, cast

from morefollows.courier.relays.interface import Mail, Reply
from morefollows.courier.smtp import handshake
from morefollows.courier.smtp.backoff import FailureCause
from morefollows.courier.smtp.dialling import Endpoint
from morefollows.courier.smtp.handshake import HandshakeError
from morefollows.courier.smtp.reply_lines import LONGEST_LINE, NotSmtp, ReplyLines
from morefollows.courier.smtp.session import (
    KEEPALIVE,
    Extensions,
    NotYet,
    Pool,
    Session,
    SetupReply,
    printable,
)
from morefollows.courier.smtp.transactions.bdat import BdatTransactions
from morefollows.courier.smtp.transactions.data import (
    ANSWER,
    CHUNK,
    CONTENT,
    DATA,
    MAIL,
    NOTHING,
    QUIT,
    RCPT,
    RSET,
    TRIED,
    DataTransactions,
    MailTransactions,
)

log = logging.getLogger(__name__)

_WHOLE: Final = {b"%d " % code: code for code in range(200, 600)}  # start of a one-line reply
_WAITS_FOR: Final = {
    RSET: "the reply to RSET",
    MAIL: "the reply to MAIL",
    RCPT: "the reply to RCPT",
    DATA: "the reply to DATA",
    **dict.fromkeys((CONTENT, NOTHING, CHUNK), "the reply to a mail’s end"),
    QUIT: "the reply to QUIT",
}
_OVERDUE = 1.0  # seconds without a reply


class SmtpConnection(Session):
    """One connection, from the greeting to QUIT."""

    def __init__(self, relay: Pool) -> None:
        self.relay = relay
        self.transport: asyncio.Transport = NotYet()
        self.expected: deque[int] = deque()  #: commands without a reply so far, oldest first
        self.paused = False  #: the write buffer is full
        self.smooth = False  #: a 250 to RSET, MAIL or RCPT needs no action
        self.spent = False  #: takes no further mail
        self.dead = False
        self.misled = False  #: replies are out of step, so the last ones can't be trusted
        self.ready = False
        self.idle = False
        self.retiring = False
        self.endpoint: Endpoint | None = None
        self.carried = 0
        self.taken = 0  #: mails accepted
        self._rest = b""  # received part of an unfinished line
        self._lines = ReplyLines()  # of an unfinished reply
        self._answer: asyncio.Future[SetupReply] | None = None
        self._transactions: MailTransactions = DataTransactions(self, Extensions())
        self.begun = time.monotonic()
        self.step = ""  #: what the connection setup waits for, as text
        self._proven = False
        self._quiet = 0.0  # seconds since the last complete reply, as counted by `pass_time`
        timeouts = relay.timeouts
        self._limits = {
            RSET: timeouts.command,
            MAIL: timeouts.command,
            RCPT: timeouts.command,
            DATA: timeouts.data,
            CONTENT: timeouts.content,
            NOTHING: timeouts.content,
            CHUNK: timeouts.content,
            QUIT: timeouts.quit,
            ANSWER: timeouts.command,
        }

    # --- asyncio.Protocol callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._quiet = 0.0
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        peer = transport.get_extra_info("socket")
        if peer is not None:
            for level, option, value in KEEPALIVE:
                peer.setsockopt(level, option, value)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("closed the connection", calm=not self.expected)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self._quiet = 0.0
        if self.ready and not self.dead:
            self.fill()

    def data_received(self, data: bytes) -> None:
        if self.dead:
            return
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        self._rest = lines.pop()
        if lines:
            self._quiet = 0.0
            self.relay.heard()
        expected, transactions = self.expected, self._transactions
        try:
            for line in lines:
                code = _WHOLE.get(line[:4])
                if code is None or self._lines or not expected or len(line) > LONGEST_LINE:
                    if not self._line(line):
                        return
                    continue
                kind = expected.popleft()
                if code == 250 and kind <= RCPT and self.smooth:
                    continue  # nothing to do until the next reply
                if kind < QUIT and code != 421 and not self.spent:
                    transactions.heard(kind, code, line[4:])
                    if self.dead:
                        return  # type: ignore[unreachable]  # `heard` may end the connection
                elif not self._heard(kind, code, line[4:]):
                    return
        except Exception:  # from the owner's `settle`: the other mails must still be settled
            log.exception("A connection to %s is given up", self.relay.address.name)
            self.abandon("was given up after an error of our own")
        if len(self._rest) > LONGEST_LINE:
            try:
                self._rest = self._lines.cut(self._rest)
            except NotSmtp as error:
                self.abandon(str(error))

    # --- replies

    def _line(self, line: bytes) -> bool:
        """Handles a line that is not a complete expected reply. False: the connection has ended."""
        try:
            reply = self._lines.add(line)
        except NotSmtp as error:
            self.abandon(str(error))
            return False
        if reply is None:
            return True
        if self.expected:
            return self._heard(self.expected.popleft(), *reply)
        if reply.code == 421:  # the relay shuts down (RFC 5321 §3.8)
            self._close()
        else:
            self.abandon("answered what was not asked")
        return False

    def _heard(self, kind: int, code: int, text: bytes) -> bool:
        """Handles a reply, its lines joined by line feeds. False: the connection has ended."""
        if kind == ANSWER:
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(SetupReply(code, text.strip().split(b"\n")))
            return True
        if kind == QUIT:
            self._close()
            return False
        self._transactions.heard(kind, code, text)
        if code == 421:
            self._end(
                "closes the connection: " + printable(text),
                calm=False,
                closed_in_order=True,
                failure=FailureCause.BUSY,
            )
            self.transport.abort()
        elif self.spent and QUIT not in self.expected:
            self._close()
        return not self.dead

    def settle(self, mail: Mail, reply: Reply) -> None:
        """Passes the relay's reply to the mail's owner."""
        self.relay.answered = True
        self.taken += reply.code == 250
        if not self._proven and reply.code != 421:
            self._proven = True
            self.relay.well()
        mail.settle(mail, reply)

    # --- commands

    def send(self, line: bytes, kind: int) -> None:
        """Sends one command and adds `kind` to the expected replies."""
        self.expected.append(kind)
        self.transport.write(line)

    def fill(self) -> None:
        """Sends as many mails as are available and allowed now. Sends QUIT when closing."""
        if self.paused or self.spent:
            return
        try:
            self._transactions.fill()
        except Exception:  # from the owner's `take`
            log.exception("A connection to %s is given up", self.relay.address.name)
            self.abandon("was given up after an error of our own")
            return
        if (self.relay.closing or self.retiring) and not self.expected and not self.spent:
            self.quit()

    def retire(self) -> None:
        """Takes no further mail, and sends QUIT after the outstanding replies."""
        self.retiring = True
        self.finish()

    def quit(self) -> None:
        """Sends QUIT. Outstanding replies are read first."""
        self.rest_no_more()
        self.spent = True
        self.send(b"QUIT\r\n", QUIT)

    def rest(self) -> None:
        """Marks the connection as idle: it could take mail, and the source has none."""
        if not self.idle:
            self.idle = True
            self.relay.idle.add(self)

    def rest_no_more(self) -> None:
        """Ends the idle state: a mail came, or the connection ends."""
        if self.idle:
            self.idle = False
            self.relay.idle.discard(self)
            if not self.expected:
                self._quiet = 0.0

    # --- connection setup

    async def set_up(self) -> None:
        """Connects and does the handshake. Raises `HandshakeError`."""
        offers = await handshake.begin(self)
        if self.dead:
            raise HandshakeError("closed the connection")
        self.relay.offers = offers
        many = offers.chunking and offers.pipelining and self.relay.chunking
        self._transactions = (
            BdatTransactions(self, offers) if many else DataTransactions(self, offers)
        )
        self.smooth = offers.pipelining and not many
        self.ready = True

    @property
    def has_more_to_read(self) -> bool:
        """Whether data arrived after the last complete reply."""
        return bool(self._rest or self._lines)

    def await_answer(self) -> asyncio.Future[SetupReply]:
        """Returns a future for the next reply. Only for the connection setup."""
        self._answer = asyncio.get_running_loop().create_future()
        self.expected.append(ANSWER)
        return self._answer

    async def ask(self, line: bytes) -> SetupReply:
        """Sends a command and returns its reply. Raises `HandshakeError`."""
        if self.dead:
            raise HandshakeError("closed the connection")
        answer = self.await_answer()
        self._quiet = 0.0
        self.transport.write(line + b"\r\n")
        return await answer

    # --- time-outs and the end

    @property
    def silent(self) -> float:
        """Seconds for which a reply has been awaited; 0 if none is outstanding."""
        return 0.0 if self.dead or (self.ready and not self.expected) else self._quiet

    @property
    def undecided(self) -> Mail | None:
        """The first mail whose content was sent and that has no reply yet."""
        return self._transactions.undecided

    @property
    def spare(self) -> bool:
        """Whether the mails waiting here can go by another connection: no content was sent.

        Some relays take minutes over one recipient. So a mail that was already returned once
        stays and waits for its reply to RCPT or DATA.
        """
        if not self.ready or not self.expected or self.undecided:
            return False
        return self.expected[0] in (RSET, MAIL) or not self._transactions.alone

    @property
    def overdue(self) -> bool:
        """Whether a reply is late, so that further mails should use another connection."""
        return self._quiet >= _OVERDUE

    @property
    def waits_for(self) -> str:
        """What the connection waits for, as text for the log and the desk."""
        if not self.ready:
            return self.step
        return _WAITS_FOR.get(self.expected[0], "a reply") if self.expected else ""

    @property
    def at_rest(self) -> bool:
        """Whether no reply is outstanding."""
        return not self.expected

    def pass_time(self, seconds: float) -> None:
        """Called by the pool's timer. `seconds`: the time since the last call."""
        self._quiet += seconds
        timeouts = self.relay.timeouts
        if not self.expected:
            if self.ready and self._quiet >= timeouts.idle:
                self.quit()
            return
        awaited = self.expected[0]
        if self._quiet >= (timeouts.block if self.paused else self._limits[awaited]):
            self.abandon("did not answer in time")
            return
        for mail, reply in self._transactions.give_back(self._quiet):
            self.spent |= reply is not TRIED
            _settle_at_the_end(mail, reply)

    def finish(self) -> None:
        """Takes no further mail, and sends QUIT after the outstanding replies."""
        if self.ready and not self.expected and not self.spent:
            self.quit()

    def mislead(self, why: str) -> None:
        """Closes at once: a reply can't belong to its command, so earlier ones are in doubt."""
        self.misled = True
        self.abandon(why)

    def abandon(self, why: str, *, closed_in_order: bool = False) -> None:
        """Closes at once. `why` begins with a verb, for "the relay …"; empty after no fault."""
        self._end(why, calm=not why, closed_in_order=closed_in_order)
        self.transport.abort()

    def _close(self) -> None:
        """Ends in good order, with no content in flight."""
        self._end("", calm=True)
        if self.expected:
            self.transport.abort()
        else:
            self.transport.close()

    def _end(
        self,
        why: str,
        *,
        calm: bool,
        closed_in_order: bool = False,
        failure: FailureCause = FailureCause.BROKEN,
    ) -> None:
        if self.dead:
            return
        self.dead = True
        self.rest_no_more()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(HandshakeError(why, failure))
            self._answer.exception()  # marks it as retrieved, in case nobody awaits it any more
        given_up = self._transactions.give_up(closed_in_order=closed_in_order)
        if self.spent and not given_up:
            calm = True
        if self.ready:
            again = bool(given_up)
            self.relay.lost(
                self, "" if calm else why, proven=self._proven, again=again, failure=failure
            )
        for mail, reply in given_up:
            _settle_at_the_end(mail, reply)


def _settle_at_the_end(mail: Mail, reply: Reply) -> None:
    try:
        mail.settle(mail, reply)
    except Exception:
        log.exception("What became of a mail could not be noted")
