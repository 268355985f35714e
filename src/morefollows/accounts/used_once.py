"""What may be used a single time: a code of an app (RFC 6238 §5.2), a passkey's challenge.

Kept in the database, because the second use may reach another process or another machine.

Invariant: of any number of uses of one thing, at the same moment or not, one is the first.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from morefollows.accounts.models import UsedOnce


def first_use(thing: str, seconds: int) -> bool:
    """Whether this is the first use of the thing. It can be used for no more than `seconds`."""
    now = timezone.now()
    key = hashlib.sha256(thing.encode()).hexdigest()
    with transaction.atomic():
        UsedOnce.objects.filter(until__lt=now).delete()
        until = now + timedelta(seconds=seconds)
        return UsedOnce.objects.get_or_create(key=key, defaults={"until": until})[1]
