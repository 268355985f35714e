"""Finds which readers of a batch are sent an alert, by current consent and preferences.

The query decides for most readers. Readers with preferences, or with a preference for this story,
are judged one by one in `audience.preferences.delivery_rules`.

Invariant: a reader without consent, or whose address is suppressed, is never in the result.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from morefollows.audience.models import Newsroom, Reader
from morefollows.audience.preferences.delivery_rules import (
    DAY_MS,
    AlertFacts,
    DeliveryDecision,
    DeliveryPreferences,
    decide,
    in_quiet_hours,
)
from morefollows.courier.channels import CHANNELS
from morefollows.courier.ledger import history
from morefollows.courier.ledger.claims import ActiveAlert
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert, StoryPreference


class Recipient(NamedTuple):
    """A reader's current data. Reader, channel and address together are the recipient.

    What an address is, only the channel knows: a mailbox, or a browser's endpoint.
    """

    channel: str  #: a key of `channels.CHANNELS`
    address: str
    domain: str  #: who runs the other end, such as a mailbox provider: throttled and judged by it
    language: str
    links_version: int
    uid: bytes
    later: bool = False  #: not to be sent now: the reader is queried again later


# same as `Recipient._make`, in half the time
_addressee = functools.partial(tuple.__new__, Recipient)


# Readers, subscriptions and suppressions are each found by key, whatever the planner estimates.
# Just after an import PostgreSQL has no statistics, and a join then took a minute.
_ADDRESSEES = """
SELECT r.id, {channel}, {address}, r.language, r.links_version, r.uid, FALSE, r.has_preferences
FROM {readers} {join}
WHERE (({consent}) OR {seed})
  AND {allowed}
"""
_HAS_TOPIC = """
r.state = 'confirmed'
AND (SELECT s.state FROM audience_subscription s WHERE s.topic_id = %s
  AND s.reader_id = r.id) = 'active'
"""
_WANTS_OFFERS = "r.state = 'confirmed' AND r.offers"
# Drills go to addresses that confirmed drills, whether or not they receive alerts.
_DRILLS = """
r.state NOT IN ('hard bounced', 'complained')
AND (SELECT d.confirmed_at FROM audience_drillreader d WHERE d.reader_id = r.id) IS NOT NULL
"""
# Seed inboxes are ours: they need no consent. Almost every reader passes the condition before.
_IS_SEED = "EXISTS (SELECT 1 FROM audience_seedinbox i WHERE i.reader_id = r.id)"
# SQLite never reorders a CROSS JOIN, so the ids are the outer loop. In PostgreSQL, OFFSET 0 keeps
# the subquery apart from the join: each reader is found by primary key.
_READERS_SQLITE = (
    "(SELECT value AS id FROM json_each(%s)) w CROSS JOIN audience_reader r ON r.id = w.id"
)
_READERS_POSTGRES = """
unnest(%s) AS w (id) CROSS JOIN LATERAL (SELECT * FROM audience_reader WHERE id = w.id OFFSET 0) r
"""


def load_recipients(alert: ActiveAlert, readers: Sequence[int]) -> dict[int, Recipient]:
    """Reader → data, for the readers who are sent the alert now or later.

    Left out: readers who have left, who don't want the alert, or who get it only in a digest.
    """
    if not readers:  # PostgreSQL can't infer the type of an empty array
        return {}
    table, ids = _READERS_SQLITE, json.dumps(list(readers))
    if connection.vendor == "postgresql":
        table, ids = _READERS_POSTGRES, list(readers)  # type: ignore[assignment]
    consent, values = _consent(alert)
    by = CHANNELS[alert.channel]
    sql = _ADDRESSEES.format(
        readers=table,
        consent=consent,
        seed=_IS_SEED,
        channel=f"'{by.name}'",
        address=by.address,
        join=by.join,
        allowed=by.allowed,
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, (ids, *values))
        rows = cursor.fetchall()
    # Columns 1 to 7 are the fields of `Recipient`; FALSE is its `later`. Column 8 is
    # `has_preferences`.
    found = {row[0]: _addressee(row[1:8]) for row in rows}
    if alert.audience != Alert.Audience.DRILL:
        _with_preferences(alert, found, [row[0] for row in rows if row[8]])
    return found


def _consent(alert: ActiveAlert) -> tuple[str, tuple[int, ...]]:
    """The SQL condition for consent to this alert, and its values."""
    if alert.audience == Alert.Audience.DRILL:
        return _DRILLS, ()
    return (_WANTS_OFFERS, ()) if alert.topic is None else (_HAS_TOPIC, (alert.topic,))


def preferences_of(readers: Iterable[int]) -> dict[int, DeliveryPreferences]:
    """Reader → preferences that apply to all stories."""
    newsroom = Newsroom.objects.filter(pk=1).values_list("time_zone", flat=True).first() or "UTC"
    return {
        reader.pk: DeliveryPreferences(
            reader.frequency,
            reader.quiet_from,
            reader.quiet_to,
            reader.time_zone or newsroom,
            reader.flash_passes,
            reader.most_a_day,
            reader.paused_until,
        )
        for reader in Reader.objects.filter(pk__in=readers)
    }


def _with_preferences(
    alert: ActiveAlert, found: dict[int, Recipient], has_preferences: Sequence[int]
) -> None:
    """Removes readers who don't want the alert, and marks those who get it later."""
    story_preferences = _story_preferences(alert, found)
    terms = preferences_of(has_preferences) if has_preferences else {}
    asked = sorted({*story_preferences, *terms})
    owed_correction = _owed_a_correction(alert, asked)
    unheard = _unheard(
        alert, sorted(reader for reader, chosen in terms.items() if chosen.frequency == "first")
    )
    woken = _woken(alert, terms)
    had = _had_today(
        alert, sorted(reader for reader, chosen in terms.items() if chosen.most_a_day is not None)
    )
    now = datetime.now(UTC)
    for reader in asked:
        chosen = terms.get(reader, DeliveryPreferences())._replace(
            choice=story_preferences.get(reader, "")
        )
        news = AlertFacts(
            "first" if reader in unheard else alert.kind,
            owed_correction=reader in owed_correction,
            woken_by_it=reader in woken,
            offer=alert.audience == Alert.Audience.OFFERS,
            flash=alert.flash,
        )
        verdict = decide(chosen, news, now, had.get(reader, 0))
        if verdict is DeliveryDecision.LATER:
            found[reader] = found[reader]._replace(later=True)
        elif verdict is not DeliveryDecision.NOW:
            del found[reader]
    for reader in _get_a_newer_one(
        alert, [reader for reader, choice in story_preferences.items() if choice == "follow"]
    ):
        found.pop(reader, None)


