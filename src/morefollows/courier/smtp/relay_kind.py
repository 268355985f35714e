"""Registers SMTP as a kind of relay, for the URL schemes ``smtp`` and ``smtps``."""

from __future__ import annotations

from morefollows.config.addresses.relay_address import (
    RelayAddress,
    RelayKind,
    one_of,
    register_kind,
)
from morefollows.courier.relays.interface import MailSource, Relay, RelaySetup


def _make(address: RelayAddress, source: MailSource, setup: RelaySetup) -> Relay:
    from morefollows.courier.smtp.connection_pool import SmtpRelay
    from morefollows.courier.smtp.timeouts import Timeouts

    # Giving up before the content is sent can't cause a duplicate. With another relay available
    # the waits may be shorter than the five minutes of RFC 5321 §4.5.3.2. After the final dot
    # they may not.
    timeouts = Timeouts(connect=10, command=20, data=20) if setup.others else Timeouts()
    return SmtpRelay(
        address,
        source,
        connections=setup.connections,
        helo=setup.helo,
        on_trouble=setup.on_trouble,
        secured=setup.secured,
        on_secured=setup.on_secured,
        timeouts=timeouts,
    )


register_kind(
    RelayKind(
        schemes={"smtp": {"port": 25}, "smtps": {"port": 465, "implicit_tls": True}},
        example="smtp://user:password@mail.example.org:587 or smtps://mail.example.org",
        make=_make,
        options={
            "tls": ("starttls", one_of("offered", "require", "optional", "never")),
            "verify": ("verify", lambda value: one_of("yes", "no")(value) == "yes"),
        },
    )
)
