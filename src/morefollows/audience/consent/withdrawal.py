"""Unsubscribing, and withdrawing a consent (GDPR Art. 7 (3)).

Invariant: a reader's subscriptions and `offers` agree with the reader's `Consent` lines. Code that
changes one writes the other in the same transaction.

Locking: the `Reader` row is locked before rows that refer to it are written.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from morefollows.audience import departures
from morefollows.audience import drills as drill
from morefollows.audience.consent.evidence import note_withdrawn
from morefollows.audience.departures import DepartureKind
from morefollows.audience.link_tokens import links
from morefollows.audience.models import Consent, Purpose, Reader, Subscription, Topic
from morefollows.audience.signals import tell_changed
from morefollows.audience.topics.actions import successor

_OPEN = (Subscription.State.PENDING, Subscription.State.ACTIVE)


def unsubscribe(token: str, how: str) -> bool:
    """Unsubscribes from what the link names: a topic, all topics, offers, or drills. Idempotent.

    Returns False only if the link is invalid. `how`: a `Consent.How`. Leaving the last topic also
    ends the consent to offers, as a reader without topics expects no more mail. While a topic is
    left, offers continue until they are withdrawn.
    """
    with transaction.atomic():
        wanted = links.leaving(token)
        if wanted is None:
            return False
        if wanted.reader is None:
            return True
        if wanted.drills:
            drill.remove_reader(wanted.reader.pk)
        if wanted.offers:
            withdraw_consent(wanted.reader, Purpose.OFFERS, how=how)
        topics = list(Topic.objects.all()) if wanted.everything else []
        if wanted.topic is not None:
            # What the topic of an old mail was merged into is left, too.
            topics = [wanted.topic, successor(wanted.topic)]
        for topic in topics:
            withdraw_consent(wanted.reader, Purpose.ALERTS, how=how, topic=topic)
    return True


def withdraw_consent(
    reader: Reader,
    purpose: str,
    *,
    how: str,
    topic: Topic | None = None,
    at: datetime | None = None,
) -> None:
    """Withdraws a consent. Idempotent.

    `topic`: required for alerts. `how`: a `Consent.How`. `at`: the time of the withdrawal, by
    default now.
    """
    now = at or timezone.now()
    with transaction.atomic():
        locked = Reader.objects.select_for_update().filter(pk=reader.pk).first()
        if locked is None:
            return  # erased meanwhile
        reader = locked
        if purpose == Purpose.ALERTS:
            ended = Subscription.objects.filter(reader=reader, topic=topic, state__in=_OPEN).update(
                state=Subscription.State.ENDED, since=now
            )
            # Withdrawn before: there is nothing to note, and the answer is the same.
            if not ended:
                return
            note_withdrawn(reader, Purpose.ALERTS, topic, how, now)
            departures.record_departures(
                DepartureKind.TOPIC, [reader.key], topic.uid.hex() if topic else ""
            )
        stays = Subscription.objects.filter(reader=reader, state__in=_OPEN).exists()
        if purpose == Purpose.OFFERS or not stays:
            _end_offers(reader, how, now)
        if not stays and reader.state in (Reader.State.PENDING, Reader.State.CONFIRMED):
            reader.state = Reader.State.UNSUBSCRIBED
        reader.save(update_fields=["state", "offers"])
        tell_changed(
            "unsubscribed", [reader.pk], purpose=str(purpose), topic=topic.slug if topic else ""
        )


def _end_offers(reader: Reader, how: str, now: datetime) -> None:
    """Withdraws the consent to offers, also an unconfirmed one.

    Otherwise an old confirmation link could still confirm it.
    """
    last = Consent.objects.filter(reader=reader, purpose=Purpose.OFFERS).order_by("pk").last()
    if last is not None and last.event != Consent.Event.WITHDRAWN:
        note_withdrawn(reader, Purpose.OFFERS, None, how, now)
        departures.record_departures(DepartureKind.OFFERS, [reader.key])
    reader.offers = False
