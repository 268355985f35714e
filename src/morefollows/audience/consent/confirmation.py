"""Double opt-in: the mailed link confirms a sign-up.

Invariant: a reader's subscriptions and `offers` agree with the reader's `Consent` lines. Code that
changes one writes the other in the same transaction.

Locking: the `Reader` row is locked before rows that refer to it are written.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from morefollows.audience import departures, letters
from morefollows.audience.consent.evidence import note_again
from morefollows.audience.departures import DepartureKind
from morefollows.audience.link_tokens import links
from morefollows.audience.models import (
    Bounce,
    Consent,
    Letter,
    Reader,
    Subscription,
    Topic,
)
from morefollows.audience.signals import tell_changed
from morefollows.audience.suppression.may_sign_up_again import suppressions_that_may


class Confirmed(NamedTuple):
    """What a reader has confirmed. `again`: it was confirmed before, and nothing changed."""

    topic: Topic
    offers: bool
    again: bool


def confirm(token: str, client_address: str = "") -> Confirmed | None:
    """Confirms a sign-up: the button on the page that the mailed link opens. Idempotent.

    Returns None if the link is invalid or expired, or if the reader has since unsubscribed or been
    suppressed.
    """
    now = timezone.now()
    with transaction.atomic():
        found = links.confirmation(token)
        if found is None:
            return None
        # A second request waits for this lock. So the link is read again after it.
        reader = Reader.objects.select_for_update().filter(pk=found.letter.reader_pk).first()
        asked = links.confirmation(token)
        # The address is empty after `expire_unconfirmed`.
        if reader is None or asked is None or not reader.address:
            return None
        topic = asked.topic
        if not asked.unconfirmed:
            return Confirmed(topic, asked.offers, again=True)
        for given in asked.unconfirmed:
            note_again(given, Consent.Event.CONFIRMED, Consent.How.LINK, now, client_address)
        thanks = Subscription.objects.filter(
            reader=reader, topic=topic, state=Subscription.State.PENDING
        ).update(state=Subscription.State.ACTIVE, since=now)
        if thanks:
            letters.enqueue(reader, Letter.Kind.THANKS, now, topic=topic)
        # Who confirms has read our mail there, so the mailbox exists. A complaint or erasure stays.
        _takes_mail_again(reader)
        if reader.state != Reader.State.CONFIRMED:
            reader.state, reader.confirmed_at = Reader.State.CONFIRMED, now
        reader.offers = reader.offers or asked.offers
        reader.save(update_fields=["state", "confirmed_at", "offers"])
        tell_changed("confirmed", [reader.pk], topic=topic.slug)
    return Confirmed(topic, asked.offers, again=False)


def _takes_mail_again(reader: Reader) -> None:
    """Deletes the reader's bounces, and the suppression if it may be lifted by confirming."""
    Bounce.objects.filter(reader=reader).delete()
    if suppressions_that_may().filter(key=reader.key).delete()[0]:
        departures.record_departures(DepartureKind.LIFTED, [reader.key])
