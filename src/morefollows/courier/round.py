"""One pass over one claimed batch: hands out its mails one by one, and keeps what became of each."""

from __future__ import annotations

import functools
import itertools
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence

from django.conf import settings

from morefollows.audience.tokens import Person
from morefollows.courier import ledger, replies, retries
from morefollows.courier.addressees import Addressee, recipient
from morefollows.courier.boundary import Mail, Reached, Reply, Way
from morefollows.courier.brake import Refused
from morefollows.courier.ledger import Claim, Entry
from morefollows.courier.models import Outcome
from morefollows.courier.release import Release
from morefollows.courier.replies import About, Bounce, Verdict

_Made = tuple[bytes, bytes, Sequence[bytes], bool]  # return path, recipient, content, SMTPUTF8
_mail = functools.partial(tuple.__new__, Mail)  # as `Mail._make`, in half of its time
_person = functools.partial(tuple.__new__, Person)
_ACCEPTED = int(Outcome.ACCEPTED)  # looked up once, not for each mail
_UNANSWERED = (Outcome.WAITING, Outcome.DEFERRED)
_OPEN = (*_UNANSWERED, Outcome.UNCERTAIN)  # where uncertain mails are repeated; else they are left to an editor
_PUT_BACK_LIMIT = 5
_POLICY_ATTEMPTS = 3  # passes in which a provider's policy against our mail is taken for something that passes
# To a provider whose policy is against our mail one is tried now and then: as with one that limits our rate (4.7.28).
_HOLD = Reply(450, "4.7.28", "", Reached.CONTENT)
_MADE_AT_ONCE = 50
_SIGNED_AT_ONCE = 8  # as signing takes a while, and nothing else goes on meanwhile
_PASSED_BY = 32  # mails that are left to another relay, in one look for one that is for this relay
_LONGEST_MS = 2**32 - 2  # the longest time that `Batch.times` can hold: 49 days


