"""Acts on refusals: under a brake they are deferred, otherwise they count as bounces of the reader.

Each step is a short transaction, apart from the ledger's. So a lock on a reader's row does not
delay the writing of outcomes.

Invariant: a refusal under a brake never counts as a bounce of its reader.
"""

from __future__ import annotations

import logging
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Aggregate, Count, QuerySet, Sum
from django.utils import timezone

from morefollows.audience.models import Bounce, Letter
from morefollows.audience.suppression import hard_bounces
from morefollows.audience.suppression.hard_bounces import BouncedMail
from morefollows.courier.channels import CHANNELS, MAIL
from morefollows.courier.ledger import history, retries
from morefollows.courier.models import Batch, Outcome, Refusal, RelayCount
from morefollows.courier.refusals import brake
from morefollows.stories.actions import now_ms
from morefollows.stories.alerts.transition_table import ENDED
from morefollows.stories.models import Alert

log = logging.getLogger(__name__)

_AT_ONCE = 200  # refusals in one transaction


def defer_braked(alert: int) -> int:
    """Defers what this alert's brakes cover, in batches that no sender holds.

    Returns how many mails. A batch that a sender holds is handled after it has been given back.
    Nothing of an ended alert is deferred, since nobody would send it.
    """
    on = brake.brakes_on(alert)
    if not on:
        return 0
    of_batch: dict[int, list[Refusal]] = defaultdict(list)
    for one in brake.refusals_under(on, list(Refusal.objects.filter(alert=alert))):
        of_batch[one.batch].append(one)
    return sum(_take_back(alert, batch, refusals) for batch, refusals in sorted(of_batch.items()))


def _take_back(alert: int, key: int, refusals: list[Refusal]) -> int:
    """Defers these refusals of one batch. Returns how many.

    Returns 0 if a sender holds the batch, or if the alert has ended.
    """
    with transaction.atomic():
        # Closing the alert locks its row as well: see `feedback.actions.close`.
        if Alert.objects.select_for_update().get(pk=alert).state in ENDED:
            return 0
        batch = Batch.objects.filter(pk=key, worker="").first()
        if batch is None:
            return 0
        ids = array("q")
        ids.frombytes(bytes(batch.readers))
        outcomes = bytearray(batch.outcomes)
        taken = 0
        for one in refusals:
            # The refusal may be old: an editor may have had the mail tried again since.
            if ids[one.place] == one.reader and outcomes[one.place] == Outcome.REFUSED:
                outcomes[one.place] = Outcome.DEFERRED
                taken += 1
        # A batch whose outcomes were all final was due no more. It waits as after an ordinary
        # deferral.
        due_at_ms = batch.due_at_ms or now_ms() + retries.wait_ms(max(batch.attempts, 1))
        # A claim raises the lease version. If the batch was claimed meanwhile, nothing changes.
        written = Batch.objects.filter(pk=key, worker="", lease_version=batch.lease_version).update(
            outcomes=bytes(outcomes),
            refused=outcomes.count(Outcome.REFUSED),
            deferred=outcomes.count(Outcome.DEFERRED),
            due_at_ms=due_at_ms if taken else batch.due_at_ms,
            changed_at_ms=now_ms(),
        )
        if not written:
            return 0
        Refusal.objects.filter(pk__in=[one.pk for one in refusals]).delete()
    return taken


def apply_brakes(alert: int, provider: Callable[[str], str]) -> int:
    """Judges an alert whose mails all have replies, and defers what its brakes cover.

    Returns how many mails are deferred. `provider`: maps a domain to its mailbox provider.
    """
    return defer_braked(alert) if brake.judge_alert(alert, provider) else 0


def count_bounces(provider: Callable[[str], str]) -> int:
    """Counts up to `_AT_ONCE` bounces of one ended alert against their readers.

    Refusals under a brake are deleted uncounted. Returns how many refusals were handled.
    """
    ended = Refusal.objects.filter(alert__state__in=ENDED)
    first = ended.order_by("alert", "reader").values_list("alert", flat=True).first()
    if first is None:
        return 0
    on = brake.judge_alert(first, provider)
    some = list(Refusal.objects.filter(alert=first).order_by("reader")[:_AT_ONCE])
    # What a relay says about many at once counts against the relay, and not against readers.
    innocent = {one.pk for one in brake.refusals_under(on, some)}
    seen = [
        BouncedMail(
            one.reader,
            _moment(one.at_ms),
            one.bounce == "hard",
            one.status or str(one.code),
            one.relay,
            one.provider,
        )
        for one in some
        if one.bounce and one.pk not in innocent
    ]
    channel = CHANNELS[Alert.objects.values_list("channel", flat=True).get(pk=first)]
    left: set[int] = set()
    if channel.on_refused is not None:
        channel.on_refused(seen)
    elif channel is MAIL:
        left = hard_bounces.record_bounces(seen, accepted_since, _in_doubt)
    done = [one.pk for one in some if one.reader not in left]
    Refusal.objects.filter(pk__in=done).delete()
    return len(done)


