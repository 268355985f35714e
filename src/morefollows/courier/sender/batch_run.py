"""One pass over a claimed batch: hands out its mails and notes the outcome of each.

Invariant: a mail is handed out only if its index is below `handed_out_to` as written in the ledger,
and only while the claim has not run out.
"""

from __future__ import annotations

import functools
import itertools
import logging
import operator
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from django.conf import settings

from morefollows.courier.ledger import retries
from morefollows.courier.ledger.claims import BatchRecord, Claim
from morefollows.courier.ledger.handed_out import HANDED_OUT
from morefollows.courier.ledger.leases import claim_ms
from morefollows.courier.ledger.recipients import Recipient
from morefollows.courier.ledger.waiting import everything
from morefollows.courier.models import Outcome
from morefollows.courier.relays.interface import AnsweringRelay, Carriers, Mail, Reached, Reply
from morefollows.courier.sender.prepared_alert import PreparedAlert
from morefollows.courier.sender.settling import LOOK_EVERY, ReplySettling
from morefollows.courier.smtp import replies
from morefollows.database.clock import now_ms, uptime

log = logging.getLogger(__name__)

Others = Callable[
    [Collection[str], bool, int, bool], Carriers
]  #: `interface.AnsweringRelay.others`
_Made = tuple[bytes, bytes, Sequence[bytes], bool]  # return path, recipient, content, SMTPUTF8
_mail = functools.partial(tuple.__new__, Mail)  # same as `Mail._make`, in half the time
_later: Callable[[Any], bool] = operator.itemgetter(Recipient._fields.index("later"))
_SOON_MS = 3000  # retries due within this time are sent at once, with the others of the batch
_MADE_AT_ONCE = 50
_SIGNED_AT_ONCE = 8  # few, because DKIM signing is slow and blocks the event loop
_PASSED_BY = 32  # most mails skipped for another relay in one call


