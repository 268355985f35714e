"""Writes up to a thousand rows of an import: loads their readers, works out changes, saves them.

Invariant: an import never revives a reader who has left and never mails a suppressed address.
Invariant: a consent given by a form here is never ended by an import.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from morefollows.audience import departures
from morefollows.audience.departures import DepartureKind
from morefollows.audience.lists.rehearsal import SUPPRESSED, RehearsalMemory
from morefollows.audience.lists.rows import COMING, ImportRow
from morefollows.audience.models import Consent, Purpose, Reader, Subscription, Suppression
from morefollows.audience.suppression.may_sign_up_again import may_sign_up_again


class Chunk:
    """Up to a thousand rows and the stored state of their readers."""

    def __init__(self, rows: list[ImportRow], provenance: str | None) -> None:
        self._rows = rows
        self._provenance = provenance
        self._now = timezone.now()
        self._readers: dict[str, Reader] = {}
        self._subscriptions: dict[tuple[str, int], Subscription] = {}
        self._changed: dict[str, Reader] = {}
        self._activated: list[tuple[str, int, ImportRow]] = []
        self._suppressed: dict[str, str | None] = {}  # None: already in the database
        self._ended: list[tuple[str, int]] = []
        self._left: list[str] = []  # keys of readers who have left according to this file
        self._signed_up_here: set[str] = set()
        self._bounced: set[str] = set()  # suppressed keys that may sign up again
        self._keys = {row.address.key for row in rows}

    def write(self) -> list[str]:
        """Write the rows. Call it in a transaction.

        Returns for each row the name of the count in `ImportReport` to which it belongs.
        """
        self._load()
        outcomes = [self._take(row) for row in self._rows]
        self._save()
        return outcomes

    def rehearse(self, memory: RehearsalMemory) -> list[str]:
        """Return what `write` would return, without writing anything.

        `memory` holds the changes of the chunks before; those of this chunk are added to it.
        """
        self._load()
        self._apply(memory)
        outcomes = [self._take(row) for row in self._rows]
        self._tell(memory)
        return outcomes

    def _load(self) -> None:
        """Load and lock the readers, in the order of their primary keys to avoid deadlocks."""
        keys = self._keys
        suppressions = list(Suppression.objects.filter(key__in=keys))
        self._suppressed = dict.fromkeys(one.key for one in suppressions)
        self._bounced = {one.key for one in suppressions if may_sign_up_again(one)}
        known = Reader.objects.select_for_update().filter(key__in=keys).order_by("pk")
        self._readers = {reader.key: reader for reader in known}
        by_pk = {reader.pk: key for key, reader in self._readers.items()}
        for subscription in Subscription.objects.filter(reader__in=by_pk):
            self._subscriptions[by_pk[subscription.reader_id], subscription.topic_id] = subscription
        own = Consent.objects.filter(reader__in=by_pk, how=Consent.How.FORM).values_list(
            "reader_id", flat=True
        )
        self._signed_up_here = {by_pk[pk] for pk in own.distinct()}

    def _apply(self, memory: RehearsalMemory) -> None:
        """Change the loaded readers as the chunks before would have changed them."""
        for key, state, topics in memory.recall(self._keys):
            if state == SUPPRESSED:
                self._suppressed[key] = None
                continue
            reader = self._readers.setdefault(key, Reader(key=key))
            reader.state = Reader.State(state)
            for topic, subscription in topics.items():
                self._subscriptions[key, topic] = Subscription(topic_id=topic, state=subscription)

    def _tell(self, memory: RehearsalMemory) -> None:
        """Store the state of all readers of this chunk in the memory."""
        topics: dict[str, dict[int, str]] = {}
        for (key, topic), subscription in self._subscriptions.items():
            topics.setdefault(key, {})[topic] = subscription.state
        known = [
            (key, str(reader.state), topics.get(key, {})) for key, reader in self._readers.items()
        ]
        memory.note([*known, *((key, SUPPRESSED, {}) for key in self._suppressed)])

    def _take(self, row: ImportRow) -> str:
        """Work out what this row changes; return the name of its count in `ImportReport`."""
        key = row.address.key
        reader = self._readers.get(key)
        # The order is that of weight: a suppression, then a departure, then what the file says.
        if key in self._suppressed:
            return "bounced" if key in self._bounced else "suppressed"
        if reader is not None and reader.state not in COMING:
            return "left"
        return self._subscribe(row, reader) if row.state in COMING else self._keep_away(row, reader)

    def _keep_away(self, row: ImportRow, reader: Reader | None) -> str:
        """Take a row whose reader left, bounced or complained elsewhere.

        It ends subscriptions that came from a list, but not a sign-up made here.
        """
        key = row.address.key
        if key in self._signed_up_here:
            return "known"
        if row.state != Reader.State.UNSUBSCRIBED:
            gone = row.state == Reader.State.HARD_BOUNCED
            self._suppressed[key] = (
                Suppression.Reason.BOUNCED if gone else Suppression.Reason.COMPLAINED
            )
        else:
            self._left.append(key)
        if reader is None:
            if row.state == Reader.State.UNSUBSCRIBED:
                # Only the keyed hash is stored. It is enough to refuse later imports of this
                # reader, and no address is kept without need.
                self._add(
                    Reader(
                        key=key,
                        language=row.language,
                        state=Reader.State.UNSUBSCRIBED,
                        created_at=self._now,
                    )
                )
        else:
            reader.state = row.state
            self._changed[key] = reader
            if row.state == Reader.State.UNSUBSCRIBED:
                self._end(key)
        return "left" if row.state == Reader.State.UNSUBSCRIBED else "suppressed"

    def _end(self, key: str) -> None:
        """End all subscriptions of this reader."""
        for (whose, topic), subscription in self._subscriptions.items():
            if whose == key and subscription.state != Subscription.State.ENDED:
                subscription.state, subscription.since = Subscription.State.ENDED, self._now
                self._ended.append((key, topic))

    def _subscribe(self, row: ImportRow, reader: Reader | None) -> str:
        """Take a row whose reader may be mailed, or is pending."""
        key = row.address.key
        if reader is None:
            reader = self._add(Reader(key=key, state=Reader.State.PENDING, created_at=self._now))
        active = self._provenance is not None and row.state == Reader.State.CONFIRMED
        wanted = Subscription.State.ACTIVE if active else Subscription.State.PENDING
        changed = [topic for topic in row.topics if self._moves(key, topic, wanted)]
        if not changed:
            return "known"
        # A known reader's address and language stay as they are.
        if not reader.address:
            reader.address, reader.domain, reader.language = (
                row.address.text,
                row.address.domain,
                row.language,
            )
            self._changed[key] = reader
        if active:
            self._activated += [(key, topic, row) for topic in changed]
            if reader.state != Reader.State.CONFIRMED:
                reader.state, reader.confirmed_at = (
                    Reader.State.CONFIRMED,
                    row.confirmed.at or self._now,
                )
                self._changed[key] = reader
        return "confirmed" if active else "pending"

    def _moves(self, key: str, topic: int, wanted: Subscription.State) -> bool:
        """Advance one subscription: none → pending → active. Returns whether it changed.

        An ended subscription stays ended.
        """
        subscription = self._subscriptions.get((key, topic))
        if subscription is None:
            self._subscriptions[key, topic] = Subscription(
                topic_id=topic, state=wanted, since=self._now
            )
            return True
        if subscription.state == Subscription.State.PENDING and wanted == Subscription.State.ACTIVE:
            subscription.state, subscription.since = wanted, self._now
            return True
        return False

    def _add(self, reader: Reader) -> Reader:
        self._readers[reader.key] = reader
        return reader

    def _save(self) -> None:
        """Write all changes with few SQL statements."""
        self._save_suppressions()
        self._save_readers()
        lines = [
            line
            for key, topic, row in self._activated
            for line in self._evidence(self._readers[key], topic, row)
        ]
        Consent.objects.bulk_create(lines)
        Consent.objects.bulk_create(
            Consent(
                reader=self._readers[key],
                purpose=Purpose.ALERTS,
                topic_id=topic,
                event=Consent.Event.WITHDRAWN,
                how=Consent.How.IMPORT,
                at=self._now,
            )
            for key, topic in self._ended
        )

    def _save_suppressions(self) -> None:
        suppressed = [
            Suppression(key=key, reason=why, at=self._now, from_list=True)
            for key, why in self._suppressed.items()
            if why
        ]
        Suppression.objects.bulk_create(suppressed)
        # On disk before COMMIT: see `audience.departures`.
        departures.record_departures(DepartureKind.LEFT, self._left)
        for reason in {one.reason for one in suppressed}:
            departures.record_departures(
                DepartureKind.SUPPRESSED,
                [one.key for one in suppressed if one.reason == reason],
                reason,
            )

    def _save_readers(self) -> None:
        """Write readers and their subscriptions."""
        changed = [reader for reader in self._changed.values() if reader.pk is not None]
        Reader.objects.bulk_create(
            [reader for reader in self._readers.values() if reader.pk is None]
        )
        Reader.objects.bulk_update(
            changed, ["address", "domain", "language", "state", "confirmed_at"]
        )
        # `since` is the time of this chunk for exactly the subscriptions that it changed. `adding`
        # is Django's mark of an object without a row.
        begun = {
            place: item for place, item in self._subscriptions.items() if item.since == self._now
        }
        fresh = {place: item for place, item in begun.items() if item._state.adding}
        for (key, _topic), subscription in fresh.items():
            subscription.reader = self._readers[key]
        Subscription.objects.bulk_update(
            [item for place, item in begun.items() if place not in fresh], ["state", "since"]
        )
        Subscription.objects.bulk_create(fresh.values())

    def _evidence(self, reader: Reader, topic: int, row: ImportRow) -> Iterator[Consent]:
        """The evidence lines for one activated subscription."""
        for event, found in (
            (Consent.Event.GIVEN, row.given),
            (Consent.Event.CONFIRMED, row.confirmed),
        ):
            if found.at is None and event == Consent.Event.GIVEN:
                continue  # the time is unknown; the line `CONFIRMED` has the provenance
            yield Consent(
                reader=reader,
                purpose=Purpose.ALERTS,
                topic_id=topic,
                event=event,
                how=Consent.How.IMPORT,
                at=found.at or self._now,
                words=self._provenance or "",
                language=row.language,
                client_address=found.client_address,
            )
