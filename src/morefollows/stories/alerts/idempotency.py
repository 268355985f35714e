"""Idempotency of sending: a command that is run twice must not mail the same alert twice.

Invariant: callers hold the lock of `one_at_a_time` while they check and send. They also ask
`same_headline`, which needs no key.
"""

from __future__ import annotations

from morefollows.audience.models import Newsroom
from morefollows.stories.models import Alert

KEY_LIMIT = 200  #: characters of an idempotency key


def one_at_a_time() -> None:
    """Locks out other callers until the end of this transaction, by the newsroom's row.

    Without it, two callers could both find no earlier alert, and both send.
    """
    Newsroom.objects.select_for_update(no_key=True).filter(pk=1).first()


def sent_with(key: str) -> Alert | None:
    """The alert that was sent with this idempotency key, at any time."""
    return Alert.objects.select_related("update", "topic").filter(idempotency_key=key).first()