class BatchRun(ReplySettling):
    """A claimed batch in one sender process. Not thread-safe."""

    def __init__(
        self,
        claim: Claim,
        addressees: Mapping[int, Recipient],
        release: PreparedAlert,
        had: Mapping[int, Sequence[int]] | None = None,
    ) -> None:
        """Loads the claim.

        `had`: reader id → earlier alerts of the same story that were sent to this reader.
        """
        super().__init__(claim, release)
        self.had = had or {}
        self.bulk = bool(release.running.bulk)  # SQLite returns 0 or 1
        self.channel = release.running.channel
        self._made: dict[int, _Made] = {}  # mails rendered ahead, by index
        self.loaded_at = time.monotonic()
        self.claimed_until = 0  #: end of the claim as in the ledger, ms since 1970
        # the same on the `uptime` clock, as the system clock may be set back
        self._claim_ends = 0.0
        self._ours_until = 0.0  # on the `uptime` clock: until then both ends need no new check
        self.renewed(now_ms() + claim_ms())
        #: limit written in the ledger: only mails with a lower index may be handed out
        self.handed_out_to = 0
        self.lost = False
        self.again = claim.attempts > 0 or self._retrying  #: whether some mails were tried before
        self._handed_out_to_wanted = 0
        self._was_put_down = False
        #: (reader, reason) of mails that can't be rendered: for the activity log
        self.unmade: list[tuple[int, str]] = []
        # Mails that wait are handed out again only after they are written as waiting, like all
        # others.
        self._coming_back: list[int] = []  # not yet written as waiting
        self._written_back: list[int] = []  # in the write that is running
        if self._retrying:
            self._look_who_is_due()
        self.refresh(addressees)

    def _look_who_is_due(self) -> None:
        """Sorts out mails that were tried before, at the start of the pass.

        Mails with a retry time in the future are kept back. Uncertain mails with
        `retries.MOST_COPIES` copies are not sent again. Within a pass, WAITING means: no reply in
        this pass. An uncertain mail stays uncertain until a relay replies.
        """
        now, outcomes, later = now_ms(), self.claim.outcomes, self.waiting.later
        for i in list(self._todo):
            if outcomes[i] == Outcome.UNCERTAIN:
                self._retries.doubted(i)
            known = self._retries.of(i)
            if outcomes[i] == Outcome.UNCERTAIN and known.copies >= retries.MOST_COPIES:
                self._todo.remove(i)
            elif (
                outcomes[i] != Outcome.WAITING
                and now + _SOON_MS < known.due_at_ms <= now + retries.LONGEST_MS
            ):
                later[i] = known.due_at_ms
        if len(later) == len(self._todo):
            # claimed before any mail was due: its due time was set earlier on purpose
            later.clear()
        self._todo = deque(i for i in self._todo if i not in later)
        self._uncertain = {i for i in (*self._todo, *later) if outcomes[i] == Outcome.UNCERTAIN}
        self._careful |= self._uncertain
        for i in self._todo:
            if outcomes[i] == Outcome.DEFERRED:
                outcomes[i] = Outcome.WAITING

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

    def __len__(self) -> int:
        """Number of mails still to hand out."""
        return len(self._todo)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do before the next retry is due."""
        return not (
            self._todo or self.in_flight or self.waiting or self._coming_back or self._written_back
        )

    @property
    def waits(self) -> bool:
        """Whether mails wait for a throttled provider, a fitting relay or their retry time."""
        return bool(self.waiting or (self.waiting.later and not self.done))

    @property
    def only_waits(self) -> bool:
        """Whether all mails left wait for throttled providers or unavailable relays."""
        return bool(self.waiting) and not (
            self._todo or self.in_flight or self._coming_back or self._written_back
        )

    def waiting_for(self) -> list[int]:
        """Ids of the readers whose mails are handed out next."""
        return [self.claim.readers[i] for i in (*self._coming_back, *self._todo)]

    def bring_back(
        self, allowance: Callable[[str], float], spent: Counter[str], carriers: Others
    ) -> None:
        """Makes waiting mails ready whose provider, relay or retry time allows it.

        `spent`: allowance used by other batches, by provider; it is raised here. `carriers`: as
        `interface.AnsweringRelay.others`.
        """
        now = now_ms()
        over = now > self.release.expires_at_ms
        waiting = self.waiting
        for i in (*waiting.due(now), *waiting.take(everything if over else allowance, spent)):
            self._come_back(i)
        found = waiting.carried(
            lambda one: "ready" if over else carriers(one.relays, one.utf8, one.size, self.bulk)
        )
        for i, state in list(found):
            if state == "ready":
                self._come_back(i)
            elif replies.unfit_here(waiting.unfit[i].reply):
                self._refuse(i, waiting.unfit[i].reply)
            else:  # refused under a brake: tried again later
                del waiting.unfit[i]
                waiting.later[i] = self._retries.deferred(i, now)
                self.dirty = True

    def _come_back(self, i: int) -> None:
        """Makes the mail at `i` ready for the next write, after which it may be handed out."""
        self._coming_back.append(i)
        self._retries.at_once(i)
        if self.claim.outcomes[i] == Outcome.DEFERRED:
            self.claim.outcomes[i] = Outcome.WAITING
        self.loaded_at = 0.0  # forces a new query of the readers
        self.dirty = True

    def hurry(self) -> None:
        """Makes all retries due at once. Called when a paused relay is resumed."""
        self.waiting.later.update(dict.fromkeys(self.waiting.later, 0))

    def put_down(self) -> None:
        """Stops waiting in this pass.

        The mails are postponed, and come back when the batch is claimed again.
        """
        due_at_ms = now_ms() + retries.wait_ms(1, self._retries.longer)
        for i in self.waiting.empty():
            self._retries.postpone(i, due_at_ms)
        self._was_put_down = self.dirty = True

    def written(self, entry: BatchRecord) -> None:
        """Takes in that the result of `entry` is in the ledger."""
        self.handed_out_to = entry.handed_out_to
        self.renewed(entry.due_at_ms or 0)
        self._todo.extendleft(self._written_back)
        self._written_back = []

    def refresh(
        self, addressees: Mapping[int, Recipient], asked: Collection[int] | None = None
    ) -> None:
        """Takes in the readers' current data. Who left is skipped; who wants the mail later waits.

        `asked`: ids of the readers that were queried; None for all of them. Others stay as they
        are.
        """
        # mails in flight still need their readers
        self.addressees = {**self.addressees, **addressees}
        self._made.clear()
        self.loaded_at = time.monotonic()
        self._expired = now_ms() > self.release.expires_at_ms
        if (
            asked is None
            and not self._expired
            and not self._coming_back
            and self._all_wanted(addressees)
        ):
            return
        about = None if asked is None else set(asked)
        coming_back = [i for i in self._coming_back if self._still_wanted(i, addressees, about)]
        todo = deque(i for i in self._todo if self._still_wanted(i, addressees, about))
        self.dirty |= len(todo) < len(self._todo) or len(coming_back) < len(self._coming_back)
        self._coming_back, self._todo = coming_back, todo

    def _all_wanted(self, addressees: Mapping[int, Recipient]) -> bool:
        """Whether all readers still want the mail now.

        A fast check that holds for nearly every batch.
        """
        readers, get = self.claim.readers, addressees.get
        found = [get(readers[i]) for i in self._todo]
        return all(found) and True not in map(_later, found)

    def _still_wanted(
        self, i: int, addressees: Mapping[int, Recipient], about: set[int] | None
    ) -> bool:
        """Whether the mail at `i` is still to be sent now. Sets its outcome if not."""
        reader, outcomes = self.claim.readers[i], self.claim.outcomes
        if self._expired:
            # Uncertain mails stay uncertain: a correction has to reach these readers.
            if outcomes[i] != Outcome.UNCERTAIN:
                outcomes[i] = Outcome.EXPIRED
            return False
        if about is not None and reader not in about:
            return True
        addressee = addressees.get(reader)
        if addressee is None:
            outcomes[i] = Outcome.SKIPPED
            return False
        if addressee.later:
            if outcomes[i] != Outcome.UNCERTAIN:
                outcomes[i] = Outcome.DEFERRED
            self.waiting.later[i] = self._retries.deferred(i, now_ms())
            return False
        return True

    def grant(self, mails: int) -> int:
        """Requests that up to `mails` more mails may be handed out, with the next write.

        Returns how many of them this batch can use.
        """
        used = min(mails, len(self._todo))
        if used:
            handed_out_to = 1 + max(itertools.islice(self._todo, used))
            if handed_out_to > self._handed_out_to_wanted:
                self._handed_out_to_wanted = handed_out_to
                self.dirty = True
        return used

    def take(self, way: AnsweringRelay) -> Mail | None:
        """The next mail for this relay, or None if none is left or the ledger does not allow it."""
        todo, release = self._todo, self.release
        if not todo or todo[0] >= self.handed_out_to or not release.sending or self.lost:
            return None
        if (now := uptime()) >= self._ours_until and not self._is_ours(now):
            return None  # another process may hold the batch: the next write finds out
        if way.pacing.paces or self._unfit:
            found = self._next(way)
            if found is None:
                return None
            i = found
        else:
            i = todo.popleft()
        made = self._made.pop(i, None)
        if made is None:
            self._make(i)
            made = self._made.pop(i, None)
            if made is None:
                return self.take(way)  # it can't be rendered, and is refused
        return_path, to, content, utf8 = made
        self.in_flight += 1
        self.marks[i] = HANDED_OUT
        return _mail((return_path, to, content, self.settle, i, utf8, way, i in self._careful))

    def _make(self, i: int) -> None:
        """Renders the mail at `i` and the next ones, as many at once are faster than one by one."""
        at_once = _SIGNED_AT_ONCE if self.release.signed else _MADE_AT_ONCE
        try:
            self._make_all([i, *itertools.islice(self._todo, at_once - 1)])
        except Exception:  # one of them can't be rendered, maybe another than this
            self._make_one(i)

    def _make_one(self, i: int) -> None:
        """Renders the mail at `i`. If that fails, it is refused and all others go on."""
        try:
            self._make_all([i])
        except Exception as error:  # the error text may contain the address
            name, reader = type(error).__name__, self.claim.readers[i]
            log.error(
                "alert %d can't be made into a mail for reader %d: %s",
                self.claim.alert,
                reader,
                name,
            )
            self._refuse(i, Reply(0, "", f"the mail can't be made: {name}", Reached.RELAY))
            self.unmade.append((reader, name))
            self.release.can_not_make(name)

    def _make_all(self, chosen: Sequence[int]) -> None:
        """Renders the mails at these indexes into `_made`."""
        release, addressees, had = self.release, self.addressees, self.had
        facts, others, envelope = [], [], release.channel.envelope
        for reader in [self.claim.readers[one] for one in chosen]:
            _, address, domain, language, version, uid, _ = addressees[reader]
            to, utf8 = envelope(address, domain)
            facts.append(((reader, uid, version), to, had.get(reader, ())))
            others.append(
                (to, release.presses.get(language) or release.presses[settings.LANGUAGE_CODE], utf8)
            )
        for one, (return_path, values), (to, press, utf8) in zip(
            chosen, release.fill(facts), others, strict=True
        ):
            self._made[one] = return_path, to, press(values), utf8
        release.made += len(chosen)

    def _next(self, way: AnsweringRelay) -> int | None:
        """Index of the next mail that this relay can carry and its provider may be sent now.

        Mails before it are set aside: for another relay, or until their provider may be sent more.
        """
        passed_by = 0
        outcomes, waiting = self.claim.outcomes, self.waiting
        while self._todo and self._todo[0] < self.handed_out_to and passed_by < _PASSED_BY:
            i = self._todo.popleft()
            domain = self.addressees[self.claim.readers[i]].domain
            if (unfit := waiting.unfit.get(i)) is not None and way.name in unfit.relays:
                if way.others(unfit.relays, unfit.utf8, unfit.size, self.bulk) == "ready":
                    self._todo.append(i)
                    passed_by += 1
                    continue
                waiting.park(i, unfit)
            elif way.pacing.may_mail(domain):
                return i
            elif way.elsewhere(domain):
                self._todo.append(i)
                passed_by += 1
                continue
            else:
                waiting.shelve(way.pacing.provider(domain), i, again=self._retries.of(i).tries > 0)
            if outcomes[i] == Outcome.WAITING:
                outcomes[i] = Outcome.DEFERRED
            self.dirty = True
        return None

    def entry(self, worker: str, claimed_until: int, *, give_up: bool = False) -> BatchRecord:
        """What is to be written to the ledger now.

        `give_up`: give the claim back with mails still open.
        """
        self.release.answers.count()
        outcomes = self.claim.outcomes
        attempts, holder, handed_out_to = self.claim.attempts, worker, self._handed_out_to_wanted
        due_at_ms: int | None = claimed_until
        if self.done or give_up:
            holder, handed_out_to = "", 0
            now = now_ms()
            due = self._next_due(now)
            if due is None:
                due_at_ms = None
            elif self.done:
                # A pass in which no mail was tried does not count as an attempt.
                attempts += 0 if self._was_put_down and not self._tried else 1
                due_at_ms = min(due, max(self.release.expires_at_ms, now) + 1)
            else:
                due_at_ms = now
        entry = BatchRecord(
            self.claim.batch,
            self.claim.lease_version,
            self.claim.alert,
            bytes(outcomes),
            self.claim.times.tobytes(),
            handed_out_to,
            holder,
            due_at_ms,
            attempts,
            self._repeated,
            self._reply_counts,
            self._refusals,
        )
        self._reply_counts, self._refusals, self.dirty = {}, [], False
        self._written_back += self._coming_back
        self._coming_back = []
        return entry
