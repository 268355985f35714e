"""Channels: how an alert reaches a reader. Mail is the only one so far.

A recipient of an alert is a reader, a channel and an address
(`recipients.selection.Recipient`). The channel is a column of the alert. The address is looked up
when a batch is loaded. The ledger stores neither: only reader ids and one outcome byte each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from morefollows.audience.suppression.hard_bounces import BouncedMail


class Channel(NamedTuple):
    """A channel. SQL fragments call the reader ``r`` and contain no values."""

    name: str
    #: SQL, two text columns: the address, and the domain by which replies are counted and throttled
    address: str
    #: SQL condition: the reader may get messages by this channel
    allowed: str
    #: Takes the two texts. Returns the address for the relay, and whether it needs SMTPUTF8.
    envelope: Callable[[str, str], tuple[bytes, bool]]
    join: str = ""  #: SQL: further tables to join
    #: Called after an alert has ended, with those of its refusals that count against the address
    #: and that no brake covers. Mail has `refusals.bounces` for this.
    on_refused: Callable[[Sequence[BouncedMail]], None] | None = None


def mailbox(address: str, domain: str) -> tuple[bytes, bool]:
    """Returns the address for the envelope, and whether it needs SMTPUTF8.

    The local part stays as typed. `domain` is in A-labels.
    """
    if address.endswith("@" + domain):  # the common case
        return address.encode(), not address.isascii()
    local = address[: address.rindex("@")]
    return f"{local}@{domain}".encode(), not local.isascii()


MAIL = Channel(
    "mail",
    address="r.address, r.domain",
    allowed="r.address <> ''"
    " AND (SELECT p.key FROM audience_suppression p WHERE p.key = r.key) IS NULL",
    envelope=mailbox,
)

#: Every channel by its name.
CHANNELS = {MAIL.name: MAIL}
