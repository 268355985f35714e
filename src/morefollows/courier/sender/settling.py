"""Notes each reply of a relay as a mail's outcome, and decides about retries.

Invariant: outcomes change only as the table in `ledger.outcomes` allows. A mail that was handed
over and got no reply becomes UNCERTAIN.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Mapping

from morefollows.courier.ledger import claims, handed_out, retries
from morefollows.courier.ledger.claims import Claim
from morefollows.courier.ledger.put_backs import PutBacks
from morefollows.courier.ledger.recipients import Recipient
from morefollows.courier.ledger.retries import Retries
from morefollows.courier.ledger.waiting import Unfit, Waiting
from morefollows.courier.models import Outcome
from morefollows.courier.refusals.brake import RefusedMail
from morefollows.courier.relays.interface import AnsweringRelay, Mail, Reached, Reply
from morefollows.courier.sender.prepared_alert import PreparedAlert
from morefollows.courier.smtp import replies
from morefollows.courier.smtp.replies import About, BounceKind, Verdict
from morefollows.database.clock import now_ms, uptime

UNANSWERED = (Outcome.WAITING, Outcome.DEFERRED)
# the open outcomes where uncertain mails are repeated; else an editor decides
_OPEN = (
    *UNANSWERED,
    Outcome.UNCERTAIN,
)
_ACCEPTED = int(Outcome.ACCEPTED)  # an attribute of an enum is slow to look up for each mail
_MARK = handed_out.accepted(0)
_POLICY_ATTEMPTS = 3  # passes for which a provider's policy refusal counts as temporary
LOOK_EVERY = 0.02  #: seconds for which one reading of the system clock is used
_LONGEST_MS = claims.NOT_ACCEPTED - 1  # the longest time in ms that `Batch.times` can hold: 24 days


class ReplySettling:
    """The part of `batch_run.BatchRun` that notes replies."""

    def __init__(self, claim: Claim, release: PreparedAlert) -> None:
        self.claim = claim
        self.release = release
        self.bulk = False
        self.addressees: Mapping[int, Recipient] = {}
        self.in_flight = 0
        self.dirty = True
        self.waiting = Waiting()
        self._unfit = self.waiting.unfit  # read for each mail
        self._expired = False
        self._timed_until = self._since = 0.0  # see `_look_at_the_time`; in seconds and ms
        self._way: AnsweringRelay | None = (
            None  # relay that accepted the last mail; its list is `_accepted`
        )
        self._accepted: list[str] = []
        self._repeated = claim.repeated
        self._reply_counts: dict[tuple[str, int, int, str], tuple[int, str]] = {}
        self._refusals: list[RefusedMail] = []  # since the last entry
        self._refused: list[RefusedMail] = []  # in this pass
        self._put_backs = PutBacks()
        # mails that a connection ended with: they are sent alone on a connection
        self._careful: set[int] = set()
        self._tried = False  # some mail was not accepted in this pass
        self._retries = Retries(claim.times, release.running.held_until_ms)
        self._retrying = Outcome.DEFERRED in claim.outcomes or Outcome.UNCERTAIN in claim.outcomes
        open_ = frozenset(map(int, self._open))
        self._todo = deque([i for i, outcome in enumerate(claim.outcomes) if outcome in open_])
        self._uncertain: set[int] = set()
        #: marks in the journal file, kept if this process is killed
        self.marks: handed_out.Marks = array("I", bytes(4 * len(claim.readers)))

    @property
    def _open(self) -> tuple[Outcome, ...]:
        return _OPEN if self.release.running.repeat else UNANSWERED

    def settle(self, mail: Mail, reply: Reply) -> None:
        """Notes the relay's reply. Called once for each mail that a relay has taken."""
        i, way = mail.ticket, mail.way
        assert way is not None
        domain = self.addressees[self.claim.readers[i]].domain
        if self._retrying:
            way.heard(domain, reply, self._retries.of(i).tries)
        else:
            way.heard(domain, reply)
        self.in_flight -= 1
        self.dirty = True
        outcomes = self.claim.outcomes
        if reply.accepted:
            if i in self._uncertain:
                self._repeated += 1
            outcomes[i] = _ACCEPTED
            now = uptime()
            if now >= self._timed_until:
                self._look_at_the_time(now)
            since = int(now * 1000 + self._since)
            if not 0 <= since <= _LONGEST_MS:
                since = min(max(since, 0), _LONGEST_MS)
            self.claim.times[i] = since
            self.marks[i] = since + _MARK
            if way is not self._way:
                self._way, self._accepted = way, self.release.answers.accepted_by(way.name)
            self._accepted.append(domain)
            return
        if not replies.in_doubt(reply):
            self.marks[i] = handed_out.NOT_ACCEPTED
        if replies.unfit_here(reply) and self._goes_elsewhere(mail, reply):
            return
        verdict = replies.verdict(reply)
        if not verdict.counts and self._put_backs.again(i, way, reply):
            if reply.reached is not Reached.QUEUED:
                self._careful.add(i)
            self._todo.append(i)
            self.release.on_put_back()
            return
        outcome = self._outcome(i, way, domain, reply, verdict)
        if outcome == Outcome.UNCERTAIN and self._is_uncertain(i, reply):
            return
        outcomes[i] = outcome
        if outcome == Outcome.DEFERRED:
            self._retrying = True
            if not self._goes_by_another(mail, reply, verdict):
                self.waiting.later[i] = self._retries.deferred(i, now_ms())
            if i in self._uncertain:
                # the first copy may have arrived, whatever the reply to the second
                outcomes[i] = Outcome.UNCERTAIN
        self._tried = True
        self._count_verdict(domain, outcome, reply)
        to_us = verdict.about is About.US
        if to_us or verdict.doubtful:
            way.objected(domain, replies.full_text(reply), to_us=to_us)

    def _look_at_the_time(self, now: float) -> None:
        """Sets `_since`, so that `uptime` in ms plus `_since` is the time in ms since the hold's
        end.

        `now`: on the `uptime` clock, seconds.
        """
        self._since = now_ms() + 0.5 - self.release.running.held_until_ms - now * 1000
        self._timed_until = now + LOOK_EVERY

    def _count_verdict(self, domain: str, outcome: Outcome, reply: Reply) -> None:
        """Counts the reply by domain, outcome and code. Keeps the first text, without addresses."""
        words = replies.without_addresses(reply.text)
        key = (domain, outcome.value, reply.code, reply.status)
        count, first_words = self._reply_counts.get(key, (0, words))
        self._reply_counts[key] = (count + 1, first_words)

    def _goes_elsewhere(self, mail: Mail, reply: Reply) -> bool:
        """Leaves a mail that this relay can't carry to another relay of the lane.

        False if there is none.
        """
        i, way = mail.ticket, mail.way
        assert way is not None
        unfit = Unfit.of(mail, reply, self.waiting.unfit.get(i))
        if way.others(unfit.relays, unfit.utf8, unfit.size, self.bulk) == "none":
            return False
        self.waiting.park(i, unfit)
        if self.claim.outcomes[i] == Outcome.WAITING:
            self.claim.outcomes[i] = Outcome.DEFERRED
        return True

    def _goes_by_another(self, mail: Mail, reply: Reply, verdict: Verdict) -> bool:
        """Leaves the mail to another relay, if this one refuses this service or many of its mails.

        False if the reply is of another kind, or no other relay takes mail now.
        """
        i, way = mail.ticket, mail.way
        assert way is not None
        many = verdict.permanent and self.release.answers.relay_braked(way.name)
        if i in self._uncertain or not (many or verdict.about is About.US):
            return False
        unfit = Unfit.of(mail, reply, self._unfit.get(i))
        if way.others(unfit.relays, unfit.utf8, unfit.size, self.bulk) != "ready":
            self._unfit.pop(i, None)  # any relay may be tried next time
            return False
        self.waiting.park(i, unfit)
        return True

    def _refuse(self, i: int, reply: Reply) -> None:
        """Refuses a mail that no relay of this lane can carry, or that can't be rendered."""
        self.claim.outcomes[i] = Outcome.REFUSED
        self._tried = self.dirty = True
        self._count_verdict(self.addressees[self.claim.readers[i]].domain, Outcome.REFUSED, reply)

    def _is_uncertain(self, i: int, reply: Reply) -> bool:
        """Notes that a mail was handed over and got no reply.

        Returns True if it is tried again at once, because it only waited behind another mail. Where
        uncertain mails are repeated, a reader is sent at most `retries.MOST_COPIES` copies.
        """
        again = reply.reached is Reached.BEHIND and Outcome.UNCERTAIN in self._open
        copies = self._retries.unanswered(i, now_ms(), again=again)
        if i in self._uncertain:
            self._repeated += 1
        self._uncertain.add(i)
        self._careful.add(i)
        self._retrying = True
        self.claim.outcomes[i] = Outcome.UNCERTAIN
        if Outcome.UNCERTAIN in self._open and copies < retries.MOST_COPIES:
            if again:
                self._todo.append(i)
                self.release.on_put_back()
                return True
            self.waiting.later[i] = self._retries.of(i).due_at_ms
        return False

    def _outcome(
        self, i: int, way: AnsweringRelay, domain: str, reply: Reply, verdict: Verdict
    ) -> Outcome:
        """The outcome for this verdict, or DEFERRED if a brake is on.

        A refusal that a brake may still take back is kept in `_refusals`.
        """
        if not verdict.doubtful and verdict.bounce is BounceKind.NO:
            return Outcome[verdict.outcome.upper()]
        provider, answers = way.pacing.provider(domain), self.release.answers
        if answers.braked(way.name, provider):
            return Outcome.DEFERRED
        # A policy refusal is about this service if the provider accepts no mail of the alert. It is
        # about the recipient if the provider accepts others.
        open_ = self._retries.of(i).tries < _POLICY_ATTEMPTS and not answers.has_accepted(
            way.name, domain
        )
        if verdict.outcome == "deferred" and (open_ or verdict.about is not About.PROVIDER):
            if verdict.about is About.PROVIDER and answers.held_back(way.name, provider):
                way.pacing.deferred(domain, replies.RATE_LIMITED)
            return Outcome.DEFERRED
        facts = self.claim.batch, i, self.claim.readers[i], domain, provider, way.name
        now = now_ms()
        refused = RefusedMail(*facts, verdict.bounce.value, reply.code, reply.status, now)
        self._refusals.append(refused)
        self._refused.append(refused)
        if answers.heard_refusal(refused, way.pacing.provider):
            self.take_back()
            return Outcome.DEFERRED if answers.braked(way.name, provider) else Outcome.REFUSED
        return Outcome.REFUSED

    def take_back(self) -> None:
        """Defers the mails of this pass that were refused under a brake.

        Called when a brake is put on.
        """
        answers, kept = self.release.answers, []
        for one in self._refused:
            if not answers.braked(one.relay, one.provider):
                kept.append(one)
            elif self.claim.outcomes[one.place] == Outcome.REFUSED:
                self.claim.outcomes[one.place] = Outcome.DEFERRED
                self.waiting.later[one.place] = self._retries.deferred(one.place, now_ms())
                self._retrying = self.dirty = True
        self._refused = kept

    def _next_due(self, now: int) -> int | None:
        """When the first mail still to be sent is due, in ms since 1970. None if none is left."""
        outcomes = self.claim.outcomes
        open_ = UNANSWERED if self._expired else self._open
        if not any(outcomes.count(outcome) for outcome in open_):
            return None
        found = []
        for i, outcome in enumerate(outcomes):
            if outcome in open_:
                known = self._retries.of(i)
                if outcome != Outcome.UNCERTAIN or known.copies < retries.MOST_COPIES:
                    found.append(
                        known.due_at_ms
                        or now + retries.wait_ms(max(known.tries, 1), self._retries.longer)
                    )
        return min(found, default=None)
