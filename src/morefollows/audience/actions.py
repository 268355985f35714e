"""Actions that change readers and their consent. Each action is one transaction.

Sign-ups are written by `audience.signup.writer`.

Invariant: a reader's subscriptions and `offers` agree with the reader's `Consent` lines. Code that
changes one writes the other in the same transaction.

Locking: `confirm`, `withdraw_consent`, `suppress_readers` and `erase` lock the `Reader` rows
before they write rows that refer to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from morefollows import notify
from morefollows.audience import departures, links
from morefollows.audience import drills as drill
from morefollows.audience.consent.evidence import note_again, note_withdrawn
from morefollows.audience.departures import DepartureKind
from morefollows.audience.models import (
    Bounce,
    Consent,
    ErasedReader,
    Erasure,
    Letter,
    Purpose,
    Reader,
    Subscription,
    Suppression,
    Topic,
    UnfinishedImport,
)
from morefollows.helpers import networks

_OPEN = (Subscription.State.PENDING, Subscription.State.ACTIVE)


class Confirmed(NamedTuple):
    """What a reader has confirmed. `again`: it was confirmed before, and nothing changed."""

    topic: Topic
    offers: bool
    again: bool


# -- confirming -----------------------------------------------------------------------------------


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
        reader = Reader.objects.select_for_update().filter(pk=found.letter.reader_id).first()
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
            _owe(reader, topic, Letter.Kind.THANKS, False, now, _ms(now))
        # Who confirms has read our mail there, so the mailbox exists. A complaint or erasure stays.
        _takes_mail_again(reader)
        if reader.state != Reader.State.CONFIRMED:
            reader.state, reader.confirmed_at = Reader.State.CONFIRMED, now
        reader.offers = reader.offers or asked.offers
        reader.save(update_fields=["state", "confirmed_at", "offers"])
    return Confirmed(topic, asked.offers, again=False)


def _takes_mail_again(reader: Reader) -> None:
    """Deletes the reader's bounces, and the suppression they led to. Other suppressions stay."""
    Bounce.objects.filter(reader=reader).delete()
    bounced = Suppression.objects.filter(
        key=reader.key, reason=Suppression.Reason.BOUNCED, from_list=False
    )
    if bounced.delete()[0]:
        departures.record_departures(DepartureKind.LIFTED, [reader.key])


def _owe(
    reader: Reader, topic: Topic, kind: str, offers: bool, now: datetime, due_at_ms: int
) -> None:
    """Enqueues a letter. `due_at_ms`: ms since 1970."""
    Letter.objects.create(
        reader=reader, topic=topic, kind=kind, offers=offers, created_at=now, due_at_ms=due_at_ms
    )
    transaction.on_commit(lambda: notify.announce(settings.MOREFOLLOWS.data, "letter"))


# -- unsubscribing --------------------------------------------------------------------------------


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
        topics = Topic.objects.all() if wanted.everything else filter(None, [wanted.topic])
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


def _end_offers(reader: Reader, how: str, now: datetime) -> None:
    """Withdraws the consent to offers, also an unconfirmed one.

    Otherwise an old confirmation link could still confirm it.
    """
    last = Consent.objects.filter(reader=reader, purpose=Purpose.OFFERS).order_by("pk").last()
    if last is not None and last.event != Consent.Event.WITHDRAWN:
        note_withdrawn(reader, Purpose.OFFERS, None, how, now)
        departures.record_departures(DepartureKind.OFFERS, [reader.key])
    reader.offers = False


def suppress_readers(reader_ids: Iterable[int], reason: str, *, wait: bool = True) -> set[int]:
    """Suppresses these readers. Returns the primary keys of those that were marked.

    `reason`: a `Suppression.Reason`. `wait=False`: skips readers whose row is locked by another
    transaction. Consent is not withdrawn, as the reader has not asked for that.

    Locking: rows are locked in the order of their primary keys, so that two calls cannot deadlock.
    """
    now = timezone.now()
    state = (
        Reader.State.COMPLAINED
        if reason == Suppression.Reason.COMPLAINED
        else Reader.State.HARD_BOUNCED
    )
    with transaction.atomic():
        free = (
            Reader.objects.select_for_update(skip_locked=not wait)
            .filter(pk__in=list(reader_ids))
            .order_by("pk")
        )
        readers = list(free.values_list("pk", "key", "domain"))
        bounced = reason == Suppression.Reason.BOUNCED
        Suppression.objects.bulk_create(
            [
                Suppression(key=key, reason=reason, at=now, domain=domain if bounced else "")
                for _pk, key, domain in readers
            ],
            ignore_conflicts=True,
        )
        departures.record_departures(
            DepartureKind.SUPPRESSED, [key for _pk, key, _domain in readers], reason
        )
        marked = {pk for pk, _key, _domain in readers}
        Reader.objects.filter(pk__in=marked).exclude(state=Reader.State.COMPLAINED).update(
            state=state
        )
    return marked


