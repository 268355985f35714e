"""All relays of one sender process: the order of waking, limits across relays, pauses, counts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator

from morefollows.courier.mx.tls_results import TlsSession
from morefollows.courier.relays.interface import Carriers
from morefollows.courier.relays.providers import Providers
from morefollows.courier.relays.relay_queue import RelayQueue, RelayTally

# Mails for one provider in one report from which it is counted by name; others are summed up.
_SMALL = 50


TRIAL = 3  #: mails; more than one, as the relay may refuse the first one's recipient only


class RelayPool:
    """The relays of a process. `wake` begins with another one each time."""

    def __init__(self, providers: Providers | None = None) -> None:
        self.providers = providers or Providers(None)
        self._relays: list[RelayQueue] = []
        self.accepted = 0  #: mails accepted by any relay since the process began
        self._waking = False
        # Relays that refuse us and whose pause is not in the database yet.
        self._pausing: set[str] = set()
        self._named: set[tuple[str, str]] = set()  # (relay, provider) counted by name

    def __iter__(self) -> Iterator[RelayQueue]:
        return iter(self._relays)

    def add(self, queue: RelayQueue) -> None:
        queue.shared = self
        self._relays.append(queue)

    def reshare(self, share: float) -> None:
        """Takes this sender's part of all limits, from 0 to 1: see `limits_per_sender`."""
        for queue in self._relays:
            queue.reshare(share)

    async def open(self) -> None:
        """Opens connections before the first mail."""
        await asyncio.gather(*(queue.open() for queue in self._relays))

    async def close(self) -> None:
        """Waits for the replies to mails in flight and disconnects."""
        self.providers.close()
        await asyncio.gather(*(queue.close() for queue in self._relays))

    def wake(self) -> None:
        """Called when there may be mail."""
        self._waking = False
        self._relays.append(self._relays.pop(0))
        for queue in self._relays:
            queue.expect()
        for queue in self._relays:
            queue.wake()

    def wake_soon(self) -> None:
        """Called when a relay returned a mail. Wakes all relays, as another one may take it."""
        if not self._waking:
            self._waking = True
            asyncio.get_running_loop().call_soon(self.wake)

    # -- limits across relays ----------------------------------------------------------------------

    def alerts_can_go(self, paused: Collection[str] = ()) -> bool:
        """Whether a relay that takes alerts is neither paused nor failing.

        `paused`: names of relays that are paused in the database.
        """
        return any(
            queue.alerts
            and not queue.paused
            and queue.name not in paused
            and queue.relay.circuit == "closed"
            for queue in self._relays
        )

    def elsewhere(self, queue: RelayQueue, domain: str) -> bool:
        """Whether another relay for the same lanes and channel would take such a mail now.

        `domain`: the recipient's.
        """
        provider = queue.throttle.provider(domain)
        return any(
            other is not queue
            and (other.alerts, other.bulk) == (queue.alerts, queue.bulk)
            and other.channel == queue.channel
            and other.takes_mail
            and other.throttle.allowance(provider, 0) >= 1
            for other in self._relays
        )

    def allowance(self, bulk: bool, seconds: float, channel: str) -> Callable[[str], float]:
        """Returns a function: provider → mails of this lane allowed within `seconds`."""
        relays = [
            queue
            for queue in self._relays
            if queue.carries(bulk) and queue.channel == channel and queue.takes_mail
        ]
        return lambda provider: sum(queue.throttle.allowance(provider, seconds) for queue in relays)

    def carriers(
        self, relays: Collection[str], utf8: bool, size: int, bulk: bool, channel: str
    ) -> Carriers:
        """Whether a relay of this lane and channel, other than `relays`, can carry such a mail.

        "later" stands for one that is paused, down or not connected to yet.
        """
        found: Carriers = "none"
        for queue in self._relays:
            if (
                queue.name not in relays
                and queue.carries(bulk)
                and queue.channel == channel
                and (can := queue.relay.can_carry(utf8, size)) is not False
            ):
                if can and queue.takes_mail:
                    return "ready"
                found = "later"
        return found

    # -- pauses ------------------------------------------------------------------------------------

    def paused(self, names: set[str], trials: Collection[str] = ()) -> bool:
        """Takes over from the database which relays are paused.

        `trials`: those that get `TRIAL` mails nevertheless. Returns whether a pause has ended.
        """
        resumed = False
        for queue in self._relays:
            paused = queue.name in names | self._pausing
            if queue.paused and not paused:
                queue.refusals.resumed()
                resumed = True
            queue.paused = paused
            queue.trial = 0 if not paused else TRIAL if queue.name in trials else queue.trial
        return resumed

    def pausing(self, queue: RelayQueue, *, noted: bool) -> None:
        """Called when a relay refuses us. `noted`: the database has the pause by now."""
        (self._pausing.discard if noted else self._pausing.add)(queue.name)

    def tls_sessions(self) -> Counter[TlsSession]:
        """Returns and resets the TLS sessions that relays for direct delivery have counted."""
        found: Counter[TlsSession] = Counter()
        for queue in self._relays:
            results = getattr(queue.relay, "tls_results", None)
            if results is not None:
                found.update(results.take())
        return found

    # -- counts for the desk -----------------------------------------------------------------------

    def tallies(self) -> dict[tuple[str, str], RelayTally]:
        """Returns and resets the counts by relay and provider. Small providers are summed as ""."""
        found: dict[tuple[str, str], RelayTally] = {}
        for queue in self._relays:
            by_domain, queue.tallies = queue.tallies, {}
            mails: Counter[str] = Counter()
            for domain, tally in by_domain.items():
                provider = self.providers.known(domain)
                mails[provider] += tally.accepted
                if tally.last_reply or mails[provider] >= _SMALL:
                    self._named.add((queue.name, provider))
            for domain, tally in by_domain.items():
                key = (queue.name, self.providers.known(domain))
                _add(
                    found.setdefault(key if key in self._named else (queue.name, ""), RelayTally()),
                    tally,
                )
        return found


def _add(sum_: RelayTally, more: RelayTally) -> None:
    sum_.accepted += more.accepted
    sum_.deferred += more.deferred
    sum_.refused += more.refused
    sum_.last_reply = more.last_reply or sum_.last_reply
