"""What mailbox providers allow at first: connections, mails on each, and mails a second.

The file limits.toml has the figures, each with its source. They are where we begin and never
exceed. What a provider really takes is learned from its replies
(`courier.relays.provider_throttle`, `learned_limits`).
"""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_name("limits.toml")


class ProviderLimit(NamedTuple):
    """Limits of one provider, for all our senders and addresses together."""

    connections: int
    mails_each: int  #: on one connection; 0: no limit
    rate: float  #: mails a second; 0: no limit


@functools.cache
def _all() -> dict[str, ProviderLimit]:
    read = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {
        provider: ProviderLimit(
            int(one["connections"]), int(one.get("mails_each", 0)), float(one.get("rate", 0))
        )
        for provider, one in read.items()
    }


def limits_of(provider: str) -> ProviderLimit:
    """The limits of a provider, named by the registrable domain of its best MX host."""
    return _all().get(provider) or _all()["default"]
