"""Changes to the courier's state outside the ledger: repeated alerts, dead senders, trouble."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.audit import actions as audit
from morefollows.courier.ledger import handed_out, recovery
from morefollows.courier.models import Relay
from morefollows.stories import actions as stories
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.models import Alert

log = logging.getLogger(__name__)


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
