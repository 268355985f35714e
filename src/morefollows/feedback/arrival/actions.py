"""Which mails are awaited in seed inboxes, and what was found of them.

Each alert that has left its hold is awaited in each seed inbox that its mail was handed out for.
Its mail is known by the left part of its Message-ID.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.tokens import TokenRow
from morefollows.audience.models import SeedInbox
from morefollows.courier.ledger import history
from morefollows.courier.models import Outcome
from morefollows.database import clock
from morefollows.feedback.models import SeedArrival
from morefollows.stories.models import Alert

log = logging.getLogger(__name__)

LOOK_BACK_MS = 3_600_000  #: alerts whose hold ended longer ago are not begun to be awaited
GIVE_UP_MS = 3_600_000  #: after the hold's end a mail that was not found is missing
_LEFT = (Alert.State.SENDING, Alert.State.SENT, Alert.State.EXPIRED, Alert.State.STOPPED)
_NOT_SENT = (Outcome.SKIPPED, Outcome.REFUSED, Outcome.EXPIRED, Outcome.IN_DIGEST)

State = SeedArrival.State


def await_new_alerts() -> int:
    """Awaits the mails of alerts that have left their hold since. Returns how many."""
    seeds = {one.reader_id: one for one in SeedInbox.objects.filter(paused_at=None)}
    if not seeds:
        return 0
    since = clock.now_ms() - LOOK_BACK_MS
    alerts = Alert.objects.filter(
        held_until_ms__gte=since, state__in=_LEFT, cut_done=True, arrivals=None
    ).exclude(audience=Alert.Audience.PAGE)
    return sum(_await(alert, seeds) for alert in alerts)


def _await(alert: Alert, seeds: dict[int, SeedInbox]) -> int:
    tokens = links.link_tokens()
    outcomes = history.outcomes([alert.pk], sorted(seeds))
    rows = []
    for reader, seed in seeds.items():
        if alert.pk not in outcomes.get(reader, {}):
            continue
        mail = TokenRow(alert.pk, alert.uuid.bytes), TokenRow(reader, seed.reader.uid)
        rows.append(
            SeedArrival(
                seed=seed,
                alert=alert,
                message_id=tokens.receipt(*mail).decode(),
                begun_at_ms=alert.held_until_ms,
            )
        )
    SeedArrival.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def awaited(seed: SeedInbox) -> list[SeedArrival]:
    """What is awaited in this seed inbox, the latest first."""
    return list(seed.arrivals.filter(state=State.AWAITED).order_by("-begun_at_ms"))


def note_found(arrival: SeedArrival, *, spam: bool, at_ms: int) -> None:
    """Notes that a mail is in the mailbox, and since when."""
    seconds = max(at_ms - arrival.begun_at_ms, 0) / 1000
    SeedArrival.objects.filter(pk=arrival.pk, state=State.AWAITED).update(
        state=State.SPAM if spam else State.INBOX, seconds=seconds
    )
    where = "spam folder" if spam else "inbox"
    log.info("alert %d: in the %s of %s", arrival.alert_id, where, arrival.seed.name)


def give_up_waiting() -> int:
    """Ends the wait for mails that were not found in an hour, or that are not sent at all."""
    waiting = SeedArrival.objects.filter(state=State.AWAITED).select_related("seed", "alert")
    number = 0
    for one in waiting:
        reader = one.seed.reader_id
        outcome = history.outcomes([one.alert_id], [reader]).get(reader, {}).get(one.alert_id)
        if outcome in _NOT_SENT or one.begun_at_ms < clock.now_ms() - GIVE_UP_MS:
            SeedArrival.objects.filter(pk=one.pk).update(state=State.MISSING)
            number += 1
    return number


def note_state(seed: SeedInbox, trouble: str = "") -> None:
    """Notes that a mailbox could be looked into, or why not."""
    with transaction.atomic():
        kept = SeedInbox.objects.filter(pk=seed.pk)
        if trouble:
            kept.filter(error_since=None).update(error_since=timezone.now())
            kept.update(error=trouble[:300])
        else:
            kept.update(ok_at=timezone.now(), error="", error_since=None)
