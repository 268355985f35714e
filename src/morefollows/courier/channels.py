"""Channels: the ways to a reader. Mail is one, and the only one so far.

A recipient of an alert is a reader, a channel and an address. The channel is the alert's (`claims.Running`), and the
address is looked up when a batch is loaded (`recipients`). The ledger keeps neither: only readers' ids, and one outcome
byte for each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Channel(NamedTuple):
    """A channel. What is SQL speaks of the reader as `r`, and holds no values."""

    name: str
    #: SQL of two texts: the reader's address, and who is behind it, by whom replies are counted and senders slowed down
    address: str
    #: SQL: the reader may be sent something by it now, whatever it is
    allowed: str
    #: The two texts → the address as the relay is given it, and whether it needs SMTPUTF8 there
    envelope: Callable[[str, str], tuple[bytes, bool]]
    join: str = ""  #: SQL: what else is read beside the reader


def mailbox(address: str, domain: str) -> tuple[bytes, bool]:
    """An address as the envelope has it (local part as typed, domain in A-labels), and whether it needs SMTPUTF8."""
    if address.endswith("@" + domain):  # as nearly all are
        return address.encode(), not address.isascii()
    local = address[: address.rindex("@")]
    return f"{local}@{domain}".encode(), not local.isascii()


MAIL = Channel(
    "mail",
    address="r.address, r.domain",
    allowed="(SELECT p.key FROM audience_suppression p WHERE p.key = r.key) IS NULL",
    envelope=mailbox,
)

#: Every channel by its name.
CHANNELS = {MAIL.name: MAIL}
