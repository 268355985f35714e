"""What becomes of refusals: under a brake they are taken back, else a bounce counts against its reader.

Each step is a short transaction of its own, apart from the ledger's: nobody who holds a reader's row can hold it up.
"""

from __future__ import annotations

import logging
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Aggregate, Count, QuerySet, Sum
from django.utils import timezone

from morefollows.audience.models import Bounce, Letter
from morefollows.audience.suppression import bounces
from morefollows.audience.suppression.bounces import Bounced
from morefollows.courier.ledger import history, retries
from morefollows.courier.models import Batch, Outcome, Refusal, RelayCount
from morefollows.courier.refusals import brake
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert
from morefollows.stories.transitions import ENDED

log = logging.getLogger(__name__)

_AT_ONCE = 200  # refusals in one transaction


def take_back(alert: int) -> int:
    """Defers what was refused in this alert under a brake, in batches that no sender works on. Returns how many mails.

    A batch that somebody works on has its turn when that pass is over.
    """
    on = brake.brakes_on(alert)
    if not on:
        return 0
    of_batch: dict[int, list[Refusal]] = defaultdict(list)
    for one in brake.refusals_under(on, list(Refusal.objects.filter(alert=alert))):
        of_batch[one.batch].append(one)
    return sum(_take_back(batch, refusals) for batch, refusals in sorted(of_batch.items()))


def _take_back(key: int, refusals: list[Refusal]) -> int:
    with transaction.atomic():
        batch = Batch.objects.filter(pk=key, worker="").first()
        if batch is None:
            return 0
        ids = array("q")
        ids.frombytes(bytes(batch.readers))
        outcomes = bytearray(batch.outcomes)
        taken = 0
        for one in refusals:
            if ids[one.place] == one.reader and outcomes[one.place] == Outcome.REFUSED:
                outcomes[one.place] = Outcome.DEFERRED
                taken += 1
        due_at = batch.due_at or now_ms() + retries.wait_ms(max(batch.attempts, 1))
        # A claim raises the epoch: whoever came first meanwhile has the batch.
        written = Batch.objects.filter(pk=key, worker="", epoch=batch.epoch).update(
            outcomes=bytes(outcomes),
            refused=outcomes.count(Outcome.REFUSED),
            deferred=outcomes.count(Outcome.DEFERRED),
            due_at=due_at if taken else batch.due_at,
            changed_at=now_ms(),
        )
        if not written:
            return 0
        Refusal.objects.filter(pk__in=[one.pk for one in refusals]).delete()
    return taken


def settle(alert: int, provider: Callable[[str], str]) -> int:
    """Every mail of the alert is answered. Takes back what its brakes ask for. Returns how many mails that are."""
    return take_back(alert) if brake.judge(alert, provider) else 0


def count(provider: Callable[[str], str]) -> int:
    """Some bounces of alerts that have ended count against their readers. Returns how many refusals are done with.

    Those under a brake are forgotten.
    """
    ended = Refusal.objects.filter(alert__state__in=ENDED)
    first = ended.order_by("alert", "reader").values_list("alert", flat=True).first()
    if first is None:
        return 0
    on = brake.judge(first, provider)
    some = list(Refusal.objects.filter(alert=first).order_by("reader")[:_AT_ONCE])
    innocent = {one.pk for one in brake.refusals_under(on, some)}
    seen = [
        Bounced(
            one.reader,
            _moment(one.at),
            one.bounce == "hard",
            one.status or str(one.code),
            one.relay,
            one.provider,
        )
        for one in some
        if one.bounce and one.pk not in innocent
    ]
    left = bounces.note(seen, _accepted_since, _in_doubt)
    done = [one.pk for one in some if one.reader not in left]
    Refusal.objects.filter(pk__in=done).delete()
    return len(done)


def count_letters(refused: Iterable[Bounced]) -> None:
    """Letters that bounced."""
    bounces.note(list(refused), _accepted_since, _in_doubt)


def _accepted_since(since: dict[int, datetime]) -> set[int]:
    """Those of these readers of whom a relay has accepted a mail since that moment."""
    if not since:
        return set()
    earliest = int(min(since.values()).timestamp() * 1000)
    letters = Letter.objects.filter(
        reader__in=since, state=Letter.State.ACCEPTED, due_at__gt=earliest, address=""
    )
    found = {
        reader
        for reader, at in letters.values_list("reader", "due_at")
        if at > since[reader].timestamp() * 1000
    }
    alerts = dict(Alert.objects.filter(held_until__gt=earliest).values_list("pk", "held_until"))
    for reader, outcomes in history.outcomes(list(alerts), sorted(since)).items():
        moment = since[reader].timestamp() * 1000
        if any(
            outcome == Outcome.ACCEPTED and alerts[alert] > moment
            for alert, outcome in outcomes.items()
        ):
            found.add(reader)
    return found


def _in_doubt(enough: Sequence[Bounced]) -> set[int]:
    """The readers of those of these bounces whose relay or provider refuses too many, over all alerts and letters.

    An alert to a few readers, and a letter, are no reason for a brake, however many of them bounce in these days.
    """
    since = timezone.now() - timedelta(days=settings.MOREFOLLOWS.bounce_days + 1)
    bounced, accepted = Counter[brake.Key](), Counter[brake.Key]()
    for relay, provider, mails in _sums(Bounce.objects.filter(last_at__gt=since), Count("pk")):
        bounced.update({(relay, ""): mails, (relay, provider): mails})
    for relay, provider, mails in _sums(
        RelayCount.objects.filter(day__gt=since.date()), Sum("accepted")
    ):
        accepted.update({(relay, ""): mails, **({(relay, provider): mails} if provider else {})})
    on = {
        key
        for key, mails in bounced.items()
        if key[1] and brake.too_many(mails, mails + accepted[key])
    }
    for relay in {
        one.relay for one in enough
    }:  # what one or two providers refuse says nothing about the relay
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
    """Of each relay and provider."""
    return list(rows.values_list("relay", "provider").order_by().annotate(mails=what))


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
