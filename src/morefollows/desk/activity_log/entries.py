"""Reads the activity log: as text, filtered, page by page, and as CSV.

A page takes as long with a million entries as with a thousand. It begins at an entry, not at a
number of entries, and nothing is counted. Each filter is a range of an index.

Invariant: entries are never changed. The table is append-only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import BinaryIO, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts.models import Role
from morefollows.audience.models import Purpose
from morefollows.audit.entry_names import DETAILS, WHAT
from morefollows.audit.models import AuditEntry
from morefollows.helpers import spreadsheet
from morefollows.stories.models import Alert, Story, UpdateKind

_CHOICES = {
    "audience": Alert.Audience,
    "kind": UpdateKind,
    "by": UpdateKind,
    "purpose": Purpose,
    "role": Role,
}
#: Columns of the export, and of `log list --json`.
COLUMNS = (
    *("id", "at", "editor", "editor_email", "operator", "network", "what", "subject"),
    *("story", "headline", "alert", "details"),
)
_MOST_STORIES = 500  # with a part of a headline: the newest ones are looked at
COMMANDS, SYSTEM = "commands", "system"  #: values of `LogFilter.who` beside an editor's id


class LogLine(NamedTuple):
    """An entry of the log as displayed."""

    entry: AuditEntry
    who: str
    words: str
    details: list[tuple[str, str]]  #: label and value


class LogPage(NamedTuple):
    """Some entries, newest first. `newer` and `older`: whether there are any before and after."""

    entries: list[AuditEntry]
    newer: bool
    older: bool


class LogFilter(NamedTuple):
    """Which entries are wanted. Empty values do not restrict.

    `who`: an editor's id, `COMMANDS`, or `SYSTEM`. `about`: a subject, or a part of a story's
    headline. `since` and `until`: days in the active time zone, both included.
    """

    who: str = ""
    what: str = ""
    about: str = ""
    since: date | None = None
    until: date | None = None

    def as_details(self) -> dict[str, str]:
        """Returns the filter for an entry about an export."""
        return {name: str(value) for name, value in self._asdict().items() if value}


def search(which: LogFilter, *, offers: bool) -> QuerySet[AuditEntry]:
    """Returns the entries that match, the newest first. `offers`: with those about offers."""
    found = AuditEntry.objects.select_related("editor", "story", "alert").only(
        *("at", "what", "subject", "operator", "network", "details"),
        *("editor__name", "editor__email", "alert__uuid"),
        *("story__uuid", "story__headline", "story__drill"),
    )
    if not offers:
        found = found.exclude(story__purpose=Purpose.OFFERS)
    if which.who == COMMANDS:
        found = found.exclude(operator="")
    elif which.who == SYSTEM:
        found = found.filter(editor=None, operator="")
    elif which.who:
        found = found.filter(editor_id=int(which.who))
    if which.what:
        found = found.filter(what=which.what)
    if which.about:
        found = found.filter(_about(which.about))
    if which.since is not None:
        found = found.filter(at__gte=_midnight(which.since))
    if which.until is not None and which.until < date.max:
        found = found.filter(at__lt=_midnight(which.until + timedelta(days=1)))
    return found


def _about(text: str) -> Q:
    stories = Story.objects.filter(headline__icontains=text).order_by("-pk")
    numbers = list(stories.values_list("pk", flat=True)[:_MOST_STORIES])
    return Q(subject__in=(text, text.lower())) | Q(story_id__in=numbers)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_current_timezone())


def page(
    found: QuerySet[AuditEntry], number: int, *, before: int | None = None, after: int | None = None
) -> LogPage:
    """Returns up to `number` entries: the newest, those before an entry, or those after it.

    `before` and `after`: an entry's id. An unknown one gives the newest.
    """
    edge = before or after
    at = AuditEntry.objects.filter(pk=edge).values_list("at", flat=True).first() if edge else None
    if at is None:
        before = after = None
    elif before is not None:
        # The first condition is implied by the second. It lets both databases begin in the index.
        found = found.filter(at__lte=at).filter(Q(at__lt=at) | Q(pk__lt=before))
    else:
        found = found.filter(at__gte=at).filter(Q(at__gt=at) | Q(pk__gt=after))
        found = found.order_by("at", "pk")
    entries = list(found[: number + 1])
    more, entries = len(entries) > number, entries[:number]
    if after is not None:
        return LogPage(entries[::-1], newer=more, older=True)
    return LogPage(entries, newer=before is not None, older=more)


def in_words(audit_entries: Iterable[AuditEntry]) -> list[LogLine]:
    """The entries with their text in the active language."""
    return [
        LogLine(entry, who(entry), str(WHAT.get(entry.what, entry.what)), _details(entry))
        for entry in audit_entries
    ]


def who(entry: AuditEntry) -> str:
    """Who did it: an editor, the user of a command, or "" for the system."""
    if not entry.operator:
        return entry.editor.name if entry.editor else ""
    if not entry.editor:
        return _("%(user)s, by a command") % {"user": entry.operator}
    names = {"name": entry.editor.name, "user": entry.operator}
    return _("%(name)s, by a command of %(user)s") % names


def _details(entry: AuditEntry) -> list[tuple[str, str]]:
    found = []
    for name, value in entry.details.items():
        choices = _CHOICES.get(name)
        if choices is not None and value in choices.values:
            retracts = value == UpdateKind.WITHDRAWAL  # which is what readers read
            value = _("Retraction") if retracts else choices(value).label
        if value not in (None, "", False):
            found.append((str(DETAILS.get(name, name)), _value(value)))
    return found


def _value(value: object) -> str:
    """`[before, after]` of a change as "before → after"; more than one value on one line."""
    if value is True:
        return ""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_value(each)}" for name, each in value.items())
    if isinstance(value, list):
        return " → ".join(str(each) or "–" for each in value)
    return str(value)


def write_log_csv(file: BinaryIO, found: QuerySet[AuditEntry], most: int | None = None) -> int:
    """Writes CSV (RFC 4180) with a header line and times in UTC (RFC 3339). Returns the number.

    `most`: only the newest ones.
    """
    return spreadsheet.write_csv(file, COLUMNS, (row.values() for row in as_rows(found[:most])))


def as_rows(found: QuerySet[AuditEntry]) -> Iterator[dict[str, object]]:
    """Yields entries as column → value."""
    for entry in found.iterator():
        values = (
            entry.pk,
            entry.at.astimezone(UTC).isoformat(timespec="milliseconds"),
            entry.editor.name if entry.editor else "",
            entry.editor.email if entry.editor else "",
            entry.operator,
            entry.network,
            entry.what,
            entry.subject,
            str(entry.story.uuid) if entry.story else "",
            entry.story.headline if entry.story else "",
            str(entry.alert.uuid) if entry.alert else "",
            json.dumps(entry.details, ensure_ascii=False, sort_keys=True),
        )
        yield dict(zip(COLUMNS, values, strict=True))
