"""The part of the relays' limits that each live sender has, whichever machine it runs on.

Each sender writes its part into its row with its heartbeat, and reads those of the others
(`ledger.leases.take_share`). It takes at most an equal part, and at most what the others leave. So
one that joins waits until the others have given back, and when one dies they take what it had.

Invariant: the parts that live senders have written add up to 1 at most, once each has seen all.
"""

from __future__ import annotations

from collections.abc import Sequence


def fair_share(others: Sequence[float]) -> float:
    """Returns this sender's part, by the parts of the other live senders."""
    return min(1 / (1 + len(others)), max(0.0, 1.0 - sum(others)))


def limit_part(limit: int, share: float) -> int:
    """Returns a whole part of a limit: at least 1, but nothing for a share of nothing."""
    return max(1, int(limit * share + 1e-9)) if share > 0 else 0
