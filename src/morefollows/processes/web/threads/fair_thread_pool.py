"""A fixed number of threads, shared fairly between the networks that requests come from.

No network may use more than a part of the threads at a time. Networks that wait get the next free
thread in turn, so that one with hundreds of requests delays another by one request. A network that
has used much of the processor lately, or has asked for much that makes no sense, has one thread and
comes after the others. All such networks together have a few threads.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from morefollows.processes import thread_priority
from morefollows.processes.web.threads.processor_budget import ProcessorBudget, ThreadClock

Turn = asyncio.Future[ThreadPoolExecutor]

_SPENT_AT_ONCE = 2  # executors that networks without a budget use together


class FairThreadPool:
    """A fixed number of executors with one thread each. `take` waits for a free one.

    `waiting`: requests that may wait, and `seconds` how long. `most_a_network`: executors that one
    network may use at a time; a third of the waiting requests may be its own. `budget` says which
    networks come last. `begin` is called in each thread.
    """

    def __init__(
        self,
        count: int,
        waiting: int,
        seconds: float,
        *,
        most_a_network: int | None = None,
        budget: ProcessorBudget | None = None,
        begin: Callable[[], None] = thread_priority.step_back,
    ) -> None:
        clocks = [ThreadClock(f"page-{n}", begin) for n in range(count)]
        self._clocks = {clock.executor: clock for clock in clocks}
        self._free = list(self._clocks)
        self._budget = budget
        self._queues: dict[str, deque[Turn]] = {}  # by network; the next one is first
        self._waiting = 0
        self._used: Counter[str] = Counter()
        self._of_spent: set[ThreadPoolExecutor] = set()  # those that such networks use
        self._most_waiting = waiting
        self._most_a_network = most_a_network or count
        self._most_waiting_a_network = (
            max(1, waiting // 3) if self._most_a_network < count else waiting
        )
        self._seconds = seconds

    async def take(self, network: str = "") -> ThreadPoolExecutor | None:
        """Returns a free executor; None if too many wait or the wait took too long."""
        if self._free and self._used[network] < self._most_of(network):
            return self._lend(network)
        queue = self._queues.get(network)
        if self._waiting >= self._most_waiting or (
            queue is not None and len(queue) >= self._most_waiting_a_network
        ):
            return None
        turn: Turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(network, deque()).append(turn)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                return await turn
        except TimeoutError:
            # The executor may have been assigned at the moment of the time-out.
            return turn.result() if turn.done() and not turn.cancelled() else None
        finally:
            self._drop(network, turn)

    def give_back(self, slot: ThreadPoolExecutor, network: str = "") -> None:
        """Takes an executor back from a request of this network."""
        self._used[network] -= 1
        if not self._used[network]:
            del self._used[network]
        self._of_spent.discard(slot)
        if self._budget is not None:
            self._budget.charge(network, self._clocks[slot].since_last())
        self._free.append(slot)
        self._assign()

    def close(self) -> None:
        for slot in self._clocks:
            slot.shutdown(wait=False, cancel_futures=True)

    def _assign(self) -> None:
        """Gives the free executors to the networks that wait, in turn."""
        last = []
        for network in list(self._queues):
            if not self._free:
                return
            if self._is_spent(network):
                last.append(network)
            else:
                self._serve(network)
        for network in last:
            if self._free:
                self._serve(network)

    def _serve(self, network: str) -> None:
        """Gives a free executor to the next request of a network, unless it uses enough."""
        if self._used[network] >= self._most_of(network):
            return
        queue = self._queues[network]
        while queue:
            turn = queue.popleft()
            self._waiting -= 1
            if not turn.done():
                turn.set_result(self._lend(network))
                break
        del self._queues[network]
        if queue:
            self._queues[network] = queue  # last in turn

    def _lend(self, network: str) -> ThreadPoolExecutor:
        self._used[network] += 1
        slot = self._free.pop()
        if self._is_spent(network):
            self._of_spent.add(slot)
        return slot

    def _is_spent(self, network: str) -> bool:
        return self._budget is not None and self._budget.is_spent(network)

    def _most_of(self, network: str) -> int:
        """The executors that the network may use at a time."""
        if not self._is_spent(network):
            return self._most_a_network
        return 1 if len(self._of_spent) < _SPENT_AT_ONCE else 0

    def _drop(self, network: str, turn: Turn) -> None:
        queue = self._queues.get(network)
        if queue is not None and turn in queue:
            queue.remove(turn)
            self._waiting -= 1
            if not queue:
                del self._queues[network]
