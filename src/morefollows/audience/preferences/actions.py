"""What readers change on their preference page; each action is one transaction, and again it changes nothing.

Whoever holds the link has proved to read the reader's mail, as somebody has who confirms a sign-up.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows import notify
from morefollows.audience import addresses, departures, links
from morefollows.audience.addresses import Address
from morefollows.audience.consent.evidence import note_again, note_given
from morefollows.audience.consent.texts import InForce
from morefollows.audience.departures import What
from morefollows.audience.models import (
    Consent,
    Letter,
    Purpose,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.preferences.digest_times import reckon

_NEW_ADDRESSES_AN_HOUR = 3  # mails to new addresses that one reader can cause


class Choice(NamedTuple):
    """How much a reader wants, and when; see the fields of `Reader`."""

    frequency: str = Reader.Frequency.EVERY
    quiet_from: int | None = None
    quiet_to: int | None = None
    time_zone: str = ""
    flash_passes: bool = False
    most_a_day: int | None = None


def choose(reader: Reader, choice: Choice) -> None:
    """Takes effect on the very next mail, also on batches already cut."""
    with transaction.atomic():
        locked = _locked(reader)
        if locked is None:
            return
        for name, value in choice._asdict().items():
            setattr(locked, name, value)
        paused = locked.paused_until is not None and locked.paused_until > timezone.now()
        locked.particular = choice._replace(time_zone="") != Choice() or paused
        reckon(locked, timezone.now())
        locked.save()


def pause(reader: Reader, until: datetime | None) -> None:
    """Nothing is mailed until then, and nothing told of it afterwards; None: go on."""
    with transaction.atomic():
        locked = _locked(reader)
        if locked is None:
            return
        # A pause that ends early leaves its end behind: what came in it is not told by the next digest either.
        locked.paused_until = until or (
            locked.paused_until and min(locked.paused_until, timezone.now())
        )
        chosen = Choice(*(getattr(locked, name) for name in Choice._fields))
        locked.particular = chosen._replace(time_zone="") != Choice() or until is not None
        locked.save(update_fields=["paused_until", "particular"])


def speak(reader: Reader, language: str) -> None:
    """`language`: one of `settings.LANGUAGES`."""
    Reader.objects.filter(pk=reader.pk).update(language=language)


def agree(reader: Reader, topic: Topic | None, shown: InForce, place: dict[str, str]) -> bool:
    """Consent to a topic's alerts, or without one to offers: given and confirmed, as the link proves who it is.

    `shown`: the words that stood beside the button. False if the address must not be mailed.
    """
    now = timezone.now()
    with transaction.atomic():
        locked = _locked(reader)
        if (
            locked is None
            or not locked.address
            or Suppression.objects.filter(key=locked.key).exists()
        ):
            return False
        if topic is not None:
            subscription, _made = Subscription.objects.get_or_create(
                reader=locked, topic=topic, defaults={"since": now}
            )
            if subscription.state == Subscription.State.ACTIVE:
                return True
            subscription.state, subscription.since = Subscription.State.ACTIVE, now
            subscription.save()
        elif locked.offers:
            return True
        else:
            locked.offers = True
        given = note_given(
            locked,
            Purpose.ALERTS if topic else Purpose.OFFERS,
            topic,
            shown,
            now,
            place,
            Consent.How.LINK,
        )
        note_again(given, Consent.Event.CONFIRMED, Consent.How.LINK, now)
        if locked.state != Reader.State.CONFIRMED:
            locked.state, locked.confirmed_at = Reader.State.CONFIRMED, now
        locked.save(update_fields=["state", "confirmed_at", "offers"])
    return True


# -- another address ----------------------------------------------------------------------------------------


def ask_new_address(reader: Reader, address: Address) -> None:
    """Mails the new address a link to confirm it with; tells nothing of what is known of that address.

    Nothing is mailed to one that is suppressed or somebody's already, nor more often than a sign-up would be.
    """
    now = timezone.now()
    interval = timedelta(seconds=settings.MOREFOLLOWS.confirmation_interval)
    with transaction.atomic():
        locked = _locked(reader)
        if locked is None or locked.state == Reader.State.COMPLAINED or not free(address.key):
            return
        most = settings.MOREFOLLOWS.confirmations_a_day
        today = Letter.objects.filter(
            kind=Letter.Kind.NEW_ADDRESS, created_at__gt=now - timedelta(days=1)
        )
        mine = list(today.filter(reader=locked).values_list("created_at", flat=True))
        if (
            len(mine) >= most
            or sum(at > now - timedelta(hours=1) for at in mine) >= _NEW_ADDRESSES_AN_HOUR
        ):
            return
        # Whatever its spelling and whoever asks: one mailbox gets no more than a sign-up could bring it.
        there = [
            at
            for text, at in today.filter(domain=address.domain).values_list("address", "created_at")
            if Address(text, address.domain).key == address.key
        ]
        if len(there) >= most or any(at > now - interval for at in there):
            return
        _owe(locked, Letter.Kind.NEW_ADDRESS, address.text, address.domain, now)


def move(token: str) -> Reader | None:
    """The button behind the link that went to the new address. None when it is not ours, too old, or overtaken.

    What the reader agreed to is confirmed once more, from there. The old address gets a word, in case it was not
    its owner who moved. Links to the preference page in earlier mail stop working.
    """
    now = timezone.now()
    with transaction.atomic():
        letter = links.new_address(token)
        locked = _locked(letter.reader) if letter else None
        if letter is None or locked is None or locked.state == Reader.State.COMPLAINED:
            return None
        address = addresses.parse(letter.address)
        if locked.key == address.key:
            return locked
        if not free(address.key):
            return None
        old = Address(locked.address, locked.domain)
        departures.note(What.MOVED, [locked.key], address.key)
        locked.address, locked.domain, locked.key = address.text, address.domain, address.key
        locked.links_version += 1
        active = locked.subscriptions.filter(state=Subscription.State.ACTIVE)
        if locked.state == Reader.State.GONE and active.exists():
            locked.state = Reader.State.CONFIRMED
        locked.save()
        _confirm_from_there(locked, now)
        if not Suppression.objects.filter(key=old.key).exists():
            _owe(locked, Letter.Kind.MOVED, old.text, old.domain, now)
    return locked


def free(key: str) -> bool:
    """Whether an address is nobody's, and may be mailed."""
    return not (
        Suppression.objects.filter(key=key).exists() or Reader.objects.filter(key=key).exists()
    )


def _confirm_from_there(reader: Reader, now: datetime) -> None:
    lines = Consent.objects.filter(reader=reader, event=Consent.Event.CONFIRMED).order_by("pk")
    last = {(one.purpose, one.topic_id): one for one in lines}
    active = set(
        reader.subscriptions.filter(state=Subscription.State.ACTIVE).values_list(
            "topic_id", flat=True
        )
    )
    for (purpose, topic), confirmed in last.items():
        if topic in active or (purpose == Purpose.OFFERS and reader.offers):
            note_again(confirmed, Consent.Event.CONFIRMED, Consent.How.LINK, now)


def _owe(reader: Reader, kind: str, address: str, domain: str, now: datetime) -> None:
    due_at = int(now.timestamp() * 1000)
    Letter.objects.create(
        reader=reader, kind=kind, address=address, domain=domain, created_at=now, due_at=due_at
    )
    transaction.on_commit(lambda: notify.announce(settings.MOREFOLLOWS.data, "letter"))


def _locked(reader: Reader) -> Reader | None:
    """The reader as of now; None if erased meanwhile."""
    return Reader.objects.select_for_update().filter(pk=reader.pk).first()
