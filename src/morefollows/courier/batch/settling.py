"""Notes each reply of a relay as a mail's state, and decides about retries.

Invariant: a mail is settled exactly once each time it was handed out. A mail that was handed over
and got no reply is in doubt until a relay replies to a later copy.
"""

from __future__ import annotations

from collections.abc import Mapping

from morefollows.courier.batch.batch_mails import BatchMails
from morefollows.courier.batch.mail_states import DOUBT, STATE, State
from morefollows.courier.batch.prepared_alert import PreparedAlert
from morefollows.courier.ledger import claims, handed_out
from morefollows.courier.ledger.claims import Claim
from morefollows.courier.ledger.put_backs import PutBacks
from morefollows.courier.ledger.unfit_relays import Unfit
from morefollows.courier.models import Outcome
from morefollows.courier.recipients.selection import Recipient
from morefollows.courier.refusals.brake import RefusedMail
from morefollows.courier.relays.interface import AnsweringRelay, Mail, Reached, Reply
from morefollows.courier.smtp import replies
from morefollows.courier.smtp.replies import About, BounceKind, Verdict
from morefollows.database.clock import now_ms, uptime

LOOK_EVERY = 0.02  #: seconds for which one reading of the system clock is used
_POLICY_ATTEMPTS = 3  # passes for which a provider's policy refusal counts as temporary
_LONGEST_MS = claims.NOT_ACCEPTED - 1  # the longest time in ms that `Batch.times` can hold: 24 days
_ACCEPTED_MARK = handed_out.accepted(0)
# an attribute of an enum is slow to look up for each mail
_ACCEPTED = int(State.ACCEPTED)
_HANDED_OUT = int(State.HANDED_OUT)

#: (domain, outcome, code, status) → (count, first text)
ReplyCounts = dict[tuple[str, int, int, str], tuple[int, str]]


