"""The claims of letters: due letters are claimed, checked, and their results recorded.

A letter is any mail that is no alert: confirmations, invitations, digests. Each function is one
short transaction, called from a sender's database thread. `queue` holds claimed letters in memory.

Invariant: a process changes a letter only while the lease version of its claim stands (see
`ledger.leases`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from morefollows.audience.addresses import Address
from morefollows.audience.models import Letter, Suppression
from morefollows.audience.preferences.address_change import is_free
from morefollows.audience.suppression import may_sign_up_again
from morefollows.audience.suppression.hard_bounces import BouncedMail
from morefollows.courier.ledger import history
from morefollows.courier.ledger.claims import skip_locked
from morefollows.courier.outbox import digests
from morefollows.courier.relays.interface import Mail
from morefollows.stories.actions import now_ms


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
    editor: int = 0  #: whom it goes to, if not to a reader: then `reader` is 0
    about: int = 0  #: to an editor: the story or audit entry that it is about


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
    """Letter id → current job, for the letters that are still wanted and allowed.

    Leaves out letters that another process has claimed meanwhile.
    """
    held = {job.letter: job.lease_version for job in jobs}
    ids = [job.letter for job in jobs if not job.updates]
    found = {job.letter: job for job in _wanted(ids)} if ids else {}
    listed = {job.letter: job for job in jobs if job.updates}
    if listed:
        letters = Letter.objects.filter(pk__in=list(listed)).select_related("reader", "topic")
        for letter in digests.allowed(list(letters)):
            found[letter.pk] = _job(letter)._replace(updates=listed[letter.pk].updates)
    return {key: job for key, job in found.items() if job.lease_version == held[key]}


#: SQL conditions under which a letter is still wanted, for kinds that go to the reader's own
#: address at once. `l`: the letter. ``r``: its reader. `s`: the reader's subscription to the
#: letter's topic. `d`: the reader's row for drills. `x`: the suppression of the address. `s`, `d`
#: and `x` may be missing (outer joins).
_STILL_WANTED = {
    Letter.Kind.CONFIRMATION: "s.state = 'pending'"
    " OR (s.state = 'active' AND l.offers AND NOT r.offers)"
    f" OR (s.state = 'active' AND {may_sign_up_again.SQL})",
    Letter.Kind.THANKS: "s.state = 'active'",
    Letter.Kind.PREFERENCES: "r.state = 'confirmed'",
    Letter.Kind.INVITATION: "d.id IS NOT NULL AND d.confirmed_at IS NULL",
}
#: kinds that do not go to the reader's own address
TO_ANOTHER_ADDRESS = (
    Letter.Kind.NEW_ADDRESS,
    Letter.Kind.MOVED,
)

#: kinds that go to editors. They are wanted as long as the editor's account is not disabled.
TO_EDITORS = (
    Letter.Kind.INVITE_EDITOR,
    Letter.Kind.NEW_PASSWORD,
    Letter.Kind.APPROVAL,
    Letter.Kind.SENT_BACK,
    Letter.Kind.TEST,
    Letter.Kind.ITEM,
    Letter.Kind.WEBHOOK_PAUSED,
)

# Plain SQL, because building this query with the ORM took longer than all else for a letter.
_WANTED = f"""
SELECT l.id, l.kind, l.offers, l.attempts, l.topic_id, r.id,
    COALESCE(NULLIF(l.address, ''), r.address), COALESCE(NULLIF(l.domain, ''), r.domain),
    COALESCE(r.language, e.language), r.links_version, l.uid, r.uid, t.uid, l.lease_version,
    l.unanswered, e.id, l.about
FROM audience_letter l
LEFT JOIN audience_reader r ON r.id = l.reader_id
LEFT JOIN accounts_editor e ON e.id = l.editor_id AND e.is_active
LEFT JOIN audience_topic t ON t.id = l.topic_id
LEFT JOIN audience_subscription s ON s.reader_id = l.reader_id AND s.topic_id = l.topic_id
LEFT JOIN audience_suppression x ON x.key = r.key
LEFT JOIN audience_drillreader d ON d.reader_id = l.reader_id
WHERE l.id {{among}} AND l.created_at > %s AND (
    l.kind IN ({", ".join(f"'{kind.value}'" for kind in TO_ANOTHER_ADDRESS)})
    OR (e.id IS NOT NULL AND l.kind IN ({", ".join(f"'{kind.value}'" for kind in TO_EDITORS)}))
    OR (
        (x.id IS NULL OR (l.kind = 'confirmation' AND {may_sign_up_again.SQL}))
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
    return [job for job in found if job.kind not in TO_ANOTHER_ADDRESS or _may_go(job)]


_NO_UID = bytes(16)  # of a reader, in a letter to an editor: no link is made with it


def _of_row(row: Sequence[Any]) -> ClaimedLetter:
    """A row of `_WANTED` as a job.

    SQLite returns 0 or 1 for booleans. The uid of a missing topic is NULL.
    """
    job = ClaimedLetter._make((*row[:13], (), *row[13:]))
    return job._replace(
        reader=job.reader or 0,
        offers=bool(job.offers),
        links_version=job.links_version or 0,
        uid=bytes(job.uid),
        reader_uid=bytes(job.reader_uid or _NO_UID),
        topic_uid=bytes(job.topic_uid or b""),
        language=job.language or settings.LANGUAGE_CODE,
        editor=job.editor or 0,
    )


def _may_go(job: ClaimedLetter) -> bool:
    """Whether a letter to another address than the reader's own may be sent."""
    key = Address(job.address, job.domain).key
    if job.kind == Letter.Kind.NEW_ADDRESS:
        return is_free(key)
    return not Suppression.objects.filter(key=key).exists()


def _summaries(claimed: Sequence[int]) -> list[ClaimedLetter]:
    """The digests that have contents. Their contents are stored before they may be sent."""
    letters = list(Letter.objects.filter(pk__in=claimed).select_related("reader"))
    listed = digests.contents(letters)
    wanted = [letter for letter in letters if letter.pk in listed]
    history.record_digest_items({letter: listed[letter.pk].alerts for letter in wanted})
    return [_job(letter)._replace(updates=listed[letter.pk].updates) for letter in wanted]


def _job(letter: Letter) -> ClaimedLetter:
    reader = letter.reader
    assert reader is not None  # a digest's
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
