"""The letters that a sign-up owes its reader (confirmation, thanks): claimed and recorded like batches, one by one."""

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
from morefollows.audience.suppression.bounces import Bounced
from morefollows.courier.ledger import history, retries
from morefollows.courier.ledger.claims import skip_locked
from morefollows.courier.ledger.put_backs import PutBacks
from morefollows.courier.ledger.waiting import Unfit
from morefollows.courier.outbox import digests
from morefollows.courier.relays.interface import Mail, Reached, Reply, Way
from morefollows.courier.smtp import replies
from morefollows.stories.actions import now_ms

_LOOKED_UP = 1.0  # seconds for which a look at a letter's reader is good
_BEGUN_WITHIN = 60.0  # seconds after its claim in which a letter is begun; then it is given back
_MOST_IN_FLIGHT = 2_000
_PASSED_BY = (
    32  # letters that are left to another relay, in one look for one that is for this relay
)
_DOUBTFUL_ATTEMPTS = 5  # within some 40 minutes
_UNANSWERED_LIMIT = 3  # hand-overs without a reply: two repeats at most


class Job(NamedTuple):
    """A claimed letter, with its reader as of now."""

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
    updates: tuple[int, ...] = ()  #: what a summary tells
    lease_version: int = 0
    unanswered: int = 0  #: times that it was handed over and got no reply


class Done(NamedTuple):
    job: Job
    state: str
    due_at: int
    bounced: Bounced | None = None
    tried: bool = True  #: a relay was given it, or it can't be made
    unanswered: int = 0  #: as `Job.unanswered`, by now


# As with batches, the inner query is asked once only.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM audience_letter WHERE state = 'waiting' AND {lane} AND due_at <= %s AND worker = ''
    ORDER BY due_at, id LIMIT %s{skip_locked}
)
UPDATE audience_letter SET worker = %s, lease_version = lease_version + 1 WHERE id IN (SELECT id FROM due)
RETURNING id
"""


def claim(worker: str, limit: int, *, bulk: bool = False) -> list[Job]:
    """Claims letters that are due. One whose reader does not want it any more, or may not have it, expires.

    `worker`: the claiming process's name; see `leases`. `bulk`: summaries, whose readers are neighbours then, so that
    what they were sent is found in few batches.
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


class LookedUp(NamedTuple):
    """What a look at claimed letters found."""

    asked: Sequence[Job]
    same: set[int]  #: letters that go as they are
    made: dict[int, tuple[Job, Mail]]  #: those whose reader has changed, with their new mails
    done: list[Done]  #: those that do not go any more


def look_again(jobs: Sequence[Job]) -> dict[int, Job]:
    """Those of these claimed letters, by id, whose readers still want them, with the readers as they are now."""
    ids = [job.letter for job in jobs if not job.updates]
    found = {job.letter: job for job in _wanted(ids)} if ids else {}
    told = {job.letter: job for job in jobs if job.updates}
    if told:
        letters = Letter.objects.filter(pk__in=list(told)).select_related("reader", "topic")
        for letter in digests.allowed(list(letters)):
            found[letter.pk] = _job(letter)._replace(updates=told[letter.pk].updates)
    return found


#: Of each kind that goes to the reader's own address at once: while this holds, the letter is still wanted.
#: `l` is the letter, `r` its reader, `s` the reader's subscription to the letter's topic, `d` the reader's part in
#: drills, `x` the suppression of the address; each of these three may be missing.
_STILL_WANTED = {
    Letter.Kind.CONFIRMATION: "s.state = 'pending' OR (s.state = 'active' AND l.offers AND NOT r.offers)"
    " OR (s.state = 'active' AND x.reason = 'bounced' AND NOT x.from_list)",
    Letter.Kind.THANKS: "s.state = 'active'",
    Letter.Kind.INVITATION: "d.id IS NOT NULL AND d.confirmed_at IS NULL",
}
_ELSEWHERE = (
    Letter.Kind.NEW_ADDRESS,
    Letter.Kind.MOVED,
)  # kinds that do not go to the reader's own address

