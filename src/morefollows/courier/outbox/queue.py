"""The queue of letters: mail that is no alert, such as confirmations, invitations and digests.

Letters are claimed and recorded one by one, by the same lease rules as batches (`ledger.leases`).

Invariant: a letter is handed out only if its reader was queried within `_LOOKED_UP` seconds and it
was claimed within `_BEGUN_WITHIN` seconds. A process changes a letter only while the lease version
of its claim stands.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from morefollows.audience.addresses import Address
from morefollows.audience.models import Letter, Suppression
from morefollows.audience.preferences.actions import free
from morefollows.audience.suppression.bounces import BouncedMail
from morefollows.courier.ledger import history, retries
from morefollows.courier.ledger.claims import skip_locked
from morefollows.courier.ledger.put_backs import PutBacks
from morefollows.courier.ledger.waiting import Unfit
from morefollows.courier.outbox import digests
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


class ClaimedLetter(NamedTuple):
    """A claimed letter, with its reader's current data."""

    letter: int
    kind: str
    offers: bool
    attempts: int
    topic: int | None
    reader: int
    address: str
    domain: str
    language: str
    links_version: int
    uid: bytes
    reader_uid: bytes
    topic_uid: bytes
    updates: tuple[int, ...] = ()  #: updates in a digest
    lease_version: int = 0
    unanswered: int = 0  #: how often it was handed over and got no reply


class LetterResult(NamedTuple):
    """The result of one claimed letter, to be recorded."""

    job: ClaimedLetter
    state: str
    due_at_ms: int
    bounced: BouncedMail | None = None
    #: whether this counts as an attempt: a relay took it, or it can't be rendered
    tried: bool = True
    unanswered: int = 0  #: new value of `ClaimedLetter.unanswered`


# MATERIALIZED runs the inner query once: see `_CLAIM` in `ledger.claims`.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM audience_letter WHERE state = 'waiting' AND {lane} \
AND due_at_ms <= %s AND worker = ''
    ORDER BY due_at_ms, id LIMIT %s{skip_locked}
)
UPDATE audience_letter SET worker = %s, lease_version = lease_version + 1 \
WHERE id IN (SELECT id FROM due)
RETURNING id
"""


def claim_letters(worker: str, limit: int, *, bulk: bool = False) -> list[ClaimedLetter]:
    """Claims due letters. Letters that are no longer wanted or allowed expire.

    `worker`: name of the claiming process; see `leases`. `bulk`: digests. Their readers have
    neighbouring ids, so what was sent to them is found in few batches.
    """
    if limit <= 0:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        lane = "bulk" if bulk else "NOT bulk"
        cursor.execute(
            _CLAIM.format(skip_locked=skip_locked(), lane=lane), (now_ms(), limit, worker)
        )
        claimed = [row[0] for row in cursor.fetchall()]
        if not claimed:
            return []
        wanted = _summaries(claimed) if bulk else _wanted(claimed)
        unwanted = set(claimed) - {job.letter for job in wanted}
        if unwanted:
            Letter.objects.filter(pk__in=unwanted).update(state=Letter.State.EXPIRED, worker="")
    return wanted


class RefreshedLetters(NamedTuple):
    """The result of querying the readers of claimed letters again."""

    asked: Sequence[ClaimedLetter]
    same: set[int]  #: letters whose mail is unchanged
    made: dict[
        int, tuple[ClaimedLetter, Mail]
    ]  #: letters whose reader has changed, with their new mails
    done: list[LetterResult]  #: letters that are not sent any more


def look_again(jobs: Sequence[ClaimedLetter]) -> dict[int, ClaimedLetter]:
    """Letter id → current job, for the letters that are still wanted and allowed."""
    ids = [job.letter for job in jobs if not job.updates]
    found = {job.letter: job for job in _wanted(ids)} if ids else {}
    told = {job.letter: job for job in jobs if job.updates}
    if told:
        letters = Letter.objects.filter(pk__in=list(told)).select_related("reader", "topic")
        for letter in digests.allowed(list(letters)):
            found[letter.pk] = _job(letter)._replace(updates=told[letter.pk].updates)
    return found


#: SQL conditions under which a letter is still wanted, for kinds that go to the reader's own
#: address at once. `l`: the letter. `r`: its reader. `s`: the reader's subscription to the letter's
#: topic. `d`: the reader's row for drills. `x`: the suppression of the address. `s`, `d` and `x`
#: may be missing (outer joins).
_STILL_WANTED = {
    Letter.Kind.CONFIRMATION: "s.state = 'pending'"
    " OR (s.state = 'active' AND l.offers AND NOT r.offers)"
    " OR (s.state = 'active' AND x.reason = 'bounced' AND NOT x.from_list)",
    Letter.Kind.THANKS: "s.state = 'active'",
    Letter.Kind.INVITATION: "d.id IS NOT NULL AND d.confirmed_at IS NULL",
}
# kinds that do not go to the reader's own address
_ELSEWHERE = (
    Letter.Kind.NEW_ADDRESS,
    Letter.Kind.MOVED,
)

# Plain SQL, because building this query with the ORM took longer than all else for a letter.
_WANTED = f"""
SELECT l.id, l.kind, l.offers, l.attempts, l.topic_id, r.id,
    COALESCE(NULLIF(l.address, ''), r.address), COALESCE(NULLIF(l.domain, ''), r.domain),
    r.language, r.links_version, l.uid, r.uid, t.uid, l.lease_version, l.unanswered
