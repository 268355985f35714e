"""Checks that a process has the same keys as the database was set up with.

With other keys, links in mail do not verify, and suppressed addresses are not recognised.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import IntegrityError, transaction

from morefollows.audience.addresses import Address
from morefollows.audience.models import KeyCheck, Newsroom, Reader, Suppression
from morefollows.audit.actions import record
from morefollows.config.keyring import Keys


def check_or_store(keys: Keys) -> list[str]:
    """Compares these keys with the check values in the database, and stores both on first use.

    Returns the names of the keys that differ or are missing; an empty list if all match. Called at
    the start. If the database has no check values, they are stored, and newly made keys are saved.
    New keys for a database already in use are wrong: they are not saved, and "address" is returned.
    """
    kept = _kept()
    if not kept:
        if not keys.saved and (Newsroom.objects.exists() or Reader.objects.exists()):
            return ["address"]
        if not keys.saved:
            keys.save()
        _keep(keys)
        kept = _kept()
    elif not keys.saved:
        return ["address"]
    wrong = keys.ring.compared(kept)
    if not wrong and keys.ring.checks().keys() - kept.keys():
        _keep(keys)  # a restored backup may lack the newest generation
    return wrong


def compare(keys: Keys) -> list[str]:
    """As `check_or_store`, without changing anything."""
    kept = _kept()
    return ["address"] if kept and not keys.saved else keys.ring.compared(kept)


class Rekeyed(NamedTuple):
    """The result of replacing the keys."""

    readers: int  #: readers whose keyed hash was recomputed
    suppressions: int  #: suppressions that can no longer be matched to an address


def take_new(keys: Keys) -> Rekeyed:
    """Replaces lost keys, and recomputes the readers' keyed hashes. Raises `OSError`.

    No other process may be running. Suppressions, links in mail already sent, and sessions become
    useless, as they depend on the old keys.
    """
    with transaction.atomic():
        KeyCheck.objects.all().delete()
        keys.replace()
        readers = 0
        for reader in (
            Reader.objects.exclude(address="")
            .only("address", "domain")
            .order_by("pk")
            .iterator(1000)
        ):
            key = Address(reader.address, reader.domain).key
            readers += Reader.objects.filter(pk=reader.pk).update(key=key)
        _keep(keys)
        done = Rekeyed(readers, Suppression.objects.count())
        record(None, "replace keys", readers=done.readers)
        return done


def _kept() -> dict[str, str]:
    return dict(KeyCheck.objects.values_list("name", "value"))


def _keep(keys: Keys) -> None:
    """Stores the check values that the database lacks."""
    known = _kept()
    new = [
        KeyCheck(name=name, value=value)
        for name, value in keys.ring.checks().items()
        if name not in known
    ]
    try:
        with transaction.atomic():
            KeyCheck.objects.bulk_create(new)
    except IntegrityError:
        pass  # another process stored its values first; the caller compares with them
