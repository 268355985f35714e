"""Writes the activity log.

Any folder below may call `record`, `accounts` included. Entries are named in `audit.entry_names`.

Invariant: an entry is written in the transaction of the action that it records.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model

from morefollows.audit import origin
from morefollows.audit.models import AuditEntry, UnsentEntry
from morefollows.database import clock

_LONGEST = 300  # characters of one detail
_SUBJECT = 150


def record(
    editor: Model | None,
    what: str,
    *,
    story: Model | None = None,
    alert: Model | None = None,
    subject: str = "",
    **details: Any,
) -> AuditEntry:
    """Adds an entry to the activity log, and returns it.

    Call it in the transaction of the action. `editor`: who did it at the desk; None for a command,
    whose user is noted, or for the system. `what`: a name of `audit.entry_names`. `subject`: what
    it was done to, as one would search for it, such as a topic's slug or a colleague's address.
    `details`: never a password, key, token or reader's address. The client's address is noted by
    itself, and for a command its operating-system user, also if `editor` is given.
    """
    place = origin.of_action()
    entry = AuditEntry(
        editor_id=editor.pk if editor else None,
        what=what,
        story_id=story.pk if story else None,
        alert_id=alert.pk if alert else None,
        subject=_clean(subject)[:_SUBJECT],
        operator=place.operator,
        network=place.network,
        details={name: _short(value) for name, value in details.items()},
    )
    if settings.MOREFOLLOWS.log_sink is None:
        entry.save()
        return entry
    with transaction.atomic():
        entry.save()
        # By the database's clock, as it is compared: the entry's is this machine's, and finer.
        due_at = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
        UnsentEntry.objects.create(entry=entry, due_at=due_at)
    return entry


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    """Returns what changed, for `record(…, changed=changes(…))`: name → [before, after].

    Values are as text. Names missing in one of the two are left out there as "".
    """
    return {
        name: [_text(before.get(name)), _text(after.get(name))]
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


def _text(value: Any) -> str:
    return "" if value is None else _clean(str(value))[:_LONGEST]


def _short(value: Any) -> Any:
    return _clean(value)[:_LONGEST] if isinstance(value, str) else value


def _clean(text: str) -> str:
    """Without what PostgreSQL can't store: NUL and lone surrogates."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()
