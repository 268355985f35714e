"""How a connection begins: the greeting, EHLO, STARTTLS and AUTH, and what the relay offers (RFC 5321 §3)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import socket
import ssl
from typing import TYPE_CHECKING, NamedTuple

from morefollows.courier.replies import without_addresses

if TYPE_CHECKING:
    from morefollows.courier.dialogue import Connection


class Trouble(Exception):
    """The relay can't be used just now. ``str()`` says why, without addresses or credentials.

    `firm`: it said no, rather than failed; asking again soon makes no sense.
    """

    def __init__(self, text: str, *, firm: bool = False) -> None:
        super().__init__(text)
        self.firm = firm


class Answer(NamedTuple):
    """A reply to one of the commands here, each of which waits for its own."""

    code: int
    lines: list[bytes]

    @property
    def text(self) -> str:
        return words(b"\n".join(self.lines))


class Offers(NamedTuple):
    """What the relay offers (RFC 5321 §2.2), as far as we make use of it."""

    pipelining: bool = False  #: RFC 2920
    chunking: bool = False  #: RFC 3030
    utf8: bool = False  #: RFC 6531
    statuses: bool = False  #: RFC 2034
    dsn: bool = False  #: RFC 3461
    size: int | None = None  #: bytes; 0: no fixed limit (RFC 1870)


def words(said: bytes) -> str:
    """What a relay said, fit for the desk and the log."""
    return without_addresses(said.decode(errors="replace"))


async def begin(connection: Connection) -> Offers:
    """Connects, and goes through all that comes before the first mail. Raises `Trouble`."""
    address, context = connection.relay.address, connection.relay.tls
    loop = asyncio.get_running_loop()
    greeting = connection.await_answer()
    try:
        async with asyncio.timeout(connection.relay.patience.connect):
            await loop.create_connection(
                lambda: connection,
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
    offers = await _greet(connection)
    secure = address.implicit_tls
    if not secure and address.starttls != "never":
        if b"STARTTLS" in offers:
            await _start_tls(connection, context)
            offers = await _greet(connection)  # all that was said before is forgotten (RFC 3207 §4.2)
            secure = True
        elif address.starttls == "require":
            raise Trouble("does not offer STARTTLS, which the settings require", firm=True)
    if address.user:
        await _authenticate(connection, offers.get(b"AUTH", b"").split(), secure)
    size = offers.get(b"SIZE")
    return Offers(
        pipelining=b"PIPELINING" in offers,
        chunking=b"CHUNKING" in offers,
        utf8=b"SMTPUTF8" in offers,
        statuses=b"ENHANCEDSTATUSCODES" in offers,
        dsn=b"DSN" in offers,
        size=None if size is None else int(size) if size.isdigit() and len(size) < 20 else 0,
    )


async def _greet(connection: Connection) -> dict[bytes, bytes]:
    """EHLO, or HELO where EHLO is not known (RFC 5321 §3.2). What the relay offers, by keyword."""
    answer = await connection.ask(b"EHLO " + connection.relay.helo)
    if answer.code == 250:
        offers: dict[bytes, bytes] = {}
        for line in answer.lines[1:]:
            keyword, _, rest = line.replace(b"=", b" ", 1).partition(b" ")  # "AUTH=PLAIN" is old, but alive
            offers[keyword.upper()] = (offers.get(keyword.upper(), b"") + b" " + rest).strip()
        return offers
    if 500 <= answer.code < 600:
        answer = await connection.ask(b"HELO " + connection.relay.helo)
    if answer.code != 250:
        raise Trouble(f"answers our greeting with {answer.code} {answer.text}", firm=answer.code >= 500)
    return {}


async def _start_tls(connection: Connection, context: ssl.SSLContext) -> None:
    answer = await connection.ask(b"STARTTLS")
    if answer.code != 220:
        raise Trouble(f"answers STARTTLS with {answer.code} {answer.text}")
    if connection.dead or connection.has_more_to_read:
        # Words slipped in before the encryption would be believed after it (CVE-2011-0411).
        raise Trouble("spoke on, in clear text, after it had agreed to STARTTLS", firm=True)
    try:
        transport = await asyncio.get_running_loop().start_tls(
            connection.transport, connection, context, server_hostname=connection.relay.address.host
        )
    except (OSError, TimeoutError) as error:
        raise Trouble(_why(error)) from None
    if transport is None:
        raise Trouble("closed the connection")
    connection.connection_made(transport)


async def _authenticate(connection: Connection, mechanisms: list[bytes], secure: bool) -> None:
    """AUTH PLAIN or LOGIN (RFC 4954), never where others could listen."""
    if not secure and not _on_this_machine(connection):
        raise Trouble("offers no encryption, and the password is not sent without", firm=True)
    offered = {mechanism.upper() for mechanism in mechanisms}
    address = connection.relay.address
    user, password = address.user.encode(), address.password.encode()
    if b"PLAIN" in offered:
        answer = await connection.ask(b"AUTH PLAIN " + base64.b64encode(b"\0%b\0%b" % (user, password)))
    elif b"LOGIN" in offered:
        answer = await connection.ask(b"AUTH LOGIN")
        for said in (user, password):
            if answer.code == 334:
                answer = await connection.ask(base64.b64encode(said))
    else:
        raise Trouble("offers neither AUTH PLAIN nor AUTH LOGIN", firm=True)
    if answer.code != 235:
        raise Trouble(
            f"refused the user name or password ({answer.code})", firm=answer.code >= 500
        )  # without its words: some relays repeat the user name in them


def _on_this_machine(connection: Connection) -> bool:
    with contextlib.suppress(ValueError, TypeError, IndexError):
        return ipaddress.ip_address(connection.transport.get_extra_info("peername")[0]).is_loopback
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
