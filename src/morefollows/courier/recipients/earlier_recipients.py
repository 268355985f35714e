"""Finds who was sent an alert: the recipients of its correction or withdrawal.

A correction waits until it is known of every mail of the alert what became of it. Its audience is
not cut while mails are in flight: whoever gets one of them has to get the correction, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from django.conf import settings
from django.db import connection

from morefollows.courier.ledger import packing
from morefollows.courier.ledger.claims import doubt
from morefollows.courier.ledger.history import CONTENTS, HAD, contents, in_digests_between
from morefollows.courier.models import Batch, DigestItem

_HIGHEST_ID = 2**63 - 1
_HAS_IT = bytes(outcome in HAD for outcome in range(256))  # for `bytes.translate`


_CLAIMED = "SELECT EXISTS (SELECT 1 FROM courier_batch WHERE alert_id = %s AND worker <> '')"


def are_all_known(alerts: Sequence[int]) -> bool:
    """Whether no process holds a batch of these alerts, which are stopped or have ended.

    A sender learns of the stop with its next write, and hands out nothing after it. Until its
    claims are given back or released, mails in flight may still be accepted.
    """
    with connection.cursor() as cursor:
        for alert in alerts:
            cursor.execute(_CLAIMED, (alert,))
            if cursor.fetchone()[0]:
                return False
    return True


def find_recipients(
    alerts: Sequence[int], after: int, upto: int, batches: int
) -> tuple[list[int], int]:
    """Readers who were or may have been sent one of these alerts; and the last id covered.

    The ids ascend. Covers ids above `after` up to `upto`, in about `batches` batches of each alert.
    `are_all_known` is true of the alerts.
    """
    most = batches * int(settings.MOREFOLLOWS.batch_size)
    looked_at: list[int] = []
    for alert in alerts:
        # Each alert may lower `upto`. What was read of earlier alerts above it is left out below,
        # and comes with the next call.
        keys, upto = _rows_for(alert, after, upto, most)
        looked_at += keys
    found: set[int] = set()
    for batch in Batch.objects.filter(pk__in=looked_at).only(*CONTENTS):
        readers_of, known = contents(batch)
        found.update(itertools.compress(readers_of, known.translate(_HAS_IT)))
    found.update(in_digests_between(alerts, after, upto))
    readers = sorted(reader for reader in found if after < reader <= upto)
    if len(readers) > most:  # a packed row holds the readers of many batches
        readers, upto = readers[:most], readers[most - 1]
    return readers, upto


def _rows_for(alert: int, after: int, upto: int, most: int) -> tuple[list[int], int]:
    """Primary keys of the rows with about `most` readers above `after`; and the last id covered."""
    rows = Batch.objects.filter(alert=alert, last__gt=after, first__lte=upto).order_by("last")
    keys: list[int] = []
    readers, last = 0, upto
    for key, end, size in rows.values_list("pk", "last", "size")[: most + 1].iterator(
        chunk_size=100
    ):
        if readers >= most:
            return keys, min(upto, last)
        keys.append(key)
        readers, last = readers + size, end
    return keys, upto


def count_recipients(alerts: Sequence[int]) -> int:
    """How many readers were sent one of these alerts or may have been, as known by now."""
    if len(alerts) == 1 and not DigestItem.objects.filter(alert=alerts[0]).exists():
        return _count_in(alerts[0])
    count, after = 0, 0
    while after < _HIGHEST_ID:
        found, after = find_recipients(alerts, after, _HIGHEST_ID, 50)
        count += len(found)
    return count


def _count_in(alert: int) -> int:
    """As `count_recipients`, for an alert that no digest lists. Reads no reader's id."""
    count = 0
    # A row without readers was forgotten.
    batches = Batch.objects.filter(alert=alert).exclude(readers=b"")
    batches = batches.only("outcomes", "handed_out_to", "packed")
    for batch in batches.iterator(chunk_size=100):
        if batch.packed:
            known = bytearray(packing.unpack_outcomes(bytes(batch.outcomes)))
        else:
            known = bytearray(batch.outcomes)
            doubt(known, batch.handed_out_to)
        count += sum(map(known.count, HAD))
    return count
