"""What changes a relay's state: the courier pauses it, an editor lets it go on."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows import line
from morefollows.audience.models import Letter
from morefollows.bulletin.actions import now_ms
from morefollows.courier.models import Batch, Relay


def pause_relay(name: str, reason: str) -> None:
    """A policy refusal speaks of us, not of the reader: nothing more goes to this relay until `resume_relay`."""
    with transaction.atomic():
        relay, _ = Relay.objects.get_or_create(name=name)
        if relay.paused_at is None:
            relay.paused_at, relay.reason = timezone.now(), reason[:300]
            relay.save(update_fields=["paused_at", "reason"])


def resume_relay(name: str) -> None:
    """Goes on with everything that waits for this relay, at once."""
    with transaction.atomic():
        Relay.objects.filter(name=name).update(paused_at=None, reason="")
        now = now_ms()
        Batch.objects.filter(worker="", due_at__gt=now).update(due_at=now)
        # Not those that were never tried: they wait for the interval between two confirmations.
        tried = Letter.objects.filter(state=Letter.State.WAITING, attempts__gt=0, worker="", due_at__gt=now)
        tried.update(due_at=now)
        transaction.on_commit(lambda: line.announce(settings.MOREFOLLOWS.data, "alert"))


def note_trouble(name: str, trouble: str | None) -> None:
    """Keeps why the relay can't be reached just now, for the desk; None when it can be again."""
    with transaction.atomic():
        relay, _ = Relay.objects.get_or_create(name=name)
        relay.trouble = (trouble or "")[:300]
        relay.trouble_since = (relay.trouble_since or timezone.now()) if trouble else None
        relay.save(update_fields=["trouble", "trouble_since"])
