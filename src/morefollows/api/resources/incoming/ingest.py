"""Ingest: programs push items of wires and feeds, and see the sources that there are."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from ninja import Field, Query, Router, Schema, Status

from morefollows import notify
from morefollows.accounts.rights import NewStory, Right, has_right
from morefollows.api.http.paging import PageQuery, page
from morefollows.api.http.problems import FieldError, ProblemDetails, forbidden, not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account
from morefollows.api.scopes import Scope
from morefollows.ingest.item import UnreadableItem
from morefollows.ingest.models import Source
from morefollows.ingest.pipeline import identity_of, receive_items
from morefollows.ingest.sources.actions import RECEIVED

router = Router()


class SourceOut(Schema):
    id: uuid.UUID
    name: str
    kind: str
    agency: str = Field(description="Whose conventions its items follow.")
    topic: str | None
    paused: bool
    error: str = Field(description="Empty: it works.")
    ok_at: datetime | None
    item_at: datetime | None = Field(description="When the last new item came in.")


class SourcePage(Schema):
    items: list[SourceOut]
    next_cursor: str | None


class PushedItem(Schema):
    item_id: str = Field(description="As its source names it.")
    version: int | None
    status: str
    headline: str


class PushedOut(Schema):
    new: int = Field(description="How many of the items were not known yet.")
    items: list[PushedItem]


def _source_out(one: Source) -> SourceOut:
    return SourceOut(
        id=one.uuid,
        name=one.name,
        kind=one.kind,
        agency=one.profile,
        topic=one.topic.slug if one.topic else None,
        paused=one.paused_at is not None,
        error=one.error,
        ok_at=one.ok_at,
        item_at=one.item_at,
    )


@router.get("", auth=KeyWith(Scope.INGEST_READ), response=SourcePage, operation_id="listSources")
def list_sources(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> Any:
    """List the sources that items come in from, newest first."""
    found = Source.objects.filter(removed_at=None).select_related("topic")
    return page(request, response, found, query, _source_out)


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("application/json", "application/xml", "text/html", "message/rfc822")
        },
    }
}


@router.post(
    "/{uuid:source_id}",
    auth=KeyWith(Scope.INGEST_WRITE),
    response={202: PushedOut},
    operation_id="pushItems",
    openapi_extra=_BODY,
)
def push_items(request: ApiRequest, source_id: uuid.UUID) -> Any:
    """Push one item, or several: ninjs, NewsML-G2, NITF, a feed, a mail, a page or a text.

    202: they are stored, each version once, and become drafts within a second. The source must be
    of the kind `push`.
    """
    source = Source.objects.filter(uuid=source_id, removed_at=None, kind=Source.Kind.PUSH).first()
    if source is None:
        raise not_found(f"source {source_id} that is pushed to")
    # 0 is no topic's key. None would ask for the right to offers.
    if not has_right(account(request), Right.WRITE, NewStory(source.topic_id or 0)):
        raise forbidden("The key’s account may not write for the topic of this source.")
    if source.paused_at is not None:
        raise ProblemDetails(409, "state", f"{source.name} is paused. Resume it first.")
    # Not needed by other resources, and slow to load.
    from morefollows.ingest.sources.arrivals import read_arrived

    try:
        arrived = read_arrived(
            request.body,
            media_type=(request.content_type or "")[:100],
            profile=source.profile,
        )
    except UnreadableItem as error:
        raise ProblemDetails(
            422, "unreadable", str(error), errors=[FieldError(error.part, error.reason)]
        ) from None
    new = receive_items(source, arrived, "push")
    # After COMMIT: a process that is woken up before it finds no items.
    transaction.on_commit(lambda: notify.announce(settings.MOREFOLLOWS.data, RECEIVED))
    items = [
        PushedItem(
            item_id=identity_of(one.item),
            version=one.item.version,
            status=one.item.status.value,
            headline=one.item.headline[:300],
        )
        for one in arrived
    ]
    return Status(202, PushedOut(new=new, items=items))
