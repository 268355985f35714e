"""Writes the activity log.

Invariant: an entry is written in the transaction of the action that it records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from morefollows.accounts.models import Editor
from morefollows.audit.models import AuditEntry

if TYPE_CHECKING:
    from django.db.models import Model


def record(
    editor: Editor | None,
    what: str,
    *,
    story: Model | None = None,
    alert: Model | None = None,
    **details: Any,
) -> None:
    """Adds an entry to the activity log. `editor`: None for the system."""
    about = {"story_id": story.pk if story else None, "alert_id": alert.pk if alert else None}
    AuditEntry.objects.create(editor=editor, what=what, details=details, **about)
