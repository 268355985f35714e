"""What of sign-ups and their evidence is not kept for ever. Called by housekeeping."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from morefollows.audience.models import Consent, Letter, Reader, Subscription, UnfinishedImport
from morefollows.helpers import networks

_OPEN = (Subscription.State.PENDING, Subscription.State.ACTIVE)


def expire_unconfirmed() -> int:
    """Ends sign-ups not confirmed within `confirmation_days` and deletes their addresses.

    Returns how many sign-ups ended. The keyed hash and the evidence stay. Imported readers are not
    affected, as no confirmation was mailed to them.
    """
    expired = 0
    while chunk := _expire_some(500):
        expired += chunk
    return expired


def overdue_sign_ups() -> QuerySet[Subscription]:
    """Returns the sign-ups that `expire_unconfirmed` ends."""
    oldest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.confirmation_days)
    asked = Letter.objects.filter(
        reader=OuterRef("reader"), topic=OuterRef("topic"), kind=Letter.Kind.CONFIRMATION
    )
    # A second, younger confirmation keeps the sign-up open: its link must still work.
    waiting = Subscription.objects.filter(state=Subscription.State.PENDING)
    return waiting.filter(Exists(asked), ~Exists(asked.filter(created_at__gt=oldest)))


def _expire_some(most: int) -> int:
    """Ends at most `most` sign-ups, in one transaction. Returns how many."""
    now = timezone.now()
    with transaction.atomic():
        overdue = list(overdue_sign_ups().select_for_update()[:most])
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


def whole_client_addresses() -> QuerySet[Consent]:
    """Returns the evidence whose client addresses `shorten_client_addresses` shortens."""
    oldest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.client_address_days)
    old = Consent.objects.filter(at__lt=oldest)
    return old.exclude(client_address="").exclude(client_address__contains="/")


def shorten_client_addresses() -> int:
    """Shortens client addresses in old evidence to their networks. Returns how many.

    Old means older than `client_address_days`.
    """
    whole = whole_client_addresses()
    shortened, last = 0, 0
    while lines := list(whole.filter(pk__gt=last).only("client_address").order_by("pk")[:500]):
        for one in lines:
            one.client_address = networks.shortened(one.client_address)
        Consent.objects.bulk_update(lines, ["client_address"])
        shortened, last = shortened + len(lines), lines[-1].pk
    return shortened


def forget_broken_imports() -> int:
    """Deletes the progress of imports not resumed within `keep_imports_days`. Returns how many."""
    return broken_imports().delete()[0]


def broken_imports() -> QuerySet[UnfinishedImport]:
    """Returns the imports that `forget_broken_imports` deletes."""
    long_ago = timezone.now() - timedelta(days=settings.MOREFOLLOWS.keep_imports_days)
    return UnfinishedImport.objects.filter(changed_at__lt=long_ago)
