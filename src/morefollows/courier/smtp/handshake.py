"""Connection setup: greeting, EHLO, STARTTLS, AUTH and the relay's extensions (RFC 5321 §3)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import socket
import ssl

from morefollows.courier.smtp.backoff import FailureCause
from morefollows.courier.smtp.dialling import Endpoint
from morefollows.courier.smtp.session import Extensions, Session, SetupReply


class HandshakeError(Exception):
    """The relay can't be used now. ``str()`` says why, without addresses or credentials."""

    def __init__(self, text: str, failure: FailureCause = FailureCause.BROKEN) -> None:
        super().__init__(text)
        self.failure = failure


def _failure(answer: SetupReply) -> FailureCause:
    return FailureCause.REFUSED if answer.code >= 500 else FailureCause.BUSY


async def begin(connection: Session) -> Extensions:
    """Connects and does everything before the first mail. Raises `HandshakeError`."""
    relay, dialler = connection.relay, connection.relay.dialler
    greeting = connection.await_answer()
    try:
        async with asyncio.timeout(relay.timeouts.connect):
            endpoint = await _connect(connection)
    except (OSError, TimeoutError) as error:
        raise HandshakeError(_why(error)) from None
    step = "greeting"
    try:
        connection.step = "its greeting"
        answer = await greeting
        if answer.code != 220:
            raise HandshakeError(f"greets with {answer.code} {answer.text}", _failure(answer))
        step = "hello"
        offers = await _greet(connection, endpoint.helo)
        secure = endpoint.implicit_tls
        if not secure and endpoint.starttls != "never":
            step = "tls"
            if await _secure(connection, endpoint, offers):
                step, secure = "hello", True
                # STARTTLS discards everything learned before (RFC 3207 §4.2).
                offers = await _greet(connection, endpoint.helo)
            step = "hello"
        if relay.address.user:
            await _authenticate(connection, offers.get(b"AUTH", b"").split(), secure)
    except HandshakeError as error:
        dialler.failed(endpoint, step, error.failure, str(error))
        raise
    return _extensions(offers)


def _extensions(offers: dict[bytes, bytes]) -> Extensions:
    size = offers.get(b"SIZE")
    return Extensions(
        pipelining=b"PIPELINING" in offers,
        chunking=b"CHUNKING" in offers,
        utf8=b"SMTPUTF8" in offers,
        statuses=b"ENHANCEDSTATUSCODES" in offers,
        dsn=b"DSN" in offers,
        eight_bit=b"8BITMIME" in offers,
        size=None if size is None else int(size) if size.isdigit() and len(size) < 20 else 0,
    )


async def _secure(connection: Session, endpoint: Endpoint, offers: dict[bytes, bytes]) -> bool:
    """Starts TLS if the relay offers it. Returns whether it did. Raises `HandshakeError`."""
    relay = connection.relay
    if b"STARTTLS" in offers:
        await _start_tls(connection, endpoint)
        relay.has_secured()
        relay.dialler.secured(endpoint)
        return True
    if endpoint.starttls == "require":
        raise HandshakeError(
            "does not offer STARTTLS, which the settings require", FailureCause.REFUSED
        )
    if relay.secured and endpoint.starttls == "optional":
        relay.goes_in_clear()
    elif relay.secured:
        # An attacker may have removed the keyword (RFC 3207 §6): see `relays.once_secured`.
        raise HandshakeError(
            "does not offer STARTTLS any more; nothing is sent to it in clear text",
            FailureCause.BUSY,
        )
    return False


async def _connect(connection: Session) -> Endpoint:
    """Connects to the first endpoint that accepts, and returns it.

    Raises OSError or TimeoutError if none accepts.
    """
    relay = connection.relay
    connection.step = "the DNS to tell its address"
    endpoints = await relay.dialler.endpoints()
    loop = asyncio.get_running_loop()
    for left, one in zip(range(len(endpoints), 0, -1), endpoints, strict=True):
        connection.step = "a connection with TLS" if one.implicit_tls else "a connection"
        try:
            # Each address gets its share of the time that is left.
            async with asyncio.timeout(relay.timeouts.connect / left if left > 1 else None):
                await loop.create_connection(
                    lambda: connection,
                    one.ip,
                    one.port,
                    ssl=one.context if one.implicit_tls else None,
                    server_hostname=one.name if one.implicit_tls else None,
                    local_addr=(one.source, 0) if one.source else None,
                )
        except (OSError, TimeoutError) as error:
            relay.dialler.unreachable(one, _why(error))
            if left == 1 or connection.dead:
                raise
        else:
            connection.endpoint = one
            relay.dialler.connected(one)
            return one
    raise OSError("no address")


