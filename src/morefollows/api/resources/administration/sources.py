"""Sources that news comes in from: added, changed, paused, removed.

Needs a key of an administrator's role. `resources.incoming.ingest` is what programs push to.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.http import HttpResponse
from ninja import Field, Query, Router, Schema, Status

from morefollows.api.fields import Language, Line, Slug, SomeLine, Text, Whole, YesNo
from morefollows.api.http.paging import PageQuery, page
from morefollows.api.http.problems import not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import administrator, topic_by_slug
from morefollows.api.scopes import Scope
from morefollows.ingest.models import Source
from morefollows.ingest.sources import actions

router = Router()
_MAY = "see and change sources"  # with the role administrator alone

SourceKind = Literal["feed", "page", "push", "folder", "imap"]
Seconds = Field(None, ge=actions.LEAST_SECONDS, le=actions.MOST_SECONDS)
_SECRET = Field(None, max_length=500, description="Of a mailbox or feed. It is never shown.")


class SourceFields(Schema):
    """What can be said of a source. What is left out, or null, stays."""

    address: Text | None = Field(
        None, max_length=1000, description="A web address, a folder, or imaps://user@host/folder."
    )
    password: Text | None = _SECRET
    topic: Slug | None = Field(None, description="Of drafts, unless item or rule names one.")
    language: Language | None = Field(None, description="If an item names none.")
    agency: Line | None = Field(None, max_length=20, description="Whose conventions hold.")
    text_from: Literal["item", "page"] | None = None
    unmatched: Literal["draft", "keep"] | None = Field(
        None, description="What becomes of an item that no rule is for."
    )
    sends_alone: YesNo | None = Field(
        None, description="A rule may send its most urgent items without an editor."
    )
    interval_seconds: Whole | None = Seconds


class SourceIn(SourceFields):
    name: SomeLine = Field(max_length=100)
    kind: SourceKind


class SourceChange(SourceFields):
    name: SomeLine | None = Field(None, max_length=100)
    paused: YesNo | None = None


class FullSourceOut(Schema):
    id: uuid.UUID
    name: str
    kind: str
    address: str
    has_password: bool
    topic: str | None
    language: str
    agency: str
    text_from: str
    unmatched: str
    sends_alone: bool
    interval_seconds: int
    paused: bool
    error: str = Field(description="Empty: it works.")
    ok_at: datetime | None
    item_at: datetime | None
    created_at: datetime


class FullSourcePage(Schema):
    items: list[FullSourceOut]
    next_cursor: str | None


def _source_out(one: Source) -> FullSourceOut:
    names = set(FullSourceOut.model_fields) & {field.name for field in Source._meta.fields}
    known = {name: getattr(one, name) for name in names - {"id", "topic"}}
    return FullSourceOut(
        id=one.uuid,
        agency=one.profile,
        topic=one.topic.slug if one.topic else None,
        has_password=bool(one.sealed_password),
        paused=one.paused_at is not None,
        **known,
    )


def _kept() -> Any:
    return Source.objects.filter(removed_at=None).select_related("topic")


def _source(source_id: uuid.UUID) -> Source:
    found: Source | None = _kept().filter(uuid=source_id).first()
    if found is None:
        raise not_found(f"source {source_id}")
    return found


def _chosen(payload: SourceFields) -> dict[str, Any]:
    """Arguments of `actions.add_source` and `actions.change_source`."""
    given = payload.dict(exclude_none=True, exclude={"kind", "paused"})
    if "agency" in given:
        given["profile"] = given.pop("agency")
    if "topic" in given:
        given["topic"] = topic_by_slug(given["topic"])
    return given


@router.get(
    "", auth=KeyWith(Scope.SOURCES_READ), response=FullSourcePage, operation_id="listFullSources"
)
def list_sources(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> Any:
    """List sources with how they are set up, newest first."""
    administrator(request, _MAY)
    return page(request, response, _kept(), query, _source_out)


@router.post(
    "", auth=KeyWith(Scope.SOURCES_WRITE), response={201: FullSourceOut}, operation_id="addSource"
)
def add_source(request: ApiRequest, response: HttpResponse, payload: SourceIn) -> Any:
    """Add a source. News is taken in from it at once, as drafts."""
    by, chosen = administrator(request, _MAY), _chosen(payload)
    made = actions.add_source(chosen.pop("name"), payload.kind, by=by, **chosen)
    response["Location"] = f"/api/v1/sources/{made.uuid}"
    return Status(201, _source_out(made))


@router.get(
    "/{uuid:source_id}",
    auth=KeyWith(Scope.SOURCES_READ),
    response=FullSourceOut,
    operation_id="getSource",
)
def get_source(request: ApiRequest, source_id: uuid.UUID) -> Any:
    """Show a source."""
    administrator(request, _MAY)
    return _source_out(_source(source_id))


@router.patch(
    "/{uuid:source_id}",
    auth=KeyWith(Scope.SOURCES_WRITE),
    response=FullSourceOut,
    operation_id="changeSource",
)
def change_source(request: ApiRequest, source_id: uuid.UUID, payload: SourceChange) -> Any:
    """Change a source, pause it or let it go on."""
    by, source, chosen = administrator(request, _MAY), _source(source_id), _chosen(payload)
    with transaction.atomic():
        if chosen:
            actions.change_source(source, by, **chosen)
        if payload.paused is not None:
            (actions.pause_source if payload.paused else actions.resume_source)(source, by)
    return _source_out(_source(source_id))


@router.delete(
    "/{uuid:source_id}",
    auth=KeyWith(Scope.SOURCES_WRITE),
    response={204: None},
    operation_id="removeSource",
)
def remove_source(request: ApiRequest, source_id: uuid.UUID) -> Any:
    """Remove a source. What came of it stays."""
    by = administrator(request, _MAY)
    actions.remove_source(_source(source_id), by)
    return Status(204, None)


@router.post(
    "/{uuid:source_id}/poll",
    auth=KeyWith(Scope.SOURCES_WRITE),
    response={202: FullSourceOut},
    operation_id="pollSource",
)
def poll_source(request: ApiRequest, source_id: uuid.UUID) -> Any:
    """Have a source looked at now. Its state tells what came of it, within seconds."""
    by = administrator(request, _MAY)
    actions.poll_source_now(_source(source_id), by)
    return Status(202, _source_out(_source(source_id)))