class Round:
    """A claimed batch at work in one sender process. Not for use from two threads."""

    def __init__(
        self,
        claim: Claim,
        addressees: Mapping[int, Addressee],
        release: Release,
        had: Mapping[int, Sequence[int]] | None = None,
    ) -> None:
        """`had`: reader → alerts of the same story that this reader was sent before."""
        self.claim = claim
        self.had = had or {}
        self.release = release
        self.bulk = bool(release.running.bulk)  # SQLite says 0 or 1
        self.addressees: Mapping[int, Addressee] = {}
        self._made: dict[int, _Made] = {}  # the next mails
        self.loaded_at = time.monotonic()
        self.claimed_until = 0  #: as written in the ledger, ms since 1970
        self._claim_ends = 0.0  # the same by the clock that is never set back, but may stand still while we sleep
        self.renewed(time.time_ns() // 1_000_000 + ledger.claim_ms())
        self.reach = 0  #: as written in the ledger: no mail from there on may be handed out yet
        self.in_flight = 0
        self.dirty = True
        self.lost = False
        self._reach_wanted = 0
        self._expired = False
        self._repeated = claim.repeated
        self._verdicts: dict[tuple[str, int, int, str], tuple[int, str]] = {}
        self._refusals: list[Refused] = []  # since the last entry
        self._refused: list[Refused] = []  # in this pass
        self._put_back: Counter[int] = Counter()
        self._tried = False  # some mail was not accepted in this pass
        self._was_put_down = False
        # Mails that wait because their mailbox provider defers others, by provider. They count as deferred, so that
        # a crash makes none of them uncertain; they come back by way of the ledger, as all that is handed out.
        self._shelves: dict[str, deque[int]] = {}
        self._coming_back: list[int] = []  # to be written as waiting
        self._written_back: list[int] = []  # being written
        outcomes = claim.outcomes
        open_ = frozenset(map(int, self._open))
        self._todo = deque([i for i, outcome in enumerate(outcomes) if outcome in open_])
        doubtful = Outcome.UNCERTAIN in outcomes
        self._uncertain = {i for i in self._todo if outcomes[i] == Outcome.UNCERTAIN} if doubtful else set()
        # Within a pass, waiting means: not answered in this pass. An uncertain one stays so until answered.
        outcomes[:] = outcomes.replace(bytes([Outcome.DEFERRED]), bytes([Outcome.WAITING]))
        self.refresh(addressees)

    @property
    def _open(self) -> tuple[Outcome, ...]:
        return _OPEN if self.release.running.repeat else _UNANSWERED

    def renewed(self, claimed_until: int) -> None:
        """The ledger has it that the batch is ours until then (ms since 1970)."""
        self.claimed_until = claimed_until
        self._claim_ends = time.monotonic() + claimed_until / 1000 - time.time()

    def __len__(self) -> int:
        """Mails still to hand out."""
        return len(self._todo)

    @property
    def done(self) -> bool:
        return not (self._todo or self.in_flight or self._shelves or self._coming_back or self._written_back)

    @property
    def has_shelves(self) -> bool:
        """Mails wait for providers that are held back."""
        return bool(self._shelves)

    @property
    def only_shelves(self) -> bool:
        """Nothing is left to hand out but mails for providers that are held back."""
        return bool(self._shelves) and not (self._todo or self.in_flight or self._coming_back or self._written_back)

    def waiting_for(self) -> list[int]:
        """The readers whose mail is to be handed out next."""
        return [self.claim.readers[i] for i in (*self._coming_back, *self._todo)]

    def bring_back(self, allowance: Callable[[str], float], spent: Counter[str]) -> None:
        """Takes from the shelves what may leave soon. `spent`: what other rounds took of it, by provider."""
        over = time.time() * 1000 > self.release.expires_at
        for provider in list(self._shelves):
            shelf = self._shelves[provider]
            most = math.inf if over else allowance(provider) - spent[provider]
            while shelf and most >= 1:
                i = shelf.popleft()
                self._coming_back.append(i)
                if self.claim.outcomes[i] == Outcome.DEFERRED:
                    self.claim.outcomes[i] = Outcome.WAITING
                spent[provider] += 1
                most -= 1
                self.loaded_at = 0.0  # nobody looked these readers up meanwhile
                self.dirty = True
            if not shelf:
                del self._shelves[provider]

    def put_down(self) -> None:
        """Gives up what is on the shelves for this pass: it comes back with the batch."""
        self._shelves.clear()
        self._was_put_down = self.dirty = True

    def written(self, entry: Entry) -> None:
        """What `entry` gave is in the ledger."""
        self.reach = entry.reach
        self.renewed(entry.due_at or 0)
        self._todo.extendleft(self._written_back)
        self._written_back = []

    def refresh(self, addressees: Mapping[int, Addressee], asked: Collection[int] | None = None) -> None:
        """Takes in the readers as they are now: who left meanwhile is skipped, who wants it later waits.

        `asked`: whom the look was about, if not all: what was put back meanwhile stays as it is.
        """
        self.addressees = {**self.addressees, **addressees}  # those in flight are still needed
        self._made.clear()
        self.loaded_at = time.monotonic()
        self._expired = time.time() * 1000 > self.release.expires_at
        if asked is None and not self._expired and not self._coming_back and self._all_wanted(addressees):
            return
        about = None if asked is None else set(asked)
        coming_back = [i for i in self._coming_back if self._still_wanted(i, addressees, about)]
        todo = deque(i for i in self._todo if self._still_wanted(i, addressees, about))
        self.dirty |= len(todo) < len(self._todo) or len(coming_back) < len(self._coming_back)
        self._coming_back, self._todo = coming_back, todo

    def _all_wanted(self, addressees: Mapping[int, Addressee]) -> bool:
        """As it is with nearly every batch, when it is loaded: in a third of the time."""
        readers, get = self.claim.readers, addressees.get
        found = [get(readers[i]) for i in self._todo]
        return None not in found and not any(addressee.later for addressee in found if addressee)

    def _still_wanted(self, i: int, addressees: Mapping[int, Addressee], about: set[int] | None) -> bool:
        reader, outcomes = self.claim.readers[i], self.claim.outcomes
        if self._expired:
            # Who may have got it must still be found when it has to be corrected.
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
            return False
        return True

    def grant(self, mails: int) -> int:
        """Asks that so many mails more may be handed out. Returns how many of them this round can use."""
        used = min(mails, len(self._todo))
        if used:
            reach = 1 + max(itertools.islice(self._todo, used))
            if reach > self._reach_wanted:
                self._reach_wanted = reach
                self.dirty = True
        return used

    def take(self, way: Way) -> Mail | None:
        """The next mail, or None: nothing left, or the ledger does not (or no longer) allow it."""
        todo, release = self._todo, self.release
        if not todo or todo[0] >= self.reach or not release.sending or self.lost:
            return None
        if time.time() * 1000 >= self.claimed_until or time.monotonic() >= self._claim_ends:
            return None  # it may be another's by now: the next write will tell
        if way.pacing.paces:
            found = self._next(way)
            if found is None:
                return None
            i = found
        else:
            i = todo.popleft()
        made = self._made.pop(i, None)
        if made is None:
            self._make(i)
            made = self._made.pop(i)
        return_path, to, content, utf8 = made
        self.in_flight += 1
        return _mail((return_path, to, content, self.settle, i, utf8, way))

    def _make(self, i: int) -> None:
        """The mail at `i` and those behind it: many at once take less time than one by one."""
        release, addressees, had = self.release, self.addressees, self.had
        at_once = _SIGNED_AT_ONCE if release.signed else _MADE_AT_ONCE
        chosen = [i, *itertools.islice(self._todo, at_once - 1)]
        facts, others = [], []
        for reader in [self.claim.readers[one] for one in chosen]:
            address, domain, language, version, uid, _ = addressees[reader]
            to, utf8 = recipient(address, domain)
            facts.append((_person((reader, uid, version)), to, had.get(reader, ())))
            others.append((to, release.presses.get(language) or release.presses[settings.LANGUAGE_CODE], utf8))
        for one, (return_path, values), (to, press, utf8) in zip(chosen, release.fill(facts), others, strict=True):
            self._made[one] = return_path, to, press(values), utf8

    def _next(self, way: Way) -> int | None:
        """The next one whose mailbox provider this relay may be given mail for. Those before it are put aside."""
        passed_by = 0
        while self._todo and self._todo[0] < self.reach and passed_by < _PASSED_BY:
            i = self._todo.popleft()
            domain = self.addressees[self.claim.readers[i]].domain
            if way.pacing.may_mail(domain):
                return i
            if way.elsewhere(domain):
                self._todo.append(i)
                passed_by += 1
                continue
            self._shelves.setdefault(way.pacing.provider(domain), deque()).append(i)
            if self.claim.outcomes[i] == Outcome.WAITING:
                self.claim.outcomes[i] = Outcome.DEFERRED
            self.dirty = True
        return None

    def settle(self, mail: Mail, reply: Reply) -> None:
        """Notes what the relay said. The relay calls this once for each mail taken."""
        i, way = mail.ticket, mail.way
        assert way is not None
        domain = self.addressees[self.claim.readers[i]].domain
        way.heard(domain, reply)
        self.in_flight -= 1
        self.dirty = True
        outcomes = self.claim.outcomes
        if 200 <= reply.code < 300:
            if i in self._uncertain:
                self._repeated += 1
            outcomes[i] = _ACCEPTED
            since = time.time_ns() // 1_000_000 - self.release.running.held_until
            self.claim.times[i] = since if 0 <= since <= _LONGEST_MS else min(max(since, 0), _LONGEST_MS)
            self.release.answers.accepted[way.name, domain] += 1
            return
        verdict = replies.verdict(reply)
        if not verdict.counts:
            # The relay was in trouble, which says nothing of the reader. But a mail that brings the relay into
            # trouble each time must not keep all the others waiting.
            self._put_back[i] += 1
            if self._put_back[i] < _PUT_BACK_LIMIT:
                self._todo.append(i)
                self.release.on_put_back()
                return
        words = replies.without_addresses(reply.text)
        outcome = self._outcome(i, way, domain, reply, verdict)
        outcomes[i] = outcome
        if i in self._uncertain:
            if outcome == Outcome.UNCERTAIN:
                self._repeated += 1
            elif outcome == Outcome.DEFERRED:
                outcomes[i] = Outcome.UNCERTAIN  # the reader may have it, whatever is said to the second one
        self._tried = True
        key = (domain, outcome.value, reply.code, reply.status)
        count, first_words = self._verdicts.get(key, (0, words))
        self._verdicts[key] = (count + 1, first_words)
        to_us = verdict.about is About.US
        if to_us or verdict.doubtful:
            way.objected(domain, f"{reply.code} {reply.status} {words}", to_us=to_us)

    def _outcome(self, i: int, way: Way, domain: str, reply: Reply, verdict: Verdict) -> Outcome:
        """The verdict's, unless a brake is on. A refusal that may be taken back is kept."""
        if not verdict.doubtful and verdict.bounce is Bounce.NO:
            return Outcome[verdict.outcome.upper()]
        provider, answers = way.pacing.provider(domain), self.release.answers
        if answers.braked(way.name, provider):
            return Outcome.DEFERRED
        # A policy of the provider's for our mail, if it accepts none; of this recipient's, if it accepts others.
        open_ = self.claim.attempts < _POLICY_ATTEMPTS and not answers.has_accepted(way.name, domain)
        if verdict.outcome == "deferred" and (open_ or verdict.about is not About.PROVIDER):
            if verdict.about is About.PROVIDER and answers.held_back(way.name, provider):
                way.pacing.deferred(domain, _HOLD)
            return Outcome.DEFERRED
        facts = self.claim.batch, i, self.claim.readers[i], domain, provider, way.name
        now = time.time_ns() // 1_000_000
        refused = Refused(*facts, verdict.bounce.value, reply.code, reply.status, now)
        self._refusals.append(refused)
        self._refused.append(refused)
        return Outcome.REFUSED

    def take_back(self) -> None:
        """A brake has been put on: what was refused under it in this pass is deferred."""
        answers, kept = self.release.answers, []
        for one in self._refused:
            if not answers.braked(one.relay, one.provider):
                kept.append(one)
            elif self.claim.outcomes[one.place] == Outcome.REFUSED:
                self.claim.outcomes[one.place] = Outcome.DEFERRED
                self.dirty = True
        self._refused = kept

    def entry(self, worker: str, claimed_until: int, *, give_up: bool = False) -> Entry:
        """What is to be recorded now. `give_up`: the claim is given back with whatever is still open."""
        outcomes = self.claim.outcomes
        attempts, holder, reach = self.claim.attempts, worker, self._reach_wanted
        due_at: int | None = claimed_until
        if self.done or give_up:
            holder, reach = "", 0
            now = time.time_ns() // 1_000_000
            if not any(outcomes.count(outcome) for outcome in (_UNANSWERED if self._expired else self._open)):
                due_at = None
            elif self.done:
                # Where all that is left had to wait for its provider, nothing was tried, and no try counts.
                attempts += 0 if self._was_put_down and not self._tried else 1
                due_at = min(now + retries.wait_ms(max(attempts, 1)), max(self.release.expires_at, now) + 1)
            else:
                due_at = now
        entry = Entry(
            self.claim.batch,
            self.claim.epoch,
            self.claim.alert,
            bytes(outcomes),
            self.claim.times.tobytes(),
            reach,
            holder,
            due_at,
            attempts,
            self._repeated,
            self._verdicts,
            self._refusals,
        )
        self._verdicts, self._refusals, self.dirty = {}, [], False
        self._written_back += self._coming_back
        self._coming_back = []
        return entry
