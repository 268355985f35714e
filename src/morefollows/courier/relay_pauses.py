"""Pauses of relays, which all senders keep to: who paused one, and when it is tried again.

`relays.auto_pause` finds out that a relay refuses us. Each action is one transaction.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows import notify
from morefollows.audience.models import Letter
from morefollows.audit import actions as audit
from morefollows.courier.ledger import retries
from morefollows.courier.models import Batch, Relay
from morefollows.courier.refusals import brake
from morefollows.stories.actions import now_ms


def pause_relay(name: str, reason: str = "", *, by: str = "") -> None:
    """Pauses a relay until `resume_relay`. No change if it is paused already.

    `reason`: the reply by which the relay refuses all our mail. Then a few mails are tried from
    time to time: see `claim_trials`. `by`: the name of the editor who pauses it; then none are.
    """
    with transaction.atomic():
        relay = Relay.objects.get_or_create(name=name)[0]
        if relay.paused_at is None:
            relay.paused_at, relay.paused_by, relay.reason = timezone.now(), by[:200], reason[:300]
            relay.trial_at_ms, relay.trials = None if by else now_ms() + retries.wait_ms(1), 0
            relay.save(update_fields=["paused_at", "paused_by", "reason", "trial_at_ms", "trials"])
            if not by:
                audit.record(None, "pause relay", subject=name, relay=name, reason=reason)
            transaction.on_commit(lambda: notify.announce(settings.MOREFOLLOWS.data, "alert"))


def claim_trials() -> set[str]:
    """Returns the paused relays to which the calling process may send a few trial mails now.

    Sets the time of the next trial: after 1, 2, 5, 10, 20, then every 30 minutes. Relays paused by
    an editor get no trials.
    """
    now, mine = now_ms(), set()
    for relay in Relay.objects.filter(paused_at__isnull=False, paused_by="", trial_at_ms__lte=now):
        due = Relay.objects.filter(pk=relay.pk, trial_at_ms=relay.trial_at_ms)
        if due.update(trial_at_ms=now + retries.wait_ms(relay.trials + 2), trials=relay.trials + 1):
            mine.add(relay.name)
    return mine


def try_soon() -> None:
    """Makes trials due at once, as a new alert is on its way. Not for relays an editor paused."""
    paused = Relay.objects.filter(paused_at__isnull=False, paused_by="", trial_at_ms__gt=now_ms())
    paused.update(trial_at_ms=now_ms())


def relay_takes_mail(name: str) -> None:
    """Resumes a relay that accepted a trial mail, unless an editor has paused it since."""
    with transaction.atomic():
        if Relay.objects.filter(name=name, paused_at__isnull=False, paused_by="").exists():
            resume_relay(name)
            audit.record(None, "resume relay", subject=name, relay=name)


def resume_relay(name: str) -> None:
    """Resumes a relay. Makes deferred batches and letters due at once."""
    with transaction.atomic():
        Relay.objects.filter(name=name).update(
            paused_at=None, paused_by="", reason="", trial_at_ms=None, trials=0
        )
        brake.let_go(name)
        now = now_ms()
        Batch.objects.filter(worker="", due_at_ms__gt=now).update(due_at_ms=now)
        # Letters never tried are left out: they wait for the interval between two confirmations.
        tried = Letter.objects.filter(
            state=Letter.State.WAITING, attempts__gt=0, worker="", due_at_ms__gt=now
        )
        tried.update(due_at_ms=now)
        transaction.on_commit(lambda: notify.announce(settings.MOREFOLLOWS.data, "alert"))
