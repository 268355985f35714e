"""Imports: a file of readers is uploaded, and imported within minutes."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from django.http import HttpResponse
from ninja import Field, Query, Router, Schema, Status
from pydantic import StringConstraints

from morefollows.api.fields import Line, Moment, Slug, Text
from morefollows.api.http.paging import PageQuery, page
from morefollows.api.http.problems import ProblemDetails, not_found
from morefollows.api.http.uploads import body_of
from morefollows.api.imports.actions import keep_upload
from morefollows.api.models import ReaderImport
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import administrator, topic_by_slug
from morefollows.api.scopes import Scope
from morefollows.audience.models import Topic

router = Router()
_MAY = "import readers"  # with the role administrator alone

ImportState = Literal["waiting", "running", "finished", "failed"]
ReaderStatus = Literal["confirmed", "pending", "unsubscribed", "bounced", "complained"]


Pair = Annotated[str, StringConstraints(pattern=r"^[^\x00=]{1,200}=[a-z_-]{1,40}$")]


class ImportQuery(Schema):
    """As the options of `morefollows readers import`."""

    topic: Slug | None = Field(None, description="Where a line names none; else the first topic.")
    provenance: Line = Field(
        "", max_length=500, description="Where and how they agreed. Without it they are pending."
    )
    consented_at: Moment | None = Field(None, description="Where the file does not say it.")
    status: ReaderStatus | None = Field(
        None, description="Of all whom the file does not call unsubscribed."
    )
    column: list[Pair] = Field(
        default_factory=list, max_length=100, description="What a column means: NAME=MEANING."
    )
    value: list[Pair] = Field(
        default_factory=list, max_length=100, description="What a status means: WORD=STATUS."
    )
    dates: Literal["", "day-first", "month-first"] = ""
    file_name: Text = Field("", max_length=200, description="Tells some exports apart.")
    dry_run: bool = Field(False, description="Count what would become of each line.")


class BadLineOut(Schema):
    line: int
    reason: str


class ImportOut(Schema):
    id: uuid.UUID
    state: ImportState
    dry_run: bool
    size: int = Field(description="Bytes of the file.")
    position: int = Field(description="Bytes read so far.")
    counts: dict[str, int] = Field(description="Of lines, by what became of them.")
    problems: list[BadLineOut] = Field(description="The first hundred bad lines.")
    error: str = Field(description="Why nothing was imported.")
    created_at: datetime
    ended_at: datetime | None


class ImportPage(Schema):
    items: list[ImportOut]
    next_cursor: str | None


def _import_out(one: ReaderImport) -> ImportOut:
    return ImportOut(
        id=one.uuid,
        state=cast(ImportState, one.state),
        dry_run=one.dry_run,
        size=one.size,
        position=one.position,
        counts=one.counts,
        problems=[BadLineOut(line=line, reason=reason) for line, reason in one.problems],
        error=one.error,
        created_at=one.created_at,
        ended_at=one.ended_at,
    )


_CSV = {"text/csv": {"schema": {"type": "string", "format": "binary"}}}


@router.post(
    "",
    auth=KeyWith(Scope.READERS_WRITE),
    response={202: ImportOut},
    operation_id="importReaders",
    openapi_extra={"requestBody": {"required": True, "content": _CSV}},
)
def import_file(request: ApiRequest, response: HttpResponse, query: Query[ImportQuery]) -> Any:
    """Upload readers as CSV, as `morefollows readers import` takes them. They are imported soon."""
    by = administrator(request, _MAY)
    topic = topic_by_slug(query.topic) if query.topic is not None else Topic.objects.first()
    # Django has taken parameters off, such as charset.
    if request.content_type != "text/csv":
        raise ProblemDetails(415, "media-type", "Content-Type: send text/csv.")
    upload = body_of(request)
    if not upload.size:
        raise ProblemDetails(409, "invalid", "The body is empty: send a CSV file.")
    made = keep_upload(
        upload.file,
        by,
        topic=topic,
        provenance=query.provenance.strip(),
        consented_at=query.consented_at,
        answers={
            "status": query.status,
            "columns": dict(one.rsplit("=", 1) for one in query.column),
            "words": dict(one.rsplit("=", 1) for one in query.value),
            "dates": query.dates,
            "file_name": query.file_name,
        },
        dry_run=query.dry_run,
    )
    response["Location"] = f"/api/v1/imports/{made.uuid}"
    return Status(202, _import_out(made))


@router.get("", auth=KeyWith(Scope.READERS_READ), response=ImportPage, operation_id="listImports")
def list_imports(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> Any:
    """List imports, newest first."""
    administrator(request, _MAY)
    return page(request, response, ReaderImport.objects.all(), query, _import_out)


@router.get(
    "/{uuid:import_id}",
    auth=KeyWith(Scope.READERS_READ),
    response=ImportOut,
    operation_id="getImport",
)
def get_import(request: ApiRequest, import_id: uuid.UUID) -> Any:
    """Show an import: how far it is, or what became of it. Webhooks get `import.finished`."""
    administrator(request, _MAY)
    found = ReaderImport.objects.filter(uuid=import_id).first()
    if found is None:
        raise not_found(f"import {import_id}")
    return _import_out(found)
