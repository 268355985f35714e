"""Whether a process has the keys that the database was set up with: with others its links are dead, and suppressed
addresses are not recognised.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import IntegrityError, transaction

from morefollows.audience.addresses import Address
from morefollows.audience.models import KeyCheck, Newsroom, Reader, Suppression
from morefollows.config.keyring import Keys


def settle(keys: Keys) -> list[str]:
    """Compares these keys with the database's. Returns the names of those that differ or are missing; none if all fit.

    A database that knows no keys yet is given these. Keys that were made just now are kept on that occasion, and are
    not kept where the database is in use already: then they are the wrong ones, and their address key is named.
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
        _keep(keys)  # an older backup does not know the newest generation
    return wrong


def compare(keys: Keys) -> list[str]:
    """The same, and changes nothing."""
    kept = _kept()
    return ["address"] if kept and not keys.saved else keys.ring.compared(kept)


class Rekeyed(NamedTuple):
    """What became of a database whose keys were lost."""

    readers: int  #: who are found by their address again
    suppressions: int  #: which nobody recognises any more


def take_new(keys: Keys) -> Rekeyed:
    """Replaces lost keys by new ones, and finds readers by the new ones. No process may be running. Raises `OSError`.

    What only the old keys could read is lost: suppressed addresses, links in mail already sent, and sessions.
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
        return Rekeyed(readers, Suppression.objects.count())


def _kept() -> dict[str, str]:
    return dict(KeyCheck.objects.values_list("name", "value"))


def _keep(keys: Keys) -> None:
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
        pass  # another process has been faster; whoever compares finds out whether with the same keys
