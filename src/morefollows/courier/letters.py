"""The letters that a sign-up owes its reader (confirmation, thanks): claimed and recorded like batches, one by one."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from morefollows.audience.addresses import Address
from morefollows.audience.models import Letter, Subscription, Suppression
from morefollows.audience.preferences.actions import free
from morefollows.audience.suppressions.bounces import Bounced
from morefollows.bulletin.actions import now_ms
from morefollows.courier import history, replies, retries, summaries
from morefollows.courier.boundary import Mail, Reply, Way

# Longer than the final dot may take to be answered (RFC 5321 §4.5.3.2.6): nobody else sends it meanwhile.
_CLAIM_MS = 11 * 60_000
_FRESH_MS = 60_000  # a claimed letter that has waited for longer is not begun any more
_PUT_BACK_LIMIT = 5
_DOUBTFUL_ATTEMPTS = 5  # within some 40 minutes


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


class Done(NamedTuple):
    job: Job
    state: str
    due_at: int
    bounced: Bounced | None = None


# As with batches, the inner query is asked once only.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM audience_letter WHERE state = 'waiting' AND {lane} AND due_at <= %s AND claimed_until <= %s
    ORDER BY due_at, id LIMIT %s{skip_locked}
)
UPDATE audience_letter SET worker = %s, claimed_until = %s WHERE id IN (SELECT id FROM due)
RETURNING id
"""


def claim(worker: str, limit: int, *, bulk: bool = False) -> list[Job]:
    """Claims letters that are due. One whose reader does not want it any more, or may not have it, expires.

    `bulk`: summaries, whose readers are neighbours then, so that what they were sent is found in few batches.
    """
    now = now_ms()
    with transaction.atomic(), connection.cursor() as cursor:
        skip_locked = " FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
        values = (now, now, limit, worker, now + _CLAIM_MS)
        cursor.execute(_CLAIM.format(skip_locked=skip_locked, lane="bulk" if bulk else "NOT bulk"), values)
        claimed = [row[0] for row in cursor.fetchall()]
        if not claimed:
            return []
        wanted = _summaries(claimed) if bulk else _wanted(claimed)
        unwanted = set(claimed) - {job.letter for job in wanted}
        Letter.objects.filter(pk__in=unwanted).update(state=Letter.State.EXPIRED, worker="", claimed_until=0)
    return wanted


def _wanted(letters: Sequence[int]) -> list[Job]:
    """A confirmation or invitation asks for what is not confirmed yet, thanks answer an active subscription.

    A suppressed address gets neither, nor any other letter; but one that bounced here, and has signed up again, gets
    the confirmation that lifts it.
    """
    suppressed = Suppression.objects.filter(key=OuterRef("reader__key"))
    bounced = suppressed.filter(reason=Suppression.Reason.BOUNCED, from_list=False)
    subscription = Subscription.objects.filter(reader=OuterRef("reader"), topic=OuterRef("topic"))
    youngest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.confirmation_days)
    fresh = Letter.objects.filter(pk__in=letters, created_at__gt=youngest).select_related("reader", "topic")
    own = fresh.alias(subscribed=Subquery(subscription.values("state")[:1])).filter(
        Q(kind=Letter.Kind.CONFIRMATION, subscribed=Subscription.State.PENDING)
        | Q(kind=Letter.Kind.CONFIRMATION, subscribed=Subscription.State.ACTIVE, offers=True, reader__offers=False)
        | Q(Exists(bounced), kind=Letter.Kind.CONFIRMATION, subscribed=Subscription.State.ACTIVE)
        | Q(kind=Letter.Kind.THANKS, subscribed=Subscription.State.ACTIVE)
        | Q(kind=Letter.Kind.INVITATION, reader__drill__isnull=False, reader__drill__confirmed_at=None),
        ~Exists(suppressed) | Q(Exists(bounced), kind=Letter.Kind.CONFIRMATION),
    )
    elsewhere = [letter for letter in fresh.filter(kind__in=_ELSEWHERE) if _may_go(letter)]
    return [_job(letter) for letter in (*own, *elsewhere)]


