"""All relays of one sender process together: who is woken, who may take what, and what is told to the desk."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator

from morefollows.courier.relays.interface import Carriers
from morefollows.courier.relays.providers import Providers
from morefollows.courier.relays.relay_queue import Gate, Tally

_SMALL = 50  # mails for one provider, in one report, that are counted by its name; others are counted together


TRIAL = 3  #: mails: the first may be for the very reader whom the relay refuses


class Gates:
    """The gates, in the order in which they are woken: each time another one first."""

    def __init__(self, providers: Providers | None = None) -> None:
        self.providers = providers or Providers(None)
        self._gates: list[Gate] = []
        self.accepted = 0  #: mails, by any relay, since the process began
        self._waking = False
        self._pausing: set[str] = (
            set()
        )  # relays that refuse us, which the database does not know yet
        self._named: set[tuple[str, str]] = set()  # (relay, provider) that are counted by name

    def __iter__(self) -> Iterator[Gate]:
        return iter(self._gates)

    def add(self, gate: Gate) -> None:
        gate.shared = self
        self._gates.append(gate)

    async def open(self) -> None:
        """Opens connections ahead of the first mail."""
        await asyncio.gather(*(gate.open() for gate in self._gates))

    async def close(self) -> None:
        """Lets mails in flight come to their reply."""
        self.providers.close()
        await asyncio.gather(*(gate.close() for gate in self._gates))

    def wake(self) -> None:
        """There may be mail."""
        self._waking = False
        self._gates.append(self._gates.pop(0))
        for gate in self._gates:
            gate.expect()
        for gate in self._gates:
            gate.wake()

    def wake_soon(self) -> None:
        """A mail came back from a relay: another one may have it."""
        if not self._waking:
            self._waking = True
            asyncio.get_running_loop().call_soon(self.wake)

    # -- who may take what ------------------------------------------------------------------------------

    def alerts_can_go(self) -> bool:
        """Some relay that takes alerts is neither paused nor in trouble."""
        return any(
            gate.alerts and not gate.paused and gate.relay.circuit == "closed"
            for gate in self._gates
        )

    def elsewhere(self, gate: Gate, domain: str) -> bool:
        """Some other relay, which takes the same mails, would take one for this domain now."""
        provider = gate.pacing.provider(domain)
        return any(
            other is not gate
            and (other.alerts, other.bulk) == (gate.alerts, gate.bulk)
            and other.takes_mail
            and other.pacing.allowance(provider, 0) >= 1
            for other in self._gates
        )

    def allowance(self, bulk: bool, seconds: float) -> Callable[[str], float]:
        """How many mails of this lane may leave for a provider within so many seconds."""
        gates = [gate for gate in self._gates if gate.carries(bulk) and gate.takes_mail]
        return lambda provider: sum(gate.pacing.allowance(provider, seconds) for gate in gates)

    def carriers(self, relays: Collection[str], utf8: bool, size: int, bulk: bool) -> Carriers:
        """Whether a relay of this lane, other than these, can carry such a mail.

        One that is paused, down or not connected to yet may be able to later.
        """
        found: Carriers = "none"
        for gate in self._gates:
            if (
                gate.name not in relays
                and gate.carries(bulk)
                and (can := gate.relay.can_carry(utf8, size)) is not False
            ):
                if can and gate.takes_mail:
                    return "ready"
                found = "later"
        return found

    # -- pauses -----------------------------------------------------------------------------------------

    def paused(self, names: set[str], trials: Collection[str] = ()) -> bool:
        """Which relays are paused, by the database; and to which of them `TRIAL` mails may be handed all the same.

        Returns whether one goes on that was paused.
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

    def pausing(self, gate: Gate, *, noted: bool) -> None:
        """It refuses us; `noted`: the database knows."""
        (self._pausing.discard if noted else self._pausing.add)(gate.name)

    # -- what the desk is told --------------------------------------------------------------------------

    def tallies(self) -> dict[tuple[str, str], Tally]:
        """What the relays said since the last time, by relay and mailbox provider; small providers together, as ""."""
        found: dict[tuple[str, str], Tally] = {}
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
                    found.setdefault(key if key in self._named else (gate.name, ""), Tally()), tally
                )
        return found


def _add(sum_: Tally, more: Tally) -> None:
    sum_.accepted += more.accepted
    sum_.deferred += more.deferred
    sum_.refused += more.refused
    sum_.words = more.words or sum_.words