FROM audience_letter l
JOIN audience_reader r ON r.id = l.reader_id
LEFT JOIN audience_topic t ON t.id = l.topic_id
LEFT JOIN audience_subscription s ON s.reader_id = l.reader_id AND s.topic_id = l.topic_id
LEFT JOIN audience_suppression x ON x.key = r.key
LEFT JOIN audience_drillreader d ON d.reader_id = l.reader_id
WHERE l.id {{among}} AND l.created_at > %s AND (
    l.kind IN ({", ".join(f"'{kind.value}'" for kind in _ELSEWHERE)})
    OR (
        (x.id IS NULL OR (l.kind = 'confirmation' AND x.reason = 'bounced' AND NOT x.from_list))
        AND ({
    " OR ".join(
        f"(l.kind = '{kind.value}' AND ({wanted}))" for kind, wanted in _STILL_WANTED.items()
    )
})
    )
)
"""  # noqa: S608 - kinds and conditions are our own


def _wanted(letters: Sequence[int]) -> list[ClaimedLetter]:
    """The letters of these that are still wanted and allowed, with their readers' current data.

    A confirmation or invitation is wanted until it is confirmed, a thank-you while the subscription
    is active. A suppressed address is sent no letter. The exception: an address that bounced here
    and signs up again is sent the confirmation that lifts its suppression.
    """
    youngest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.confirmation_days)
    since = connection.ops.adapt_datetimefield_value(youngest)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_WANTED.format(among="= ANY(%s)"), [list(letters), since])
        else:
            marks = ", ".join(["%s"] * len(letters))
            cursor.execute(_WANTED.format(among=f"IN ({marks})"), [*letters, since])
        found = [_of_row(row) for row in cursor.fetchall()]
    return [job for job in found if job.kind not in _ELSEWHERE or _may_go(job)]


def _of_row(row: Sequence[Any]) -> ClaimedLetter:
    """A row of `_WANTED` as a job.

    SQLite returns 0 or 1 for booleans. The uid of a missing topic is NULL.
    """
    job = ClaimedLetter._make((*row[:13], (), *row[13:]))
    topic_uid = bytes(job.topic_uid or b"")
    return job._replace(
        offers=bool(job.offers),
        uid=bytes(job.uid),
        reader_uid=bytes(job.reader_uid),
        topic_uid=topic_uid,
    )


def _may_go(job: ClaimedLetter) -> bool:
    """Whether a letter to another address than the reader's own may be sent."""
    key = Address(job.address, job.domain).key
    if job.kind == Letter.Kind.NEW_ADDRESS:
        return free(key)
    return not Suppression.objects.filter(key=key).exists()


