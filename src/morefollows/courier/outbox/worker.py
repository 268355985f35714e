"""The letters of one sender process: claims them, renders them, and queries their readers again.

Batches of alerts are handled by `ledger` and `batch_run`. The lease rule for both is in `leases`.

Invariant: a letter stays in `held` from `add` until its result is recorded.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.db import Error as AnyDatabaseError
from django.db import transaction

from morefollows.audience.models import Letter
from morefollows.audit import actions as audit
from morefollows.courier.outbox import digests, letter_claims
from morefollows.courier.outbox.letter_claims import ClaimedLetter, LetterResult, RefreshedLetters
from morefollows.courier.outbox.mails import LetterMails
from morefollows.courier.outbox.queue import LetterQueue
from morefollows.courier.relays.interface import AnsweringRelay, Mail
from morefollows.stories.actions import now_ms

log = logging.getLogger(__name__)

_AT_ONCE = {False: 50, True: 200}  # by lane (bulk or not): letters that may wait to be handed out
_DIGESTS_EVERY = 20.0  # seconds between two checks for due digests


class NewlyClaimed(NamedTuple):
    """Newly claimed letters of one lane."""

    mails: list[tuple[ClaimedLetter, Mail]]
    done: list[LetterResult]  #: letters that can't be rendered


class Outbox:
    """The letters of both lanes in one sender process.

    `wake`: called when a letter was put back, as another relay may take it. `fresh`: see
    `Heartbeat.fresh`.
    """

    def __init__(self, name: str, wake: Callable[[], None], fresh: Callable[..., bool]) -> None:
        self._name = name
        self._mails = LetterMails()
        self._queues = {bulk: LetterQueue(wake, fresh, bulk=bulk) for bulk in (False, True)}
        self.quick = self._queues[False]  #: read for each mail
        # last check for due digests, monotonic seconds
        self._digests_checked_at = float("-inf")
        self._unwritten: list[LetterResult] = []

    # -- in the database thread -------------------------------------------------------------------

    def claim(self, *, bulk: bool, most: int | None = None) -> NewlyClaimed:
        """Claims due letters, as far as there is room. `most`: limit of letters held after that."""
        # If more digests are due than are created in one call, the next call creates the rest.
        if (
            bulk
            and time.monotonic() >= self._digests_checked_at + _DIGESTS_EVERY
            and digests.enqueue_due() < digests.AT_ONCE
        ):
            self._digests_checked_at = time.monotonic()
        queue_ = self._queues[bulk]
        room = queue_.room(_AT_ONCE[bulk]) if most is None else most - len(queue_)
        return self._make(letter_claims.claim_letters(self._name, room, bulk=bulk))

    def _make(self, jobs: Sequence[ClaimedLetter]) -> NewlyClaimed:
        """Renders these jobs. One that can't be rendered is refused, and all others go on."""
        made, done = [], []
        for job in jobs:
            try:
                made.append((job, self._mails.mail(job)))
            except AnyDatabaseError:
                raise
            except Exception as error:  # the error text may contain the address
                name = type(error).__name__
                log.error(
                    "the %s of reader %d can't be made, and is refused: %s",
                    job.kind,
                    job.reader,
                    name,
                )
                with transaction.atomic():
                    audit.record(
                        None, "mail not made", kind=job.kind, reader=job.reader, reason=name
                    )
                done.append(LetterResult(job, Letter.State.REFUSED, now_ms()))
        return NewlyClaimed(made, done)

    def _look_again(self, jobs: Sequence[ClaimedLetter]) -> RefreshedLetters:
        """Queries the readers of these jobs, and renders again what has changed."""
        found = letter_claims.look_again(jobs)
        same = {job.letter for job in jobs if _unchanged(job, found.get(job.letter))}
        made, done = self._make([job for letter, job in found.items() if letter not in same])
        gone = [job for job in jobs if job.letter not in found]
        done += [LetterResult(job, Letter.State.EXPIRED, now_ms(), tried=False) for job in gone]
        return RefreshedLetters(jobs, same, {job.letter: (job, mail) for job, mail in made}, done)

    def look_up(self, jobs: dict[bool, list[ClaimedLetter]]) -> dict[bool, RefreshedLetters]:
        """Queries the readers of each lane's `to_look_up`."""
        return {bulk: self._look_again(asked) for bulk, asked in jobs.items() if asked}

    # -- in the event loop ------------------------------------------------------------------------

    def add(self, claimed: NewlyClaimed, *, bulk: bool) -> None:
        """Takes in newly claimed letters."""
        self._queues[bulk].add(claimed.mails)
        self._queues[bulk].done += claimed.done

    def take(self, relay: AnsweringRelay, *, bulk: bool) -> Mail | None:
        """The next letter of this lane for this relay, or None."""
        return self._queues[bulk].take(relay)

    def waits(self, *, bulk: bool) -> bool:
        """Whether letters of this lane are claimed and not handed out."""
        return bool(self._queues[bulk].waiting)

    def idle(self, *, bulk: bool) -> bool:
        """Whether this process holds no letter of this lane."""
        return not len(self._queues[bulk])

    def held(self) -> set[int]:
        """Ids of the letters that this process has claimed and not recorded."""
        return (
            {one.job.letter for one in self._unwritten}
            | self._queues[False].held()
            | self._queues[True].held()
        )

    def to_look_up(self) -> dict[bool, list[ClaimedLetter]]:
        """The letters of each lane whose readers must be queried again. Gives old claims back."""
        for queue_ in self._queues.values():
            queue_.give_back_old()
        return {
            bulk: jobs for bulk, queue_ in self._queues.items() if (jobs := queue_.to_look_up())
        }

    def looked_up(self, found: dict[bool, RefreshedLetters]) -> None:
        """Takes in what `look_up` returned."""
        for bulk, again in found.items():
            self._queues[bulk].looked(again)

    def collect(self) -> list[LetterResult]:
        """The results to be recorded. They are kept until `written` is called."""
        for queue_ in self._queues.values():
            self._unwritten += queue_.done
            queue_.done = []
        return list(self._unwritten)

    def written(self, done: Sequence[LetterResult]) -> None:
        """Takes in that these results are in the ledger."""
        self._unwritten = self._unwritten[len(done) :]


def _unchanged(before: ClaimedLetter, now: ClaimedLetter | None) -> bool:
    """Whether the letter can be sent as rendered. `unanswered` does not count."""
    return now is not None and now._replace(unanswered=before.unanswered) == before
