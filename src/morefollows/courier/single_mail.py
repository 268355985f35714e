"""Sends one mail that is no alert and no letter, at once, by any kind of relay.

For forwarded replies and alarms. The relay is made for this mail, and closed after it.
"""

from __future__ import annotations

import asyncio
import socket
from email.message import EmailMessage
from email.policy import SMTP

from django.conf import settings

from morefollows.config.addresses.relay_address import RelayAddress, kind_of
from morefollows.courier.message.template import Composed
from morefollows.courier.relays.interface import Mail, Reached, RelaySetup, Reply

_SECONDS = 60.0


class MailNotTaken(Exception):
    """The relay did not take the mail. ``str()`` says why, without addresses."""


class _One:
    """A source of one mail, and its reply."""

    def __init__(self, mail: EmailMessage, sender: str, to: str) -> None:
        content = mail.as_bytes(policy=SMTP.clone(cte_type="7bit", max_line_length=900))
        self._waiting: Mail | None = Mail(
            sender.encode(),
            to.encode(),
            Composed([content if content.endswith(b"\r\n") else content + b"\r\n"], []).fill([]),
            self._settled,
        )
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def take(self) -> Mail | None:
        mail, self._waiting = self._waiting, None
        return mail

    def stuck(self, domains: object) -> None:
        """Nothing: nobody waits behind it."""

    def _settled(self, mail: Mail, reply: Reply) -> None:
        if reply.reached in (Reached.RELAY, Reached.QUEUED) and not reply.answered:
            self._waiting = mail  # not offered; the relay tries again while there is time
        elif not self.reply.done():
            self.reply.set_result(reply)


def send_single(relay: RelayAddress, mail: EmailMessage, to: str, sender: str = "") -> None:
    """Sends a mail to one address, or raises `MailNotTaken`.

    `sender`: the return path; empty: none, so that no bounce comes back (RFC 5321 §4.5.5). The
    body is in Base64, so that no line begins with a dot.
    """
    asyncio.run(_send(relay, mail, to, sender))


async def _send(relay: RelayAddress, mail: EmailMessage, to: str, sender: str) -> None:
    troubles: list[str] = []
    config = settings.MOREFOLLOWS
    one = _One(mail, sender, to)
    setup = RelaySetup(
        connections=1,
        helo=config.helo or socket.getfqdn(),
        on_trouble=lambda why: troubles.append(why) if why else None,
        resolver="" if config.resolver == "off" else config.resolver,
        data=config.data,
    )
    opened = kind_of(relay.scheme).make(relay, one, setup)
    try:
        async with asyncio.timeout(_SECONDS):
            opening = asyncio.create_task(opened.open())
            while not one.reply.done():
                opened.wake()
                await asyncio.wait([one.reply], timeout=0.2)
            opening.cancel()
    except TimeoutError:
        raise MailNotTaken(troubles[-1] if troubles else "it does not answer") from None
    finally:
        await opened.close()
    reply = one.reply.result()
    if not reply.accepted:
        raise MailNotTaken(f"{reply.code} {reply.status}".strip() if reply.code else "no reply")
