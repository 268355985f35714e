"""Erasure of a reader (GDPR Art. 17). Other parts erase theirs at the signal `reader_erased`.

Locking: the `Reader` row is locked before rows that refer to it are written.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from morefollows.audience import departures
from morefollows.audience.departures import DepartureKind
from morefollows.audience.models import Consent, ErasedReader, Erasure, Reader, Suppression
from morefollows.audience.signals import reader_erased


def erase(reader: Reader) -> None:
    """Erases a reader and the evidence of their consent (GDPR Art. 17). Idempotent.

    A suppression stays, with the keyed hash of the address, the reason and the date. It keeps later
    imports from adding the reader again. An alert being sent skips the reader.
    """
    with transaction.atomic():
        locked = Reader.objects.select_for_update().filter(pk=reader.pk).first()
        if locked is None:
            return
        Suppression.objects.update_or_create(
            key=locked.key,
            defaults={"reason": Suppression.Reason.ERASED, "at": timezone.now(), "domain": ""},
        )
        departures.record_departures(
            DepartureKind.SUPPRESSED, [locked.key], Suppression.Reason.ERASED
        )
        # Number and uid lead to nobody, but let the links in old mail still be proved: see
        # `links.leaving`.
        ErasedReader.objects.update_or_create(number=locked.pk, defaults={"uid": locked.uid})
        # The triggers allow the deletion of evidence only for a reader who has such a row.
        Erasure.objects.create(reader=locked)
        Consent.objects.filter(reader=locked).delete()
        reader_erased.send(Reader, reader=locked)
        locked.delete()
