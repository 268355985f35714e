"""Divides an alert's audience into batches.

Times are milliseconds since 1970. Each call is one short transaction on Django's connection.

Invariant: each reader of the audience is in exactly one batch of the alert, whichever process cuts,
and after any crash.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from morefollows.courier.ledger.claims import FRESH_DUE, NEVER, skip_locked
from morefollows.courier.recipients import earlier_recipients
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert

# The position is stored in the alert's row, which is locked during a cut. So another process can
# continue after a crash, and no reader is in two batches. SQLite locks the whole database instead.
_POSITION = """
SELECT topic_id, audience, frozen_at, cut_from, cut_to, cut_wrapped,
    (SELECT s.canary FROM stories_update u JOIN stories_story s ON s.id = u.story_id
        WHERE u.id = stories_alert.update_id),
    cut_done
FROM stories_alert WHERE id = %s
"""
# Seed inboxes are in every audience, whatever it is, in a batch of their own: see `_seeds`.
_NO_SEED = "NOT IN (SELECT reader_id FROM audience_seedinbox)"
_SEEDS = """
SELECT reader_id FROM audience_seedinbox WHERE paused_at IS NULL ORDER BY reader_id
"""
# Only readers who were active when the editor sent the alert are in the audience. So a cut gives
# the same readers whenever it runs.
_OF_TOPIC = f"""
SELECT s.reader_id FROM audience_subscription s JOIN audience_reader r ON r.id = s.reader_id
WHERE s.topic_id = %s AND s.state = 'active' AND s.since <= %s
  AND s.reader_id > %s AND s.reader_id <= %s
  AND r.state = 'confirmed' AND r.id {_NO_SEED}
ORDER BY s.reader_id LIMIT %s
"""  # noqa: S608 - a constant of ours
# Following a story is a preference and no consent. That is the subscription to the alert's topic.
_FOLLOWERS = f"""
SELECT i.reader_id FROM stories_alert a JOIN stories_update u ON u.id = a.update_id
JOIN stories_storypreference i ON i.story_id = u.story_id
JOIN audience_subscription s ON s.topic_id = a.topic_id AND s.reader_id = i.reader_id
  AND s.state = 'active'
WHERE a.id = %s
  AND i.choice = 'follow' AND i.at <= %s AND s.since <= %s
  AND i.reader_id > %s AND i.reader_id <= %s AND i.reader_id {_NO_SEED}
ORDER BY i.reader_id LIMIT %s
"""  # noqa: S608
# The reader's row has no time of this consent. A reader who consents while the audience is cut may
# be in it.
_OF_OFFERS = f"""
SELECT r.id FROM audience_reader r
WHERE r.offers AND r.state = 'confirmed' AND r.id > %s AND r.id <= %s AND r.id {_NO_SEED}
ORDER BY r.id LIMIT %s
"""  # noqa: S608
_OF_DRILL = f"""
SELECT d.reader_id FROM audience_drillreader d
WHERE d.confirmed_at <= %s AND d.reader_id > %s AND d.reader_id <= %s AND d.reader_id {_NO_SEED}
ORDER BY d.reader_id LIMIT %s
"""  # noqa: S608
# Two subqueries, as each reads one end of an index. MIN and MAX in one query scan all of it.
_ENDS = """
SELECT (SELECT COALESCE(MIN(reader_id), 1)
    FROM audience_subscription WHERE topic_id = %s AND state = 'active'),
    (SELECT COALESCE(MAX(reader_id), 0) FROM audience_subscription
        WHERE topic_id = %s AND state = 'active')
"""
_ENDS_OF_ALL = """
SELECT (SELECT COALESCE(MIN(id), 1) FROM audience_reader),
    (SELECT COALESCE(MAX(id), 0) FROM audience_reader)
"""
_NEXT_NUMBER = "SELECT COALESCE(MAX(number), 0) + 1 FROM courier_batch WHERE alert_id = %s"
_NEW_BATCH = """
INSERT INTO courier_batch (
    alert_id, number, size, readers, first, last, outcomes, times, due_at_ms, changed_at_ms,
    lease_version, handed_out_to, worker, attempts, accepted, deferred, refused, skipped,
    uncertain, expired, repeated)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0)