def _owed_a_correction(alert: ActiveAlert, readers: Sequence[int]) -> Set[int]:
    """The readers who were sent, or may have been, what this alert corrects or withdraws."""
    if alert.audience == Alert.Audience.RECIPIENTS:
        return set(readers)
    if alert.kind not in ("correction", "withdrawal") or not readers:
        return set()
    return history.alerts_had_by(
        Alert.objects.values_list("answers", flat=True).get(pk=alert.id), readers
    ).keys()


def _woken(alert: ActiveAlert, terms: Mapping[int, DeliveryPreferences]) -> set[int]:
    """The readers who were sent, in their quiet hours, an alert that this one withdraws."""
    quiet = sorted(reader for reader, one in terms.items() if one.quiet_from is not None)
    if alert.kind != "withdrawal" or not quiet:
        return set()
    answers = Alert.objects.values_list("answers", flat=True).get(pk=alert.id)
    # Corrections waited for the end of the quiet hours.
    wrong = Alert.objects.filter(pk__in=answers).exclude(update__kind="correction")
    sent = dict(wrong.values_list("pk", "held_until_ms"))
    had = history.alerts_had_by(list(sent), quiet, summaries=False)
    return {
        reader
        for reader, alerts in had.items()
        if any(
            in_quiet_hours(terms[reader], datetime.fromtimestamp(sent[one] / 1000, UTC))
            for one in alerts
            if one in sent
        )
    }


def _unheard(alert: ActiveAlert, readers: Sequence[int]) -> set[int]:
    """The readers who were sent no alert of this story, if an earlier one was overtaken.

    For them this alert counts as the story's first.
    """
    older = Alert.objects.filter(update__story=alert.story, pk__lt=alert.id)
    if not readers or not older.filter(state=Alert.State.OVERTAKEN).exists():
        return set()
    return (
        set(readers)
        - history.alerts_had_by(list(older.values_list("pk", flat=True)), readers).keys()
    )


def _get_a_newer_one(alert: ActiveAlert, followers: Sequence[int]) -> list[int]:
    """The followers who are in the audience of a newer update for the story's followers."""
    if not followers or alert.audience != Alert.Audience.TOPIC:
        return []
    newer = Alert.objects.filter(
        update__story=alert.story, pk__gt=alert.id, audience=Alert.Audience.FOLLOWERS
    )
    latest = newer.filter(update__published_at__isnull=False).order_by("-pk").first()
    if latest is None:
        return []
    by_then = StoryPreference.objects.filter(
        story=alert.story, reader__in=followers, at__lte=latest.frozen_at
    )
    return list(by_then.values_list("reader_id", flat=True))


_WISHES = (
    "SELECT reader_id, choice FROM stories_storypreference "
    "WHERE story_id = %s AND reader_id BETWEEN %s AND %s"
)


def _story_preferences(alert: ActiveAlert, found: dict[int, Recipient]) -> dict[int, str]:
    """Reader → preference for this alert's story, where there is one."""
    if not found or alert.topic is None:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_WISHES, (alert.story, min(found), max(found)))
        return {reader: choice for reader, choice in cursor.fetchall() if reader in found}


def _had_today(alert: ActiveAlert, readers: Sequence[int]) -> dict[int, int]:
    """How many alerts these readers were sent in the last 24 hours, or will be before this one.

    Only those of the same channel count: an alert sent over two channels counts once in each.
    """
    if not readers:
        return {}
    states = set(Alert.State) - {Alert.State.HELD, Alert.State.TAKEN_BACK}
    today = dict(
        Alert.objects.filter(
            lane=Alert.Lane.ALERT,
            channel=alert.channel,
            state__in=states,
            held_until_ms__gt=now_ms() - DAY_MS,
        )
        .exclude(Q(pk=alert.id) | Q(audience=Alert.Audience.DRILL))
        .values_list("pk", "state")
    )
    # An older alert that is still being sent comes first. It counts though its mail has not left.
    before = [pk for pk, state in today.items() if state == Alert.State.SENDING and pk < alert.id]
    had = history.alerts_had_by(list(today), readers, expected=before, summaries=False)
    return {reader: len(alerts) for reader, alerts in had.items()}