def _summaries(claimed: Sequence[int]) -> list[ClaimedLetter]:
    """The digests that have contents. Their contents are stored before they may be sent."""
    letters = list(Letter.objects.filter(pk__in=claimed).select_related("reader"))
    told = digests.contents(letters)
    wanted = [letter for letter in letters if letter.pk in told]
    history.record_digest_items({letter: told[letter.pk].alerts for letter in wanted})
    return [_job(letter)._replace(updates=told[letter.pk].updates) for letter in wanted]


def _job(letter: Letter) -> ClaimedLetter:
    reader = letter.reader
    return ClaimedLetter(
        letter.pk,
        letter.kind,
        letter.offers,
        letter.attempts,
        letter.topic_id,
        reader.pk,
        letter.address or reader.address,
        letter.domain or reader.domain,
        reader.language,
        reader.links_version,
        letter.uid,
        reader.uid,
        letter.topic.uid if letter.topic else b"",
        lease_version=letter.lease_version,
        unanswered=letter.unanswered,
    )


_RECORD = """
UPDATE audience_letter SET state = %s, due_at_ms = %s, attempts = %s, unanswered = %s, worker = ''
WHERE id = %s AND lease_version = %s
"""


def record_results(done: Sequence[LetterResult]) -> int:
    """Records these results and gives the claims back, in one transaction.

    Returns how many claims were lost. Another process holds those letters, and they are not
    changed.
    """
    if not done:
        return 0
    rows = [
        (
            one.state,
            one.due_at_ms,
            one.job.attempts + one.tried,
            max(one.unanswered, one.job.unanswered),
            one.job.letter,
            one.job.lease_version,
        )
        for one in done
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_RECORD, rows)
        return len(rows) - int(cursor.rowcount)


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

    def take(self, way: AnsweringRelay) -> Mail | None:
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
            if letter in self._unfit and way.name in self._unfit[letter].relays:
                self.waiting.append(one)
                continue
            self._in_flight[letter] = one
            alone = bool(one.job.unanswered) or letter in self._put_backs
            return one.mail._replace(settle=self._settle, ticket=letter, way=way, alone=alone)
        return None

    def _settle(self, mail: Mail, reply: Reply) -> None:
        """Notes the relay's reply. Called once for each letter handed out."""
        one, way = self._in_flight.pop(mail.ticket), mail.way
        assert way is not None
        job = one.job
        way.heard(job.domain, reply)
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
            again = verdict.doubtful and not way.has_accepted and job.attempts < _DOUBTFUL_ATTEMPTS
            if (verdict.permanent and not again) or (
                verdict.doubtful and job.attempts >= _DOUBTFUL_ATTEMPTS
            ):
                self._decided(
                    LetterResult(job, Letter.State.REFUSED, now, _bounced(job, way, reply, verdict))
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
        letter, way = one.job.letter, mail.way
        assert way is not None
        if replies.unfit_here(reply):
            self._unfit[letter] = unfit = Unfit.of(mail, reply, self._unfit.get(letter))
            return way.others(unfit.relays, unfit.utf8, unfit.size, self._bulk) != "none"
        if reply.reached is Reached.BEHIND:
            return True
        return not counts and self._put_backs.again(letter, way, reply)


def _bounced(
    job: ClaimedLetter, way: AnsweringRelay, reply: Reply, verdict: replies.Verdict
) -> BouncedMail | None:
    """The bounce to count against the letter's reader. None if it went to another address."""
    if verdict.bounce is replies.BounceKind.NO or job.kind in _ELSEWHERE:
        return None
    hard = verdict.bounce is replies.BounceKind.HARD
    return BouncedMail(
        job.reader,
        timezone.now(),
        hard,
        replies.short(reply),
        way.name,
        way.pacing.provider(job.domain),
    )
