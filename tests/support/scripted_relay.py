"""A scripted SMTP relay on a real TCP port: accepts mail and misbehaves as told.

In a test's own event loop::

    refusal = Rule("rcpt", match="gone", reply="550 5.1.1 no such user")
    async with ScriptedRelay(Script(rules=[refusal])) as relay:
        ...
        relay.taken  # what it took, each with its envelope and bytes

Tests that start the product run it as a process of its own: `running` starts ``python -m
tests.support.scripted_relay --record FILE --script JSON`` and reads the port from ``listening on
PORT``. The record has one JSON line for each mail. It is written before the mail is acknowledged,
to be compared with the ledger.

It is strict: what a client must not do (RFC 5321, RFC 2920) is noted in `violations`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import dataclasses
import datetime
import ipaddress
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

from tests.support.waiting import PATIENCE

_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_SIZE = re.compile(rb" SIZE=(\d+)", re.IGNORECASE)
_BDAT = re.compile(rb"BDAT (\d{1,9}) LAST", re.IGNORECASE)
_PATH = re.compile(rb":\s*<([^<>]*)>(.*)", re.DOTALL)


@dataclass(frozen=True)
class Rule:
    """What to do differently. The first rule that applies is followed.

    `at`: connect, ehlo, helo, starttls, auth, mail, rcpt, data, bdat (any rule there: the relay
    does not know BDAT), mid-data (after the first bytes of content), content (after the final dot,
    or all of BDAT's chunk), rset, quit. `match`: a regular expression searched in the command's
    line; for content, in the recipient. `every`: each nth time, `times`: so often at the most,
    `after`: not before so many. `each`: so often for each distinct line. `until`: not any more when
    this file exists. `do`: reply; drop; hang (never answers); garbage; take-and-drop (content only:
    takes the mail, then drops).
    """

    at: str
    match: str = ""
    reply: str = ""
    do: str = "reply"
    every: int = 1
    times: int = 0
    after: int = 0
    delay: float = 0.0  # seconds before it acts
    each: int = 0  # so often at the most for each distinct line, such as once for each recipient
    until: str = ""  # not any more when this file exists


@dataclass(frozen=True)
class Script:
    """What the relay offers, and its rules."""

    offers: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
    size: int | None = None
    starttls: bool = False
    implicit_tls: bool = False
    users: dict[str, str] = field(
        default_factory=dict
    )  # name to password; AUTH is offered when there are any
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    greeting: str = "220 relay.example ESMTP"
    multiline: bool = False  # every reply in two lines
    split: int = 0  # bytes a write; 0: replies leave whole
    injected: str = ""  # bytes slipped in behind STARTTLS's 220
    rules: tuple[Rule, ...] = ()

    @classmethod
    def from_json(cls, text: str) -> Script:
        values: dict[str, Any] = json.loads(text)
        values["rules"] = tuple(Rule(**rule) for rule in values.get("rules", ()))
        for name in ("offers", "mechanisms"):
            if name in values:
                values[name] = tuple(values[name])
        return cls(**values)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))


class TakenMail(NamedTuple):
    """A mail that the relay took."""

    sender: bytes
    recipients: tuple[bytes, ...]
    content: bytes  # without dot-stuffing
    message_id: str
    time: float  # seconds since 1970
    client: int  # number of the connection, from 1


class ScriptedRelay:
    """Listens while the ``async with`` lasts. `port` is free to be 0: a free one is taken."""

    def __init__(
        self,
        script: Script = Script(),
        *,
        port: int = 0,
        record: Path | None = None,
        keep: bool = True,
        certificate: Certificate | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.host = host
        self.script = script
        self.port = port
        self.taken: list[TakenMail] = []
        self.count = 0
        self.violations: list[str] = []
        self.commands: Counter[str] = Counter()
        self.connections = 0
        self.at_once = 0
        self.most_at_once = 0
        self.logins: list[str] = []
        self.envelopes: list[bytes] = []  # MAIL lines, as received
        self.rcpts: list[bytes] = []  # RCPT lines that were answered with yes
        self.tls: ssl.SSLContext | None = None
        if script.starttls or script.implicit_tls:
            assert certificate is not None
            self.tls = certificate.server()
        self._keep = keep
        self._record = (
            os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if record else None
        )
        self.clients: set[_Session] = set()
        self.follow(*script.rules)

    def follow(self, *rules: Rule) -> None:
        """From now on, these rules; each counts from nothing."""
        self._met: Counter[int] = Counter()
        self._done: Counter[int] = Counter()
        self._done_for: Counter[tuple[int, bytes]] = Counter()
        self._rules: dict[str, list[tuple[int, Rule, re.Pattern[bytes] | None]]] = {}
        for number, rule in enumerate(rules):
            pattern = re.compile(rule.match.encode()) if rule.match else None
            self._rules.setdefault(rule.at, []).append((number, rule, pattern))

    async def __aenter__(self) -> ScriptedRelay:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Session(self),
            self.host,
            self.port,
            ssl=self.tls if self.script.implicit_tls else None,
            backlog=1000,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()
        if self._record is not None:
            os.close(self._record)
            self._record = None

    async def stop(self) -> None:
        """Stops listening and drops every connection, as a relay that crashes."""
        self._server.close()
        for client in list(self.clients):
            client.drop()
        await asyncio.sleep(0)

    async def start_again(self) -> None:
        await self.__aenter__()

    @property
    def message_ids(self) -> Counter[str]:
        return Counter(mail.message_id for mail in self.taken)

    def rule(self, at: str, line: bytes) -> Rule | None:
        for number, rule, pattern in self._rules.get(at, ()):
            if pattern is not None and not pattern.search(line):
                continue
            if rule.until and Path(rule.until).exists():
                continue
            self._met[number] += 1
            met = self._met[number] - rule.after
            if met < 1 or met % rule.every or (rule.times and self._done[number] >= rule.times):
                continue
            if rule.each and self._done_for[number, line] >= rule.each:
                continue
            self._done_for[number, line] += rule.each > 0
            self._done[number] += 1
            return rule
        return None

    def take(self, mail: TakenMail) -> None:
        self.count += 1
        if self._keep:
            self.taken.append(mail)
        if self._record is not None:
            line = {
                "time": mail.time,
                "sender": mail.sender.decode("utf-8", "replace"),
                "recipients": [one.decode("utf-8", "replace") for one in mail.recipients],
                "message_id": mail.message_id,
                "size": len(mail.content),
            }
            os.write(self._record, json.dumps(line).encode() + b"\n")

    def violation(self, what: str) -> None:
        self.violations.append(what)


class _Session(asyncio.Protocol):
    def __init__(self, relay: ScriptedRelay) -> None:
        self._relay = relay
        self._script = relay.script
        self._transport: asyncio.Transport
        self._buffer = b""
        self._wants = ""  # "content", "chunk", "user", "password": what comes next is no command
        self._chunk = 0  # octets of the chunk that comes
        self._greeted = False
        self._sender: bytes | None = None
        self._recipients: list[bytes] = []
        self._refused = False  # at RCPT, in this transaction
        self._secure = relay.script.implicit_tls
        self._number = 0
        self._silent = False
        self._busy = False
        self._name = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._number:  # once more, after STARTTLS
            return
        relay = self._relay
        relay.connections += 1
        self._number = relay.connections
        relay.clients.add(self)
        relay.at_once += 1
        relay.most_at_once = max(relay.most_at_once, relay.at_once)
        self._act("connect", b"", self._script.greeting)

    def connection_lost(self, exc: Exception | None) -> None:
        self._silent = True
        if self in self._relay.clients:
            self._relay.clients.discard(self)
            self._relay.at_once -= 1

    def drop(self) -> None:
        self._silent = True
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._go_on()

    def _go_on(self) -> None:
        while self._buffer and not self._silent and not self._busy:
            if self._wants in ("content", "chunk"):
                if not (self._content() if self._wants == "content" else self._whole_chunk()):
                    return
                continue
            line, end, rest = self._buffer.partition(b"\n")
            if not end:
                return
            self._buffer = rest
            if not line.endswith(b"\r") or b"\r" in line[:-1]:
                self._relay.violation(f"line end: {line[:60]!r}")
            self._line(line.rstrip(b"\r"))

    # --- commands

    def _line(self, line: bytes) -> None:
        if self._wants:
            self._log_in(line)
            return
        verb, _, _ = line.partition(b" ")
        name = verb.upper().decode("ascii", "replace")
        self._relay.commands[name] += 1
        if self._buffer and (
            "PIPELINING" not in self._script.offers
            or name in ("EHLO", "HELO", "DATA", "STARTTLS", "QUIT", "AUTH")
        ):
            self._relay.violation(f"sent on after {name} without waiting")
        method = getattr(self, f"_on_{name.lower()}", None) if name.isalpha() else None
        if method is None:
            self._relay.violation(f"unknown command: {line[:60]!r}")
            self._say("500 5.5.1 command not known")
        elif not self._greeted and name not in ("EHLO", "HELO", "QUIT", "STARTTLS"):
            self._relay.violation(f"{name} before EHLO")
            self._say("503 5.5.1 say EHLO first")
        else:
            method(line)

    def _on_ehlo(self, line: bytes) -> None:
        self._reset()
        script = self._script
        offers = [*script.offers]
        if script.size is not None:
            offers.append(f"SIZE {script.size}" if script.size else "SIZE")
        if script.starttls and not self._secure:
            offers.append("STARTTLS")
        elif script.users:
            offers.append("AUTH " + " ".join(script.mechanisms))
        lines = ["relay.example", *offers]
        self._greeted = True
        self._act(
            "ehlo", line, "\r\n".join([f"250-{one}" for one in lines[:-1]] + [f"250 {lines[-1]}"])
        )

    def _on_helo(self, line: bytes) -> None:
        self._reset()
        self._greeted = True
        self._act("helo", line, "250 relay.example")

    def _on_starttls(self, line: bytes) -> None:
        if not self._script.starttls or self._secure:
            self._relay.violation("STARTTLS was not offered")
            self._say("503 5.5.1 no")
            return
        if self._script.injected:
            self._transport.write(b"220 2.0.0 go ahead\r\n" + self._script.injected.encode())
        if self._script.injected or self._act("starttls", line, "220 2.0.0 go ahead"):
            self._busy = True
            self._task = asyncio.get_running_loop().create_task(self._encrypt())

    async def _encrypt(self) -> None:
        assert self._relay.tls is not None
        with contextlib.suppress(OSError):
            transport = await asyncio.get_running_loop().start_tls(
                self._transport, self, self._relay.tls, server_side=True
            )
            if transport is not None:
                self._transport = transport
                self._secure, self._greeted, self._busy = True, False, False
                self._go_on()

    def _on_auth(self, line: bytes) -> None:
        if self._script.starttls and not self._secure:
            self._relay.violation("AUTH in clear text")
        words = line.split(b" ")
        if not self._act("auth", line, ""):
            return
        if words[1].upper() == b"PLAIN" and len(words) == 3:
            _, user, password = base64.b64decode(words[2]).split(b"\0")
            self._check(user.decode(), password.decode())
        elif words[1].upper() == b"LOGIN":
            self._wants = "user"
            self._say("334 VXNlcm5hbWU6")
        else:
            self._say("504 5.5.4 mechanism not known")

    def _log_in(self, line: bytes) -> None:
        said = base64.b64decode(line).decode()
        if self._wants == "user":
            self._name, self._wants = said, "password"
            self._say("334 UGFzc3dvcmQ6")
        else:
            self._wants = ""
            self._check(self._name, said)

    def _check(self, user: str, password: str) -> None:
        if self._script.users.get(user) == password:
            self._relay.logins.append(user)
            self._say("235 2.7.0 welcome")
        else:
            self._say(f"535 5.7.8 {user}: wrong")

    def _on_mail(self, line: bytes) -> None:
        self._relay.envelopes.append(line)
        found = _PATH.search(line)
        if self._sender is not None:
            self._relay.violation("MAIL inside a transaction")
            self._say("503 5.5.1 nested MAIL command")
            return
        if found is None:
            self._relay.violation(f"MAIL: {line[:60]!r}")
            self._say("501 5.5.4 syntax")
            return
        size = _SIZE.search(found[2])
        if size and self._script.size is None:
            self._relay.violation("SIZE was not offered")
        if b"SMTPUTF8" in found[2] and "SMTPUTF8" not in self._script.offers:
            self._relay.violation("SMTPUTF8 was not offered")
        if re.search(rb" (RET|ENVID)=", found[2]) and "DSN" not in self._script.offers:
            self._relay.violation("DSN was not offered")
        if self._act("mail", line, "250 2.1.0 ok"):
            self._sender = found[1]

    def _on_rcpt(self, line: bytes) -> None:
        found = _PATH.search(line)
        if self._sender is None:
            self._say("503 5.5.1 no transaction")
        elif found is None:
            self._relay.violation(f"RCPT: {line[:60]!r}")
            self._say("501 5.5.4 syntax")
        elif b" NOTIFY=" in found[2] and "DSN" not in self._script.offers:
            self._relay.violation("DSN was not offered")
            self._say("555 5.5.4 parameter not known")
        elif self._act("rcpt", line, "250 2.1.5 ok"):
            self._relay.rcpts.append(line)
            self._recipients.append(found[1])
        else:
            self._refused = True

    def _on_data(self, line: bytes) -> None:
        if self._sender is None:
            self._say("503 5.5.1 no transaction")
        elif not self._recipients and not any(rule.at == "data" for rule in self._script.rules):
            self._say("554 5.5.1 no valid recipients")
        elif self._act("data", line, "354 go ahead"):
            self._wants = "content"
            self._scanned = 0

    def _on_bdat(self, line: bytes) -> None:
        """A whole mail in one chunk, as our client sends it (RFC 3030 §2). No other is taken."""
        found = _BDAT.fullmatch(line)
        if "CHUNKING" not in self._script.offers or found is None:
            self._relay.violation(f"BDAT: {line[:60]!r}")
            self._say("500 5.5.1 command not known")
            return
        if self._relay.rule("bdat", line):  # a relay that offers what it does not know
            self._say("502 5.5.1 command not known")
            return
        self._chunk = int(found[1])
        self._wants = "chunk"

    def _on_rset(self, line: bytes) -> None:
        self._reset()
        self._act("rset", line, "250 2.0.0 ok")

    def _on_quit(self, line: bytes) -> None:
        self._act("quit", line, "221 2.0.0 bye")
        self._silent = True
        if not self._script.split:
            self._transport.close()

    # --- content

    def _content(self) -> bool:
        buffer = self._buffer
        if rule := self._relay.rule("mid-data", b" ".join(self._recipients)):
            self._follow(rule)
            return False
        if buffer.startswith(b".\r\n"):
            content, self._buffer = b"", buffer[3:]
        else:
            end = buffer.find(b"\r\n.\r\n", self._scanned)
            if end < 0:
                self._scanned = max(0, len(buffer) - 4)
                return False
            content, self._buffer = buffer[: end + 2], buffer[end + 5 :]
        if self._buffer and "PIPELINING" not in self._script.offers:
            self._relay.violation("sent on after the final dot without waiting")
        content = (
            re.sub(rb"(?m)^\.", b"", content)
            if b"\n." in content or content[:1] == b"."
            else content
        )
        self._whole(content)
        return True

    def _whole_chunk(self) -> bool:
        """Reads and drops a failed chunk. The transaction stays until RSET (RFC 3030 §2)."""
        if rule := self._relay.rule("mid-data", b" ".join(self._recipients)):
            self._follow(rule)
            return False
        if len(self._buffer) < self._chunk:
            return False
        content, self._buffer = self._buffer[: self._chunk], self._buffer[self._chunk :]
        if self._sender is None or not self._recipients:
            self._wants = ""
            self._say(
                "503 5.5.1 no transaction"
                if self._sender is None
                else "554 5.5.1 no valid recipients"
            )
        else:
            self._whole(content)
        return True

    def _whole(self, content: bytes) -> None:
        """All of a mail is here."""
        self._wants = ""
        if content.count(b"\n") != content.count(b"\r\n") or content.count(b"\r") != content.count(
            b"\r\n"
        ):
            self._relay.violation("bare CR or LF in content")
        assert self._sender is not None
        found = _MESSAGE_ID.search(content)
        mail = TakenMail(
            self._sender,
            tuple(self._recipients),
            content,
            found[1].decode("utf-8", "replace") if found else "",
            time.time(),
            self._number,
        )
        if not self._recipients:
            if content:
                self._relay.violation("content for nobody")
            self._reset()
            self._say("554 5.5.1 no valid recipients")
            return
        rule = self._relay.rule("content", b" ".join(self._recipients))
        self._reset()
        if rule is None:
            self._relay.take(mail)
            self._say("250 2.0.0 queued")
        else:
            if rule.do == "take-and-drop" or (rule.do == "reply" and rule.reply[:1] in ("", "2")):
                self._relay.take(mail)
            self._follow(rule, "250 2.0.0 queued")

    def _reset(self) -> None:
        self._sender, self._recipients, self._refused = None, [], False

    # --- replies

    def _act(self, at: str, line: bytes, reply: str) -> bool:
        """Follows the rule for this place, or replies as usual. True if the reply was a yes."""
        rule = self._relay.rule(at, line)
        if rule is None:
            if reply:
                self._say(reply)
            return True
        return self._follow(rule, reply)

    def _follow(self, rule: Rule, usual: str = "") -> bool:
        if rule.delay:
            self._busy = True
            asyncio.get_running_loop().call_later(
                rule.delay, self._late, dataclasses.replace(rule, delay=0), usual
            )
            return rule.do == "reply" and rule.reply[:1] in ("", "2", "3")
        if rule.do in ("drop", "take-and-drop"):
            self.drop()
        elif rule.do == "hang":
            self._silent = True
        elif rule.do == "garbage":
            self._transport.write(rule.reply.encode() or b"\x00\xff what is this?\r\n")
        else:
            reply = rule.reply or usual
            self._say(reply)
            if reply.startswith("421"):
                self._silent = True
                if not self._script.split:
                    self._say_no_more()
            return reply[:1] in ("2", "3")
        return False

    def _late(self, rule: Rule, usual: str) -> None:
        self._busy = False
        if not self._silent:
            self._follow(rule, usual)
            self._go_on()

    def _say(self, reply: str) -> None:
        data = reply.encode() + b"\r\n"
        if self._script.multiline and b"\r\n" not in data[:-2]:
            data = data[:3] + b"-first of two\r\n" + data
        if not self._script.split:
            self._transport.write(data)
            return
        pieces = [data[i : i + self._script.split] for i in range(0, len(data), self._script.split)]
        self._busy = True
        self._dribble(pieces)

    def _dribble(self, pieces: list[bytes]) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(pieces.pop(0))
        if pieces:
            asyncio.get_running_loop().call_soon(self._dribble, pieces)
            return
        self._busy = False
        if self._silent:
            self._say_no_more()
        self._go_on()

    def _say_no_more(self) -> None:
        """Waits: closing with unread input would reset the connection and lose the last reply."""
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()


class Certificate(NamedTuple):
    """A self-made certificate for `names`, and the file that makes a client trust it."""

    path: Path
    key: Path

    @classmethod
    def make(cls, folder: Path, *names: str, days: int = 30) -> Certificate:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.example")])
        now = datetime.datetime.now(datetime.UTC)
        alternatives: list[x509.GeneralName] = []
        for name in names or ("127.0.0.1", "localhost"):
            try:
                alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                alternatives.append(x509.DNSName(name))
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=60))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        made = cls(folder / "relay.pem", folder / "relay.key")
        made.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return made

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self.key)
        return context


class Running(NamedTuple):
    """A relay in a process of its own."""

    port: int
    record: Path
    process: subprocess.Popen[str]

    def taken(self) -> list[dict[str, Any]]:
        """The mails in the record so far: time, sender, recipients, message_id, size.

        A line that is being written is none yet.
        """
        if not self.record.exists():
            return []
        written, _, _ = self.record.read_text("utf-8").rpartition("\n")
        return [json.loads(line) for line in written.splitlines()]


class GrowingRecord:
    """A record that is read on from where it was read to. `taken`: see `Running.taken`."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._read_to = 0
        self._mails: list[dict[str, Any]] = []

    def taken(self) -> list[dict[str, Any]]:
        """The mails in the record so far."""
        if self._record.exists():
            with self._record.open("rb") as file:
                file.seek(self._read_to)
                written, newline, _ = file.read().rpartition(b"\n")
            self._read_to += len(written + newline)
            self._mails += [json.loads(line) for line in written.splitlines()]
        return self._mails


def by_recipient(taken: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """The Message-IDs of what each recipient got. Each of these mails went to one."""
    got = defaultdict(list)
    for mail in taken:
        [recipient] = mail["recipients"]
        got[recipient].append(mail["message_id"])
    return got


@contextlib.contextmanager
def running(record: Path, script: Script = Script(), port: int = 0) -> Iterator[Running]:
    """Starts ``python -m tests.support.scripted_relay`` for tests with real processes."""
    command = [
        sys.executable,
        "-m",
        "tests.support.scripted_relay",
        "--port",
        str(port),
        "--record",
        str(record),
    ]
    process = subprocess.Popen(
        [*command, "--script", script.to_json()],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    try:
        words = process.stdout.readline()
        yield Running(int(words.rsplit(" ", 1)[1]), record, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        process.stdout.close()


async def _serve(script: Script, host: str, port: int, record: Path | None) -> None:
    certificate = None
    with tempfile.TemporaryDirectory() as folder:
        if script.starttls or script.implicit_tls:
            certificate = Certificate.make(Path(folder))
        async with ScriptedRelay(
            script, host=host, port=port, record=record, keep=False, certificate=certificate
        ) as relay:
            print(f"listening on {relay.port}", flush=True)
            told = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, told.set)
            await told.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A scripted SMTP relay on loopback.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--script", default="{}", help="JSON, or @FILE")
    options = parser.parse_args()
    text = (
        Path(options.script[1:]).read_text("utf-8")
        if options.script.startswith("@")
        else options.script
    )
    import uvloop

    uvloop.run(_serve(Script.from_json(text), options.host, options.port, options.record))


if __name__ == "__main__":
    main()