async def _greet(connection: Session, helo: bytes) -> dict[bytes, bytes]:
    """Sends EHLO, or HELO if EHLO is unknown (RFC 5321 §3.2). Returns the extensions by keyword."""
    connection.step = "the reply to EHLO"
    answer = await connection.ask(b"EHLO " + helo)
    if answer.code == 250:
        offers: dict[bytes, bytes] = {}
        for line in answer.lines[1:]:
            # Some old servers still send "AUTH=PLAIN".
            keyword, _, rest = line.replace(b"=", b" ", 1).partition(b" ")
            offers[keyword.upper()] = (offers.get(keyword.upper(), b"") + b" " + rest).strip()
        return offers
    if 500 <= answer.code < 600:
        answer = await connection.ask(b"HELO " + helo)
    if answer.code != 250:
        raise HandshakeError(
            f"answers our greeting with {answer.code} {answer.text}", _failure(answer)
        )
    return {}


async def _start_tls(connection: Session, endpoint: Endpoint) -> None:
    connection.step = "the reply to STARTTLS"
    answer = await connection.ask(b"STARTTLS")
    if answer.code != 220:
        raise HandshakeError(
            f"answers STARTTLS with {answer.code} {answer.text}", FailureCause.BUSY
        )
    if connection.dead or connection.has_more_to_read:
        # Replies injected before encryption would be trusted after it (CVE-2011-0411).
        raise HandshakeError(
            "spoke on, in clear text, after it had agreed to STARTTLS", FailureCause.REFUSED
        )
    connection.step = "the TLS handshake"
    try:
        transport = await asyncio.get_running_loop().start_tls(
            connection.transport,
            connection,
            endpoint.context,
            server_hostname=endpoint.name,
            ssl_handshake_timeout=connection.relay.timeouts.connect,
        )
    except (OSError, TimeoutError) as error:
        raise HandshakeError(_why(error)) from None
    if transport is None:
        raise HandshakeError("closed the connection")
    if endpoint.check is not None and (
        why := endpoint.check(transport.get_extra_info("ssl_object"))
    ):
        raise HandshakeError(why, FailureCause.REFUSED)
    connection.connection_made(transport)


async def _authenticate(connection: Session, mechanisms: list[bytes], secure: bool) -> None:
    """Sends AUTH PLAIN or LOGIN (RFC 4954). Without TLS only to this machine. Raises
    `HandshakeError`."""
    if not secure and not _on_this_machine(connection):
        raise HandshakeError(
            "offers no encryption, and the password is not sent without", FailureCause.REFUSED
        )
    connection.step = "the reply to AUTH"
    offered = {mechanism.upper() for mechanism in mechanisms}
    address = connection.relay.address
    user, password = address.user.encode(), address.password.encode()
    if b"PLAIN" in offered:
        answer = await connection.ask(
            b"AUTH PLAIN " + base64.b64encode(b"\0%b\0%b" % (user, password))
        )
    # LOGIN has no RFC; the relay asks twice, for the user name and then the password.
    elif b"LOGIN" in offered:
        answer = await connection.ask(b"AUTH LOGIN")
        for credential in (user, password):
            if answer.code == 334:
                answer = await connection.ask(base64.b64encode(credential))
    else:
        raise HandshakeError("offers neither AUTH PLAIN nor AUTH LOGIN", FailureCause.REFUSED)
    if answer.code != 235:
        # The reply text is left out: some relays repeat the user name in it.
        raise HandshakeError(f"refused the user name or password ({answer.code})", _failure(answer))


def _on_this_machine(connection: Session) -> bool:
    with contextlib.suppress(ValueError, TypeError, IndexError):
        return ipaddress.ip_address(connection.transport.get_extra_info("peername")[0]).is_loopback
    return False


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that can't be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return (
            "can't be agreed with on TLS: "
            f"{(error.reason or 'handshake failed').replace('_', ' ').lower()}"
        )
    if isinstance(error, socket.gaierror):
        return "can't be found: its host name is not known"
    if isinstance(error, TimeoutError):
        return "can't be reached: no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "can't be reached: connection refused"
    return f"can't be reached: {getattr(error, 'strerror', None) or 'no connection'}"