class ReplySettling:
    """Settles the mails of one batch. `recipients`: by reader id; the owner keeps it current."""

    def __init__(
        self,
        claim: Claim,
        prepared: PreparedAlert,
        mails: BatchMails,
        recipients: Mapping[int, Recipient],
    ) -> None:
        self.tried = False  #: some mail was not accepted in this pass
        self.repeated = claim.repeated  #: number of mails sent while a copy was in doubt
        self._claim = claim
        self._readers, self._times = claim.readers, claim.times
        self._prepared = prepared
        self._mails = mails
        self._states, self._marks = mails.states, mails.marks
        self._recipients = recipients
        self._bulk = bool(prepared.alert.bulk)  # SQLite returns 0 or 1
        self._put_backs = PutBacks()
        self._timed_until = self._since = 0.0  # see `_read_clock`; in seconds and ms
        # the relay that accepted the last mail, and the list of domains that it accepted
        self._relay: AnsweringRelay | None = None
        self._accepted: list[str] = []
        self._accept_times = prepared.accept_times
        self._counts: ReplyCounts = {}
        self._refusals: list[RefusedMail] = []  # since the last `take_counts`
        self._refused: list[RefusedMail] = []  # in this pass

    def settle(self, mail: Mail, reply: Reply) -> None:
        """Notes the relay's reply. Called once for each mail that a relay has taken."""
        i, relay, mails = mail.ticket, mail.relay, self._mails
        state = self._states[i]
        if state != _HANDED_OUT and state & STATE != _HANDED_OUT:
            raise RuntimeError(f"a mail in state {State(state & STATE).name} was settled")
        assert relay is not None
        domain = self._recipients[self._readers[i]].domain
        if mails.retrying:
            relay.heard(domain, reply, mails.retries.of(i).tries)
        else:
            relay.heard(domain, reply)
        mails.dirty = True
        if not reply.accepted:
            self._not_accepted(mail, relay, domain, reply)
            return
        if state & DOUBT:
            self.repeated += 1
        self._states[i] = _ACCEPTED
        now = uptime()
        if now >= self._timed_until:
            self._read_clock(now)
        since = int(now * 1000 + self._since)
        if not 0 <= since <= _LONGEST_MS:
            since = min(max(since, 0), _LONGEST_MS)
        self._times[i] = since
        self._marks[i] = since + _ACCEPTED_MARK
        if relay is not self._relay:
            self._relay, self._accepted = relay, self._prepared.answers.accepted_by(relay.name)
        self._accepted.append(domain)
        self._accept_times[domain].append(since)

    def _read_clock(self, now: float) -> None:
        """Sets `_since`, so that `uptime` in ms plus `_since` is the time since the hold's end.

        `now`: on the `uptime` clock, seconds.
        """
        self._since = now_ms() + 0.5 - self._prepared.alert.held_until_ms - now * 1000
        self._timed_until = now + LOOK_EVERY

    def _not_accepted(self, mail: Mail, relay: AnsweringRelay, domain: str, reply: Reply) -> None:
        """Notes a reply other than acceptance, or that there is none."""
        i, mails = mail.ticket, self._mails
        if not (replies.in_doubt(reply) or mails.doubted(i)):
            self._marks[i] = handed_out.NOT_ACCEPTED
        if replies.unfit_here(reply) and self._left_to_another(mail, relay, reply):
            return
        verdict = replies.verdict(reply)
        if not verdict.counts and self._put_backs.again(i, relay, reply):
            mails.put_back(i, alone=reply.reached is not Reached.QUEUED)
            self._prepared.on_put_back()
            return
        outcome = self._outcome(i, relay, domain, reply, verdict)
        if outcome == Outcome.UNCERTAIN:
            self.repeated += mails.doubted(i)
            # it only waited behind another mail: it is tried again at once
            if mails.no_reply(i, again=reply.reached is Reached.BEHIND):
                self._prepared.on_put_back()
                return
        elif outcome == Outcome.REFUSED:
            mails.refuse(i)
        elif not self._goes_by_another(mail, relay, reply, verdict):
            mails.defer(i)
        self.tried = True
        self._count(domain, outcome, reply)
        to_us = verdict.about is About.US
        if to_us or verdict.doubtful:
            fresh = not self._prepared.answers.has_carried(relay.name)
            relay.objected(domain, replies.full_text(reply), to_us=to_us, fresh=fresh)

    def _count(self, domain: str, outcome: Outcome, reply: Reply) -> None:
        """Counts the reply by domain, outcome and code. Keeps the first text, without addresses."""
        text = replies.without_addresses(reply.text)
        key = (domain, outcome.value, reply.code, reply.status)
        count, first_text = self._counts.get(key, (0, text))
        self._counts[key] = (count + 1, first_text)

    def take_counts(self) -> tuple[ReplyCounts, list[RefusedMail]]:
        """Returns and resets the counts and refusals that are to be written."""
        taken = self._counts, self._refusals
        self._counts, self._refusals = {}, []
        return taken

    def refuse(self, i: int, reply: Reply) -> None:
        """Refuses a mail that no relay of this lane can carry, or that can't be rendered."""
        self._mails.refuse(i)
        self.tried = self._mails.dirty = True
        self._count(self._recipients[self._readers[i]].domain, Outcome.REFUSED, reply)

    def _left_to_another(self, mail: Mail, relay: AnsweringRelay, reply: Reply) -> bool:
        """Leaves a mail that this relay can't carry to another relay of the lane.

        False if there is none.
        """
        unfit = Unfit.of(mail, reply, self._mails.unfit.get(mail.ticket))
        if relay.others(unfit.relays, unfit.utf8, unfit.size, self._bulk) == "none":
            return False
        self._mails.leave_to_another_relay(mail.ticket, unfit)
        return True

    def _goes_by_another(
        self, mail: Mail, relay: AnsweringRelay, reply: Reply, verdict: Verdict
    ) -> bool:
        """Leaves the mail to another relay, if this one refuses this service or many of its mails.

        False if the reply is of another kind, or no other relay takes mail now.
        """
        i, mails = mail.ticket, self._mails
        many = verdict.permanent and self._prepared.answers.relay_braked(relay.name)
        if mails.doubted(i) or not (many or verdict.about is About.US):
            return False
        unfit = Unfit.of(mail, reply, mails.unfit.get(i))
        if relay.others(unfit.relays, unfit.utf8, unfit.size, self._bulk) != "ready":
            mails.unfit.pop(i, None)  # any relay may be tried next time
            return False
        mails.leave_to_another_relay(i, unfit)
        mails.retrying = True
        return True

    def _outcome(
        self, i: int, relay: AnsweringRelay, domain: str, reply: Reply, verdict: Verdict
    ) -> Outcome:
        """The outcome for this verdict, or DEFERRED if a brake is on.

        A refusal that a brake may still take back is kept in `_refusals`.
        """
        if not verdict.doubtful and verdict.bounce is BounceKind.NO:
            return Outcome[verdict.outcome.upper()]
        provider, answers = relay.throttle.provider(domain), self._prepared.answers
        if answers.braked(relay.name, provider):
            if verdict.doubtful and not answers.has_accepted(relay.name, domain):
                relay.throttle.deferred(domain, replies.RATE_LIMITED)
            return Outcome.DEFERRED
        # A policy refusal is about this service if the provider accepts no mail of the alert. It is
        # about the recipient if the provider accepts others.
        open_ = self._mails.retries.of(i).tries < _POLICY_ATTEMPTS and not answers.has_accepted(
            relay.name, domain
        )
        if verdict.outcome == "deferred" and (open_ or verdict.about is not About.PROVIDER):
            if verdict.about is About.PROVIDER and answers.held_back(relay.name, provider):
                relay.throttle.deferred(domain, replies.RATE_LIMITED)
            return Outcome.DEFERRED
        facts = self._claim.batch, i, self._readers[i], domain, provider, relay.name
        bounce = verdict.bounce.value
        refused = RefusedMail(*facts, bounce, reply.code, reply.status, now_ms())
        self._refusals.append(refused)
        self._refused.append(refused)
        if answers.heard_refusal(refused, relay.throttle.provider):
            self.take_back()
            return Outcome.DEFERRED if answers.braked(relay.name, provider) else Outcome.REFUSED
        return Outcome.REFUSED

    def take_back(self) -> None:
        """Defers the mails of this pass that were refused under a brake.

        Called when a brake is put on.
        """
        answers, kept = self._prepared.answers, []
        for one in self._refused:
            if not answers.braked(one.relay, one.provider):
                kept.append(one)
            elif self._states[one.place] & STATE == State.REFUSED:
                self._mails.defer(one.place)
                self._mails.dirty = True
        self._refused = kept
