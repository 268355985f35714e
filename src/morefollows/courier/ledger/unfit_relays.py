"""Which relays can't carry a mail, and its size, as far as it is known."""

from __future__ import annotations

from typing import NamedTuple

from morefollows.courier.relays.interface import Mail, Reply


class Unfit(NamedTuple):
    """A mail that some relays can't carry."""

    relays: frozenset[str]  #: names of these relays
    utf8: bool
    size: int
    reply: Reply  #: the reply of the last of them

    @classmethod
    def of(cls, mail: Mail, reply: Reply, before: Unfit | None) -> Unfit:
        """Adds the mail's relay. `before`: what was known of the mail."""
        assert mail.relay is not None
        relays = frozenset([mail.relay.name]) | (before.relays if before else frozenset())
        return cls(relays, mail.utf8, sum(map(len, mail.content)), reply)