# Written out: composing it by the ORM took a sender longer than all else that it did for a letter.
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
        AND ({" OR ".join(f"(l.kind = '{kind.value}' AND ({wanted}))" for kind, wanted in _STILL_WANTED.items())})
    )
)
"""  # noqa: S608 - kinds and conditions are our own


def _wanted(letters: Sequence[int]) -> list[Job]:
    """A confirmation or invitation asks for what is not confirmed yet, thanks answer an active subscription.

    A suppressed address gets neither, nor any other letter; but one that bounced here, and has signed up again, gets
    the confirmation that lifts it.
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


def _of_row(row: Sequence[Any]) -> Job:
    """SQLite has no booleans, and what is no topic's has no `uid` of one."""
    job = Job._make((*row[:13], (), *row[13:]))
    topic_uid = bytes(job.topic_uid or b"")
    return job._replace(
        offers=bool(job.offers),
        uid=bytes(job.uid),
        reader_uid=bytes(job.reader_uid),
        topic_uid=topic_uid,
    )


def _may_go(job: Job) -> bool:
    key = Address(job.address, job.domain).key
    if job.kind == Letter.Kind.NEW_ADDRESS:
        return free(key)
    return not Suppression.objects.filter(key=key).exists()


def _summaries(claimed: Sequence[int]) -> list[Job]:
    """Those that have something to tell. What that is is noted before they may leave."""
    letters = list(Letter.objects.filter(pk__in=claimed).select_related("reader"))
    told = digests.contents(letters)
    wanted = [letter for letter in letters if letter.pk in told]
    history.note_told({letter: told[letter.pk].alerts for letter in wanted})
    return [_job(letter)._replace(updates=told[letter.pk].updates) for letter in wanted]


