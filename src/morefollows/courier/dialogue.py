"""One connection to a relay: the SMTP dialogue itself (RFC 5321), a few microseconds of Python a mail.

Where the relay offers PIPELINING (RFC 2920) the content of one mail, its final dot and the envelope of the
next travel in one write: one round trip a mail. Else each command waits for its reply.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import logging
import re
import socket
import ssl
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from morefollows.courier.boundary import Mail, Reached, Reply
from morefollows.courier.replies import without_addresses

if TYPE_CHECKING:
    from morefollows.courier.smtp import SmtpRelay

log = logging.getLogger(__name__)

# What a reply may be the reply to. Every reply is matched to its command (RFC 2920 §3.1).
_MAIL, _RCPT, _DATA, _CONTENT, _NOTHING, _RSET, _QUIT, _ANSWER = range(8)

_CODES: Final = {b"%d" % code: code for code in range(200, 600)}
_LAST_LINE: Final = (b" ", b"\r", b"")  # what follows the code in a reply's last line (RFC 5321 §4.2.1)
_LONGEST_LINE = 2048  # bytes; RFC 5321 §4.5.3.1.5 allows 512
_MOST_LINES = 100  # of one reply

_STATUS = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)")
_PATH = re.compile(rb"[!-;=?-~]{1,254}").fullmatch  # no controls, spaces or angle brackets
_PATH_UTF8 = re.compile(rb"[!-;=?-~\x80-\xff]{1,254}").fullmatch

_BAD_RECIPIENT = Reply(553, "5.1.3", "The address can't be written in an SMTP command.", Reached.ENVELOPE)
_BAD_SENDER = Reply(553, "5.1.7", "The return path can't be written in an SMTP command.", Reached.ENVELOPE)
_BAD_CONTENT = Reply(554, "5.6.0", "The message does not end with a line end.", Reached.ENVELOPE)
_NEEDS_UTF8 = Reply(550, "5.6.7", "The relay does not take internationalised addresses.", Reached.ENVELOPE)
_TOO_BIG = Reply(552, "5.3.4", "The message is bigger than the relay takes.", Reached.ENVELOPE)
_NOT_OFFERED = Reply(0, "", "", Reached.RELAY)
_UNCERTAIN = Reply(0, "", "", Reached.CONTENT)


class Patience(NamedTuple):
    """For how many seconds we wait: the minimum time-outs of RFC 5321 §4.5.3.2, and some of our own."""

    connect: float = 30
    command: float = 300  #: greeting, EHLO, MAIL, RCPT
    data: float = 120
    block: float = 180  #: while the relay reads nothing of what we write
    content: float = 600  #: after the final dot: giving up sooner makes duplicates
    quit: float = 5  #: nothing is at stake any more
    ahead: float = 10  #: behind a slow final dot, the envelope sent ahead is given back
    idle: float = 60  #: a connection without work says QUIT
    first_retry: float = 0.5
    longest_retry: float = 30


class Trouble(Exception):
    """The relay can't be used just now. ``str()`` says why, without addresses or credentials.

    `firm`: it said no, rather than failed; asking again soon makes no sense.
    """

    def __init__(self, text: str, *, firm: bool = False) -> None:
        super().__init__(text)
        self.firm = firm


class _Answer(NamedTuple):
    code: int
    lines: list[bytes]

    @property
    def text(self) -> str:
        return _words(self.lines)


def _words(lines: list[bytes]) -> str:
    return without_addresses(b" ".join(lines).decode(errors="replace"))


def _reply(code: int, text: bytes, reached: Reached) -> Reply:
    found = _STATUS.match(text)
    if found is None or found[1][0] != 48 + code // 100:
        return Reply(code, "", text.decode("utf-8", "replace").strip(), reached)
    words = text[found.end() :].decode("utf-8", "replace").strip()
    return Reply(code, found[1].decode(), words, reached)


class _NotYet(asyncio.Transport):
    """Stands where the transport will be, until there is one."""

    def abort(self) -> None:
        pass


class Connection(asyncio.Protocol):
    """From the greeting to QUIT. Whatever happens, each mail it took is settled exactly once."""

    def __init__(self, relay: SmtpRelay) -> None:
        self._relay = relay
        self._take = relay.source.take
        self._transport: asyncio.Transport = _NotYet()
        self._expected: deque[int] = deque()
        self._rest = b""  # of an unfinished line
        self._begun: list[bytes] = []  # lines of an unfinished reply
        self._answer: asyncio.Future[_Answer] | None = None
        self._offered: Mail | None = None  # its envelope is on the way
        self._handed: Mail | None = None  # its content is on the way, or waits for its reply
        self._stale = False  # a transaction that failed must be reset before the next
        self._paused = False
        self._spent = False  # good for no further mail
        self._proven = False
        self._quiet = 0.0  # seconds since the last complete reply, as counted by `pass_time`
        self.dead = False
        self.ready = False
        self.idle = False
        # What the relay offers (RFC 5321 §2.2), learnt in `set_up`.
        self._pipelining = False
        self._utf8 = False
        self._size: int | None = None  # bytes; 0: no fixed limit (RFC 1870)
        self._limits = {
            _MAIL: relay.patience.command,
            _RCPT: relay.patience.command,
            _DATA: relay.patience.data,
            _CONTENT: relay.patience.content,
            _NOTHING: relay.patience.content,
            _RSET: relay.patience.command,
            _QUIT: relay.patience.quit,
            _ANSWER: relay.patience.command,
        }

    # --- what the event loop tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("closed the connection", calm=not self._expected)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._quiet = 0.0
        if self.ready and not self.dead and not self._expected:
            self.fill()

    def data_received(self, data: bytes) -> None:
        if self.dead:
            return
        if self._rest:
            data = self._rest + data
        *lines, self._rest = data.split(b"\n")
        expected = self._expected
        try:
            for line in lines:
                if line[:4] == b"250 " and not self._begun and self._pipelining and expected and expected[0] <= _RCPT:
                    expected.popleft()  # the usual case: there is nothing to do until DATA's reply
                    self._quiet = 0.0
                elif not self._line(line):
                    return
        except Exception:  # the owner's `take` or `settle` failed: its error, but our mails to account for
            log.exception("A connection to %s is given up", self._relay.address.name)
            self.abandon("was given up after an error of our own")
        if len(self._rest) > _LONGEST_LINE:
            self.abandon("sent a line without end")

    # --- replies

    def _line(self, line: bytes) -> bool:
        """One line of the relay's. False: the connection has ended."""
        code = _CODES.get(line[:3])
        mark = line[3:4]
        if code is None or len(line) > _LONGEST_LINE or (mark not in _LAST_LINE and mark != b"-"):
            self.abandon("answered something that is not SMTP")
            return False
        if mark == b"-" or self._begun:
            if len(self._begun) == _MOST_LINES or (self._begun and self._begun[0][:3] != line[:3]):
                self.abandon("answered something that is not SMTP")
                return False
            self._begun.append(line)
            if mark == b"-":
                return True
            said, self._begun = [part[4:].strip() for part in self._begun], []
        else:
            said = [line[4:].strip()]
        if self._expected:
            kind = self._expected.popleft()
            self._quiet = 0.0
            if kind == _ANSWER:
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(_Answer(code, said))
                return True
            self._heard(kind, code, said[0] if len(said) == 1 else b" ".join(said))
            if code == 421 and not self.dead:
                self.abandon("closes the connection: " + _words(said))
        elif code == 421:  # how a relay says that it is closing down (RFC 5321 §3.8)
            self._close()
        else:
            self.abandon("answered what was not asked")
        return not self.dead

    def _heard(self, kind: int, code: int, text: bytes) -> None:
        if (300 <= code < 400) != (kind == _DATA and code == 354) or (kind == _DATA and code < 300):
            self.abandon("answered out of turn")
            return
        if kind == _CONTENT:
            mail, self._handed = self._handed, None
            assert mail is not None
            self._settle(mail, _reply(code, text, Reached.CONTENT))
        elif kind == _DATA:
            if code == 354:
                self._hand_over()
                return
            self._refused(code, text)
        elif kind <= _RCPT:
            if code >= 400:
                self._refused(code, text)
            elif not self._pipelining:
                assert self._offered is not None
                if kind == _MAIL:
                    self._send(b"RCPT TO:<%b>\r\n" % self._offered.recipient, _RCPT)
                else:
                    self._send(b"DATA\r\n", _DATA)
                return
        elif kind == _RSET and code >= 400:
            self.abandon("refused to reset a transaction")
            return
        if self._spent:
            self._close()
        elif not self._expected and code != 421:
            self.fill()

    def _hand_over(self) -> None:
        """The relay waits for content."""
        mail, self._offered = self._offered, None
        self._stale = False
        if mail is None:  # nobody is left to get it: only the dot (RFC 2920 §3.1)
            self._send(b".\r\n", _NOTHING)
            return
        self._handed = mail
        self._expected.append(_CONTENT)
        if self._pipelining and self._relay.brisk:
            self._transport.write(b"".join((*mail.content, b".\r\n", self._envelope())))
        else:
            self._transport.write(b"".join((*mail.content, b".\r\n")))

    def _refused(self, code: int, text: bytes) -> None:
        """MAIL, RCPT or DATA got a no; only the first of them is about the mail."""
        mail, self._offered = self._offered, None
        self._stale = True
        if mail is not None:
            self._settle(mail, _reply(code, text, Reached.ENVELOPE))

    def _settle(self, mail: Mail, reply: Reply) -> None:
        if not self._proven and reply.code != 421:
            self._proven = True
            self._relay.well()
        mail.settle(mail, reply)

    # --- commands

    def _send(self, line: bytes, kind: int) -> None:
        self._expected.append(kind)
        self._transport.write(line)

    def fill(self) -> None:
        """Offers the next mail, if there is one and its turn has come; says QUIT when there will be none."""
        if self._paused or self._offered is not None:
            return
        if self._expected:
            only_a_final_dot = self._handed is not None and len(self._expected) == 1
            if not (only_a_final_dot and self._pipelining and self._relay.brisk):
                return
        try:
            envelope = self._envelope()
        except Exception:  # the owner's `take` failed
            log.exception("A connection to %s is given up", self._relay.address.name)
            self.abandon("was given up after an error of our own")
            return
        if envelope:
            self._transport.write(envelope)
        elif self._relay.closing and not self._expected:
            self.quit()

    def quit(self) -> None:
        self._rest_no_more()
        self._spent = True
        self._send(b"QUIT\r\n", _QUIT)

    def _envelope(self) -> bytes:
        """The commands that open the next transaction, or nothing if there is no mail."""
        if self._spent:
            return b""
        if self._stale and not self._pipelining:
            self._stale = False
            self._expected.append(_RSET)
            return b"RSET\r\n"
        mail = self._next()
        if mail is None:
            return b""
        self._rest_no_more()
        options = b""
        if self._size is not None:
            options = b" SIZE=%d" % sum(map(len, mail.content))
        if mail.utf8:
            options += b" SMTPUTF8"
        self._offered = mail
        if not self._pipelining:
            self._expected.append(_MAIL)
            return b"MAIL FROM:<%b>%b\r\n" % (mail.sender, options)
        if self._stale:
            self._stale = False
            self._expected.append(_RSET)
            options += b"\r\nRCPT TO:<%b>\r\nDATA\r\n" % mail.recipient
            self._expected.extend((_MAIL, _RCPT, _DATA))
            return b"RSET\r\nMAIL FROM:<%b>%b" % (mail.sender, options)
        self._expected.extend((_MAIL, _RCPT, _DATA))
        return b"MAIL FROM:<%b>%b\r\nRCPT TO:<%b>\r\nDATA\r\n" % (mail.sender, options, mail.recipient)

    def _next(self) -> Mail | None:
        if not self._relay.closing:
            while (mail := self._take()) is not None:
                if (unfit := self._unfit(mail)) is None:
                    return mail
                mail.settle(mail, unfit)
            self._relay.sated()
        if not self.idle:
            self.idle = True
            self._relay.idle.add(self)
        return None

    def _rest_no_more(self) -> None:
        if self.idle:
            self.idle = False
            self._relay.idle.discard(self)
            if not self._expected:
                self._quiet = 0.0

    def _unfit(self, mail: Mail) -> Reply | None:
        """Why this mail can't be offered on this connection; None if it can."""
        if _PATH(mail.recipient) is None or (mail.sender and _PATH(mail.sender) is None):
            if not _international(mail.recipient):
                return _BAD_RECIPIENT
            if mail.sender and not _international(mail.sender):
                return _BAD_SENDER
            if not mail.utf8:
                return _NEEDS_UTF8
        if mail.utf8 and not self._utf8:  # RFC 6531 §3.2
            return _NEEDS_UTF8
        if not mail.content or mail.content[-1][-2:] != b"\r\n":
            return _BAD_CONTENT  # the final dot would not stand on a line of its own
        if self._size and sum(map(len, mail.content)) > self._size:
            return _TOO_BIG
        return None

    # --- time, and the end

    @property
    def at_rest(self) -> bool:
        return not self._expected

    def pass_time(self, seconds: float) -> None:
        """Called now and then by the relay's one timer: `seconds` have passed."""
        self._quiet += seconds
        patience = self._relay.patience
        if not self._expected:
            if self.ready and self._quiet >= patience.idle:
                self.quit()
            return
        awaited = self._expected[0]
        if self._quiet >= (patience.block if self._paused else self._limits[awaited]):
            self.abandon("did not answer in time")
        elif awaited == _CONTENT and self._offered is not None and self._quiet >= patience.ahead:
            # The mail ahead may keep the relay busy for ten minutes. This one need not wait for that: no byte of
            # its content has left, and closing before the final dot discards it (RFC 5321 §4.1.1.10).
            self._relay.brisk = False
            self._spent = True
            mail, self._offered = self._offered, None
            _settle_at_the_end(mail, _NOT_OFFERED)

    def finish(self) -> None:
        """No further mails: QUIT as soon as those in flight have their reply."""
        if self.ready and not self._expected:
            self.quit()

    def abandon(self, why: str) -> None:
        """Closes at once. `why` begins with a verb: the relay …"""
        self._end(why, calm=False)
        self._transport.abort()

    def _close(self) -> None:
        """A calm end, with no content in flight."""
        self._end("", calm=True)
        if self._expected:
            self._transport.abort()
        else:
            self._transport.close()

    def _end(self, why: str, *, calm: bool) -> None:
        if self.dead:
            return
        self.dead = True
        self._rest_no_more()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Trouble(why))
            self._answer.exception()  # it counts as seen, also when nobody waits for the answer any more
        handed, offered = self._handed, self._offered
        self._handed = self._offered = None
        if self._spent and handed is None and offered is None:
            calm = True
        if self.ready:
            again = handed is not None or offered is not None
            self._relay.lost(self, "" if calm else why, proven=self._proven, again=again)
        if handed is not None:
            _settle_at_the_end(handed, _UNCERTAIN)
        if offered is not None:
            _settle_at_the_end(offered, _NOT_OFFERED)

    # --- the beginning: greeting, EHLO, TLS, AUTH

    async def set_up(self) -> None:
        """Connects and gets ready for mail. Raises `Trouble`."""
        address, context = self._relay.address, self._relay.tls
        loop = asyncio.get_running_loop()
        greeting = self._await_answer()
        try:
            async with asyncio.timeout(self._relay.patience.connect):
                await loop.create_connection(
                    lambda: self,
                    address.host,
                    address.port,
                    ssl=context if address.implicit_tls else None,
                    server_hostname=address.host if address.implicit_tls else None,
                )
        except (OSError, TimeoutError) as error:
            raise Trouble(_why(error)) from None
        answer = await greeting
        if answer.code != 220:
            raise Trouble(f"greets with {answer.code} {answer.text}", firm=answer.code >= 500)
        offers = await self._greet()
        secure = address.implicit_tls
        if not secure and address.starttls != "never":
            if b"STARTTLS" in offers:
                await self._start_tls(context)
                offers = await self._greet()  # all that was said before is forgotten (RFC 3207 §4.2)
                secure = True
            elif address.starttls == "require":
                raise Trouble("does not offer STARTTLS, which the settings require", firm=True)
        if address.user:
            await self._authenticate(offers.get(b"AUTH", b"").split(), secure)
        self._pipelining = b"PIPELINING" in offers
        self._utf8 = b"SMTPUTF8" in offers
        size = offers.get(b"SIZE")
        self._size = None if size is None else int(size) if size.isdigit() and len(size) < 20 else 0
        if self.dead:
            raise Trouble("closed the connection")
        self.ready = True

    def _await_answer(self) -> asyncio.Future[_Answer]:
        self._answer = asyncio.get_running_loop().create_future()
        self._expected.append(_ANSWER)
        return self._answer

    async def _ask(self, line: bytes) -> _Answer:
        if self.dead:
            raise Trouble("closed the connection")
        answer = self._await_answer()
        self._quiet = 0.0
        self._transport.write(line + b"\r\n")
        return await answer

    async def _greet(self) -> dict[bytes, bytes]:
        """EHLO, or HELO where EHLO is not known (RFC 5321 §3.2). What the relay offers, by keyword."""
        answer = await self._ask(b"EHLO " + self._relay.helo)
        if answer.code == 250:
            offers: dict[bytes, bytes] = {}
            for line in answer.lines[1:]:
                keyword, _, rest = line.replace(b"=", b" ", 1).partition(b" ")  # "AUTH=PLAIN" is old, but alive
                offers[keyword.upper()] = (offers.get(keyword.upper(), b"") + b" " + rest).strip()
            return offers
        if 500 <= answer.code < 600:
            answer = await self._ask(b"HELO " + self._relay.helo)
        if answer.code != 250:
            raise Trouble(f"answers our greeting with {answer.code} {answer.text}", firm=answer.code >= 500)
        return {}

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        answer = await self._ask(b"STARTTLS")
        if answer.code != 220:
            raise Trouble(f"answers STARTTLS with {answer.code} {answer.text}")
        if self.dead or self._rest or self._begun:
            # Words slipped in before the encryption would be believed after it (CVE-2011-0411).
            raise Trouble("spoke on, in clear text, after it had agreed to STARTTLS", firm=True)
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport, self, context, server_hostname=self._relay.address.host
            )
        except (OSError, TimeoutError) as error:
            raise Trouble(_why(error)) from None
        if transport is None:
            raise Trouble("closed the connection")
        self.connection_made(transport)

    async def _authenticate(self, mechanisms: list[bytes], secure: bool) -> None:
        """AUTH PLAIN or LOGIN (RFC 4954), never where others could listen."""
        if not secure and not self._on_this_machine():
            raise Trouble("offers no encryption, and the password is not sent without", firm=True)
        offered = {mechanism.upper() for mechanism in mechanisms}
        user, password = self._relay.address.user.encode(), self._relay.address.password.encode()
        if b"PLAIN" in offered:
            answer = await self._ask(b"AUTH PLAIN " + base64.b64encode(b"\0%b\0%b" % (user, password)))
        elif b"LOGIN" in offered:
            answer = await self._ask(b"AUTH LOGIN")
            for words in (user, password):
                if answer.code == 334:
                    answer = await self._ask(base64.b64encode(words))
        else:
            raise Trouble("offers neither AUTH PLAIN nor AUTH LOGIN", firm=True)
        if answer.code != 235:
            raise Trouble(
                f"refused the user name or password ({answer.code})", firm=answer.code >= 500
            )  # without its words: some relays repeat the user name in them

    def _on_this_machine(self) -> bool:
        with contextlib.suppress(ValueError, TypeError, IndexError):
            return ipaddress.ip_address(self._transport.get_extra_info("peername")[0]).is_loopback
        return False


def _settle_at_the_end(mail: Mail, reply: Reply) -> None:
    try:
        mail.settle(mail, reply)
    except Exception:
        log.exception("What became of a mail could not be noted")


def _international(path: bytes) -> bool:
    if _PATH_UTF8(path) is None:
        return False
    try:
        return path.decode().isprintable()
    except UnicodeDecodeError:
        return False


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that can't be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"can't be agreed with on TLS: {(error.reason or 'handshake failed').replace('_', ' ').lower()}"
    if isinstance(error, socket.gaierror):
        return "can't be found: its host name is not known"
    if isinstance(error, TimeoutError):
        return "can't be reached: no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "can't be reached: connection refused"
    return f"can't be reached: {getattr(error, 'strerror', None) or 'no connection'}"
