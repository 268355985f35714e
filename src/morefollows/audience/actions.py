"""The only code that changes readers and what they agreed to; each action is one transaction.

A reader's subscriptions and `offers` always say what the consent lines say: whoever changes one writes the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from morefollows import notify
from morefollows.audience import addresses, departures, links
from morefollows.audience import drills as drill
from morefollows.audience.addresses import Address
from morefollows.audience.consent import texts
from morefollows.audience.consent.evidence import note_again, note_given, note_withdrawn
from morefollows.audience.consent.texts import InForce
from morefollows.audience.departures import What
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
    """What a reader has confirmed. ``again``: it was before; nothing changed."""

    topic: Topic
    offers: bool
    again: bool


# -- signing up ---------------------------------------------------------------------------------------------


def sign_up(
    address: str,
    *,
    topic: Topic,
    offers: bool,
    language: str,
    page: str,
    client_address: str,
    form_version: str = "1",
    shown: InForce | None = None,
) -> None:
    """Notes a sign-up and owes its reader a confirmation mail. Raises `addresses.BadAddress`, and tells nothing else.

    `shown`: the words that the reader saw; those now in force if left out.

    Nothing is noted and nothing mailed for an address that is suppressed, for a reader who has all this already, and
    while a confirmation of just this was mailed within `confirmation_interval` or is about to be; nor when as many as
    `confirmations_a_day` were. But an address that bounced here is asked: who confirms it takes mail again.
    """
    parsed = addresses.parse(address)
    now = timezone.now()
    with transaction.atomic():
        suppression = Suppression.objects.filter(key=parsed.key).first()
        if suppression is not None and not suppression.may_come_back:
            return
        reader = _reader(parsed, language, now)
        subscription = _subscription(reader, topic, now)
        has_all = subscription.state == Subscription.State.ACTIVE and (reader.offers or not offers)
        if has_all and suppression is None:
            return
        due_at = _confirmation_due(reader, topic, offers, subscription.since)
        if due_at is None:
            return
        place = {
            "page": page.partition("?")[0][:500],
            "form_version": form_version,
            "client_address": client_address,
        }
        words = shown or texts.in_force(language)
        note_given(reader, Purpose.ALERTS, topic, words, now, place)
        if offers:
            note_given(reader, Purpose.OFFERS, topic, words, now, place)
        _owe(reader, topic, Letter.Kind.CONFIRMATION, offers, now, due_at)


def confirm(token: str, client_address: str = "") -> Confirmed | None:
    """The button behind the mailed link. None when the link is not ours, too old, or overtaken by a leave.

    Pressing it again changes nothing.
    """
    now = timezone.now()
    with transaction.atomic():
        found = links.confirmation(token)
        if found is None:
            return None
        # Whoever presses twice at once waits here, and then finds it done.
        reader = Reader.objects.select_for_update().filter(pk=found.letter.reader_id).first()
        asked = links.confirmation(token)
        if (
            reader is None or asked is None or not reader.address
        ):  # forgotten meanwhile: nobody is there to be mailed
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
        _takes_mail_again(reader)
        if reader.state != Reader.State.CONFIRMED:
            reader.state, reader.confirmed_at = Reader.State.CONFIRMED, now
        reader.offers = reader.offers or asked.offers
        reader.save(update_fields=["state", "confirmed_at", "offers"])
    return Confirmed(topic, asked.offers, again=False)


def _takes_mail_again(reader: Reader) -> None:
    """A confirmation has arrived: what bounced before counts no more. Any other suppression stays."""
    Bounce.objects.filter(reader=reader).delete()
    bounced = Suppression.objects.filter(
        key=reader.key, reason=Suppression.Reason.BOUNCED, from_list=False
    )
    if bounced.delete()[0]:
        departures.note(What.LIFTED, [reader.key])


def _reader(address: Address, language: str, now: datetime) -> Reader:
    """The reader with this address, locked. What a confirmed reader is known by does not change by a mere sign-up."""
    known = {"address": address.text, "domain": address.domain, "language": language}
    reader, made = Reader.objects.select_for_update().get_or_create(
        key=address.key, defaults={**known, "created_at": now}
    )
    if not made and reader.state != Reader.State.CONFIRMED:
        for name, value in known.items():
            setattr(reader, name, value)
        reader.save(update_fields=list(known))
    return reader


def _subscription(reader: Reader, topic: Topic, now: datetime) -> Subscription:
    """This reader's subscription; pending from now on if it was none, or had ended."""
    subscription, _made = Subscription.objects.get_or_create(
        reader=reader, topic=topic, defaults={"since": now}
    )
    if subscription.state == Subscription.State.ENDED:
        subscription.state, subscription.since = Subscription.State.PENDING, now
        subscription.save(update_fields=["state", "since"])
    return subscription


