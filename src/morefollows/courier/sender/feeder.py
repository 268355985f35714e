"""Gives mails to the relays: each `RelayQueue` calls `next_mail` when it has a free connection.

The order is: letters, because they are few and a person waits for them; alerts; then bulk mail,
which waits while alerts have mail. Rates, shares between relays and pauses are the `RelayQueue`'s.

Invariant: never blocks, and never calls the database.
"""

from __future__ import annotations

from morefollows.courier.relays.interface import Mail
from morefollows.courier.relays.relay_queue import RelayQueue
from morefollows.courier.sender.loaded import Loaded
from morefollows.courier.sender.recorder import Recorder


class Feeder:
    """Chooses the next mail for a relay from what is loaded, and tells the recorder of it."""

    def __init__(self, loaded: Loaded, recorder: Recorder) -> None:
        self._loaded = loaded
        self._batches = loaded.batches
        self._letters = loaded.outbox.quick
        self._recorder = recorder
        self._stopped = False

    def stop(self) -> None:
        """No more mails are handed out."""
        self._stopped = True

    def next_mail(self, relay: RelayQueue) -> Mail | None:
        """The next mail for this relay, or None. Called for each mail."""
        if self._stopped:
            return None
        recorder, loaded, channel = self._recorder, self._loaded, relay.channel
        if self._letters.waiting and relay.takes_letters(bulk=False):
            recorder.wake()
            if (mail := loaded.outbox.take(relay, bulk=False)) is not None:
                return mail
        for bulk in (False, True):
            if not relay.carries(bulk):
                continue
            if bulk and loaded.alerts_first.bulk_waits():
                break
            for batch in self._batches:
                if batch.bulk is not bulk or batch.channel != channel:
                    continue
                if (mail := batch.take(relay)) is not None:
                    recorder.wake()
                    return mail
        if any(map(len, self._batches)):
            recorder.hurry()
        if (
            relay.takes_letters(bulk=True)
            and loaded.outbox.waits(bulk=True)
            and not loaded.alerts_first.bulk_waits()
        ):
            recorder.wake()
            return loaded.outbox.take(relay, bulk=True)
        return None
