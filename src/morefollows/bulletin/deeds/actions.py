"""Writes the activity log. Nothing changes or deletes an entry: the database refuses to."""

from __future__ import annotations

from typing import Any

from morefollows.accounts.models import Editor
from morefollows.bulletin.models import Alert, Deed, Story


def record(
    editor: Editor | None,
    what: str,
    *,
    story: Story | None = None,
    alert: Alert | None = None,
    **details: Any,
) -> None:
    """Writes who did what into the log that nobody can edit."""
    Deed.objects.create(editor=editor, what=what, story=story, alert=alert, details=details)