def erase(reader: Reader) -> None:
    """Erases a reader and the evidence of their consent (GDPR Art. 17). Idempotent.

    A suppression stays, with the keyed hash of the address, the reason and the date. It keeps later
    imports from adding the reader again. An alert being sent skips the reader.
    """
    with transaction.atomic():
        locked = Reader.objects.select_for_update().filter(pk=reader.pk).first()
        if locked is None:
            return
        Suppression.objects.update_or_create(
            key=locked.key,
            defaults={"reason": Suppression.Reason.ERASED, "at": timezone.now(), "domain": ""},
        )
        departures.record_departures(
            DepartureKind.SUPPRESSED, [locked.key], Suppression.Reason.ERASED
        )
        # Number and uid lead to nobody, but let the links in old mail still be proved: see
        # `links.leaving`.
        ErasedReader.objects.update_or_create(number=locked.pk, defaults={"uid": locked.uid})
        # The triggers allow the deletion of evidence only for a reader who has such a row.
        Erasure.objects.create(reader=locked)
        Consent.objects.filter(reader=locked).delete()
        locked.delete()


def expire_unconfirmed() -> int:
    """Ends sign-ups not confirmed within `confirmation_days` and deletes their addresses.

    Returns how many sign-ups ended. The keyed hash and the evidence stay. Imported readers are not
    affected, as no confirmation was mailed to them.
    """
    expired = 0
    while chunk := _expire_some(500):
        expired += chunk
    return expired


def _expire_some(most: int) -> int:
    """Ends at most `most` sign-ups, in one transaction. Returns how many."""
    now = timezone.now()
    oldest = now - timedelta(days=settings.MOREFOLLOWS.confirmation_days)
    asked = Letter.objects.filter(
        reader=OuterRef("reader"), topic=OuterRef("topic"), kind=Letter.Kind.CONFIRMATION
    )
    with transaction.atomic():
        # A second, younger confirmation keeps the sign-up open: its link must still work.
        overdue = list(
            Subscription.objects.filter(Exists(asked), ~Exists(asked.filter(created_at__gt=oldest)))
            .filter(state=Subscription.State.PENDING)
            .select_for_update()[:most]
        )
        Subscription.objects.filter(pk__in=[subscription.pk for subscription in overdue]).update(
            state=Subscription.State.ENDED, since=now
        )
        forgotten = Reader.objects.filter(
            ~Exists(Subscription.objects.filter(reader=OuterRef("pk"), state__in=_OPEN)),
            pk__in={subscription.reader_id for subscription in overdue},
            state=Reader.State.PENDING,
            drill=None,  # a drill invitation may still be open; it expires by itself
        )
        Consent.objects.filter(reader__in=forgotten).update(client_address="")
        forgotten.update(address="", domain="")
    return len(overdue)


def shorten_client_addresses() -> int:
    """Shortens client addresses in old evidence to their networks. Returns how many.

    Old means older than `client_address_days`.
    """
    oldest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.client_address_days)
    whole = (
        Consent.objects.filter(at__lt=oldest)
        .exclude(client_address="")
        .exclude(client_address__contains="/")
    )
    shortened, last = 0, 0
    while lines := list(whole.filter(pk__gt=last).only("client_address").order_by("pk")[:500]):
        for one in lines:
            one.client_address = networks.shortened(one.client_address)
        Consent.objects.bulk_update(lines, ["client_address"])
        shortened, last = shortened + len(lines), lines[-1].pk
    return shortened


def forget_broken_imports() -> int:
    """Deletes the progress of imports not resumed within `keep_imports_days`. Returns how many."""
    long_ago = timezone.now() - timedelta(days=settings.MOREFOLLOWS.keep_imports_days)
    return UnfinishedImport.objects.filter(changed_at__lt=long_ago).delete()[0]


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
