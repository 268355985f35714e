"""The ledger: senders claim batches here, and record what became of each mail.

Each function is one short transaction on Django's connection, called from a sender's database
thread. Times are milliseconds since 1970. Both databases run the same statements, with two
differences: how a list of ids is passed, and ``SKIP LOCKED``. SQLite has one writer at a time and
does not need that. Batches are created in `batching`.

Invariant: a process changes a batch only while the lease version (`lease_version`) of its claim
stands. No mail is lost, and only uncertain mails are repeated.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db import OperationalError, connection, transaction

from morefollows.courier.ledger.leases import claim_ms
from morefollows.courier.models import Composition, Outcome
from morefollows.courier.refusals.brake import RefusedMail
from morefollows.stories.actions import now_ms
from morefollows.stories.alerts import publication
from morefollows.stories.alerts.alert_times import LEAD_MS
from morefollows.stories.models import Alert

NEVER = 0xFFFFFFFF  #: in `Batch.times`: not accepted, and no retry state
FRESH_DUE = 1_000_000  #: batches that were never tried are due at 1 to this, ms since 1970
NOT_ACCEPTED = (
    0x8000_0000  #: in `Batch.times`: values from here on are no time of acceptance; see `retries`
)


class ActiveAlert(NamedTuple):
    """An alert in state held or sending."""

    id: int
    state: str
    topic: int | None
    held_until_ms: int
    expires_at_ms: int
    cut_done: bool
    audience: str = "topic"
    bulk: bool = False
    flash: bool = False
    kind: str = "first"
    story: int = 0
    repeat: bool = True  #: uncertain mails are sent again without an editor's decision
    timed: bool = False  #: it is sent at a chosen time of the system clock
    channel: str = "mail"  #: a key of `channels.CHANNELS`


class Claim(NamedTuple):
    """A claimed batch.

    The claim holds while `lease_version`, the lease version, is unchanged in the ledger.
    """

    batch: int
    lease_version: int
    alert: int
    readers: array[int]
    outcomes: bytearray
    times: array[int]
    attempts: int
    repeated: int


class BatchRecord(NamedTuple):
    """What a process records of one batch. `due_at_ms`: None if every outcome is final.

    `handed_out_to`: mails with a lower index may be handed out. `worker`: empty to give the claim
    back.
    """

    batch: int
    lease_version: int
    alert: int
    outcomes: bytes
    times: bytes
    handed_out_to: int
    worker: str
    due_at_ms: int | None
    attempts: int
    repeated: int
    #: (domain, outcome, code, status) → (count, text)
    reply_counts: dict[tuple[str, int, int, str], tuple[int, str]]
    #: for `brake.write_counts`: refusals that may be deferred, or count as bounces
    refusals: list[RefusedMail]


class Recorded(NamedTuple):
    """The result of `record_outcomes`."""

    lost: set[int]  #: batches claimed by another process: this one must stop working on them
    sending: set[int]  #: the alerts of these entries that are still being sent
    #: batches not written, because another transaction has locked a row
    stuck: frozenset[int] = frozenset()


# -- what is there to do --------------------------------------------------------------------------

# The columns are in the order of `ActiveAlert`. In ORDER BY, the lane 'alert' sorts before 'bulk'.
_RUNNING = """
SELECT a.id, a.state, a.topic_id, a.held_until_ms, a.expires_at_ms, a.cut_done, a.audience,
    a.lane = 'bulk', a.flash,
    u.kind, u.story_id, a.repeat, a.not_before_ms IS NOT NULL, a.channel
FROM stories_alert a JOIN stories_update u ON u.id = a.update_id
WHERE a.state IN ('held', 'sending') AND (a.not_before_ms IS NULL OR a.not_before_ms <= %s)
ORDER BY a.lane, a.held_until_ms
"""


def active_alerts() -> list[ActiveAlert]:
    """The alerts in state held or sending: the alert lane first, and the oldest first in each lane.

    A scheduled alert is included from `alert_times.LEAD_MS` before its time.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, (now_ms() + LEAD_MS,))
        return [ActiveAlert(*row) for row in cursor.fetchall()]


def hold_left(alert: Alert) -> float:
    """Seconds until the end of this alert's hold, at most the length of the hold.

    The limit holds even if the clock was set back. It does not apply to an alert with a chosen
    time.
    """
    left = float(alert.held_until_ms - now_ms()) / 1000
    if alert.not_before_ms is not None:
        return left
    return min(left, alert.held_until_ms / 1000 - alert.frozen_at.timestamp())


