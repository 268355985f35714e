"""Judges the relay's reply to a letter: its result, or that it is handed out again at once.

A letter that was handed over and got no reply may have arrived. It is repeated twice at most, and
is then uncertain.
"""

from __future__ import annotations

from django.utils import timezone

from morefollows.audience.models import Letter
from morefollows.audience.suppression.hard_bounces import BouncedMail
from morefollows.courier.ledger import retries
from morefollows.courier.ledger.put_backs import PutBacks
from morefollows.courier.ledger.unfit_relays import Unfit
from morefollows.courier.outbox.letter_claims import (
    TO_ANOTHER_ADDRESS,
    TO_EDITORS,
    ClaimedLetter,
    LetterResult,
)
from morefollows.courier.relays.interface import AnsweringRelay, Mail, Reached, Reply
from morefollows.courier.smtp import replies
from morefollows.stories.actions import now_ms

_DOUBTFUL_ATTEMPTS = 5  # attempts after which a doubtful refusal is final: after about 40 minutes
_UNANSWERED_LIMIT = 3  # hand-overs without a reply, after which a letter is not repeated


class LetterSettling:
    """What relays have said to the undecided letters of one lane. `bulk`: the lane."""

    def __init__(self, *, bulk: bool) -> None:
        self._bulk = bulk
        self._put_backs = PutBacks()
        self._unfit: dict[int, Unfit] = {}

    def is_unfit(self, letter: int, relay: AnsweringRelay) -> bool:
        """Whether the relay has said that it can't carry this letter."""
        return letter in self._unfit and relay.name in self._unfit[letter].relays

    def goes_alone(self, job: ClaimedLetter) -> bool:
        """Whether the letter is sent alone on a connection, after trouble with it before."""
        return bool(job.unanswered) or job.letter in self._put_backs

    def settle(self, job: ClaimedLetter, mail: Mail, reply: Reply) -> LetterResult | ClaimedLetter:
        """Judges the reply to a letter. Called once each time that it was handed out.

        Returns its result; or the letter, with its new count of `unanswered`, if it is to be handed
        out again at once.
        """
        relay = mail.relay
        assert relay is not None
        relay.heard(job.domain, reply)
        now = now_ms()
        if reply.accepted:
            return self._decided(LetterResult(job, Letter.State.ACCEPTED, now))
        verdict = replies.verdict(reply)
        unanswered = job.unanswered + replies.in_doubt(reply)
        if unanswered >= _UNANSWERED_LIMIT:
            return self._decided(
                LetterResult(job, Letter.State.UNCERTAIN, now, unanswered=unanswered)
            )
        if self._comes_back(job.letter, mail, reply, counts=verdict.counts):
            return job._replace(unanswered=unanswered)
        # While the relay accepts no mail, a refusal may be about this service. Letters pause no
        # relay.
        again = verdict.doubtful and not relay.has_accepted and job.attempts < _DOUBTFUL_ATTEMPTS
        if (verdict.permanent and not again) or (
            verdict.doubtful and job.attempts >= _DOUBTFUL_ATTEMPTS
        ):
            bounced = _bounced(job, relay, reply, verdict)
            return self._decided(LetterResult(job, Letter.State.REFUSED, now, bounced))
        due_at_ms = now + retries.wait_ms(job.attempts + 1)
        return self._decided(
            LetterResult(job, Letter.State.WAITING, due_at_ms, unanswered=unanswered)
        )

    def _decided(self, done: LetterResult) -> LetterResult:
        self._put_backs.forget(done.job.letter)
        self._unfit.pop(done.job.letter, None)
        return done

    def _comes_back(self, letter: int, mail: Mail, reply: Reply, *, counts: bool) -> bool:
        """Whether the letter is handed out again at once.

        That is so if another relay may carry it, or after a relay's error.
        """
        relay = mail.relay
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
    """The bounce to count against the letter's reader. None if it went to somebody else."""
    if verdict.bounce is replies.BounceKind.NO or job.kind in (*TO_ANOTHER_ADDRESS, *TO_EDITORS):
        return None
    hard = verdict.bounce is replies.BounceKind.HARD
    return BouncedMail(
        job.reader,
        timezone.now(),
        hard,
        replies.short(reply),
        relay.name,
        relay.throttle.provider(job.domain),
    )
