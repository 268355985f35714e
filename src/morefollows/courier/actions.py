"""What changes the courier's state beside the ledger: relays pause and go on, senders tell that they are there."""

from __future__ import annotations

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
from morefollows.courier.models import Batch, Pulse, Relay
from morefollows.courier.refusals import brake
from morefollows.stories import actions as stories
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert
from morefollows.stories.transitions import Event


def pause_relay(name: str, reason: str = "", *, by: str = "") -> None:
    """Nothing more goes to this relay until `resume_relay`.

    `reason`: the relay's reply, when by it the relay refuses us; it speaks of us, not of the reader. Then one mail is
    tried from time to time: see `claim_trials`. `by`: the name of the editor who pauses it.
    """
    with transaction.atomic():
        relay = Relay.objects.get_or_create(name=name)[0]
        if relay.paused_at is None:
            relay.paused_at, relay.paused_by, relay.reason = timezone.now(), by[:200], reason[:300]
            relay.trial_at, relay.trials = None if by else now_ms() + retries.wait_ms(1), 0
            relay.save(update_fields=["paused_at", "paused_by", "reason", "trial_at", "trials"])
            transaction.on_commit(lambda: notify.announce(settings.MOREFOLLOWS.data, "alert"))


def claim_trials() -> set[str]:
    """The paused relays to which the caller's process may hand a few mails now; the next trial is due later.

    After 1, 2, 5, 10, 20, then every 30 minutes; never if an editor has paused the relay.
    """
    now, mine = now_ms(), set()
    for relay in Relay.objects.filter(paused_at__isnull=False, paused_by="", trial_at__lte=now):
        due = Relay.objects.filter(pk=relay.pk, trial_at=relay.trial_at)
        if due.update(trial_at=now + retries.wait_ms(relay.trials + 2), trials=relay.trials + 1):
            mine.add(relay.name)
    return mine


def try_soon() -> None:
    """A new alert is on its way: relays that no editor has paused are tried at once, not only when it is their time."""
    paused = Relay.objects.filter(paused_at__isnull=False, paused_by="", trial_at__gt=now_ms())
    paused.update(trial_at=now_ms())


def relay_takes_mail(name: str) -> None:
    """A mail on trial was accepted: the pause is over by itself, unless an editor has paused it since."""
    with transaction.atomic():
        if Relay.objects.filter(name=name, paused_at__isnull=False, paused_by="").exists():
            resume_relay(name)
            audit.record(None, "resume relay", relay=name)


def resume_relay(name: str) -> None:
    """Goes on with everything that waits for this relay, at once."""
    with transaction.atomic():
        Relay.objects.filter(name=name).update(
            paused_at=None, paused_by="", reason="", trial_at=None, trials=0
        )
        brake.let_go(name)
        now = now_ms()
        Batch.objects.filter(worker="", due_at__gt=now).update(due_at=now)
        # Not those that were never tried: they wait for the interval between two confirmations.
        tried = Letter.objects.filter(
            state=Letter.State.WAITING, attempts__gt=0, worker="", due_at__gt=now
        )
        tried.update(due_at=now)
        transaction.on_commit(lambda: notify.announce(settings.MOREFOLLOWS.data, "alert"))


def sign_of_life() -> list[int]:
    """A sender is at work. Returns the alerts that ask whether they are to go on, as there was none for long.

    Such as after a backup was restored, or in a machine that has slept: the news may be old by now.
    """
    longest = int(settings.MOREFOLLOWS.ask_after * 1000)
    with transaction.atomic():
        now = now_ms()
        last = Pulse.objects.select_for_update().filter(pk=1).values_list("at", flat=True).first()
        asking = stories.ask(now - longest) if last is None or now - last > longest else []
        Pulse.objects.update_or_create(pk=1, defaults={"at": now})
    return asking


def retry_failed(alert: int, editor: Editor) -> int:
    """Sends an ended alert to those who were refused or for whom it has expired, under the same Message-IDs.

    Not to readers who are gone. Returns how many mails that are. Raises `stories.actions.Refused`.
    """
    with transaction.atomic():
        stories.reopen(Event.RETRY, alert, editor)
        mails = recovery.open_again(alert)
        if not mails:
            raise stories.Refused(
                _("There is nobody to try again: who was refused is gone for good.")
            )
    return mails


def repeat_uncertain(alert: int, editor: Editor) -> int:
    """Sends an ended alert again to those of whom it is uncertain whether they have it, under the same Message-IDs.

    Returns how many mails that are. Raises `stories.actions.Refused`.
    """
    with transaction.atomic():
        stories.reopen(Event.REPEAT, alert, editor)
        Alert.objects.filter(pk=alert).update(repeat=True)
        mails = recovery.open_uncertain(alert)
        if not mails:
            raise stories.Refused(_("Nothing is uncertain in this alert."))
    return mails


def note_deaths(workers: Iterable[str]) -> None:
    """These processes are dead: frees what they had in hand, and keeps that it was so. One transaction each."""
    data = settings.MOREFOLLOWS.data
    for worker in workers:
        with transaction.atomic():
            for alert, begun in recovery.release_claims(worker, handed_out.read(data, worker)):
                story = Alert.objects.select_related("update__story").get(pk=alert).update.story
                audit.record(None, "sender died", story=story, alert=Alert(pk=alert), begun=begun)
        handed_out.forget(data, worker)


def note_unmade(alert: int, readers: Sequence[tuple[int, str]]) -> None:
    """Mails of an alert that could not be made: each reader's id, and why. Each is an entry of the activity log."""
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
    """Keeps why the relay can't be reached just now, for the desk; None when it can be again."""
    with transaction.atomic():
        relay = Relay.objects.get_or_create(name=name)[0]
        relay.trouble = (trouble or "")[:300]
        relay.trouble_since = (relay.trouble_since or timezone.now()) if trouble else None
        relay.save(update_fields=["trouble", "trouble_since"])


def note_secured(name: str, host_and_port: str) -> None:
    """Keeps that the relay has agreed to STARTTLS: from now on nothing goes there without."""
    with transaction.atomic():
        relay = Relay.objects.get_or_create(name=name)[0]
        if relay.secured_as != host_and_port:
            relay.secured_as, relay.secured_at = host_and_port, timezone.now()
            relay.save(update_fields=["secured_as", "secured_at"])
