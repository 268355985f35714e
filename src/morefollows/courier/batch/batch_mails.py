"""The mails of one claimed batch in a sender process: their states, and the queues that order them.

`mail_states` has the states and the table of their changes.

Invariant: a mail is in exactly the queue that its state names. The queues hold only the order of
mails and their due times.
"""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator

from morefollows.courier.batch.mail_states import (
    ALONE,
    DOUBT,
    STATE,
    State,
    any_at_work,
    number_in,
    outcomes,
)
from morefollows.courier.ledger import handed_out, retries
from morefollows.courier.ledger.claims import Claim
from morefollows.courier.ledger.retries import Retries
from morefollows.courier.ledger.unfit_relays import Unfit
from morefollows.courier.models import Outcome
from morefollows.courier.relays.interface import Carriers
from morefollows.database.clock import now_ms

# looked up once, as they are used for each mail
_HANDED_OUT, _NOT_ACCEPTED = handed_out.HANDED_OUT, handed_out.NOT_ACCEPTED
_SOON_MS = 3000  # retries due within this time are sent at once, with the others of the batch


class BatchMails:
    """The states and queues of one claimed batch. A mail is named by its index in the batch.

    `repeat`: uncertain mails are sent again. `zero`: see `Retries`.
    """

    def __init__(
        self, claim: Claim, *, repeat: bool, zero: int, marks: handed_out.Marks | None = None
    ) -> None:
        self.ready: deque[int] = deque()  #: in the order in which they are handed out
        self.returning: list[int] = []
        self.in_write: list[int] = []
        self.later: dict[int, int] = {}  #: index → due time, ms since 1970
        self.shelves: dict[str, deque[int]] = {}  #: by mailbox provider
        #: what relays can't carry; kept until the end of the pass, also in other states
        self.unfit: dict[int, Unfit] = {}
        self.retries = Retries(claim.times, zero)
        #: marks in the journal file, kept if this process is killed
        self.marks = array("I", bytes(4 * len(claim.readers))) if marks is None else marks
        self.dirty = True  #: something is to be written to the ledger
        self._next_kind = False
        self._repeat = repeat
        #: whether some mails were tried before
        self.retrying = Outcome.DEFERRED in claim.outcomes or Outcome.UNCERTAIN in claim.outcomes
        if self.retrying:
            self.states = bytearray(self._begin_retries(claim.outcomes))
        else:
            self.states = bytearray(claim.outcomes)
            self.ready.extend([i for i, byte in enumerate(claim.outcomes) if byte == State.READY])

    def _begin_retries(self, outcomes: bytearray) -> list[int]:
        """Sorts the mails of a batch that was tried before, and returns their states.

        Mails with a retry time in the future are kept back. Uncertain mails with
        `retries.MOST_COPIES` copies are not sent again.
        """
        now, states = now_ms(), list(outcomes)
        for i, outcome in enumerate(outcomes):
            if outcome == Outcome.UNCERTAIN and self._repeat:
                self.retries.doubted(i)
                if self.retries.of(i).copies >= retries.MOST_COPIES:
                    continue
                states[i] = State.READY | DOUBT | ALONE
            elif outcome in (Outcome.WAITING, Outcome.DEFERRED):
                states[i] = State.READY
            else:
                continue
            due_at_ms = self.retries.of(i).due_at_ms
            if (
                outcome != Outcome.WAITING
                and now + _SOON_MS < due_at_ms <= now + retries.LONGEST_MS
            ):
                self.later[i] = due_at_ms
            else:
                self.ready.append(i)
        if self.later and not self.ready:
            # claimed before any mail was due: its due time was set earlier on purpose
            self.ready.extend(self.later)
            self.later.clear()
        for i in self.later:
            states[i] |= State.LATER
        return states

    def _change(self, i: int, state: State) -> None:
        """Changes the state and keeps the flags."""
        self.states[i] = (self.states[i] & ~STATE) | state

    # -- what there is

    def outcomes(self) -> bytes:
        """The outcomes for the ledger."""
        return outcomes(self.states)

    @property
    def in_flight(self) -> int:
        """The number of mails that relays have."""
        return number_in(self.states, State.HANDED_OUT)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do before the next retry is due."""
        return not any_at_work(self.states)

    @property
    def set_aside(self) -> bool:
        """Whether mails wait for a throttled provider or for another relay."""
        return bool(self.shelves) or bool(self.unfit and self._for_relay())

    @property
    def only_set_aside(self) -> bool:
        """Whether all mails that this pass still works on are set aside."""
        return self.set_aside and not (
            self.ready or self.returning or self.in_write or self.in_flight
        )

    def doubted(self, i: int) -> bool:
        """Whether an earlier copy may have arrived."""
        return self.states[i] & DOUBT != 0

    def next_due(self, now: int, *, expired: bool) -> int | None:
        """When the first mail still to be sent is due, in ms since 1970. None if none is left."""
        open_ = [Outcome.WAITING, Outcome.DEFERRED]
        if self._repeat and not expired:
            open_.append(Outcome.UNCERTAIN)
        outcomes_now = self.outcomes()
        if not any(outcomes_now.count(outcome) for outcome in open_):
            return None  # so it is for nearly every batch
        found = []
        for i, outcome in enumerate(outcomes_now):
            if outcome not in open_:
                continue
            known = self.retries.of(i)
            if outcome != Outcome.UNCERTAIN or known.copies < retries.MOST_COPIES:
                found.append(
                    known.due_at_ms
                    or now + retries.wait_ms(max(known.tries, 1), self.retries.longer)
                )
        return min(found, default=None)

    # -- changes. `BatchRun.take` and `ReplySettling.settle` make "handed out" and "accepted"
    # themselves, as a call for each mail costs too much.

    def hand_over(self, i: int, content: bool) -> None:
        """`interface.Mail.hand_over`: marks whether the content of a mail in flight may have left.

        A mail of which an earlier copy is in doubt keeps its mark.
        """
        if content:
            self.marks[i] = _HANDED_OUT
        elif not self.states[i] & DOUBT:
            self.marks[i] = _NOT_ACCEPTED

    def put_back(self, i: int, *, alone: bool) -> None:
        """A mail in flight is sent again at once, after those that are ready."""
        self.states[i] = (self.states[i] & ~STATE) | (ALONE if alone else 0)
        self.ready.append(i)

    def defer(self, i: int, due_at_ms: int | None = None) -> None:
        """A mail waits for its retry time. Without `due_at_ms` this counts as a try."""
        if due_at_ms is None:
            due_at_ms = self.retries.deferred(i, now_ms())
        self._change(i, State.LATER)
        self.later[i] = due_at_ms
        self.retrying = True

    def shelve(self, i: int, provider: str) -> None:
        """A mail waits for a throttled provider. One that was deferred before is sorted first."""
        self._change(i, State.FOR_PROVIDER)
        shelf = self.shelves.setdefault(provider, deque())
        (shelf.appendleft if self.retries.of(i).tries else shelf.append)(i)

    def leave_to_another_relay(self, i: int, unfit: Unfit) -> None:
        """A mail waits for a relay that can carry it."""
        self._change(i, State.FOR_RELAY)
        self.unfit[i] = unfit

    def refuse(self, i: int) -> None:
        """A final refusal."""
        self.states[i] = State.REFUSED

    def no_reply(self, i: int, *, again: bool) -> bool:
        """A mail was handed over, and there is no reply.

        `again`: repeat it at once, if it may be repeated. Returns whether it is. Otherwise it is
        repeated later; but a reader is sent at most `retries.MOST_COPIES` copies.
        """
        again &= self._repeat
        copies = self.retries.unanswered(i, now_ms(), again=again)
        self.retrying = True
        if not self._repeat or copies >= retries.MOST_COPIES:
            self.states[i] = State.UNCERTAIN
            return False
        self.states[i] |= DOUBT | ALONE
        if again:
            self.put_back(i, alone=True)
        else:
            self.defer(i, self.retries.of(i).due_at_ms)
        return again

    def drop(self, i: int, *, expired: bool) -> None:
        """A mail is not sent: its time to live is over, or the reader does not want it."""
        if expired:
            self.states[i] = State.UNCERTAIN if self.doubted(i) else State.EXPIRED
        else:
            self.states[i] = State.SKIPPED

    def come_back(self, i: int) -> None:
        """A mail that waited may be handed out after the next write."""
        self._change(i, State.RETURNING)
        self.returning.append(i)
        self.retries.at_once(i)

    def write_begun(self) -> None:
        """The mails that come back are in the write that begins."""
        for i in self.returning:
            self._change(i, State.IN_WRITE)
        self.in_write += self.returning
        self.returning = []

    def written(self) -> None:
        """That write is done: its mails may be handed out."""
        for i in self.in_write:
            self._change(i, State.READY)
        self.ready.extendleft(self.in_write)
        self.in_write = []

    def keep(self, wanted: Callable[[int], bool]) -> bool:
        """Keeps the mails that are `wanted`; the function changes the state of the others.

        Returns whether there were others.
        """
        before = len(self.ready) + len(self.returning)
        self.returning = [i for i in self.returning if wanted(i)]
        ready = [i for i in self.ready if wanted(i)]
        self.ready.clear()
        self.ready.extend(ready)
        return len(self.ready) + len(self.returning) < before

    # -- mails that wait

    def due(self, now: int) -> list[int]:
        """Removes and returns the mails whose retry time has come. `now`: ms since 1970."""
        if not self.later or min(self.later.values()) > now:
            return []
        found = [i for i, due_at_ms in self.later.items() if due_at_ms <= now]
        for i in found:
            del self.later[i]
        return found

    def all_due(self) -> None:
        """Makes all retries due at once."""
        self.later.update(dict.fromkeys(self.later, 0))

    def unshelve(self, allowance: Callable[[str], float], spent: Counter[str]) -> Iterator[int]:
        """Removes and yields the mails that their providers may be sent now.

        `spent`: allowance used by other batches, by provider; it is raised here.
        """
        for provider in list(self.shelves):
            shelf = self.shelves[provider]
            most = allowance(provider) - spent[provider]
            while shelf and most >= 1:
                # Retries and new mails alternate. If a provider accepts only retries, it uses
                # greylisting.
                self._next_kind = not self._next_kind
                yield shelf.popleft() if self._next_kind else shelf.pop()
                spent[provider] += 1
                most -= 1
            if not shelf:
                del self.shelves[provider]

    def _for_relay(self) -> list[int]:
        states = self.states
        return [i for i in self.unfit if states[i] & STATE == State.FOR_RELAY]

    def carried(self, carriers: Callable[[Unfit], Carriers]) -> list[tuple[int, Carriers]]:
        """The mails left to another relay, with "ready" (one can carry it now) or "none"."""
        found = [(i, carriers(self.unfit[i])) for i in self._for_relay()]
        return [(i, state) for i, state in found if state != "later"]

    def postpone_set_aside(self) -> None:
        """Gives up waiting in this pass for providers and relays, without counting a try."""
        due_at_ms = now_ms() + retries.wait_ms(1, self.retries.longer)
        found: Collection[int] = [i for shelf in self.shelves.values() for i in shelf]
        for i in (*found, *self._for_relay()):
            self.retries.postpone(i, due_at_ms)
            self.defer(i, due_at_ms)
        self.shelves.clear()
