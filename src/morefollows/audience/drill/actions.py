"""Who takes part in drills. Each action is one transaction."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from morefollows.audience.addresses import Address
from morefollows.audience.models import DrillReader, Reader


def add(address: Address, language: str, by: Any = None) -> DrillReader:
    """Makes this address one of the drill's. `by`: the administrator. Again, it changes nothing.

    Who is not a reader yet becomes one without any topic: nothing but drills goes there.
    """
    now = timezone.now()
    with transaction.atomic():
        reader, _made = Reader.objects.get_or_create(
            key=address.key,
            defaults={
                "address": address.text,
                "domain": address.domain,
                "language": language,
                "state": Reader.State.CONFIRMED,
                "created_at": now,
                "confirmed_at": now,
            },
        )
        return DrillReader.objects.get_or_create(reader=reader, defaults={"added_by": by, "added_at": now})[0]


def remove(reader: int) -> bool:
    """Takes this reader out of drills. False: took no part in them."""
    return bool(DrillReader.objects.filter(reader=reader).delete()[0])
