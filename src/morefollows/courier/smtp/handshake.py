"""Connection setup: greeting, EHLO, STARTTLS, AUTH and the relay's extensions (RFC 5321 §3)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import socket
import ssl

from morefollows.config.relay_address import RelayAddress
from morefollows.courier.smtp.backoff import FailureCause
from morefollows.courier.smtp.session import Extensions, Session, SetupReply

_DNS_PATIENCE = 2.0  # seconds, if earlier addresses are known


class HandshakeError(Exception):
    """The relay can't be used now. ``str()`` says why, without addresses or credentials."""

    def __init__(self, text: str, failure: FailureCause = FailureCause.BROKEN) -> None:
        super().__init__(text)
        self.failure = failure


def _failure(answer: SetupReply) -> FailureCause:
    return FailureCause.REFUSED if answer.code >= 500 else FailureCause.BUSY


def tls_settings(address: RelayAddress) -> ssl.SSLContext:
    """The settings for TLS. Certificates are verified unless the relay's address says otherwise."""
    settings = ssl.create_default_context()
    if not address.verify:
        settings.check_hostname = False
        settings.verify_mode = ssl.CERT_NONE
    return settings


async def begin(connection: Session) -> Extensions:
    """Connects and does everything before the first mail. Raises `HandshakeError`."""
    address, context = connection.relay.address, connection.relay.tls
    greeting = connection.await_answer()
    try:
        async with asyncio.timeout(connection.relay.timeouts.connect):
            await _connect(connection, context if address.implicit_tls else None)
    except (OSError, TimeoutError) as error:
        raise HandshakeError(_why(error)) from None
    connection.step = "its greeting"
    answer = await greeting
    if answer.code != 220:
        raise HandshakeError(f"greets with {answer.code} {answer.text}", _failure(answer))
    offers = await _greet(connection)
    secure = address.implicit_tls
    if not secure and address.starttls != "never":
        if b"STARTTLS" in offers:
            await _start_tls(connection, context)
            # STARTTLS discards everything learned before (RFC 3207 §4.2).
            offers = await _greet(connection)
            secure = True
            connection.relay.has_secured()
        elif address.starttls == "require":
            raise HandshakeError(
                "does not offer STARTTLS, which the settings require", FailureCause.REFUSED
            )
        elif connection.relay.secured and address.starttls == "optional":
            connection.relay.goes_in_clear()
        elif connection.relay.secured:  # an attacker may have removed the keyword (RFC 3207 §6)
            raise HandshakeError(
                "does not offer STARTTLS any more; nothing is sent to it in clear text",
                FailureCause.BUSY,
            )
    if address.user:
        await _authenticate(connection, offers.get(b"AUTH", b"").split(), secure)
    size = offers.get(b"SIZE")
    return Extensions(
        pipelining=b"PIPELINING" in offers,
        chunking=b"CHUNKING" in offers,
        utf8=b"SMTPUTF8" in offers,
        statuses=b"ENHANCEDSTATUSCODES" in offers,
        dsn=b"DSN" in offers,
        size=None if size is None else int(size) if size.isdigit() and len(size) < 20 else 0,
    )


async def _connect(connection: Session, context: ssl.SSLContext | None) -> None:
    """Connects to the first address that accepts, starting with the one used last.

    Raises OSError or TimeoutError if none accepts.
    """
    relay = connection.relay
    hosts = await _addresses(connection)
    loop = asyncio.get_running_loop()
    connection.step = "a connection" if context is None else "a connection with TLS"
    for left, host in zip(range(len(hosts), 0, -1), hosts, strict=True):
        try:
            # Each address gets its share of the time that is left.
            async with asyncio.timeout(relay.timeouts.connect / left if left > 1 else None):
                await loop.create_connection(
                    lambda: connection,
                    host,
                    relay.address.port,
                    ssl=context,
                    server_hostname=relay.address.host if context else None,
                )
        except (OSError, TimeoutError):
            if left == 1 or connection.dead:
                raise
        else:
            relay.addresses = [host, *(other for other in hosts if other != host)]
            return


async def _addresses(connection: Session) -> list[str]:
    """Returns the relay's IP addresses, or the last known ones if the DNS fails.

    Raises OSError or TimeoutError if it fails and none are known.
    """
    relay = connection.relay
    host, port = relay.address.host, relay.address.port
    with contextlib.suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    connection.step = "the DNS to tell its address"
    try:
        async with asyncio.timeout(_DNS_PATIENCE if relay.addresses else None):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )
    except (OSError, TimeoutError):
        if not relay.addresses:
            raise
        return relay.addresses
    now = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    return sorted(now, key=lambda one: one not in relay.addresses[:1])


async def _greet(connection: Session) -> dict[bytes, bytes]:
    """Sends EHLO, or HELO if EHLO is unknown (RFC 5321 §3.2). Returns the extensions by keyword."""
    connection.step = "the reply to EHLO"
    answer = await connection.ask(b"EHLO " + connection.relay.helo)
    if answer.code == 250:
        offers: dict[bytes, bytes] = {}
        for line in answer.lines[1:]:
            # Some old servers still send "AUTH=PLAIN".
            keyword, _, rest = line.replace(b"=", b" ", 1).partition(b" ")
            offers[keyword.upper()] = (offers.get(keyword.upper(), b"") + b" " + rest).strip()
        return offers
    if 500 <= answer.code < 600:
        answer = await connection.ask(b"HELO " + connection.relay.helo)
    if answer.code != 250:
        raise HandshakeError(
            f"answers our greeting with {answer.code} {answer.text}", _failure(answer)
        )
    return {}


async def _start_tls(connection: Session, context: ssl.SSLContext) -> None:
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
            context,
            server_hostname=connection.relay.address.host,
            ssl_handshake_timeout=connection.relay.timeouts.connect,
        )
    except (OSError, TimeoutError) as error:
        raise HandshakeError(_why(error)) from None
    if transport is None:
        raise HandshakeError("closed the connection")
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
    elif b"LOGIN" in offered:
        answer = await connection.ask(b"AUTH LOGIN")
        for said in (user, password):
            if answer.code == 334:
                answer = await connection.ask(base64.b64encode(said))
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