"""
_MOVED = (
    "UPDATE stories_alert SET cut_from = %s, cut_to = %s, cut_wrapped = %s, cut_done = %s "
    "WHERE id = %s"
)
_HIGHEST_ID = 2**63 - 1


class _Cut(NamedTuple):
    """An alert whose audience is being cut."""

    alert: int
    topic: int | None
    audience: str
    frozen_at: Any
    answers: list[int]


def cut_batches(alert: int, batches: int) -> bool:
    """Creates up to `batches` more batches. Returns True if there is nothing to do now.

    That is so if all is cut, if another process is cutting, or if mails of an alert that this one
    answers are still in flight. The cut starts at a random reader and wraps round, so that no
    reader is always last.
    """
    size = settings.MOREFOLLOWS.batch_size
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_POSITION + skip_locked(), (alert,))
        position = cursor.fetchone()
        if position is None or position[-1]:
            return True
        topic, audience, frozen_at, cut_from, cut_to, wrapped, canary, _done = position
        frozen_at = connection.ops.adapt_datetimefield_value(frozen_at)
        what = _Cut(alert, topic, audience, frozen_at, _answers(alert, audience))
        if audience == Alert.Audience.PAGE:
            cursor.execute(_MOVED, (0, 0, True, True, alert))
            return True
        if not earlier_recipients.are_all_known(what.answers):
            return True
        if cut_to is None:
            if seeds := _seeds(cursor, audience):
                cursor.execute(_NEW_BATCH, _batch_row(alert, 1, seeds))
            if canary:
                cursor.execute(_MOVED, (0, 0, True, True, alert))
                return True
            cut_from = cut_to = _random_start(cursor, topic, audience)
        # Two legs, each with ascending ids: from the random start to the end, then from 0 to the
        # start. They do not overlap, so no reader is in both.
        upper = cut_from if wrapped else _HIGHEST_ID
        readers, cut_to = _readers(cursor, what, cut_to, upper, batches)
        cursor.execute(_NEXT_NUMBER, (alert,))
        number = cursor.fetchone()[0]
        cursor.executemany(
            _NEW_BATCH,
            [
                _batch_row(alert, number + i, readers[start : start + size])
                for i, start in enumerate(range(0, len(readers), size))
            ],
        )
        round_done = cut_to >= upper
        done = round_done and wrapped
        if round_done and not wrapped:
            cut_to, wrapped = 0, True
        cursor.execute(_MOVED, (cut_from, cut_to, wrapped, done, alert))
    return done


def _random_start(cursor: Any, topic: int | None, audience: str) -> int:
    """The position at which the cut of an alert starts."""
    of_topic = audience == Alert.Audience.TOPIC
    cursor.execute(*((_ENDS, (topic, topic)) if of_topic else (_ENDS_OF_ALL, ())))
    first, last = cursor.fetchone()
    # A position is exclusive: the next reader is above it. So first - 1 starts with the first one.
    return random.randint(first - 1, last)  # noqa: S311 - a fair start, no secret


def _seeds(cursor: Any, audience: str) -> list[int]:
    """The readers of the seed inboxes, ascending. Recipients of an earlier alert have them."""
    if audience == Alert.Audience.RECIPIENTS:
        return []
    cursor.execute(_SEEDS)
    return [row[0] for row in cursor.fetchall()]


def _answers(alert: int, audience: str) -> list[int]:
    """Ids of the alerts whose recipients are this alert's audience; empty for other audiences."""
    if audience != Alert.Audience.RECIPIENTS:
        return []
    return list(Alert.objects.values_list("answers", flat=True).get(pk=alert))


def _readers(cursor: Any, what: _Cut, after: int, upto: int, batches: int) -> tuple[list[int], int]:
    """The next readers beyond `after`, ascending, and the last id covered by them.

    There are enough for about `batches` batches.
    """
    if what.audience == Alert.Audience.RECIPIENTS:
        return earlier_recipients.find_recipients(what.answers, after, upto, batches)
    most = batches * settings.MOREFOLLOWS.batch_size
    values: tuple[Any, ...]
    match what.audience:
        case Alert.Audience.FOLLOWERS:
            query, values = _FOLLOWERS, (what.alert, what.frozen_at, what.frozen_at)
        case Alert.Audience.OFFERS:
            query, values = _OF_OFFERS, ()
        case Alert.Audience.DRILL:
            query, values = _OF_DRILL, (what.frozen_at,)
        case _:
            query, values = _OF_TOPIC, (what.topic, what.frozen_at)
    cursor.execute(query, (*values, after, upto, most))
    readers = [row[0] for row in cursor.fetchall()]
    # Fewer readers than asked for: there are no more up to `upto`.
    return readers, readers[-1] if len(readers) == most else upto


def _batch_row(alert: int, number: int, readers: Sequence[int]) -> tuple[int | bytes, ...]:
    """The values of `_NEW_BATCH`."""
    packed = array("q", readers).tobytes()
    never = array("I", [NEVER]) * len(readers)
    # A random time long ago: the batch is due at once, and batches are claimed in random order.
    due_at_ms = random.randint(1, FRESH_DUE)  # noqa: S311
    facts = (alert, number, len(readers), packed, readers[0], readers[-1])
    return *facts, bytes(len(readers)), never.tobytes(), due_at_ms, now_ms()