def count_letters(refused: Iterable[BouncedMail]) -> None:
    """Counts bounces of letters (confirmations, digests) against their readers."""
    hard_bounces.record_bounces(list(refused), accepted_since, _in_doubt)


def accepted_since(
    since: dict[int, datetime],
    *,
    until: datetime | None = None,
    returned: Collection[tuple[int, int]] = (),
) -> set[int]:
    """The readers for whom a relay has accepted a mail since the given time.

    `until`: later mails do not count, as they may still bounce. `returned`: (alert, reader) of
    mails that were accepted and came back.
    """
    if not since:
        return set()
    earliest = int(min(since.values()).timestamp() * 1000)
    latest = int(until.timestamp() * 1000) if until else 2**62
    # A letter with an address of its own, such as that for a new address, did not go to the
    # reader's.
    letters = Letter.objects.filter(
        reader__in=since, state=Letter.State.ACCEPTED, due_at_ms__gt=earliest, address=""
    )
    found = {
        reader
        for reader, at in letters.values_list("reader", "due_at_ms")
        if since[reader].timestamp() * 1000 < at < latest
    }
    of_mail = Alert.objects.filter(channel=MAIL.name)
    alerts = dict(
        of_mail.filter(held_until_ms__gt=earliest, held_until_ms__lt=latest).values_list(
            "pk", "held_until_ms"
        )
    )
    for reader, outcomes in history.outcomes(list(alerts), sorted(since)).items():
        moment = since[reader].timestamp() * 1000
        if any(
            outcome == Outcome.ACCEPTED
            and alerts[alert] > moment
            and (alert, reader) not in returned
            for alert, outcome in outcomes.items()
        ):
            found.add(reader)
    return found


def _in_doubt(enough: Sequence[BouncedMail]) -> set[int]:
    """The readers among `enough` whose relay or provider refuses too many mails.

    All alerts and letters of the last days count. One alert to few readers, or letters, put no
    brake on, so this is the only limit for them.
    """
    since = timezone.now() - timedelta(days=settings.MOREFOLLOWS.bounce_days + 1)
    bounced, accepted = Counter[brake.Key](), Counter[brake.Key]()
    for relay, provider, mails in _sums(Bounce.objects.filter(last_at__gt=since), Count("pk")):
        bounced.update({(relay, ""): mails, (relay, provider): mails})
    for relay, provider, mails in _sums(
        RelayCount.objects.filter(day__gt=since.date()), Sum("accepted")
    ):
        # Counts of small providers are summed under "", so they count for the relay alone.
        accepted.update({(relay, ""): mails, **({(relay, provider): mails} if provider else {})})
    on = {
        key
        for key, mails in bounced.items()
        if key[1] and brake.too_many(mails, mails + accepted[key])
    }
    # the refusals of one or two providers do not count against the relay
    for relay in {one.relay for one in enough}:
        apart = [key for key in on if key[0] == relay]
        others = apart if len(apart) <= brake.APART else []
        refused = bounced[relay, ""] - sum(bounced[key] for key in others)
        if brake.too_many(
            refused, refused + accepted[relay, ""] - sum(accepted[key] for key in others)
        ):
            on.add((relay, ""))
    found = {one.reader for one in enough if {(one.relay, ""), (one.relay, one.provider)} & on}
    if found:
        log.warning(
            "%d readers whose mails bounced are not suppressed: too many did in these days",
            len(found),
        )
    return found


def _sums(rows: QuerySet[Any], what: Aggregate) -> list[tuple[str, str, int]]:
    """(relay, provider, number of mails) of each relay and provider in these rows."""
    return list(rows.values_list("relay", "provider").order_by().annotate(mails=what))


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
