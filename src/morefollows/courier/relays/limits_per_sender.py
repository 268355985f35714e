"""The part of the relays' limits that each live sender has, whichever machine it runs on.

Each sender writes its part into its row with its heartbeat, and reads those of the others. It takes
at most an equal part, and at most what the others leave. So one that joins waits until the others
have given back, and when one dies they take what it had.

What it makes of a limit: `interface.limit_part`.

Invariant: the parts that live senders have written add up to 1 at most, once each has seen all.
"""

from __future__ import annotations

from collections.abc import Sequence

from morefollows.courier.models import SenderProcess
from morefollows.nodes.identity import Process
from morefollows.stories.actions import now_ms

#: Without a heartbeat for so long, others take a sender's part of the relays' limits. Its claims
#: stay its own for longer: a mail that is sent twice is worse than a limit kept for two seconds.
LIVE_MS = 1_500


def take_share(process: Process) -> tuple[float, int]:
    """Writes this sender's part of the relays' limits. Returns it, and how many others live."""
    others = list(
        SenderProcess.objects.filter(seen_at_ms__gt=now_ms() - LIVE_MS)
        .exclude(name=process.name)
        .values_list("share", flat=True)
    )
    share = fair_share(others)
    SenderProcess.objects.filter(name=process.name).update(share=share)
    return share, len(others)


def fair_share(others: Sequence[float]) -> float:
    """Returns this sender's part, by the parts of the other live senders."""
    return min(1 / (1 + len(others)), max(0.0, 1.0 - sum(others)))
