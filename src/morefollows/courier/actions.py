"""Changes to the courier's state outside the ledger: relay pauses, repeated alerts."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows import notify
from morefollows.accounts.models import Editor
from morefollows.audience.models import Letter
from morefollows.audit import actions as audit
from morefollows.courier.ledger import handed_out, recovery, retries
from morefollows.courier.models import Batch, Relay
from morefollows.courier.refusals import brake
from morefollows.stories import actions as stories
from morefollows.stories.actions import now_ms
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.models import Alert

log = logging.getLogger(__name__)


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


def retry_failed(alert: int, editor: Editor) -> int:
    """Sends an ended alert again to those refused or expired, with the same Message-IDs.

    Hard-bounced and unsubscribed readers are left out. Returns the number of mails. Raises
    `stories.actions.ActionRefused`.
    """
    with transaction.atomic():
        stories.reopen(Event.RETRY, alert, editor)
        mails = recovery.open_again(alert)
        if not mails:
            raise stories.ActionRefused(
                _("There is nobody to try again: who was refused is gone for good.")
            )
    return mails


def repeat_uncertain(alert: int, editor: Editor) -> int:
    """Sends an ended alert again to readers whose outcome is uncertain, with the same Message-IDs.

    Returns the number of mails. Raises `stories.actions.ActionRefused`.
    """
    with transaction.atomic():
        stories.reopen(Event.REPEAT, alert, editor)
        Alert.objects.filter(pk=alert).update(repeat=True)
        mails = recovery.open_uncertain(alert)
        if not mails:
            raise stories.ActionRefused(_("Nothing is uncertain in this alert."))
    return mails


def note_deaths(workers: Iterable[str], *, have_ended: bool = True) -> None:
    """Releases the claims of dead sender processes, one transaction each, and logs each alert.

    `have_ended`: they have certainly ended; otherwise one that lives after all keeps its claims.
    """
    data = settings.MOREFOLLOWS.data
    for worker in workers:
        with transaction.atomic():
            orphaned = recovery.release_claims(
                worker,
                functools.partial(handed_out.read_marks, data, worker),
                has_ended=have_ended,
            )
            if orphaned is None:
                log.info("%s lives after all, and keeps what it holds", worker)
                continue
            for alert, begun in orphaned:
                story = Alert.objects.select_related("update__story").get(pk=alert).update.story
                audit.record(None, "sender died", story=story, alert=Alert(pk=alert), begun=begun)
        handed_out.forget(data, worker)


def note_unmade(alert: int, readers: Sequence[tuple[int, str]]) -> None:
    """Writes an audit entry for each mail that could not be made: the reader's id and why."""
    with transaction.atomic():
        story = Alert.objects.select_related("update__story").get(pk=alert).update.story
        for reader, reason in readers:
            audit.record(
                None,
                "mail not made",
                story=story,
                alert=Alert(pk=alert),
                kind="alert",
                reader=reader,
                reason=reason,
            )


def note_trouble(name: str, trouble: str | None) -> None:
    """Stores why the relay can't be reached, for the desk. None: it can be reached again."""
    with transaction.atomic():
        relay = Relay.objects.get_or_create(name=name)[0]
        relay.trouble = (trouble or "")[:300]
        relay.trouble_since = (relay.trouble_since or timezone.now()) if trouble else None
        relay.save(update_fields=["trouble", "trouble_since"])
