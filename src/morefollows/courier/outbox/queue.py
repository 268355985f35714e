"""The claimed letters of one lane in memory, from their claim to their result.

Letters are claimed and recorded in the database by `claims`, by the same lease rules as batches.

Invariant: a letter is handed out only if its reader was queried within `_LOOKED_UP` seconds and it
was claimed within `_BEGUN_WITHIN` seconds.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.utils import timezone

from morefollows.audience.models import Letter
from morefollows.audience.suppression.bounces import BouncedMail
from morefollows.courier.ledger import retries
from morefollows.courier.ledger.put_backs import PutBacks
from morefollows.courier.ledger.unfit import Unfit
from morefollows.courier.outbox.claims import (
    TO_ANOTHER_ADDRESS,
    ClaimedLetter,
    LetterResult,
    RefreshedLetters,
)
from morefollows.courier.relays.interface import AnsweringRelay, Mail, Reached, Reply
from morefollows.courier.smtp import replies
from morefollows.stories.actions import now_ms

# seconds for which the data of a letter's reader is used before it is queried again
_LOOKED_UP = 1.0
# seconds after its claim in which a letter may be handed out; then it is given back
_BEGUN_WITHIN = 60.0
_MOST_IN_FLIGHT = 2_000
_PASSED_BY = 32  # most letters skipped for another relay in one call
_DOUBTFUL_ATTEMPTS = 5  # attempts after which a doubtful refusal is final: after about 40 minutes
_UNANSWERED_LIMIT = 3  # hand-overs without a reply, after which a letter is not repeated


class _Waiting(NamedTuple):
    job: ClaimedLetter
    mail: Mail
    claimed_at: float  #: monotonic seconds, as is `looked_at`
    looked_at: float  #: when its reader was queried


class LetterQueue:
    """The claimed letters of one lane in one sender process.

    `on_put_back`: called when a letter was put back, as another relay may take it. `fresh`: whether
    no other process can judge this one dead; see `Heartbeat.fresh`.
    """

    def __init__(
        self,
        on_put_back: Callable[[], None],
        fresh: Callable[[], bool] = lambda: True,
        *,
        bulk: bool = False,
    ) -> None:
        self._bulk = bulk
        self._on_put_back = on_put_back
        self._fresh = fresh
        self.waiting: deque[_Waiting] = deque()  #: letters not handed out yet
        self._in_flight: dict[int, _Waiting] = {}
        self._put_backs = PutBacks()
        self._unfit: dict[int, Unfit] = {}
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
            if letter in self._unfit and relay.name in self._unfit[letter].relays:
                self.waiting.append(one)
                continue
            self._in_flight[letter] = one
            alone = bool(one.job.unanswered) or letter in self._put_backs
            return one.mail._replace(settle=self._settle, ticket=letter, relay=relay, alone=alone)
        return None

    def _settle(self, mail: Mail, reply: Reply) -> None:
        """Notes the relay's reply. Called once for each letter handed out."""
        one, relay = self._in_flight.pop(mail.ticket), mail.relay
        assert relay is not None
        job = one.job
        relay.heard(job.domain, reply)
        now = now_ms()
        if reply.accepted:
            self._decided(LetterResult(job, Letter.State.ACCEPTED, now))
        else:
            verdict = replies.verdict(reply)
            unanswered = job.unanswered + replies.in_doubt(reply)
            if unanswered >= _UNANSWERED_LIMIT:
                self._decided(LetterResult(job, Letter.State.UNCERTAIN, now, unanswered=unanswered))
                return
            if self._comes_back(one, mail, reply, counts=verdict.counts):
                self.waiting.append(one._replace(job=job._replace(unanswered=unanswered)))
                self._on_put_back()
                return
            # While the relay accepts no mail, a refusal may be about this service. Letters pause no
            # relay.
            again = (
                verdict.doubtful and not relay.has_accepted and job.attempts < _DOUBTFUL_ATTEMPTS
            )
            if (verdict.permanent and not again) or (
                verdict.doubtful and job.attempts >= _DOUBTFUL_ATTEMPTS
            ):
                self._decided(
                    LetterResult(
                        job, Letter.State.REFUSED, now, _bounced(job, relay, reply, verdict)
                    )
                )
            else:
                due_at_ms = now + retries.wait_ms(job.attempts + 1)
                self._decided(
                    LetterResult(job, Letter.State.WAITING, due_at_ms, unanswered=unanswered)
                )

    def _decided(self, done: LetterResult) -> None:
        self._put_backs.forget(done.job.letter)
        self._unfit.pop(done.job.letter, None)
        self.done.append(done)

    def _comes_back(self, one: _Waiting, mail: Mail, reply: Reply, *, counts: bool) -> bool:
        """Whether the letter is handed out again at once.

        That is so if another relay may carry it, or after a relay's error.
        """
        letter, relay = one.job.letter, mail.relay
        assert relay is not None
        if replies.unfit_here(reply):
            self._unfit[letter] = unfit = Unfit.of(mail, reply, self._unfit.get(letter))
            return relay.others(unfit.relays, unfit.utf8, unfit.size, self._bulk) != "none"
        if reply.reached is Reached.BEHIND:
            return True
        return not counts and self._put_backs.again(letter, relay, reply)


def _bounced(
    job: ClaimedLetter, relay: AnsweringRelay, reply: Reply, verdict: replies.Verdict
) -> BouncedMail | None:
    """The bounce to count against the letter's reader. None if it went to another address."""
    if verdict.bounce is replies.BounceKind.NO or job.kind in TO_ANOTHER_ADDRESS:
        return None
    hard = verdict.bounce is replies.BounceKind.HARD
    return BouncedMail(
        job.reader,
        timezone.now(),
        hard,
        replies.short(reply),
        relay.name,
        relay.pacing.provider(job.domain),
    )
