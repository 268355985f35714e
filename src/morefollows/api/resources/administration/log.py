"""The activity log."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from ninja import Query, Router, Schema

from morefollows.api.http.paging import PageQuery, page
from morefollows.api.http.problems import forbidden
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account
from morefollows.api.scopes import Scope
from morefollows.audit.models import AuditEntry

router = Router()


class EntryOut(Schema):
    at: datetime
    who: str
    what: str
    subject: str
    story: uuid.UUID | None
    alert: uuid.UUID | None
    network: str
    details: dict[str, Any]


class EntryPage(Schema):
    items: list[EntryOut]
    next_cursor: str | None


def _entry_out(entry: AuditEntry) -> EntryOut:
    return EntryOut(
        at=entry.at,
        who=entry.editor.name if entry.editor else entry.operator,
        what=entry.what,
        subject=entry.subject,
        story=entry.story.uuid if entry.story else None,
        alert=entry.alert.uuid if entry.alert else None,
        network=entry.network,
        details=entry.details,
    )


@router.get("", auth=KeyWith(Scope.LOG_READ), response=EntryPage, operation_id="listLog")
def list_entries(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> Any:
    """List who did what, newest first."""
    if not account(request).may_see_log:
        raise forbidden("The key’s role can’t see the activity log.")
    entries = AuditEntry.objects.select_related("editor", "story", "alert")
    return page(request, response, entries, query, _entry_out)
