"""Invites readers to drills, and removes them. Each action is one transaction.

Invariant: before a reader accepts, only the invitation is mailed to them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.audience import departures, letters
from morefollows.audience.addresses import Address
from morefollows.audience.departures import DepartureKind
from morefollows.audience.link_tokens import links
from morefollows.audience.models import (
    DrillReader,
    ErasedReader,
    Letter,
    Reader,
    Subscription,
    Suppression,
)
from morefollows.audience.signup.confirmation_pace import interval_began


class NotPossible(Exception):
    """The invitation is not allowed. ``str()`` is a message for the administrator."""


def invite_reader(address: Address, language: str, by: Any = None) -> DrillReader:
    """Invites an address to drills. Raises `NotPossible` if the address is suppressed.

    `by`: the administrator. A second call changes nothing for a reader who has accepted. Others are
    mailed again, at most once per `confirmation_interval`.
    """
    now = timezone.now()
    with transaction.atomic():
        if Suppression.objects.filter(key=address.key).exists():
            raise NotPossible(_("This address is suppressed: it must not be mailed."))
        known = {"address": address.text, "domain": address.domain, "language": language}
        reader, made = Reader.objects.select_for_update().get_or_create(
            key=address.key, defaults={**known, "created_at": now}
        )
        if not made and not reader.address:  # deleted when an earlier sign-up expired
            Reader.objects.filter(pk=reader.pk).update(**known)
        part, _made = DrillReader.objects.get_or_create(
            reader=reader, defaults={"added_by": by, "added_at": now}
        )
        if part.confirmed_at is None:
            DrillReader.objects.filter(pk=part.pk).update(added_by=by, added_at=now)
            _ask(reader)
    return part


def _ask(reader: Reader) -> None:
    now = timezone.now()
    # An administrator can enter any address, so nobody must be mailed more often than by a sign-up.
    asked = Letter.objects.filter(reader=reader, kind=Letter.Kind.INVITATION)
    if asked.filter(created_at__gt=interval_began(now)).exists():
        return
    letters.enqueue(reader, Letter.Kind.INVITATION, now)


def accept(token: str) -> DrillReader | None:
    """Accepts an invitation: the button on the page that the mailed link opens. Idempotent.

    Returns None if the link is invalid or expired, or if the invitation was withdrawn. Also if the
    address has been deleted or suppressed since.
    """
    now = timezone.now()
    with transaction.atomic():
        letter = links.invitation(token)
        if letter is None:
            return None
        part = DrillReader.objects.select_for_update().filter(reader=letter.reader_id).first()
        if (
            part is None
            or not letter.reader.address
            or Suppression.objects.filter(key=letter.reader.key).exists()
        ):
            return None
        if part.confirmed_at is None:
            part.confirmed_at = now
            part.save(update_fields=["confirmed_at"])
            Reader.objects.filter(pk=letter.reader_pk, state=Reader.State.PENDING).update(
                state=Reader.State.CONFIRMED, confirmed_at=now
            )
    return part


def remove_reader(reader: int) -> bool:
    """Removes a reader from drills. Returns False if the reader did not take part.

    Deletes a reader who has no subscriptions and no consent lines.
    """
    with transaction.atomic():
        removed = DrillReader.objects.filter(reader=reader).delete()[0]
        if removed:
            departures.record_departures(
                DepartureKind.DRILLS, Reader.objects.filter(pk=reader).values_list("key", flat=True)
            )
            # Invited to drills and nothing else: without the drill there is no reason to keep the
            # address.
            for nobody in Reader.objects.filter(pk=reader, subscriptions=None, consents=None):
                ErasedReader.objects.update_or_create(
                    number=nobody.pk, defaults={"uid": nobody.uid}
                )
                nobody.delete()
            # If a sign-up of this reader expired unconfirmed, only the evidence is kept.
            pending = Subscription.objects.exclude(state=Subscription.State.ENDED).filter(
                reader=OuterRef("pk")
            )
            Reader.objects.filter(~Exists(pending), pk=reader, state=Reader.State.PENDING).update(
                address="", domain=""
            )
    return bool(removed)


def forget_unanswered() -> int:
    """Withdraws invitations not accepted within `confirmation_days`. Returns how many."""
    overdue = unanswered_invitations().values_list("reader", flat=True)
    return sum(remove_reader(reader) for reader in list(overdue))


def unanswered_invitations() -> QuerySet[DrillReader]:
    """Returns the invitations that `forget_unanswered` withdraws."""
    oldest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.confirmation_days)
    return DrillReader.objects.filter(confirmed_at=None, added_at__lt=oldest)
