"""Actions of the preference page. Each action is one idempotent transaction.

The link to the page authenticates the reader: it is only mailed to the reader's address, as a
confirmation link is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from morefollows.audience import letters
from morefollows.audience.addresses import Address
from morefollows.audience.consent.evidence import note_again, note_given
from morefollows.audience.consent.texts import InForce
from morefollows.audience.consent.withdrawal import withdraw_consent
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
        locked = locked_reader(reader)
        if locked is None:
            return
        for name, value in choice._asdict().items():
            setattr(locked, name, value)
        paused = locked.paused_until is not None and locked.paused_until > timezone.now()
        # Senders look at preferences only where this is true. A time zone alone holds back no mail.
        locked.has_preferences = choice._replace(time_zone="") != PreferenceChoice() or paused
        schedule(locked, timezone.now())
        locked.save()


def pause_mail(reader: Reader, until: datetime | None) -> None:
    """Pauses mail until this time; None ends the pause. Paused alerts are not sent later."""
    with transaction.atomic():
        locked = locked_reader(reader)
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
        locked = locked_reader(reader)
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
            # A second press of the button adds no evidence.
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
        # Locked, so that two requests at once mail one link and not two.
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
        # One by one: each consent that ends has evidence of its own.
        for topic in Topic.objects.filter(
            subscriptions__reader=reader, subscriptions__state=Subscription.State.ACTIVE
        ):
            withdraw_consent(reader, Purpose.ALERTS, how=Consent.How.LINK, topic=topic)
        withdraw_consent(reader, Purpose.OFFERS, how=Consent.How.LINK)


def locked_reader(reader: Reader) -> Reader | None:
    """Returns the current row, locked; None if it was erased meanwhile."""
    return Reader.objects.select_for_update().filter(pk=reader.pk).first()
