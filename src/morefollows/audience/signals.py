"""Signals about readers, for parts that this one does not import.

They are sent in the transaction of the change. A receiver that raises undoes the change.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.dispatch import Signal

#: `what`: confirmed, unsubscribed, bounced or complained; `reader_ids`; `details`: topic, purpose
readers_changed = Signal()
#: `reader`: the row that is about to be deleted. Receivers delete what their part has of them.
reader_erased = Signal()


def tell_changed(what: str, reader_ids: Iterable[int], **details: str) -> None:
    """Sends `readers_changed`."""
    from morefollows.audience.models import Reader

    readers_changed.send(Reader, what=what, reader_ids=reader_ids, details=details)