def _job(letter: Letter) -> Job:
    reader = letter.reader
    return Job(
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
UPDATE audience_letter SET state = %s, due_at = %s, attempts = %s, unanswered = %s, worker = ''
WHERE id = %s AND lease_version = %s
"""


def record(done: Sequence[Done]) -> int:
    """Writes what became of these letters, and gives them back, in one transaction. Returns how many claims were lost.

    Those are another process's by now: what it wrote stays.
    """
    if not done:
        return 0
    rows = [
        (
            one.state,
            one.due_at,
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
    job: Job
    mail: Mail
    claimed_at: float  #: by the monotonic clock, as is
    looked_at: float  #: when its reader was looked up


class Post:
    """The letters at work in one sender process. `on_put_back`: one came back, and another relay may have it.

    `fresh`: whether no other process may take this one for dead; see `Heartbeat.fresh`.
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
        self.waiting: deque[_Waiting] = deque()  #: those that are not handed out yet
        self._in_flight: dict[int, _Waiting] = {}
        self._put_backs = PutBacks()
        self._unfit: dict[int, Unfit] = {}
        self.done: list[Done] = []

    def __len__(self) -> int:
        return len(self.waiting) + len(self._in_flight)

    def room(self, at_once: int) -> int:
        """How many letters more to claim, where so many may wait. What is in flight holds up nothing, up to a limit."""
        return min(
            at_once - len(self.waiting), _MOST_IN_FLIGHT - len(self._in_flight) - len(self.done)
        )

    def held(self) -> set[int]:
        """The letters that this process knows to have claimed, as far as what became of them is not written."""
        jobs = [one.job for one in (*self.waiting, *self._in_flight.values())]
        return {job.letter for job in (*jobs, *(one.job for one in self.done))}

    def add(self, jobs: Iterable[tuple[Job, Mail]]) -> None:
        """Each job, just claimed, with its mail, whose `settle` and `ticket` are filled in here."""
        now = time.monotonic()
        self.waiting.extend(_Waiting(job, mail, now, now) for job, mail in jobs)

    def give_back_old(self) -> None:
        """The relays were down for long: what was claimed long ago and is not begun yet is given back."""
        oldest = time.monotonic() - _BEGUN_WITHIN
        old = [one.job for one in self.waiting if one.claimed_at < oldest]
        if old:
            self.waiting = deque(one for one in self.waiting if one.claimed_at >= oldest)
            self.done += [Done(job, Letter.State.WAITING, now_ms(), tried=False) for job in old]

    def to_look_up(self) -> list[Job]:
        """Those of the waiting letters whose readers were looked up a while ago: they are not begun before `looked`."""
        old = time.monotonic() - _LOOKED_UP
        return [one.job for one in self.waiting if one.looked_at < old]

    def looked(self, again: LookedUp) -> None:
        """Takes in what a look at those found."""
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

    def take(self, way: Way) -> Mail | None:
        """The next letter, if its reader was looked up just now."""
        if not self.waiting or len(self._in_flight) >= _MOST_IN_FLIGHT or not self._fresh():
            return None
        now = time.monotonic()
        for _ in range(min(len(self.waiting), _PASSED_BY)):
            one = self.waiting[0]
            if now - one.looked_at >= _LOOKED_UP or now - one.claimed_at >= _BEGUN_WITHIN:
                return None  # the books look it up, or give it back
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
        one, way = self._in_flight.pop(mail.ticket), mail.way
        assert way is not None
        job = one.job
        way.heard(job.domain, reply)
        now = now_ms()
        if reply.accepted:
            self._decided(Done(job, Letter.State.ACCEPTED, now))
        else:
            verdict = replies.verdict(reply)
            unanswered = job.unanswered + replies.in_doubt(reply)
            if unanswered >= _UNANSWERED_LIMIT:
                self._decided(Done(job, Letter.State.UNCERTAIN, now, unanswered=unanswered))
                return
            if self._comes_back(one, mail, reply, counts=verdict.counts):
                self.waiting.append(one._replace(job=job._replace(unanswered=unanswered)))
                self._on_put_back()
                return
            # While the relay accepts nothing at all, what it says may be about us: but nobody is paused for a letter.
            again = verdict.doubtful and not way.has_accepted and job.attempts < _DOUBTFUL_ATTEMPTS
            if (verdict.permanent and not again) or (
                verdict.doubtful and job.attempts >= _DOUBTFUL_ATTEMPTS
            ):
                self._decided(
                    Done(job, Letter.State.REFUSED, now, _bounced(job, way, reply, verdict))
                )
            else:
                due_at = now + retries.wait_ms(job.attempts + 1)
                self._decided(Done(job, Letter.State.WAITING, due_at, unanswered=unanswered))

    def _decided(self, done: Done) -> None:
        self._put_backs.forget(done.job.letter)
        self._unfit.pop(done.job.letter, None)
        self.done.append(done)

    def _comes_back(self, one: _Waiting, mail: Mail, reply: Reply, *, counts: bool) -> bool:
        """Whether it is handed out again at once, as with `batch_run.Round`: to another relay, or after trouble."""
        letter, way = one.job.letter, mail.way
        assert way is not None
        if replies.unfit_here(reply):
            self._unfit[letter] = unfit = Unfit.of(mail, reply, self._unfit.get(letter))
            return way.others(unfit.relays, unfit.utf8, unfit.size, self._bulk) != "none"
        if reply.reached is Reached.BEHIND:
            return True
        return not counts and self._put_backs.again(letter, way, reply)


def _bounced(job: Job, way: Way, reply: Reply, verdict: replies.Verdict) -> Bounced | None:
    """What is to be counted against the letter's reader, if it went to the reader's own address."""
    if verdict.bounce is replies.Bounce.NO or job.kind in _ELSEWHERE:
        return None
    hard = verdict.bounce is replies.Bounce.HARD
    return Bounced(
        job.reader,
        timezone.now(),
        hard,
        replies.short(reply),
        way.name,
        way.pacing.provider(job.domain),
    )
