"""Reads the activity log: as text, filtered, and as CSV.

Invariant: entries are never changed. The table is append-only.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor, Role
from morefollows.audience.models import Purpose
from morefollows.audit.models import AuditEntry
from morefollows.helpers import spreadsheet
from morefollows.stories.models import Alert, UpdateKind

#: `AuditEntry.what` → the text that is displayed.
WHAT: dict[str, str | Promise] = {
    "save": _("saved the draft"),
    "approve": _("approved the draft"),
    "send": _("sent it"),
    "send alone": _("sent it alone, though nobody else had seen it"),
    "take back": _("took the alert back"),
    "pause": _("paused the alert"),
    "resume": _("let the alert go on"),
    "stop": _("stopped the alert"),
    "ask": _("asks whether it is still to go out"),
    "give up": _("can’t be mailed as it is worded"),
    "mail not made": _("one mail could not be made"),
    "sender died": _("a sender process died in the middle of it"),
    "retry failed": _("had the failed tried again"),
    "repeat uncertain": _("had the uncertain sent again"),
    "withdraw": _("withdrew the story"),
    "finish": _("ended the story"),
    "go on after restore": _("had mail sent again after the database was restored"),
    "pause relay": _("paused a relay"),
    "resume relay": _("let a relay go on"),
    "look up reader": _("looked a reader up"),
    "withdraw consent": _("withdrew a reader’s consent"),
    "erase reader": _("erased a reader"),
    "lift suppression": _("lifted a suppression"),
    "lift suppressions": _("lifted suppressions in bulk"),
    "publish words": _("put new words in force"),
    "add site": _("let a site show the box"),
    "remove site": _("let a site show the box no more"),
    "invite to drills": _("invited somebody to drills"),
    "remove from drills": _("took somebody out of drills"),
    "add editor": _("added somebody to the desk"),
    "let offer": _("let somebody write offers"),
    "forbid offers": _("let somebody write offers no more"),
}
_DETAILS: dict[str, str | Promise] = {
    "revision": _("version"),
    "by itself": _("saved by itself"),
    "reason": _("reason"),
    "audience": _("audience"),
    "kind": _("kind"),
    "by": _("because of"),
    "relay": _("relay"),
    "reader": _("reader"),
    "purpose": _("purpose"),
    "topic": _("topic"),
    "language": _("language"),
    "version": _("version"),
    "begun": _("mails in hand"),
    "site": _("site"),
    "name": _("name"),
    "role": _("role"),
    "lifted": _("lifted"),
    "readers": _("readers mailed again"),
    "domain": _("domain"),
    "since": _("since"),
    "until": _("until"),
}
_CHOICES = {
    "audience": Alert.Audience,
    "kind": UpdateKind,
    "by": UpdateKind,
    "purpose": Purpose,
    "role": Role,
}
_MOST_LINES = 100_000  # of one export
_HEAD = ("at", "editor", "editor_email", "what", "story", "headline", "alert", "details")


class LogLine(NamedTuple):
    """An entry of the log as displayed."""

    entry: AuditEntry
    words: str
    details: list[tuple[str, str]]  #: label and value


def search(
    reader: Editor,
    *,
    editor: Editor | None = None,
    what: str = "",
    story: str = "",
    since: date | None = None,
    until: date | None = None,
) -> QuerySet[AuditEntry]:
    """Returns the entries that match, the newest first.

    `story`: a part of the headline. `since` and `until`: days in the newsroom's time zone, both
    included. `reader`: the editor who reads the log; without the right to offers, entries about
    offers are left out.
    """
    audit_entries = AuditEntry.objects.select_related("editor", "story", "alert")
    if not reader.may_offer:
        audit_entries = audit_entries.exclude(story__purpose=Purpose.OFFERS)
    if editor is not None:
        audit_entries = audit_entries.filter(editor=editor)
    if what:
        audit_entries = audit_entries.filter(what=what)
    if story:
        audit_entries = audit_entries.filter(story__headline__icontains=story)
    if since is not None:
        audit_entries = audit_entries.filter(at__gte=_midnight(since))
    if until is not None and until < date.max:
        audit_entries = audit_entries.filter(at__lt=_midnight(until + timedelta(days=1)))
    return audit_entries


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_current_timezone())


def in_words(audit_entries: Iterable[AuditEntry]) -> list[LogLine]:
    """The entries with their text in the active language."""
    return [
        LogLine(entry, str(WHAT.get(entry.what, entry.what)), _details(entry))
        for entry in audit_entries
    ]


def _details(entry: AuditEntry) -> list[tuple[str, str]]:
    found = []
    for name, value in entry.details.items():
        choices = _CHOICES.get(name)
        if choices is not None and value in choices.values:
            value = choices(value).label
        if value not in (None, ""):
            found.append((str(_DETAILS.get(name, name)), "" if value is True else str(value)))
    return found


def as_csv(audit_entries: QuerySet[AuditEntry]) -> str:
    """CSV (RFC 4180) with a header line and times in UTC (RFC 3339).

    At most the newest `_MOST_LINES` entries.
    """
    out = io.BytesIO()
    spreadsheet.write_csv(
        out, _HEAD, (_cells(entry) for entry in audit_entries[:_MOST_LINES].iterator())
    )
    return out.getvalue().decode()


def _cells(entry: AuditEntry) -> tuple[str, ...]:
    return (
        entry.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        entry.editor.name if entry.editor else "",
        entry.editor.email if entry.editor else "",
        entry.what,
        str(entry.story.uuid) if entry.story else "",
        entry.story.headline if entry.story else "",
        str(entry.alert.uuid) if entry.alert else "",
        json.dumps(entry.details, ensure_ascii=False, sort_keys=True),
    )
