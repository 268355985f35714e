"""The wire: items as they came and were read, and what is done with one."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, has_right
from morefollows.api.fields import Line, Slug
from morefollows.api.http.paging import PageQuery, page
from morefollows.api.http.problems import forbidden, not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account, topic_by_slug
from morefollows.api.scopes import Scope
from morefollows.ingest import editing
from morefollows.ingest.item_json import item_from_json
from morefollows.ingest.models import ReceivedItem, Source

router = Router()

_SEARCHED = timedelta(days=30)  # in which words, topic and urgency are looked for
_RAW_SHOWN = 50_000  # octets

Became = Literal[
    "waiting",
    "draft",
    "update",
    "sent",
    "held",
    "kept",
    "ignored",
    "older",
    "withdrawn",
    "unreadable",
]


class WireQuery(PageQuery):
    source: uuid.UUID | None = None
    became: Became | None = None
    topic: Slug | None = Field(None, description="Of its draft, or of its source. Of 30 days.")
    most_urgency: int | None = Field(None, ge=1, le=9, description="As urgent, or more. 30 days.")
    words: Line = Field("", max_length=100, description="All are in the headline. Of 30 days.")


class WireItemOut(Schema):
    """One version of an item, and what became of it."""

    id: uuid.UUID
    source: uuid.UUID
    source_name: str
    item_id: str = Field(description="As its source names it.")
    version: int | None
    status: str
    urgency: int | None
    headline: str
    language: str
    published_at: datetime | None
    received_at: datetime
    event: uuid.UUID | None = Field(description="The same for all items of one event.")
    became: str
    why: str
    story: uuid.UUID | None = Field(description="Whose draft it became.")
    rule: int | None = Field(description="The id of the rule that decided, if one did.")


class FullWireItemOut(WireItemOut):
    """The same, with the item as it was read and as it came."""

    standfirst: str
    text: str
    byline: str
    dateline: str
    embargo_until: datetime | None
    notes: list[str] = Field(description="For editors. Readers never see them.")
    doubts: list[str] = Field(description="What somebody should look at.")
    left_out: list[str]
    sure_of_headline: bool
    headlines: list[str] = Field(description="Those that it could be, if it is not sure.")
    raw: str = Field(description="As it came, its first 50,000 octets; empty once deleted.")


class WireItemPage(Schema):
    items: list[WireItemOut]
    next_cursor: str | None


class DecisionIn(Schema):
    """What is done with an item."""

    do: Literal["draft", "update", "ignore"]
    headline: Line = Field(
        "", max_length=300, description="One of `headlines`; needed if it is not sure."
    )


def _facts(row: ReceivedItem) -> dict[str, Any]:
    return {
        "id": row.uuid,
        "source": row.source.uuid,
        "source_name": row.source.name,
        "became": row.decision or "waiting",
        "story": row.draft.uuid if row.draft else None,
        "rule": row.rule_id,
        **{name: getattr(row, name) for name in _PLAIN},
    }


_PLAIN = (
    *("item_id", "version", "status", "urgency", "headline", "language", "published_at"),
    *("received_at", "event", "why"),
)


def _out(row: ReceivedItem) -> WireItemOut:
    return WireItemOut(**_facts(row))


def _full(row: ReceivedItem) -> FullWireItemOut:
    item = item_from_json(row.item)
    return FullWireItemOut(
        **_facts(row),
        standfirst=item.standfirst,
        text=item.text,
        byline=item.byline,
        dateline=item.dateline,
        embargo_until=item.embargo,
        notes=list(item.notes),
        doubts=list(item.doubts),
        left_out=list(item.dropped),
        sure_of_headline=editing.is_headline_sure(item),
        headlines=list(dict.fromkeys(one for one in (item.headline, *item.candidates) if one)),
        raw=bytes(row.raw)[:_RAW_SHOWN].decode("utf-8", "replace").replace("\0", "\ufffd"),
    )


def _writer(request: ApiRequest) -> Editor:
    by = account(request)
    if not has_right(by, Right.WRITE):
        raise forbidden("The key’s role can’t see the wire.")
    return by


def _row(item_id: uuid.UUID) -> ReceivedItem:
    found = ReceivedItem.objects.select_related("source", "draft").filter(uuid=item_id)
    row = found.first()
    if row is None:
        raise not_found(f"item {item_id}")
    return row


@router.get("", auth=KeyWith(Scope.WIRE_READ), response=WireItemPage, operation_id="listWireItems")
def list_wire(request: ApiRequest, response: HttpResponse, query: Query[WireQuery]) -> Any:
    """List what came in from sources, and what became of it, newest first."""
    _writer(request)
    # Both may be large, and a list shows neither.
    rows = ReceivedItem.objects.select_related("source", "draft").defer("raw", "item")
    if query.source is not None:
        rows = rows.filter(source__uuid=query.source)
    if query.became is not None:
        rows = rows.filter(decision="" if query.became == "waiting" else query.became)
    words = query.words.split()
    if query.topic is not None or query.most_urgency is not None or words:
        # The index on the time narrows down what these filters read.
        rows = rows.filter(received_at__gte=timezone.now() - _SEARCHED)
    if query.topic is not None:
        topic = topic_by_slug(query.topic)
        of_sources = Q(draft=None, source__in=Source.objects.filter(topic=topic))
        rows = rows.filter(Q(draft__topic=topic) | of_sources)
    if query.most_urgency is not None:
        rows = rows.filter(urgency__lte=query.most_urgency)
    for word in words:
        rows = rows.filter(headline__icontains=word)
    return page(request, response, rows, query, _out)


@router.get(
    "/{uuid:item_id}",
    auth=KeyWith(Scope.WIRE_READ),
    response=FullWireItemOut,
    operation_id="getWireItem",
)
def get_item(request: ApiRequest, item_id: uuid.UUID) -> Any:
    """Show an item as it was read and as it came."""
    _writer(request)
    return _full(_row(item_id))


@router.post(
    "/{uuid:item_id}/decision",
    auth=KeyWith(Scope.WIRE_WRITE),
    response=FullWireItemOut,
    operation_id="decideWireItem",
)
def decide(request: ApiRequest, item_id: uuid.UUID, payload: DecisionIn) -> Any:
    """Make a draft, or the draft of an update, of the item; or ignore it. Nothing is mailed."""
    by = _writer(request)
    editing.decide_by_hand(_row(item_id), by, payload.do, headline=payload.headline)
    return _full(_row(item_id))