# -- claiming: batch → worker ---------------------------------------------------------------------


# While a batch is claimed, due_at_ms is the end of the claim. Who may release it then: see
# `leases`. MATERIALIZED runs the inner query once. PostgreSQL may else repeat it for each row, and
# skip past the rows that it has locked itself.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM courier_batch WHERE alert_id = %s AND due_at_ms > %s AND due_at_ms <= %s
      AND worker = ''
    ORDER BY due_at_ms LIMIT %s{skip_locked}
)
UPDATE courier_batch SET lease_version = lease_version + 1, worker = %s, due_at_ms = %s
WHERE id IN (SELECT id FROM due)
RETURNING id, lease_version, alert_id, readers, outcomes, times, attempts, repeated, handed_out_to
"""


def claim_batches(worker: str, alert: int, limit: int, *, retried: bool = False) -> list[Claim]:
    """Claims up to `limit` due batches. Mails that a dead process may have sent become uncertain.

    `worker`: name of the claiming process. `retried`: only batches whose retry time has come.
    """
    now = now_ms()
    # Fresh batches are due at a random time up to FRESH_DUE. A lower bound above it leaves only
    # those with a real retry time.
    values = (alert, FRESH_DUE if retried else 0, now, limit, worker, now + claim_ms())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(skip_locked=skip_locked()), values)
        return [_claimed(row) for row in cursor.fetchall()]


def _claimed(row: tuple[object, ...]) -> Claim:
    batch, lease_version, alert, readers, outcomes, times, attempts, repeated, handed_out_to = row
    ids, when = array("q"), array("I")
    ids.frombytes(bytes(readers))  # type: ignore[call-overload]
    when.frombytes(bytes(times))  # type: ignore[call-overload]
    states = bytearray(outcomes)  # type: ignore[call-overload]
    doubt(states, handed_out_to)  # type: ignore[arg-type]
    return Claim(batch, lease_version, alert, ids, states, when, attempts, repeated)  # type: ignore[arg-type]


def doubt(outcomes: bytearray, handed_out_to: int) -> int:
    """Makes waiting mails below `handed_out_to` uncertain, and returns how many.

    A process that gives its claim back resets `handed_out_to`. So a value other than 0 is left by
    one that did not.
    """
    waiting = outcomes[:handed_out_to].count(Outcome.WAITING)
    for i in range(handed_out_to if waiting else 0):
        if outcomes[i] == Outcome.WAITING:
            outcomes[i] = Outcome.UNCERTAIN
    return waiting


# -- recording: outcomes → batch ------------------------------------------------------------------

_RECORD = """
UPDATE courier_batch SET outcomes = %s, times = %s, handed_out_to = %s, worker = %s,
    due_at_ms = %s, attempts = %s,
    repeated = %s, accepted = %s, deferred = %s, refused = %s, skipped = %s, uncertain = %s,
    expired = %s,
    changed_at_ms = %s
WHERE id = %s AND lease_version = %s
"""
_COUNT_VERDICT = """
INSERT INTO courier_replycount (alert_id, domain, outcome, code, status, text, count)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (alert_id, domain, outcome, code, status) DO UPDATE SET
    count = courier_replycount.count + excluded.count
