"""Readers: found by exact address, signed up, withdrawn, erased, exported.

Invariant: an address is in a body, never in a URL. Each look-up and change is in the activity
log.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import transaction
from django.http import StreamingHttpResponse
from ninja import Field, Query, Router, Schema, Status

from morefollows.accounts.models import Editor
from morefollows.api.fields import ClientAddress, Language, Slug, Text, YesNo
from morefollows.api.http.problems import FieldError, ProblemDetails, forbidden, not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account, topic_by_slug
from morefollows.api.scopes import Scope
from morefollows.audience import addresses, erasure
from morefollows.audience.consent import declaration, texts, withdrawal
from morefollows.audience.lists import exporting
from morefollows.audience.models import Consent, Purpose, Reader, Topic
from morefollows.audience.signup import entry, forms, mail_domains, site_origins, writer
from morefollows.audience.signup.group_commit import Busy
from morefollows.audience.signup.record import SignUp
from morefollows.audience.signup.writer import SignUpResult
from morefollows.audit.actions import record

router = Router()

_FORM_VERSION = "api-1"
_ADDRESS = Field(max_length=320, description="The exact address.")


class LookUpIn(Schema):
    address: Text = _ADDRESS


class SignUpIn(Schema):
    """A person who asked for a topic’s alerts on a page of yours."""

    address: Text = _ADDRESS
    topic: Slug
    offers: YesNo = Field(False, description="Ticked a box of its own for offers.")
    language: Language | None = None
    page: Text = Field(
        "", max_length=500, description="Where the form stood, for the evidence; without a query."
    )
    client_address: ClientAddress | None = Field(
        None, description="Of the person, for the evidence."
    )


class SignUpOut(Schema):
    """Always the same, so that nobody learns from it whether the address was known."""

    state: Literal["asked to confirm"] = "asked to confirm"


class WithdrawIn(Schema):
    topic: Slug | None = Field(None, description="null: the consent to offers.")


class SubscriptionOut(Schema):
    topic: str
    state: str
    since: datetime


class ConsentLineOut(Schema):
    event: str
    how: str
    at: datetime
    words: str
    language: str
    version: int | None
    page: str


class ConsentOut(Schema):
    purpose: str
    topic: str | None
    in_force: bool
    lines: list[ConsentLineOut]


class ReaderOut(Schema):
    id: uuid.UUID
    address: str
    language: str
    state: str
    created_at: datetime
    confirmed_at: datetime | None
    offers: bool
    suppressed: str | None = Field(description="Why the address is never mailed, if so.")
    subscriptions: list[SubscriptionOut]
    consents: list[ConsentOut]


class ExportQuery(Schema):
    topic: Slug | None = None


def _reader_out(reader: Reader) -> ReaderOut:
    declared = declaration.declaration(reader)
    return ReaderOut(
        id=uuid.UUID(bytes=bytes(reader.uid)),
        address=reader.address,
        language=reader.language,
        state=reader.state,
        created_at=reader.created_at,
        confirmed_at=reader.confirmed_at,
        offers=reader.offers,
        suppressed=declared.suppression.reason if declared.suppression else None,
        subscriptions=[
            SubscriptionOut(topic=one.topic.slug, state=one.state, since=one.since)
            for one in reader.subscriptions.select_related("topic").order_by("topic__position")
        ],
        consents=[
            ConsentOut(
                purpose=part.purpose,
                topic=part.topic.slug if part.topic else None,
                in_force=part.in_force,
                lines=[
                    ConsentLineOut(**{name: getattr(line, name) for name in _LINE})
                    for line in part.lines
                ],
            )
            for part in declared.parts
        ],
    )


_LINE = tuple(ConsentLineOut.model_fields)


def _may_see_readers(request: ApiRequest) -> Editor:
    by = account(request)
    if not by.may_see_readers:
        raise forbidden("The key’s role can’t see readers.")
    return by


def _reader(reader_id: uuid.UUID) -> Reader:
    found = Reader.objects.filter(uid=reader_id.bytes).first()
    if found is None:
        raise not_found(f"reader {reader_id}")
    return found


@router.post(
    "/lookup", auth=KeyWith(Scope.READERS_READ), response=ReaderOut, operation_id="findReader"
)
def find_reader(request: ApiRequest, payload: LookUpIn) -> Any:
    """Find a reader by the exact address, with the evidence of consent."""
    by = _may_see_readers(request)
    try:
        reader = declaration.find(payload.address).reader
    except addresses.BadAddress:  # nobody has it
        reader = None
    if reader is None:
        raise not_found("reader with this address")
    record(by, "look up reader", reader=reader.pk)
    return _reader_out(reader)


@router.get(
    "/{uuid:reader_id}",
    auth=KeyWith(Scope.READERS_READ),
    response=ReaderOut,
    operation_id="getReader",
)
def get_reader(request: ApiRequest, reader_id: uuid.UUID) -> Any:
    """Show a reader with the evidence of consent."""
    by, reader = _may_see_readers(request), _reader(reader_id)
    record(by, "look up reader", reader=reader.pk)
    return _reader_out(reader)


@router.post(
    "", auth=KeyWith(Scope.READERS_WRITE), response={202: SignUpOut}, operation_id="signUp"
)
def sign_up(request: ApiRequest, payload: SignUpIn) -> Any:
    """Sign a person up. They get a mail with a link, and no alert before they have confirmed."""
    one = _sign_up_record(payload)
    if reason := mail_domains.refusal(one.address.domain):
        raise _invalid("address", forms.wrong(reason))
    try:
        result = writer.sign_up(one)
    except Busy:
        raise ProblemDetails(
            503, "busy", "Very many people sign up right now.", headers={"Retry-After": "5"}
        ) from None
    if result in (SignUpResult.LATER, SignUpResult.WORK):
        raise ProblemDetails(
            429,
            "too-many",
            "client_address: too many sign-ups came from this network within an hour.",
            headers={"Retry-After": "3600"},
        )
    if result is not SignUpResult.NOTED:
        raise ProblemDetails(409, "state", "The texts of consent have just changed. Send it again.")
    return Status(202, SignUpOut())


def _sign_up_record(payload: SignUpIn) -> SignUp:
    try:
        address = addresses.parse(payload.address)
    except addresses.BadAddress as reason:
        raise _invalid("address", forms.wrong(forms.reason_with_suggestion(reason))) from None
    topic = topic_by_slug(payload.topic)
    language = payload.language or settings.MOREFOLLOWS.languages[0]
    return SignUp(
        address=address,
        offers=payload.offers,
        statement=entry.what_is_shown(topic, texts.in_force(language), language),
        origin=site_origins.own(),
        # A query may hold an address or a token, which evidence must not keep.
        page=payload.page.partition("?")[0],
        form_version=_FORM_VERSION,
        client_address=str(payload.client_address or ""),
        # A program can't be asked for a proof of work: `sign_up` answers 429 where one is due.
        work=None,
    )


def _invalid(field: str, detail: str) -> ProblemDetails:
    return ProblemDetails(409, "invalid", f"{field}: {detail}", errors=[FieldError(field, detail)])


@router.post(
    "/{uuid:reader_id}/withdrawal",
    auth=KeyWith(Scope.READERS_WRITE),
    response=ReaderOut,
    operation_id="withdrawConsent",
)
def withdraw(request: ApiRequest, reader_id: uuid.UUID, payload: WithdrawIn) -> Any:
    """Withdraw a consent at the reader’s request. It holds from the very next mail."""
    by, reader = _may_see_readers(request), _reader(reader_id)
    topic: Topic | None = topic_by_slug(payload.topic) if payload.topic is not None else None
    purpose = Purpose.OFFERS if topic is None else Purpose.ALERTS
    with transaction.atomic():
        withdrawal.withdraw_consent(reader, purpose, how=Consent.How.DESK, topic=topic)
        record(
            by,
            "withdraw consent",
            reader=reader.pk,
            purpose=purpose,
            topic=topic.slug if topic else "",
        )
    return _reader_out(_reader(reader_id))


@router.delete(
    "/{uuid:reader_id}",
    auth=KeyWith(Scope.READERS_WRITE),
    response={204: None},
    operation_id="eraseReader",
)
def erase(request: ApiRequest, reader_id: uuid.UUID) -> Any:
    """Erase a reader (GDPR Art. 17). Needs a key of an administrator’s role."""
    by = account(request)
    if not by.may_administer:
        raise forbidden("Only a key with the role administrator may erase readers.")
    reader = _reader(reader_id)
    with transaction.atomic():
        number = reader.pk
        erasure.erase(reader)
        record(by, "erase reader", reader=number)
    return Status(204, None)


@router.get(
    "/export",
    auth=KeyWith(Scope.READERS_READ),
    response={200: None},
    operation_id="exportReaders",
    openapi_extra={
        "responses": {
            200: {
                "description": "One JSON object a line.",
                "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
            }
        }
    },
)
def export(request: ApiRequest, query: Query[ExportQuery]) -> Any:
    """Export all readers, oldest first, one JSON object a line. It streams."""
    by = _may_see_readers(request)
    topic = topic_by_slug(query.topic) if query.topic is not None else None
    # Before the first line, so that an export that breaks off is logged, too.
    record(by, "export readers", subject=topic.slug if topic else "")
    return StreamingHttpResponse(_lines(topic), content_type="application/x-ndjson")


async def _lines(topic: Topic | None) -> AsyncIterator[bytes]:
    """A thousand readers at a time, so that memory does not grow with their number."""
    last = 0
    while True:
        rows, last = await sync_to_async(exporting.next_rows)(topic, last)
        if not rows:
            return
        yield b"".join(
            json.dumps(dict(zip(exporting.COLUMNS, row, strict=True))).encode() + b"\n"
            for row in rows
        )
