"""The claimed letters of one lane in memory, from their claim to their result.

Letters are claimed and recorded in the database by `letter_claims`, by the same lease rules as
batches. Relays' replies to them are judged by `letter_replies`.

Invariant: a letter is handed out only if its reader was queried within `_LOOKED_UP` seconds and it
was claimed within `_BEGUN_WITHIN` seconds. Its content is not sent once another process may have
claimed it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from morefollows.audience.models import Letter
from morefollows.courier.outbox.letter_claims import ClaimedLetter, LetterResult, RefreshedLetters
from morefollows.courier.outbox.letter_replies import LetterSettling
from morefollows.courier.relays.interface import AnsweringRelay, Mail, Reply
from morefollows.database.clock import uptime
from morefollows.stories.actions import now_ms

# seconds for which the data of a letter's reader is used before it is queried again
_LOOKED_UP = 1.0
# seconds after its claim in which a letter may be handed out; then it is given back
_BEGUN_WITHIN = 60.0
_MOST_IN_FLIGHT = 2_000
_PASSED_BY = 32  # most letters skipped for another relay in one call


class _Waiting(NamedTuple):
    job: ClaimedLetter
    mail: Mail
    claimed_at: float  #: monotonic seconds, as is `looked_at`
    looked_at: float  #: when its reader was queried
    taken_at: float = 0.0  #: when it was handed out last, on the `uptime` clock


class LetterQueue:
    """The claimed letters of one lane in one sender process.

    `on_put_back`: called when a letter was put back, as another relay may take it. `fresh`: whether
    no other process can judge this one dead; see `Heartbeat.fresh`.
    """

    def __init__(
        self,
        on_put_back: Callable[[], None],
        fresh: Callable[..., bool] = lambda _since=None: True,
        *,
        bulk: bool = False,
    ) -> None:
        self._on_put_back = on_put_back
        self._fresh = fresh
        self.waiting: deque[_Waiting] = deque()  #: letters not handed out yet
        self._in_flight: dict[int, _Waiting] = {}
        self._settling = LetterSettling(bulk=bulk)
        self.done: list[LetterResult] = []

    def __len__(self) -> int:
        return len(self.waiting) + len(self._in_flight)

    def room(self, at_once: int) -> int:
        """How many more letters to claim, if `at_once` may wait.

        Letters in flight have their own limit.
        """
        return min(
            at_once - len(self.waiting), _MOST_IN_FLIGHT - len(self._in_flight) - len(self.done)
        )

    def held(self) -> set[int]:
        """Ids of the letters that this process has claimed and not recorded."""
        jobs = [one.job for one in (*self.waiting, *self._in_flight.values())]
        return {job.letter for job in (*jobs, *(one.job for one in self.done))}

    def add(self, jobs: Iterable[tuple[ClaimedLetter, Mail]]) -> None:
        """Takes in newly claimed jobs with their mails.

        `take` sets each mail's `settle` and `ticket`.
        """
        now = time.monotonic()
        self.waiting.extend(_Waiting(job, mail, now, now) for job, mail in jobs)

    def give_back_old(self) -> None:
        """Gives back letters that were claimed long ago and not handed out.

        That happens while relays are down.
        """
        oldest = time.monotonic() - _BEGUN_WITHIN
        old = [one.job for one in self.waiting if one.claimed_at < oldest]
        if old:
            self.waiting = deque(one for one in self.waiting if one.claimed_at >= oldest)
            self.done += [
                LetterResult(job, Letter.State.WAITING, now_ms(), tried=False) for job in old
            ]

    def to_look_up(self) -> list[ClaimedLetter]:
        """The waiting letters whose readers must be queried again before they are handed out."""
        old = time.monotonic() - _LOOKED_UP
        return [one.job for one in self.waiting if one.looked_at < old]

    def looked(self, again: RefreshedLetters) -> None:
        """Takes in the result of querying the readers of `to_look_up`."""
        about = {job.letter: job for job in again.asked}
        waiting, self.waiting, now = self.waiting, deque(), time.monotonic()
        for one in waiting:
            letter = one.job.letter
            if letter not in about:
                self.waiting.append(one)
            elif letter in again.made:
                job, mail = again.made[letter]
                job = job._replace(unanswered=max(job.unanswered, one.job.unanswered))
                self.waiting.append(_Waiting(job, mail, one.claimed_at, now))
            elif letter in again.same:
                self.waiting.append(one._replace(looked_at=now))
        self.done += again.done

    def take(self, relay: AnsweringRelay) -> Mail | None:
        """The next letter for this relay, or None.

        Its reader was queried within `_LOOKED_UP` seconds.
        """
        if not self.waiting or len(self._in_flight) >= _MOST_IN_FLIGHT or not self._fresh():
            return None
        now = time.monotonic()
        for _ in range(min(len(self.waiting), _PASSED_BY)):
            one = self.waiting[0]
            if now - one.looked_at >= _LOOKED_UP or now - one.claimed_at >= _BEGUN_WITHIN:
                return None  # the recorder queries its reader, or gives it back
            self.waiting.popleft()
            letter = one.job.letter
            if self._settling.is_unfit(letter, relay):
                self.waiting.append(one)
                continue
            self._in_flight[letter] = one._replace(taken_at=uptime())
            alone = self._settling.goes_alone(one.job)
            mail = one.mail._replace(settle=self._settle, ticket=letter, relay=relay, alone=alone)
            return mail._replace(hand_over=self._hand_over)
        return None

    def _hand_over(self, letter: int, content: bool) -> bool:
        """`interface.Mail.hand_over`."""
        return not content or self._fresh(self._in_flight[letter].taken_at)

    def _settle(self, mail: Mail, reply: Reply) -> None:
        """Takes in the relay's reply. Called once for each letter handed out."""
        one = self._in_flight.pop(mail.ticket)
        found = self._settling.settle(one.job, mail, reply)
        if isinstance(found, LetterResult):
            self.done.append(found)
        else:
            self.waiting.append(one._replace(job=found))
            self._on_put_back()
