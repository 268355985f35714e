"""Actions of the preference page. Each action is one idempotent transaction.

The link to the page authenticates the reader: it is only mailed to the reader's address, as a
confirmation link is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows.audience import addresses, departures, letters
from morefollows.audience.addresses import Address
from morefollows.audience.consent.evidence import note_again, note_given
from morefollows.audience.consent.texts import InForce
from morefollows.audience.consent.withdrawal import withdraw_consent
from morefollows.audience.departures import DepartureKind
from morefollows.audience.link_tokens import links
from morefollows.audience.models import (
    Consent,
    Letter,
    Purpose,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.preferences.digest_times import schedule
from morefollows.audience.signup.confirmation_pace import may_mail_again

_NEW_ADDRESSES_AN_HOUR = 3  # mails to new addresses that one reader can cause


class PreferenceChoice(NamedTuple):
    """A reader's delivery preferences; see the fields of `Reader`."""

    frequency: str = Reader.Frequency.EVERY
    quiet_from: int | None = None
    quiet_to: int | None = None
    time_zone: str = ""
    flash_passes: bool = False
    most_a_day: int | None = None


def choose(reader: Reader, choice: PreferenceChoice) -> None:
    """Saves delivery preferences. They apply to the next mail, also in batches already made."""
    with transaction.atomic():
        locked = _locked(reader)
        if locked is None:
            return
        for name, value in choice._asdict().items():
            setattr(locked, name, value)
        paused = locked.paused_until is not None and locked.paused_until > timezone.now()
        locked.has_preferences = choice._replace(time_zone="") != PreferenceChoice() or paused
        schedule(locked, timezone.now())
        locked.save()


def pause_mail(reader: Reader, until: datetime | None) -> None:
    """Pauses mail until this time; None ends the pause. Paused alerts are not sent later."""
    with transaction.atomic():
        locked = _locked(reader)
        if locked is None:
            return
        # A pause ended early keeps its end, so that the next digest omits the paused alerts, too.
        locked.paused_until = until or (
            locked.paused_until and min(locked.paused_until, timezone.now())
        )
        chosen = PreferenceChoice(*(getattr(locked, name) for name in PreferenceChoice._fields))
        locked.has_preferences = (
            chosen._replace(time_zone="") != PreferenceChoice() or until is not None
        )
        locked.save(update_fields=["paused_until", "has_preferences"])


def speak(reader: Reader, language: str) -> None:
    """Sets the reader's language, one of `settings.LANGUAGES`."""
    Reader.objects.filter(pk=reader.pk).update(language=language)


def agree(reader: Reader, topic: Topic | None, shown: InForce, place: dict[str, str]) -> bool:
    """Records consent to a topic's alerts, or to offers if `topic` is None.

    The consent is given and confirmed at once, as the link authenticates the reader. `shown`: the
    wordings beside the button. `place`: see `evidence.note_given`. Returns False if the reader was
    erased, or if the address must not be mailed.
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


def ask_for_link(address: Address) -> None:
    """Mails the link to the preferences to this address, if a confirmed reader has it.

    Nothing is mailed if the address is suppressed, or was sent such a link a short time ago or
    several times today. The caller cannot tell, so the page does not reveal who is a reader.
    """
    now = timezone.now()
    with transaction.atomic():
        reader = Reader.objects.select_for_update().filter(key=address.key).first()
        if (
            reader is None
            or reader.state != Reader.State.CONFIRMED
            or Suppression.objects.filter(key=reader.key).exists()
        ):
            return
        sent = Letter.objects.filter(
            reader=reader,
            kind=Letter.Kind.PREFERENCES,
            created_at__gt=now - timedelta(days=1),
        )
        if not may_mail_again(list(sent.values_list("created_at", flat=True)), now):
            return
        letters.enqueue(reader, Letter.Kind.PREFERENCES, now)


def unsubscribe_from_everything(reader: Reader) -> None:
    """Ends every subscription and the consent to offers."""
    with transaction.atomic():
        for topic in Topic.objects.filter(
            subscriptions__reader=reader, subscriptions__state=Subscription.State.ACTIVE
        ):
            withdraw_consent(reader, Purpose.ALERTS, how=Consent.How.LINK, topic=topic)
        withdraw_consent(reader, Purpose.OFFERS, how=Consent.How.LINK)


# -- change of address ----------------------------------------------------------------------------


def ask_new_address(reader: Reader, address: Address) -> None:
    """Mails a confirmation link to the new address.

    Nothing is mailed if the address is suppressed or another reader's, or if a limit is reached.
    The caller cannot tell, so the page does not reveal who is a reader.
    """
    now = timezone.now()
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
        # A mailbox gets no more of these mails than confirmations of sign-ups, however many clients
        # ask. Keys are compared, as addresses of one mailbox can differ in spelling.
        there = [
            at
            for text, at in today.filter(domain=address.domain).values_list("address", "created_at")
            if Address(text, address.domain).key == address.key
        ]
        if not may_mail_again(there, now):
            return
        new = {"address": address.text, "domain": address.domain}
        letters.enqueue(locked, Letter.Kind.NEW_ADDRESS, now, **new)


def move(token: str) -> Reader | None:
    """Changes the reader's address: the button on the page that the mailed link opens. Idempotent.

    Returns None if the link is invalid, expired or replaced by a newer one. Also if the address has
    been taken or suppressed since. Consent is confirmed again, from the new address. The old
    address is notified, in case its owner did not ask for this. Links to the preference page in
    earlier mail stop working.
    """
    now = timezone.now()
    with transaction.atomic():
        letter = links.new_address(token)
        locked = _locked(letter.reader) if letter else None
        if letter is None or locked is None or locked.state == Reader.State.COMPLAINED:
            return None
        # Parsed again: the letter has the address as typed, and the key is derived from it.
        address = addresses.parse(letter.address)
        if locked.key == address.key:
            return locked
        if not free(address.key):
            return None
        old = Address(locked.address, locked.domain)
        # For a restored backup this is a departure: the old address must not be mailed again.
        departures.record_departures(DepartureKind.MOVED, [locked.key], address.key)
        locked.address, locked.domain, locked.key = address.text, address.domain, address.key
        # Links in mail to the old address must not open the preferences of the new one.
        locked.links_version += 1
        active = locked.subscriptions.filter(state=Subscription.State.ACTIVE)
        # The old mailbox was gone. The link proves that the new one is not.
        if locked.state == Reader.State.HARD_BOUNCED and active.exists():
            locked.state = Reader.State.CONFIRMED
        locked.save()
        _confirm_from_there(locked, now)
        if not Suppression.objects.filter(key=old.key).exists():
            before = {"address": old.text, "domain": old.domain}
            letters.enqueue(locked, Letter.Kind.MOVED, now, **before)
    return locked


def free(key: str) -> bool:
    """Returns whether no reader has this address and it is not suppressed. `key`: `Reader.key`."""
    return not (
        Suppression.objects.filter(key=key).exists() or Reader.objects.filter(key=key).exists()
    )


def _confirm_from_there(reader: Reader, now: datetime) -> None:
    """Writes a CONFIRMED line for each consent in force."""
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


def _locked(reader: Reader) -> Reader | None:
    """Returns the current row, locked; None if it was erased meanwhile."""
    return Reader.objects.select_for_update().filter(pk=reader.pk).first()