_ELSEWHERE = (Letter.Kind.NEW_ADDRESS, Letter.Kind.MOVED)  # kinds that do not go to the reader's own address


def _may_go(letter: Letter) -> bool:
    key = Address(letter.address, letter.domain).key
    if letter.kind == Letter.Kind.NEW_ADDRESS:
        return free(key)
    return not Suppression.objects.filter(key=key).exists()


def _summaries(claimed: Sequence[int]) -> list[Job]:
    """Those that have something to tell. What that is is noted before they may leave."""
    letters = list(Letter.objects.filter(pk__in=claimed).select_related("reader"))
    told = summaries.contents(letters)
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
    )


_RECORD = """
UPDATE audience_letter SET state = %s, due_at = %s, attempts = %s, worker = '', claimed_until = 0 WHERE id = %s
"""


def record(done: Sequence[Done]) -> None:
    """In a rush of sign-ups there are many at a time, and alerts wait for the same thread."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_RECORD, [(one.state, one.due_at, one.job.attempts + 1, one.job.letter) for one in done])


class Post:
    """The letters at work in one sender process. `on_put_back`: one came back, and another relay may have it."""

    def __init__(self, on_put_back: Callable[[], None]) -> None:
        self._on_put_back = on_put_back
        self._waiting: deque[tuple[Job, Mail, int]] = deque()  # with when it was claimed
        self._in_flight: dict[int, tuple[Job, int]] = {}
        self._put_back: Counter[int] = Counter()
        self.done: list[Done] = []

    def __len__(self) -> int:
        return len(self._waiting) + len(self._in_flight)

    def add(self, jobs: Iterable[tuple[Job, Mail]]) -> None:
        """Each job with its mail, whose `settle` and `ticket` are filled in here."""
        now = now_ms()
        self._waiting.extend((job, mail, now) for job, mail in jobs)

    def take(self, way: Way) -> Mail | None:
        while self._waiting:
            job, mail, claimed_at = self._waiting.popleft()
            age = now_ms() - claimed_at
            if age < _FRESH_MS:
                self._in_flight[job.letter] = job, claimed_at
                return mail._replace(settle=self._settle, ticket=job.letter, way=way)
            # The relays were down: its reader may have changed their mind, and the claim must outlast the reply.
            if age < _CLAIM_MS:
                self.done.append(Done(job, Letter.State.WAITING, now_ms()))
        return None

    def _settle(self, mail: Mail, reply: Reply) -> None:
        (job, claimed_at), way = self._in_flight.pop(mail.ticket), mail.way
        assert way is not None
        way.heard(job.domain, reply)
        now = now_ms()
        if 200 <= reply.code < 300:
            self.done.append(Done(job, Letter.State.ACCEPTED, now))
        else:
            verdict = replies.verdict(reply)
            if not verdict.counts:  # the relay was in trouble: as with `round.Round`
                self._put_back[job.letter] += 1
                if self._put_back[job.letter] < _PUT_BACK_LIMIT:
                    self._waiting.append((job, mail, claimed_at))
                    self._on_put_back()
                    return
            self._put_back.pop(job.letter, None)
            # While the relay accepts nothing at all, what it says may be about us: but nobody is paused for a letter.
            again = verdict.doubtful and not way.has_accepted and job.attempts < _DOUBTFUL_ATTEMPTS
            if (verdict.permanent and not again) or (verdict.doubtful and job.attempts >= _DOUBTFUL_ATTEMPTS):
                self.done.append(Done(job, Letter.State.REFUSED, now, _bounced(job, way, reply, verdict)))
            else:
                self.done.append(Done(job, Letter.State.WAITING, now + retries.wait_ms(job.attempts + 1)))


def _bounced(job: Job, way: Way, reply: Reply, verdict: replies.Verdict) -> Bounced | None:
    """What is to be counted against the letter's reader, if it went to the reader's own address."""
    if verdict.bounce is replies.Bounce.NO or job.kind in _ELSEWHERE:
        return None
    hard = verdict.bounce is replies.Bounce.HARD
    status = reply.status or str(reply.code)
    return Bounced(job.reader, timezone.now(), hard, status, way.name, way.pacing.provider(job.domain))