def _confirmation_due(reader: Reader, topic: Topic, offers: bool, since: datetime) -> int | None:
    """When the next confirmation may be mailed, in ms since 1970; None when a mail on its way asks all this already.

    At most one an address an interval, and so many a day: whoever wants to flood a victim's mailbox through our form
    can't.
    """
    interval = int(settings.MOREFOLLOWS.confirmation_interval * 1000)
    now = time.time_ns() // 1_000_000
    today = Letter.objects.filter(
        reader=reader, kind=Letter.Kind.CONFIRMATION, due_at__gt=now - 86_400_000
    )
    if today.count() >= settings.MOREFOLLOWS.confirmations_a_day:
        return None
    recent = list(
        Letter.objects.filter(
            reader=reader, kind=Letter.Kind.CONFIRMATION, due_at__gt=now - interval
        ).exclude(state=Letter.State.EXPIRED)
    )
    if any(
        letter.topic_id == topic.pk and letter.offers >= offers and letter.created_at >= since
        for letter in recent
    ):
        return None
    return max([now, *(letter.due_at + interval for letter in recent)])


def _owe(reader: Reader, topic: Topic, kind: str, offers: bool, now: datetime, due_at: int) -> None:
    Letter.objects.create(
        reader=reader, topic=topic, kind=kind, offers=offers, created_at=now, due_at=due_at
    )
    transaction.on_commit(lambda: notify.announce(settings.MOREFOLLOWS.data, "letter"))


# -- leaving ------------------------------------------------------------------------------------------------


def leave(token: str, how: str) -> bool:
    """Ends what the link stands for, at once: a topic, all topics, offers, or drills. `how`: a `Consent.How`.

    False only if the link is not ours. When that was the reader's last topic, the reader has left, and a consent to
    offers ends with it: nobody who has unsubscribed from all there was expects another kind of mail from us. With a
    topic left, offers go on until they are withdrawn themselves.
    """
    with transaction.atomic():
        wanted = links.leaving(token)
        if wanted is None:
            return False
        if wanted.reader is None:
            return True
        if wanted.drills:
            drill.remove(wanted.reader.pk)
        if wanted.offers:
            withdraw(wanted.reader, Purpose.OFFERS, how=how)
        topics = Topic.objects.all() if wanted.everything else filter(None, [wanted.topic])
        for topic in topics:
            withdraw(wanted.reader, Purpose.ALERTS, how=how, topic=topic)
    return True


def withdraw(
    reader: Reader,
    purpose: str,
    *,
    how: str,
    topic: Topic | None = None,
    at: datetime | None = None,
) -> None:
    """Withdraws a consent; alerts need their `topic`. Doing it again changes nothing. `at`: when, if not now."""
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
            if not ended:
                return
            note_withdrawn(reader, Purpose.ALERTS, topic, how, now)
            departures.note(What.TOPIC, [reader.key], topic.uid.hex() if topic else "")
        stays = Subscription.objects.filter(reader=reader, state__in=_OPEN).exists()
        if purpose == Purpose.OFFERS or not stays:
            _end_offers(reader, how, now)
        if not stays and reader.state in (Reader.State.PENDING, Reader.State.CONFIRMED):
            reader.state = Reader.State.LEFT
        reader.save(update_fields=["state", "offers"])


