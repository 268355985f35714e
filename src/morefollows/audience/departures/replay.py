"""Applies a departures log to a database that lacks its latest entries, such as a restored backup.

Invariant: replaying is idempotent, and does not undo a consent given after the departure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction

from morefollows.audience import departures
from morefollows.audience import drills as drill
from morefollows.audience.consent import withdrawal
from morefollows.audience.departures import DepartureKind, log
from morefollows.audience.departures.log import Departure
from morefollows.audience.models import (
    Consent,
    DepartureMark,
    Purpose,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.suppression import actions as suppressions
from morefollows.audit.actions import record

_AT_ONCE = 500
_SLACK_MS = 3_600_000  # entries this much older are read again, in case the clock was set back
_OPEN = (Subscription.State.PENDING, Subscription.State.ACTIVE)


def own() -> Counter[str]:
    """Replays the new entries of the log in the data folder. Returns how many, by kind."""
    file = departures.log_path()
    return replay(file) if file.exists() else Counter()


def replay(file: Path, *, whole: bool = False) -> Counter[str]:
    """Replays the new entries of a log. Returns how many changed something, by kind.

    `whole`: replays all entries. Raises `OSError`, `ValueError`.
    """
    name = log.name_of(file)
    seen = DepartureMark.objects.filter(log=name).values_list("at_ms", flat=True).first() or 0
    latest: dict[tuple[str, str, str], Departure] = {}
    newest = seen
    # Only the last entry about the same thing counts, so that a suppression which was lifted later
    # is not made again. Of two of the same millisecond the later line counts.
    for entry in log.read_entries(file, 0 if whole else seen - _SLACK_MS):
        newest = max(newest, entry.at_ms)
        if entry.at_ms >= latest.get(entry.about, entry).at_ms:
            latest[entry.about] = entry
    done: Counter[str] = Counter()
    # What is replayed is in a log already. It is not logged again.
    with departures.replaying():
        for entries in _in_batches(sorted(latest.values())):
            with transaction.atomic():
                found = +_apply_all(entries)
                if found:
                    record(None, "replay departures", file=name, changed=dict(found))
            done += found
    # At the end: a replay that was broken off begins from the old mark again. What it repeats
    # changes nothing.
    if newest > seen:
        DepartureMark.objects.update_or_create(log=name, defaults={"at_ms": newest})
    return done


def _in_batches(entries: Sequence[Departure]) -> Iterable[Sequence[Departure]]:
    return (entries[at : at + _AT_ONCE] for at in range(0, len(entries), _AT_ONCE))


def _apply_all(entries: Sequence[Departure]) -> Counter[str]:
    keys = {entry.key for entry in entries}
    readers = {reader.key: reader for reader in Reader.objects.filter(key__in=keys)}
    suppressed = {one.key: one for one in Suppression.objects.filter(key__in=keys)}
    done: Counter[str] = Counter()
    for entry in entries:
        at = datetime.fromtimestamp(entry.at_ms / 1000, UTC)
        if entry.what == DepartureKind.LIFTED:
            done[entry.what] += _lift(suppressed.get(entry.key), at)
        elif entry.what == DepartureKind.SUPPRESSED:
            done[entry.what] += _suppress(
                entry, readers.get(entry.key), suppressed.get(entry.key), at
            )
        elif entry.what == DepartureKind.LEFT:
            done[entry.what] += _leave_for_good(entry.key, readers.get(entry.key), at)
        elif entry.key in readers:
            with transaction.atomic():
                done[entry.what] += _leave(entry, readers[entry.key], at)
    return done


def _lift(suppression: Suppression | None, at: datetime) -> bool:
    """Lifts a suppression, unless it is newer. Returns whether it was lifted."""
    if suppression is None or suppression.at > at:
        return False
    suppressions.lift(suppression, Consent.How.RESTORED)
    return True


def _suppress(
    entry: Departure, reader: Reader | None, suppression: Suppression | None, at: datetime
) -> bool:
    """Repeats a suppression or erasure. Returns whether anything changed."""
    erased = entry.detail == Suppression.Reason.ERASED
    if suppression is not None and not (erased and reader is not None and reader.created_at <= at):
        return False
    if reader is not None and _came_back(reader, at):
        return False
    reason = entry.detail if entry.detail in Suppression.Reason.values else Suppression.Reason.DESK
    with transaction.atomic():
        suppressions.suppress([entry.key], reason)
        bounced = reader is not None and reason == Suppression.Reason.BOUNCED
        domain = reader.domain if reader is not None and bounced else ""
        Suppression.objects.filter(key=entry.key).update(
            at=at, from_list=not bounced, domain=domain
        )
    return True


def _leave_for_good(key: str, reader: Reader | None, at: datetime) -> bool:
    """Unsubscribes a reader from everything. Returns whether anything changed.

    An unknown reader is stored with the key alone, so that a later import does not subscribe them.
    """
    if reader is None:
        with transaction.atomic():
            made = Reader(key=key, state=Reader.State.UNSUBSCRIBED, created_at=at)
            return bool(Reader.objects.bulk_create([made], ignore_conflicts=True))
    if reader.state == Reader.State.UNSUBSCRIBED or _came_back(reader, at):
        return False
    with transaction.atomic():
        begun = Subscription.objects.filter(reader=reader, state__in=_OPEN, since__lte=at)
        for topic in Topic.objects.filter(pk__in=begun.values("topic")):
            withdrawal.withdraw_consent(
                reader, Purpose.ALERTS, how=Consent.How.RESTORED, topic=topic, at=at
            )
        if not Subscription.objects.filter(reader=reader, state__in=_OPEN).exists():
            Reader.objects.filter(pk=reader.pk).update(state=Reader.State.UNSUBSCRIBED)
    return True


def _leave(entry: Departure, reader: Reader, at: datetime) -> bool:
    """Repeats the withdrawal, unless the consent is newer. Returns whether anything changed."""
    if entry.what == DepartureKind.DRILLS:
        part = getattr(reader, "drill", None)
        since = part and (part.confirmed_at or part.added_at)
        return bool(since and since <= at and drill.remove_reader(reader.pk))
    begun = Subscription.objects.filter(reader=reader, state__in=_OPEN, since__lte=at)
    done = False
    if entry.what in (DepartureKind.TOPIC, DepartureKind.MOVED):
        if entry.what == DepartureKind.TOPIC:
            begun = begun.filter(topic__uid=bytes.fromhex(entry.detail))
        for topic in Topic.objects.filter(pk__in=begun.values("topic")):
            withdrawal.withdraw_consent(
                reader, Purpose.ALERTS, how=Consent.How.RESTORED, topic=topic, at=at
            )
            done = True
    if entry.what in (DepartureKind.OFFERS, DepartureKind.MOVED) and _has_offers(reader, at):
        withdrawal.withdraw_consent(reader, Purpose.OFFERS, how=Consent.How.RESTORED, at=at)
        done = True
    return done


def _has_offers(reader: Reader, at: datetime) -> bool:
    last = Consent.objects.filter(reader=reader, purpose=Purpose.OFFERS).order_by("pk").last()
    return last is not None and last.event != Consent.Event.WITHDRAWN and last.at <= at


def _came_back(reader: Reader, at: datetime) -> bool:
    """Returns whether the reader was created, or gave or confirmed a consent, after `at`."""
    again = (Consent.Event.GIVEN, Consent.Event.CONFIRMED)
    return (
        reader.created_at > at
        or Consent.objects.filter(reader=reader, event__in=again, at__gt=at)
        .exclude(how=Consent.How.MERGED)
        .exists()
    )
