"""What a backup lacks: the alerts and readers of after it, and who left since.

Invariant: after a restore no mail leaves until somebody decides. `courier.restore` has the hold.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from morefollows.audience.departures import replay
from morefollows.audience.models import Reader
from morefollows.audit.actions import record
from morefollows.courier.models import Restores
from morefollows.courier.restore import actions as restores
from morefollows.courier.restore import detection
from morefollows.courier.restore.actions import HoldReason
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert

_SHOWN = 100  # alerts


class SinceBackup(NamedTuple):
    """What the database of before a restore has that the backup lacks."""

    alerts: list[tuple[str, str]]  #: when it was sent (ISO 8601), and its headline; the newest
    readers: int  #: who signed up since


class AfterRestore(NamedTuple):
    """What was done to the restored database. `departures`: kind → number taken in."""

    departures: dict[str, int]
    asking: int  #: alerts that wait for an answer at the desk


def since(made_at: datetime) -> SinceBackup | None:
    """Reads the database that is about to be replaced. None if there is none, or it can't be read.

    Its tables may be those of another version.
    """
    try:
        alerts = Alert.objects.filter(frozen_at__gt=made_at).order_by("-frozen_at")
        found = alerts.values_list("frozen_at", "update__headline")[:_SHOWN]
        return SinceBackup(
            [(at.isoformat(timespec="seconds"), headline) for at, headline in found],
            Reader.objects.filter(created_at__gt=made_at).count(),
        )
    except DatabaseError:
        return None
    finally:
        connection.close()


def hold_and_replay(made_at: datetime, file: str) -> AfterRestore:
    """Takes in who left since, and holds all mail. Raises `OSError`, `ValueError`.

    Called once, on the restored and migrated database, before anything else runs.
    """
    data: Path = settings.MOREFOLLOWS.data
    seen = detection.seen_here(data)
    gone_on = max([one.gone_on for one in seen], default=0)
    last_ms = max([now_ms(), *(one.at_ms for one in seen)])
    reason = HoldReason(last_ms, int(made_at.timestamp() * 1000))
    with transaction.atomic():
        Restores.objects.get_or_create(pk=1)
        count = Restores.objects.values_list("count", flat=True).get(pk=1)
        record(None, "restore backup", file=file, state_of=made_at.isoformat(timespec="seconds"))
        asking = restores.hold_all_mail(reason, gone_on, count) or []
    done: Counter[str] = replay.own()
    return AfterRestore(dict(+done), len(asking))
