"""All relays of one sender process: the order of waking, limits across relays, pauses, counts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator

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
        self._gates: list[RelayQueue] = []
        self.accepted = 0  #: mails accepted by any relay since the process began
        self._waking = False
        # Relays that refuse us and whose pause is not in the database yet.
        self._pausing: set[str] = set()
        self._named: set[tuple[str, str]] = set()  # (relay, provider) counted by name

    def __iter__(self) -> Iterator[RelayQueue]:
        return iter(self._gates)

    def add(self, gate: RelayQueue) -> None:
        gate.shared = self
        self._gates.append(gate)

    async def open(self) -> None:
        """Opens connections before the first mail."""
        await asyncio.gather(*(gate.open() for gate in self._gates))

    async def close(self) -> None:
        """Waits for the replies to mails in flight and disconnects."""
        self.providers.close()
        await asyncio.gather(*(gate.close() for gate in self._gates))

    def wake(self) -> None:
        """Called when there may be mail."""
        self._waking = False
        self._gates.append(self._gates.pop(0))
        for gate in self._gates:
            gate.expect()
        for gate in self._gates:
            gate.wake()

    def wake_soon(self) -> None:
        """Called when a relay returned a mail. Wakes all relays, as another one may take it."""
        if not self._waking:
            self._waking = True
            asyncio.get_running_loop().call_soon(self.wake)

    # -- limits across relays ----------------------------------------------------------------------

    def alerts_can_go(self) -> bool:
        """Whether a relay that takes alerts is neither paused nor failing."""
        return any(
            gate.alerts and not gate.paused and gate.relay.circuit == "closed"
            for gate in self._gates
        )

    def elsewhere(self, gate: RelayQueue, domain: str) -> bool:
        """Whether another relay for the same lanes and channel would take such a mail now.

        `domain`: the recipient's.
        """
        provider = gate.pacing.provider(domain)
        return any(
            other is not gate
            and (other.alerts, other.bulk, other.channel) == (gate.alerts, gate.bulk, gate.channel)
            and other.takes_mail
            and other.pacing.allowance(provider, 0) >= 1
            for other in self._gates
        )

    def allowance(self, bulk: bool, seconds: float, channel: str) -> Callable[[str], float]:
        """Returns a function: provider → mails of this lane allowed within `seconds`."""
        gates = [
            gate
            for gate in self._gates
            if gate.carries(bulk) and gate.channel == channel and gate.takes_mail
        ]
        return lambda provider: sum(gate.pacing.allowance(provider, seconds) for gate in gates)

    def carriers(
        self, relays: Collection[str], utf8: bool, size: int, bulk: bool, channel: str
    ) -> Carriers:
        """Whether a relay of this lane and channel, other than `relays`, can carry such a mail.

        "later" stands for one that is paused, down or not connected to yet.
        """
        found: Carriers = "none"
        for gate in self._gates:
            if (
                gate.name not in relays
                and gate.carries(bulk)
                and gate.channel == channel
                and (can := gate.relay.can_carry(utf8, size)) is not False
            ):
                if can and gate.takes_mail:
                    return "ready"
                found = "later"
        return found

    # -- pauses ------------------------------------------------------------------------------------

    def paused(self, names: set[str], trials: Collection[str] = ()) -> bool:
        """Takes over from the database which relays are paused.

        `trials`: those that get `TRIAL` mails nevertheless. Returns whether a pause has ended.
        """
        resumed = False
        for gate in self._gates:
            paused = gate.name in names | self._pausing
            if gate.paused and not paused:
                gate.refusals.resumed()
                resumed = True
            gate.paused = paused
            gate.trial = 0 if not paused else TRIAL if gate.name in trials else gate.trial
        return resumed

    def pausing(self, gate: RelayQueue, *, noted: bool) -> None:
        """Called when a relay refuses us. `noted`: the database has the pause by now."""
        (self._pausing.discard if noted else self._pausing.add)(gate.name)

    # -- counts for the desk -----------------------------------------------------------------------

    def tallies(self) -> dict[tuple[str, str], RelayTally]:
        """Returns and resets the counts by relay and provider. Small providers are summed as ""."""
        found: dict[tuple[str, str], RelayTally] = {}
        for gate in self._gates:
            said, gate.tallies = gate.tallies, {}
            mails: Counter[str] = Counter()
            for domain, tally in said.items():
                provider = self.providers.known(domain)
                mails[provider] += tally.accepted
                if tally.words or mails[provider] >= _SMALL:
                    self._named.add((gate.name, provider))
            for domain, tally in said.items():
                key = (gate.name, self.providers.known(domain))
                _add(
                    found.setdefault(key if key in self._named else (gate.name, ""), RelayTally()),
                    tally,
                )
        return found


def _add(sum_: RelayTally, more: RelayTally) -> None:
    sum_.accepted += more.accepted
    sum_.deferred += more.deferred
    sum_.refused += more.refused
    sum_.words = more.words or sum_.words
