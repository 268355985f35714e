"""Helpers of the ledger tests: an alert with its audience, and a worker step by step."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from itertools import count

from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader, Subscription, Topic
from morefollows.courier import actions
from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.batch.prepared_alert import PreparedAlert
from morefollows.courier.ledger import claims, leases
from morefollows.courier.ledger.batching import cut_batches
from morefollows.courier.ledger.handed_out import HandedOutJournal
from morefollows.courier.models import Batch
from morefollows.courier.recipients.selection import load_recipients
from morefollows.courier.relays.interface import Carriers, Reply
from morefollows.courier.relays.provider_throttle import RelayThrottle
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert, Story, Update

_numbers = count(1)


def alert_for(readers: int, *, state: str = "sending", expires_in: int = 3_600_000) -> Alert:
    """A new topic with so many active readers, and an alert to them, sent by Ada."""
    n = next(_numbers)
    topic = Topic.objects.create(slug=f"topic-{n}", name=f"Topic {n}")
    add_readers(topic, readers)
    ada, _ = Editor.objects.get_or_create(
        email="ada@ledger.example", defaults={"name": "Ada", "role": "editor"}
    )
    story = Story.objects.create(headline="Bridge closed", text="It is.", topic=topic, author=ada)
    update = Update.objects.create(
        story=story, number=1, headline=story.headline, text=story.text, language="en", author=ada
    )
    return Alert.objects.create(
        update=update,
        topic=topic,
        state=state,
        sent_by=ada,
        frozen_at=timezone.now(),
        held_until_ms=now_ms(),
        expires_at_ms=now_ms() + expires_in,
    )


def alert_again(alert: Alert) -> Alert:
    """The same update, to the same topic once more."""
    return Alert.objects.create(
        update=alert.update,
        topic=alert.topic,
        state=alert.state,
        sent_by=alert.sent_by,
        frozen_at=timezone.now(),
        held_until_ms=now_ms(),
        expires_at_ms=alert.expires_at_ms,
    )


def ids(batch: Batch) -> list[int]:
    """A batch's readers, as the ledger packs them."""
    packed = array("q")
    packed.frombytes(bytes(batch.readers))
    return list(packed)


def add_readers(topic: Topic, number: int) -> list[Reader]:
    start = next(_numbers) * 1_000_000
    now = timezone.now()
    readers = Reader.objects.bulk_create(
        Reader(
            address=f"cy{start + i}@reader.example",
            key=f"{start + i:064x}",
            domain="reader.example",
            state="confirmed",
            created_at=now,
        )
        for i in range(number)
    )
    Subscription.objects.bulk_create(
        Subscription(reader=reader, topic=topic, state="active", since=now) for reader in readers
    )
    return readers


def cut_all(alert: Alert, batches_at_once: int = 3) -> None:
    for _ in range(10_000):
        if cut_batches(alert.pk, batches_at_once):
            return
    raise AssertionError("the cut never ends")


def cut_from_start(alert: Alert) -> None:
    """Cuts without the lot, so that the readers of one batch's size are in one batch."""
    Alert.objects.filter(pk=alert.pk).update(cut_to=0)
    cut_all(alert)


def prepared_alert(alert: Alert) -> PreparedAlert:
    running = claims.ActiveAlert(
        alert.pk,
        "sending",
        alert.topic_id,
        alert.held_until_ms,
        alert.expires_at_ms,
        True,
        alert.audience,
        channel=alert.channel,
    )
    release = PreparedAlert(
        running,
        renderers={"en": lambda values: [values[0]]},
        fill=lambda readers: [
            (b"b@x.example", (recipient, b"", str(reader[0]).encode(), b""))
            for reader, recipient, _ in readers
        ],
        on_put_back=lambda: None,
    )
    release.sending = True
    return release


def claim_batch_runs(
    worker: str,
    release: PreparedAlert,
    limit: int = 1,
    journal: HandedOutJournal | None = None,
) -> list[BatchRun]:
    return [
        BatchRun(
            claim,
            load_recipients(release.alert, claim.readers),
            release,
            marks=journal and journal.open(claim.batch, claim.lease_version, len(claim.readers)),
        )
        for claim in claims.claim_batches(worker, release.id, limit)
    ]


def lose_heartbeat(worker: str) -> None:
    """Its claims have run out, and no heartbeat of it is known: what another process does then."""
    Batch.objects.filter(worker=worker).update(due_at_ms=1)
    actions.note_deaths(leases.long_dead())


def write(
    worker: str, batch_runs: list[BatchRun], *, ahead: int = 5, give_up: bool = False
) -> None:
    """What `Recorder.write` does, step by step: records, and lets sending go on."""
    for batch_run in batch_runs:
        batch_run.grant(ahead)
    until = now_ms() + leases.claim_ms()
    record(
        batch_runs,
        [(batch_run, batch_run.entry(worker, until, give_up=give_up)) for batch_run in batch_runs],
    )


def record(
    batch_runs: list[BatchRun], entries: Sequence[tuple[BatchRun, claims.BatchRecord]]
) -> None:
    """Puts these entries in the ledger, and lets go of rounds that are over or lost."""
    recorded = claims.record_outcomes([entry for _, entry in entries])
    for batch_run, entry in entries:
        batch_run.written(entry)
        batch_run.lost = entry.batch in recorded.lost
        batch_run.prepared.sending &= entry.alert in recorded.sending
        if batch_run.lost or not entry.worker:
            batch_runs.remove(batch_run)


def states(alert: Alert) -> dict[int, int]:
    """Reader → outcome, as the ledger has it."""
    found: dict[int, int] = {}
    for batch in alert.batches.all():
        assert not set(ids(batch)) & set(found), "a reader is in two batches"
        found.update(zip(ids(batch), bytes(batch.outcomes), strict=True))
    return found


def audience(alert: Alert) -> set[int]:
    return set(
        Subscription.objects.filter(topic=alert.topic, state="active").values_list(
            "reader_id", flat=True
        )
    )


def count_readers(batch_runs: Sequence[BatchRun]) -> int:
    return sum(map(len, batch_runs))


class StubRelay:
    """A relay whose replies a test makes up."""

    name = "relay.example:25"
    throttle = RelayThrottle(str)

    def elsewhere(self, domain: str) -> bool:
        return False

    def heard(self, domain: str, reply: Reply, tries: int = 0) -> None:
        pass

    progress = 0  # mails that relays have accepted

    def others(self, relays: Collection[str], utf8: bool, size: int, bulk: bool) -> Carriers:
        return "none"

    has_accepted = True

    def objected(self, domain: str, words: str, *, to_us: bool, fresh: bool = False) -> None:
        assert not to_us, f"it refuses us: {words}"


A_RELAY = StubRelay()
