"""Who takes part in drills: listed, invited, removed. A drill itself is a story with `drill`."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from ninja import Field, Query, Router, Schema, Status

from morefollows.accounts.models import Editor
from morefollows.api.fields import Language, Text
from morefollows.api.http.paging import PageQuery, page
from morefollows.api.http.problems import FieldError, ProblemDetails, forbidden, not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account
from morefollows.api.scopes import Scope
from morefollows.audience import addresses, drills
from morefollows.audience.models import DrillReader
from morefollows.audit.actions import record

router = Router()


class DrillReaderIn(Schema):
    address: Text = Field(max_length=320, description="The exact address.")
    language: Language | None = Field(
        None, description="Of the invitation; null: the newsroom’s first."
    )


class DrillReaderOut(Schema):
    """Somebody who was invited to drills."""

    id: uuid.UUID = Field(description="Of the reader.")
    address: str
    invited_at: datetime
    accepted_at: datetime | None = Field(description="null: no drill goes there yet.")


class DrillReaderPage(Schema):
    items: list[DrillReaderOut]
    next_cursor: str | None


def _out(part: DrillReader) -> DrillReaderOut:
    return DrillReaderOut(
        id=uuid.UUID(bytes=bytes(part.reader.uid)),
        address=part.reader.address,
        invited_at=part.added_at,
        accepted_at=part.confirmed_at,
    )


def _runs_drills(request: ApiRequest) -> Editor:
    by = account(request)
    if not by.may_drill:
        raise forbidden("The key’s role can’t choose who takes part in drills.")
    return by


@router.get(
    "/readers",
    auth=KeyWith(Scope.DRILLS_READ),
    response=DrillReaderPage,
    operation_id="listDrillReaders",
)
def list_drill_readers(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> Any:
    """List who takes part in drills, and who was asked, newest first."""
    _runs_drills(request)
    return page(request, response, DrillReader.objects.select_related("reader"), query, _out)


@router.post(
    "/readers",
    auth=KeyWith(Scope.DRILLS_WRITE),
    response={202: DrillReaderOut},
    operation_id="inviteToDrills",
)
def invite(request: ApiRequest, payload: DrillReaderIn) -> Any:
    """Invite an address to drills. It takes part once its owner accepts by the mailed link."""
    by = _runs_drills(request)
    try:
        address = addresses.parse(payload.address)
        with transaction.atomic():
            language = payload.language or settings.MOREFOLLOWS.languages[0]
            part = drills.invite_reader(address, language, by)
            number = part.reader_id
            record(by, "invite to drills", subject=f"reader {number}", reader=number)
    except (addresses.BadAddress, drills.NotPossible) as reason:
        detail = str(reason)
        raise ProblemDetails(
            409, "invalid", f"address: {detail}", errors=[FieldError("address", detail)]
        ) from None
    return Status(202, _out(DrillReader.objects.select_related("reader").get(pk=part.pk)))


@router.delete(
    "/readers/{uuid:reader_id}",
    auth=KeyWith(Scope.DRILLS_WRITE),
    response={204: None},
    operation_id="removeFromDrills",
)
def remove(request: ApiRequest, reader_id: uuid.UUID) -> Any:
    """Remove somebody from drills: none goes there any more."""
    by = _runs_drills(request)
    part = DrillReader.objects.filter(reader__uid=reader_id.bytes).first()
    if part is None:
        raise not_found(f"reader {reader_id} among those of drills")
    with transaction.atomic():
        number = part.reader_id
        if drills.remove_reader(number):
            record(by, "remove from drills", subject=f"reader {number}", reader=number)
    return Status(204, None)
