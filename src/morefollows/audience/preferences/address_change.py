"""Changes a reader's address: asks the new mailbox, and changes it once that has confirmed.

Each action is one idempotent transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows.audience import addresses, departures, letters
from morefollows.audience.addresses import Address
from morefollows.audience.consent.evidence import note_again
from morefollows.audience.departures import DepartureKind
from morefollows.audience.link_tokens import links
from morefollows.audience.models import Consent, Letter, Purpose, Reader, Subscription, Suppression
from morefollows.audience.preferences.actions import locked_reader
from morefollows.audience.signup.confirmation_pace import may_mail_again

_NEW_ADDRESSES_AN_HOUR = 3  # mails to new addresses that one reader can cause


def ask_new_address(reader: Reader, address: Address) -> None:
    """Mails a confirmation link to the new address.

    Nothing is mailed if the address is suppressed or another reader's, or if a limit is reached.
    The caller cannot tell, so the page does not reveal who is a reader.
    """
    now = timezone.now()
    with transaction.atomic():
        locked = locked_reader(reader)
        if locked is None or locked.state == Reader.State.COMPLAINED or not is_free(address.key):
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
        locked = locked_reader(letter.reader) if letter else None
        if letter is None or locked is None or locked.state == Reader.State.COMPLAINED:
            return None
        # Parsed again: the letter has the address as typed, and the key is derived from it.
        address = addresses.parse(letter.address)
        if locked.key == address.key:
            return locked
        if not is_free(address.key):
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


def is_free(key: str) -> bool:
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