def _end_offers(reader: Reader, how: str, now: datetime) -> None:
    """Also ends an offer to consent that was never confirmed, so that an old link can't confirm it later."""
    last = Consent.objects.filter(reader=reader, purpose=Purpose.OFFERS).order_by("pk").last()
    if last is not None and last.event != Consent.Event.WITHDRAWN:
        note_withdrawn(reader, Purpose.OFFERS, None, how, now)
        departures.note(What.OFFERS, [reader.key])
    reader.offers = False


def mark_gone(reader_ids: Iterable[int], reason: str, *, wait: bool = True) -> set[int]:
    """Never mail these readers again. `reason`: a `Suppression.Reason`. Returns those of them who are marked.

    Without `wait`, readers whose row somebody else has locked are left out. Their consent stays as it is: a mailbox
    that is gone has withdrawn nothing.
    """
    now = timezone.now()
    state = (
        Reader.State.COMPLAINED if reason == Suppression.Reason.COMPLAINED else Reader.State.GONE
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
        departures.note(What.SUPPRESSED, [key for _pk, key, _domain in readers], reason)
        marked = {pk for pk, _key, _domain in readers}
        Reader.objects.filter(pk__in=marked).exclude(state=Reader.State.COMPLAINED).update(
            state=state
        )
    return marked


def erase(reader: Reader) -> None:
    """Forgets a reader for good (GDPR Art. 17). Doing it again changes nothing.

    What is left is the keyed hash of the address, the reason and the date, so that nothing brings the reader back.
    The evidence of consent goes too. An alert that is being sent at that moment skips the reader.
    """
    with transaction.atomic():
        locked = Reader.objects.select_for_update().filter(pk=reader.pk).first()
        if locked is None:
            return
        Suppression.objects.update_or_create(
            key=locked.key,
            defaults={"reason": Suppression.Reason.ERASED, "at": timezone.now(), "domain": ""},
        )
        departures.note(What.SUPPRESSED, [locked.key], Suppression.Reason.ERASED)
        ErasedReader.objects.update_or_create(number=locked.pk, defaults={"uid": locked.uid})
        Erasure.objects.create(reader=locked)
        Consent.objects.filter(reader=locked).delete()
        locked.delete()


def expire_unconfirmed() -> int:
    """Ends sign-ups that nobody confirmed in `confirmation_days`, and forgets their addresses. Returns how many.

    The keyed hash stays with the evidence. Readers who came by import wait for as long as the newsroom likes.
    """
    expired = 0
    while chunk := _expire_some(500):
        expired += chunk
    return expired


def _expire_some(most: int) -> int:
    now = timezone.now()
    oldest = now - timedelta(days=settings.MOREFOLLOWS.confirmation_days)
    asked = Letter.objects.filter(
        reader=OuterRef("reader"), topic=OuterRef("topic"), kind=Letter.Kind.CONFIRMATION
    )
    with transaction.atomic():
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
            drill=None,  # whoever was invited to drills may still say yes, and is forgotten with the invitation
        )
        Consent.objects.filter(reader__in=forgotten).update(client_address="")
        forgotten.update(address="", domain="")
    return len(overdue)


def shorten_client_addresses() -> int:
    """Shortens client addresses in evidence older than `client_address_days` to their networks. Returns how many."""
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
    """Drops the places of imports that broke off long ago and were never taken up again. Returns how many."""
    long_ago = timezone.now() - timedelta(days=settings.MOREFOLLOWS.keep_imports_days)
    return UnfinishedImport.objects.filter(changed_at__lt=long_ago).delete()[0]


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
