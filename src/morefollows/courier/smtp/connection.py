"""One connection to a relay (RFC 5321), a few microseconds of Python a mail: replies, time, and the end.

What comes before the first mail is in `handshake`. How mails are handed over depends on what the relay offers: one by
one (`data`), or many in flight (`bdat`).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import deque
from typing import Final, cast

from morefollows.courier.relays.interface import Mail, Reply
from morefollows.courier.smtp import handshake
from morefollows.courier.smtp.backoff import Failure
from morefollows.courier.smtp.bdat import Chunks
from morefollows.courier.smtp.data import (
    ANSWER,
    CHUNK,
    CONTENT,
    DATA,
    MAIL,
    NOTHING,
    QUIT,
    RCPT,
    RSET,
    OneByOne,
    Transactions,
)
from morefollows.courier.smtp.handshake import Trouble
from morefollows.courier.smtp.session import Answer, Offers, Pool, Session, words
from morefollows.courier.smtp.timeouts import Patience as Patience

log = logging.getLogger(__name__)

_CODES: Final = {b"%d" % code: code for code in range(200, 600)}
_WHOLE: Final = {b"%d " % code: code for code in range(200, 600)}  # how a reply of one line begins
_LAST_LINE: Final = (
    b" ",
    b"\r",
    b"",
)  # what follows the code in a reply's last line (RFC 5321 §4.2.1)
_WAITS_FOR: Final = {
    RSET: "the reply to RSET",
    MAIL: "the reply to MAIL",
    RCPT: "the reply to RCPT",
    DATA: "the reply to DATA",
    CONTENT: "the reply to a mail’s end",
    NOTHING: "the reply to a mail’s end",
    CHUNK: "the reply to a mail’s end",
    QUIT: "the reply to QUIT",
}
# A machine that was restarted or cut off is found out within two minutes, also while we wait for its reply.
_KEEPALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 7))
        if hasattr(socket, name)
    ),
)
_OVERDUE = 1.0  # seconds
_LONGEST_LINE = 2048  # bytes that are kept; RFC 5321 §4.5.3.1.5 allows 512
_MOST_LINES = 100  # of one reply that are kept
_MOST_LEFT_OUT = 1 << 20  # bytes of one reply that are read beyond those


class _NotYet(asyncio.Transport):
    """Stands where the transport will be, until there is one."""

    def abort(self) -> None:
        pass


class Connection(Session):
    """From the greeting to QUIT. Whatever happens, each mail it took is settled exactly once."""

    def __init__(self, relay: Pool) -> None:
        self.relay = relay
        self.transport: asyncio.Transport = _NotYet()
        self.expected: deque[int] = deque()  #: the commands that wait for their reply
        self.paused = False  #: the relay reads more slowly than we write
        self.smooth = False  #: a 250 to RSET, MAIL or RCPT changes nothing
        self.spent = False  #: good for no further mail
        self.dead = False
        self.misled = False  #: what the relay said last is not to be relied on
        self.ready = False
        self.idle = False
        self._rest = b""  # of an unfinished line
        self._begun: list[bytes] = []  # lines of an unfinished reply
        self._left_out = 0  # octets of that reply that were read and not kept
        self._answer: asyncio.Future[Answer] | None = None
        self._transactions: Transactions = OneByOne(self, Offers())
        self.begun = time.monotonic()
        self.step = ""  #: what is waited for before there are mails
        self._proven = False
        self._quiet = 0.0  # seconds since the last complete reply, as counted by `pass_time`
        patience = relay.patience
        self._limits = {
            RSET: patience.command,
            MAIL: patience.command,
            RCPT: patience.command,
            DATA: patience.data,
            CONTENT: patience.content,
            NOTHING: patience.content,
            CHUNK: patience.content,
            QUIT: patience.quit,
            ANSWER: patience.command,
        }

    # --- what the event loop tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._quiet = 0.0
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        peer = transport.get_extra_info("socket")
        if peer is not None:
            for level, option, value in _KEEPALIVE:
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
                if code is None or self._begun or not expected or len(line) > _LONGEST_LINE:
                    if not self._line(line):
                        return
                    continue
                kind = expected.popleft()
                if code == 250 and kind <= RCPT and self.smooth:
                    continue  # there is nothing to do until the next reply
                if kind < QUIT and code != 421 and not self.spent:
                    transactions.heard(kind, code, line[4:])
                    if self.dead:
                        return  # type: ignore[unreachable]  # it may have ended in there
                elif not self._heard(kind, code, line[4:]):
                    return
        except Exception:  # the owner's `settle` failed: its error, but our mails to account for
            log.exception("A connection to %s is given up", self.relay.address.name)
            self.abandon("was given up after an error of our own")
        if len(self._rest) > _LONGEST_LINE:
            self._left_out += len(self._rest) - _LONGEST_LINE
            self._rest = self._rest[:_LONGEST_LINE]
            if self._left_out > _MOST_LEFT_OUT:
                self.abandon("sent a line without end")

    # --- replies

    def _line(self, line: bytes) -> bool:
        """One line of the relay's, if it is not a whole reply that was waited for. False: the connection has ended."""
        code = _CODES.get(line[:3])
        mark = line[3:4]
        if code is None or (mark not in _LAST_LINE and mark != b"-"):
            self.abandon("answered something that is not SMTP")
            return False
        if len(self._begun) < _MOST_LINES or mark != b"-":
            self._left_out += max(0, len(line) - _LONGEST_LINE)
            self._begun.append(line[:_LONGEST_LINE])
        else:
            self._left_out += len(line)
        if self._left_out > _MOST_LEFT_OUT or self._begun[0][:3] != line[:3]:
            self.abandon("answered something that is not SMTP")
            return False
        if mark == b"-":
            return True
        said = b"\n".join(part[4:].strip() for part in self._begun)
        self._begun, self._left_out = [], 0
        if self.expected:
            return self._heard(self.expected.popleft(), code, said)
        if code == 421:  # how a relay says that it is closing down (RFC 5321 §3.8)
            self._close()
        else:
            self.abandon("answered what was not asked")
        return False

    def _heard(self, kind: int, code: int, text: bytes) -> bool:
        """A whole reply, its lines with a line feed between two. False: the connection has ended."""
        if kind == ANSWER:
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(Answer(code, text.strip().split(b"\n")))
            return True
        if kind == QUIT:
            self._close()
            return False
        self._transactions.heard(kind, code, text)
        if code == 421:
            self._end(
                "closes the connection: " + words(text),
                calm=False,
                closed_in_order=True,
                failure=Failure.BUSY,
            )
            self.transport.abort()
        elif self.spent and QUIT not in self.expected:
            self._close()
        return not self.dead

    def settle(self, mail: Mail, reply: Reply) -> None:
        """Tells the mail's owner what the relay said."""
        self.relay.answered = True
        if not self._proven and reply.code != 421:
            self._proven = True
            self.relay.well()
        mail.settle(mail, reply)

    # --- commands

    def send(self, line: bytes, kind: int) -> None:
        """Sends one command, and expects the reply to it."""
        self.expected.append(kind)
        self.transport.write(line)

    def fill(self) -> None:
        """Offers mails, as far as there are some and their turn has come; says QUIT when there will be none."""
        if self.paused or self.spent:
            return
        try:
            self._transactions.fill()
        except Exception:  # the owner's `take` failed
            log.exception("A connection to %s is given up", self.relay.address.name)
            self.abandon("was given up after an error of our own")
            return
        if self.relay.closing and not self.expected:
            self.quit()

    def quit(self) -> None:
        """Says goodbye. What is still in flight is answered before."""
        self.rest_no_more()
        self.spent = True
        self.send(b"QUIT\r\n", QUIT)

    def rest(self) -> None:
        """There is no mail just now, and room for some."""
        if not self.idle:
            self.idle = True
            self.relay.idle.add(self)

    def rest_no_more(self) -> None:
        """There was mail, or the end has come."""
        if self.idle:
            self.idle = False
            self.relay.idle.discard(self)
            if not self.expected:
                self._quiet = 0.0

    # --- the beginning

    async def set_up(self) -> None:
        """Connects and gets ready for mail. Raises `Trouble`."""
        offers = await handshake.begin(self)
        if self.dead:
            raise Trouble("closed the connection")
        self.relay.offers = offers
        many = offers.chunking and offers.pipelining and self.relay.chunking
        self._transactions = Chunks(self, offers) if many else OneByOne(self, offers)
        self.smooth = offers.pipelining and not many
        self.ready = True

    @property
    def has_more_to_read(self) -> bool:
        """Something came behind the reply that was waited for."""
        return bool(self._rest or self._begun)

    def await_answer(self) -> asyncio.Future[Answer]:
        """The reply that comes next, before there are mails."""
        self._answer = asyncio.get_running_loop().create_future()
        self.expected.append(ANSWER)
        return self._answer

    async def ask(self, line: bytes) -> Answer:
        """Sends a command, and waits for its reply. Raises `Trouble`."""
        if self.dead:
            raise Trouble("closed the connection")
        answer = self.await_answer()
        self._quiet = 0.0
        self.transport.write(line + b"\r\n")
        return await answer

    # --- time, and the end

    @property
    def silent(self) -> float:
        """For how many seconds an answer has been waited for; 0 if none is."""
        return 0.0 if self.dead or (self.ready and not self.expected) else self._quiet

    @property
    def undecided(self) -> Mail | None:
        """The first mail of which the relay has the content, and to which it has not replied."""
        return self._transactions.undecided

    @property
    def spare(self) -> bool:
        """What waits here for a reply can go by another connection: no content has left.

        A relay may take minutes over one recipient: who was put back once is waited for at RCPT and DATA.
        """
        if not self.ready or not self.expected or self.undecided:
            return False
        return self.expected[0] in (RSET, MAIL) or not self._transactions.alone

    @property
    def overdue(self) -> bool:
        """An answer is late: what is not handed over yet had better go by another connection."""
        return self._quiet >= _OVERDUE

    @property
    def waits_for(self) -> str:
        """What it is that we wait for."""
        if not self.ready:
            return self.step
        return _WAITS_FOR.get(self.expected[0], "a reply") if self.expected else ""

    @property
    def at_rest(self) -> bool:
        """Nothing is waited for."""
        return not self.expected

    def pass_time(self, seconds: float) -> None:
        """Called now and then by the relay's one timer: `seconds` have passed."""
        self._quiet += seconds
        patience = self.relay.patience
        if not self.expected:
            if self.ready and self._quiet >= patience.idle:
                self.quit()
            return
        awaited = self.expected[0]
        if self._quiet >= (patience.block if self.paused else self._limits[awaited]):
            self.abandon("did not answer in time")
            return
        for mail, reply in self._transactions.give_back(self._quiet):
            self.spent = True
            _settle_at_the_end(mail, reply)

    def finish(self) -> None:
        """No further mails: QUIT as soon as those in flight have their reply."""
        if self.ready and not self.expected:
            self.quit()

    def mislead(self, why: str) -> None:
        """Closes at once: a reply was none, or can't be the one to its command, and those before it are in doubt."""
        self.misled = True
        self.abandon(why)

    def abandon(self, why: str, *, closed_in_order: bool = False) -> None:
        """Closes at once. `why` begins with a verb: the relay …; empty if the relay is well."""
        self._end(why, calm=not why, closed_in_order=closed_in_order)
        self.transport.abort()

    def _close(self) -> None:
        """A calm end, with no content in flight."""
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
        failure: Failure = Failure.BROKEN,
    ) -> None:
        if self.dead:
            return
        self.dead = True
        self.rest_no_more()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Trouble(why, failure))
            self._answer.exception()  # it counts as seen, also when nobody waits for the answer any more
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
