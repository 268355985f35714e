"""Whether a process has the keys that the database was set up with: with others its links are dead, and suppressed
addresses are not recognised.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction

from morefollows.audience.models import KeyCheck, Newsroom, Reader
from morefollows.keyring import Keys


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


def _kept() -> dict[str, str]:
    return dict(KeyCheck.objects.values_list("name", "value"))


def _keep(keys: Keys) -> None:
    known = _kept()
    new = [KeyCheck(name=name, value=value) for name, value in keys.ring.checks().items() if name not in known]
    try:
        with transaction.atomic():
            KeyCheck.objects.bulk_create(new)
    except IntegrityError:
        pass  # another process has been faster; whoever compares finds out whether with the same keys