"""
_COUNTED = (
    Outcome.ACCEPTED,
    Outcome.DEFERRED,
    Outcome.REFUSED,
    Outcome.SKIPPED,
    Outcome.UNCERTAIN,
    Outcome.EXPIRED,
)


_SENDING = "SELECT id FROM stories_alert WHERE state = 'sending'"


def record_outcomes(
    entries: Iterable[BatchRecord], release: int | None = None, early: bool = False
) -> Recorded:
    """Writes these entries in one transaction: outcomes, and how far each batch may be handed out.

    `release`: id of the alert whose hold has ended; the entries then hold its first batches'
    `handed_out_to`. `early`: the hold has ended, but not by the system clock; see
    `stories.alerts.publication.release`.
    """
    lost: set[int] = set()
    alerts: set[int] = set()
    now = now_ms()
    with transaction.atomic(), connection.cursor() as cursor:
        if release is not None:
            publication.release(release, early=early)
            alerts.add(release)
        for entry in entries:
            alerts.add(entry.alert)
            counts = [entry.outcomes.count(outcome) for outcome in _COUNTED]
            facts = (
                entry.outcomes,
                entry.times,
                entry.handed_out_to,
                entry.worker,
                entry.due_at_ms,
                entry.attempts,
            )
            cursor.execute(
                _RECORD, (*facts, entry.repeated, *counts, now, entry.batch, entry.lease_version)
            )
            # The lease version has changed: another process holds the batch now. Its outcomes
            # count, and ours are dropped together with the replies, which would else be counted
            # twice.
            if cursor.rowcount == 0:
                lost.add(entry.batch)
                continue
            for (domain, outcome, code, status), (count, text) in entry.reply_counts.items():
                cursor.execute(
                    _COUNT_VERDICT, (entry.alert, domain, outcome, code, status, text, count)
                )
        # In the transaction that allows more mails to be handed out. So a sender learns here that
        # an alert was stopped, before it hands out more of it.
        cursor.execute(_SENDING)
        sending = alerts.intersection(row[0] for row in cursor.fetchall())
    return Recorded(lost, sending)


_SHORT = "SET LOCAL lock_timeout = '100ms'"


def record_what_is_free(
    entries: Sequence[BatchRecord], release: int | None = None, early: bool = False
) -> Recorded:
    """Like `record_outcomes`, but skips entries whose rows another transaction has locked
    (`stuck`)."""
    try:
        return record_outcomes(entries, release, early)
    except OperationalError as error:
        if not is_lock_timeout(error):
            raise
    lost: set[int] = set()
    sending: set[int] = set()
    stuck: set[int] = set()
    # None stands for the end of the hold, which needs the alert's row only. It comes first, as no
    # batch of the alert may be handed out before it is written.
    for entry in (None, *entries):
        if entry is not None and entry.alert == release and release not in sending:
            stuck.add(entry.batch)
            continue
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(_SHORT)
                one = (
                    record_outcomes([entry], None) if entry else record_outcomes([], release, early)
                )
        except OperationalError as error:
            if not is_lock_timeout(error):
                raise
            stuck |= {entry.batch} if entry else set()
            continue
        lost |= one.lost
        sending |= one.sending
    return Recorded(
        lost, sending | {entry.alert for entry in entries if entry.batch in stuck}, frozenset(stuck)
    )


def is_lock_timeout(error: BaseException) -> bool:
    """Whether PostgreSQL gave up waiting for a row lock (SQLSTATE 55P03). Never so on SQLite."""
    # Django wraps psycopg's error, which has the SQLSTATE.
    return getattr(error.__cause__, "sqlstate", None) == "55P03"


# A batch's due_at_ms is NULL once all its outcomes are final. The index `batches_due` has only the
# other batches.
_COMPLETE = """
SELECT a.id FROM stories_alert a WHERE a.state = 'sending' AND a.cut_done
  AND NOT EXISTS (SELECT 1 FROM courier_batch b WHERE b.alert_id = a.id AND b.due_at_ms IS NOT NULL)
"""


def complete() -> list[int]:
    """The alerts being sent in which no mail is left to send."""
    with connection.cursor() as cursor:
        cursor.execute(_COMPLETE)
        return [row[0] for row in cursor.fetchall()]


# -- compositions and relays ----------------------------------------------------------------------


def keep_compositions(alert: int, parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Stores an alert's compositions by language, where none is stored. Returns all stored ones.

    So all processes send the same bytes, also after a restart.
    """
    with transaction.atomic():
        Composition.objects.bulk_create(
            [Composition(alert_id=alert, language=one, parts=parts[one]) for one in parts],
            ignore_conflicts=True,
        )
        return kept_compositions(alert)


def kept_compositions(alert: int) -> dict[str, bytes]:
    """Language → the stored composition."""
    found = Composition.objects.filter(alert_id=alert).values_list("language", "parts")
    return {language: bytes(parts) for language, parts in found}


_PAUSED = "SELECT name FROM courier_relay WHERE paused_at IS NOT NULL"


def paused_relays() -> set[str]:
    """Names of the paused relays."""
    with connection.cursor() as cursor:
        cursor.execute(_PAUSED)
        return {name for (name,) in cursor.fetchall()}


def skip_locked() -> str:
    """The locking clause for a SELECT: empty on SQLite."""
    return " FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
