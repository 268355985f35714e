"""One pass over a claimed batch: renders its mails, hands them out and reports their outcomes.

Called by the scheduler (readers' data), the feeder (`take`) and the recorder (limits, outcomes).
Invariant: a mail is handed out only while its index is below `handed_out_to` as in the ledger and
the claim has not run out. It is marked as handed out before that is checked.
"""

from __future__ import annotations

import functools
import itertools
import logging
import math
import operator
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from django.conf import settings

from morefollows.courier.batch.batch_mails import BatchMails
from morefollows.courier.batch.mail_states import ALONE, State
from morefollows.courier.batch.prepared_alert import PreparedAlert
from morefollows.courier.batch.settling import LOOK_EVERY, ReplySettling
from morefollows.courier.ledger.claims import BatchRecord, Claim
from morefollows.courier.ledger.handed_out import HANDED_OUT, Marks
from morefollows.courier.ledger.leases import claim_ms
from morefollows.courier.recipients.selection import Recipient
from morefollows.courier.relays.interface import AnsweringRelay, Carriers, Mail, Reached, Reply
from morefollows.courier.smtp import replies
from morefollows.database.clock import now_ms, uptime
from morefollows.helpers.telemetry import tracing

log = logging.getLogger(__name__)

#: `interface.AnsweringRelay.others`
Others = Callable[[Collection[str], bool, int, bool], Carriers]
_Made = tuple[bytes, bytes, Sequence[bytes], bool]  # return path, recipient, content, SMTPUTF8
_mail = functools.partial(tuple.__new__, Mail)  # same as `Mail._make`, in half the time
_later: Callable[[Any], bool] = operator.itemgetter(Recipient._fields.index("later"))
_STATE_HANDED_OUT = int(State.HANDED_OUT)  # an enum's attribute is slow to look up for each mail
_MADE_AT_ONCE = 50
_SIGNED_AT_ONCE = 8  # few, because DKIM signing is slow and blocks the event loop
_PASSED_BY = 32  # most mails skipped for another relay in one call


