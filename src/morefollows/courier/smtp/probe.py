"""Connects to a relay as senders do, up to the first mail, and sends none.

It uses their connection and handshake. So what `doctor` says holds for senders, and the rules for
passwords and TLS are the same.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, NamedTuple

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.relays.interface import MailSource
from morefollows.courier.smtp.backoff import FailureCause
from morefollows.courier.smtp.connection import SmtpConnection
from morefollows.courier.smtp.dialling import Dialler, RelayDialler
from morefollows.courier.smtp.handshake import HandshakeError
from morefollows.courier.smtp.session import Extensions, Session
from morefollows.courier.smtp.timeouts import Timeouts


class ProbeResult(NamedTuple):
    """What a relay has said."""

    offers: Extensions = Extensions()
    tls: str = ""  #: version of TLS, such as "TLSv1.3"; "" without
    trouble: str = ""  #: why it can't be used, from its verb on; "" if it can


async def probe(
    address: RelayAddress, helo: str, *, seconds: float, secured: bool = False
) -> ProbeResult:
    """Connects, starts TLS, signs in and says QUIT. Never raises for a relay's faults.

    `secured`: the relay has agreed to STARTTLS before.
    """
    pool = _ProbePool(address, helo, seconds, secured)
    connection = SmtpConnection(pool)
    try:
        async with asyncio.timeout(seconds):
            await connection.set_up()
    except HandshakeError as error:
        return ProbeResult(trouble=str(error))
    except TimeoutError:
        return ProbeResult(trouble=f"did not send {connection.step or 'anything'} in time")
    finally:
        if connection.dead or not connection.ready:
            connection.abandon("")
    tls = connection.transport.get_extra_info("ssl_object")
    connection.quit()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(seconds, pool.timeouts.quit)):
            await pool.ended.wait()
    connection.abandon("")
    return ProbeResult(pool.offers or Extensions(), tls.version() if tls is not None else "")


class _NoMail:
    """A source without mail."""

    def take(self) -> None:
        return None


class _ProbePool:
    """The pool of a single connection."""

    def __init__(self, address: RelayAddress, helo: str, seconds: float, secured: bool) -> None:
        self.address = address
        self.source: MailSource = _NoMail()  # type: ignore[assignment]  # never asked
        self.dialler: Dialler = RelayDialler(address, helo.encode("ascii"))
        self.timeouts = Timeouts(connect=seconds, command=seconds)
        self.secured = secured
        self.offers: Extensions | None = None
        self.idle: set[Session] = set()
        self.closing = True
        self.mails_each = 0
        self.brisk = self.chunking = self.answered = False
        self.goes_on = self.on_trial = False
        self.tries_one = lambda: False
        self.ended = asyncio.Event()

    def has_secured(self) -> None:
        self.secured = True

    def goes_in_clear(self) -> None:
        """A sender would log it. `doctor` says it by the missing version of TLS."""

    def heard(self) -> None:
        """There is nothing to gather."""

    def sated(self) -> None:
        """There is no mail."""

    def well(self) -> None:
        """There is no mail."""

    def lost(
        self,
        connection: Any,
        why: str,
        *,
        proven: bool,
        again: bool,
        failure: FailureCause = FailureCause.BROKEN,
    ) -> None:
        self.ended.set()