class BatchRun:
    """A claimed batch in one sender process. Not thread-safe."""

    def __init__(
        self,
        claim: Claim,
        recipients: Mapping[int, Recipient],
        prepared: PreparedAlert,
        had: Mapping[int, Sequence[int]] | None = None,
        marks: Marks | None = None,
    ) -> None:
        """Loads the claim.

        `had`: reader id → earlier alerts of the same story that were sent to this reader.
        `marks`: see `handed_out.HandedOutJournal.open`.
        """
        alert = prepared.alert
        self.claim = claim
        self.prepared = prepared
        self.bulk = bool(alert.bulk)  # SQLite returns 0 or 1
        self.channel = alert.channel
        self.recipients: dict[int, Recipient] = {}
        self.mails = BatchMails(claim, repeat=alert.repeat, zero=alert.held_until_ms, marks=marks)
        self.replies = ReplySettling(claim, prepared, self.mails, self.recipients)
        self._had = had or {}
        self._rendered: dict[int, _Made] = {}  # ahead, by index
        self.loaded_at = time.monotonic()
        self.claimed_until = 0  #: end of the claim as in the ledger, ms since 1970
        # the same on the `uptime` clock, as the system clock may be set back
        self._claim_ends = 0.0
        self._ours_until = 0.0  # on the `uptime` clock: until then both ends need no new check
        self.renewed(now_ms() + claim_ms())
        #: limit written in the ledger: only mails with a lower index may be handed out
        self.handed_out_to = 0
        self.lost = False  #: another process has claimed the batch
        #: whether some mails were tried before
        self.again = claim.attempts > 0 or self.mails.retrying
        self._handed_out_to_wanted = 0
        self._gave_up_waiting = False
        #: (reader, reason) of mails that can't be rendered: for the activity log
        self.unmade: list[tuple[int, str]] = []
        # bound once, as they are used for each mail
        self._ready, self._states = self.mails.ready, self.mails.states
        self._marks, self._unfit = self.mails.marks, self.mails.unfit
        self._settle = self.replies.settle
        self._expired = False
        #: for traces: relay → when it took the first and the last mail (`uptime`), and how many
        self.carried: dict[str, tuple[float, float, int]] | None = {} if tracing.enabled() else None
        self.refresh(recipients)

    # -- the claim

    def renewed(self, claimed_until: int) -> None:
        """Takes in the new end of the claim, as written in the ledger, in ms since 1970."""
        self.claimed_until = claimed_until
        self._claim_ends = uptime() + (claimed_until - now_ms()) / 1000
        self._ours_until = 0.0

    def _is_ours(self, now: float) -> bool:
        """Whether the claim has not run out by either clock. `now`: on the `uptime` clock."""
        if now_ms() >= self.claimed_until or now >= self._claim_ends:
            return False
        self._ours_until = min(now + LOOK_EVERY, self._claim_ends)
        return True

    # -- what is left to do

    def __len__(self) -> int:
        """Number of mails still to hand out."""
        return len(self._ready)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do before the next retry is due."""
        return self.mails.done

    @property
    def waits(self) -> bool:
        """Whether mails wait for a throttled provider, a fitting relay or their retry time."""
        return self.mails.set_aside or bool(self.mails.later and not self.mails.done)

    def waiting_for(self) -> list[int]:
        """Ids of the readers whose mails are handed out next."""
        return [self.claim.readers[i] for i in (*self.mails.returning, *self._ready)]

    # -- mails that wait

    def bring_back(
        self, allowance: Callable[[str], float], spent: Counter[str], carriers: Others
    ) -> None:
        """Makes waiting mails ready whose provider, relay or retry time allows it.

        `spent`: allowance used by other batches, by provider; it is raised here. `carriers`: as
        `interface.AnsweringRelay.others`.
        """
        now, mails = now_ms(), self.mails
        over = now > self.prepared.alert.expires_at_ms
        limit = (lambda _provider: math.inf) if over else allowance
        for i in (*mails.due(now), *mails.unshelve(limit, spent)):
            self._come_back(i)
        found = mails.carried(
            lambda one: "ready" if over else carriers(one.relays, one.utf8, one.size, self.bulk)
        )
        for i, state in found:
            if state == "ready":
                self._come_back(i)
            elif replies.unfit_here(mails.unfit[i].reply):
                self.replies.refuse(i, mails.unfit[i].reply)
            else:  # refused under a brake: tried again later
                del mails.unfit[i]
                mails.defer(i)
                mails.dirty = True

    def _come_back(self, i: int) -> None:
        """Makes the mail at `i` ready for the next write, after which it may be handed out."""
        self.mails.come_back(i)
        self.loaded_at = 0.0  # forces a new query of the readers
        self.mails.dirty = True

    def give_up_waiting(self) -> None:
        """Stops waiting in this pass.

        The mails are postponed, and come back when the batch is claimed again.
        """
        self.mails.postpone_set_aside()
        self._gave_up_waiting = self.mails.dirty = True

    # -- readers' data

    def refresh(
        self, recipients: Mapping[int, Recipient], asked: Collection[int] | None = None
    ) -> None:
        """Takes in the readers' current data. Who left is skipped; who wants the mail later waits.

        `asked`: ids of the readers that were queried; None for all of them. Others stay as they
        are.
        """
        self.recipients.update(recipients)  # mails in flight still need their readers
        self._rendered.clear()
        self.loaded_at = time.monotonic()
        self._expired = now_ms() > self.prepared.alert.expires_at_ms
        if (
            asked is None
            and not self._expired
            and not self.mails.returning
            and self._all_wanted(recipients)
        ):
            return
        about = None if asked is None else set(asked)
        left_out = self.mails.keep(lambda i: self._still_wanted(i, recipients, about))
        self.mails.dirty |= left_out

    def _all_wanted(self, recipients: Mapping[int, Recipient]) -> bool:
        """Whether all readers still want the mail now.

        A fast check that holds for nearly every batch.
        """
        readers, get = self.claim.readers, recipients.get
        found = [get(readers[i]) for i in self._ready]
        return all(found) and True not in map(_later, found)

    def _still_wanted(
        self, i: int, recipients: Mapping[int, Recipient], about: set[int] | None
    ) -> bool:
        """Whether the mail at `i` is still to be sent now. Changes its state if not."""
        reader = self.claim.readers[i]
        if self._expired:
            self.mails.drop(i, expired=True)
            return False
        if about is not None and reader not in about:
            return True
        recipient = recipients.get(reader)
        if recipient is None:
            self.mails.drop(i, expired=False)
            return False
        if recipient.later:
            self.mails.defer(i)
            return False
        return True

    # -- handing out

    def grant(self, mails: int) -> int:
        """Requests that up to `mails` more mails may be handed out, with the next write.

        Returns how many of them this batch can use.
        """
        used = min(mails, len(self._ready))
        if used:
            handed_out_to = 1 + max(itertools.islice(self._ready, used))
            if handed_out_to > self._handed_out_to_wanted:
                self._handed_out_to_wanted = handed_out_to
                self.mails.dirty = True
        return used

    def take(self, relay: AnsweringRelay) -> Mail | None:
        """The next mail for this relay, or None if none is left or the ledger does not allow it."""
        ready = self._ready
        if not ready or ready[0] >= self.handed_out_to or not self.prepared.sending or self.lost:
            return None
        if self._unfit or relay.throttle.watching:
            found = self._next(relay)
            if found is None:
                return None
            i = found
        else:
            i = ready.popleft()
        rendered = self._rendered.pop(i, None)
        if rendered is None:
            self._render(i)
            rendered = self._rendered.pop(i, None)
            if rendered is None:
                return self.take(relay)  # it can't be rendered, and is refused
        # Marked first, then checked: wherever this process is stopped, the mail has its mark or is
        # not sent. A sender that takes the batch over reads the marks after the claim's end.
        marks, mark = self._marks, self._marks[i]
        marks[i] = HANDED_OUT
        if (now := uptime()) >= self._ours_until and not self._is_ours(now):
            marks[i] = mark
            ready.appendleft(i)
            self._rendered[i] = rendered
            return None  # another process may hold the batch: the next write finds out
        return_path, to, content, utf8 = rendered
        states = self._states
        alone = states[i] & ALONE != 0
        states[i] |= _STATE_HANDED_OUT
        if self.carried is not None:
            first, _, mails = self.carried.get(relay.name, (now, now, 0))
            self.carried[relay.name] = first, now, mails + 1
        settle, hand_over = self._settle, self._hand_over
        return _mail((return_path, to, content, settle, i, utf8, relay, alone, hand_over))

    def _hand_over(self, i: int, content: bool) -> bool:
        """`interface.Mail.hand_over`. Marks the mail, then checks the claim: see `take`."""
        self.mails.hand_over(i, content)
        now = uptime()
        return not content or (not self.lost and (now < self._ours_until or self._is_ours(now)))

    def _next(self, relay: AnsweringRelay) -> int | None:
        """Index of the next mail that this relay can carry and its provider may be sent now.

        Mails before it are set aside: for another relay, or until their provider may be sent more.
        """
        passed_by = 0
        ready, mails = self._ready, self.mails
        while ready and ready[0] < self.handed_out_to and passed_by < _PASSED_BY:
            i = ready.popleft()
            domain = self.recipients[self.claim.readers[i]].domain
            if (unfit := self._unfit.get(i)) is not None and relay.name in unfit.relays:
                if relay.others(unfit.relays, unfit.utf8, unfit.size, self.bulk) == "ready":
                    ready.append(i)
                    passed_by += 1
                    continue
                mails.leave_to_another_relay(i, unfit)
            elif relay.throttle.may_mail(domain):
                return i
            elif relay.elsewhere(domain):
                ready.append(i)
                passed_by += 1
                continue
            else:
                mails.shelve(i, relay.throttle.provider(domain))
            mails.dirty = True
        return None

    def _render(self, i: int) -> None:
        """Renders the mail at `i` and the next ones, as many at once are faster than one by one."""
        at_once = _SIGNED_AT_ONCE if self.prepared.signed else _MADE_AT_ONCE
        try:
            self._render_all([i, *itertools.islice(self._ready, at_once - 1)])
        except Exception:  # one of them can't be rendered, maybe another than this
            self._render_one(i)

    def _render_one(self, i: int) -> None:
        """Renders the mail at `i`. If that fails, it is refused and all others go on."""
        try:
            self._render_all([i])
        except Exception as error:  # the error text may contain the address
            name, reader = type(error).__name__, self.claim.readers[i]
            log.error(
                "alert %d can't be made into a mail for reader %d: %s",
                self.claim.alert,
                reader,
                name,
            )
            reason = f"the mail can't be made: {name}"
            self.replies.refuse(i, Reply(0, "", reason, Reached.RELAY))
            self.unmade.append((reader, name))
            self.prepared.can_not_make(name)

    def _render_all(self, chosen: Sequence[int]) -> None:
        """Renders the mails at these indexes into `_rendered`."""
        prepared, recipients, had = self.prepared, self.recipients, self._had
        facts, others, envelope = [], [], prepared.channel.envelope
        renderers, default = prepared.renderers, prepared.renderers[settings.LANGUAGE_CODE]
        for reader in [self.claim.readers[one] for one in chosen]:
            _, address, domain, language, version, uid, _ = recipients[reader]
            to, utf8 = envelope(address, domain)
            facts.append(((reader, uid, version), to, had.get(reader, ())))
            others.append((to, renderers.get(language, default), utf8))
        for one, (return_path, values), (to, render, utf8) in zip(
            chosen, prepared.fill(facts), others, strict=True
        ):
            self._rendered[one] = return_path, to, render(values), utf8
        prepared.made += len(chosen)

    # -- the ledger

    def entry(self, worker: str, claimed_until: int, *, give_up: bool = False) -> BatchRecord:
        """What is to be written to the ledger now.

        `give_up`: give the claim back with mails still open.
        """
        self.prepared.answers.count()
        attempts, holder, handed_out_to = self.claim.attempts, worker, self._handed_out_to_wanted
        due_at_ms: int | None = claimed_until
        done = self.mails.done
        if done or give_up:
            holder, handed_out_to = "", 0
            now = now_ms()
            due = self.mails.next_due(now, expired=self._expired)
            if due is None:
                due_at_ms = None
            elif done:
                # A pass in which no mail was tried does not count as an attempt.
                attempts += 0 if self._gave_up_waiting and not self.replies.tried else 1
                due_at_ms = min(due, max(self.prepared.alert.expires_at_ms, now) + 1)
            else:
                due_at_ms = now
        reply_counts, refusals = self.replies.take_counts()
        entry = BatchRecord(
            self.claim.batch,
            self.claim.lease_version,
            self.claim.alert,
            self.mails.outcomes(),
            self.claim.times.tobytes(),
            handed_out_to,
            holder,
            due_at_ms,
            attempts,
            self.replies.repeated,
            reply_counts,
            refusals,
        )
        self.mails.dirty = False
        self.mails.write_begun()
        return entry

    def written(self, entry: BatchRecord) -> None:
        """Takes in that the result of `entry` is in the ledger."""
        self.handed_out_to = entry.handed_out_to
        self.renewed(entry.due_at_ms or 0)
        self.mails.written()
