"""Suppressions: addresses that are never mailed. Only keyed hashes of them are stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from ninja import Field, Router, Schema, Status

from morefollows.api.fields import Text
from morefollows.api.http.problems import FieldError, ProblemDetails, forbidden, not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account
from morefollows.api.scopes import Scope
from morefollows.audience import addresses
from morefollows.audience.models import Consent, Reader, Suppression
from morefollows.audience.suppression import actions
from morefollows.audit.actions import record

router = Router()


class AddressIn(Schema):
    address: Text = Field(max_length=320, description="The exact address.")


class SuppressionOut(Schema):
    reason: str
    at: datetime
    from_list: bool


def _parse(text: str) -> addresses.Address:
    try:
        return addresses.parse(text)
    except addresses.BadAddress as reason:
        detail = f"is no address that mail can go to: {reason}"
        raise ProblemDetails(
            409, "invalid", f"address: {detail}", errors=[FieldError("address", detail)]
        ) from None


@router.post(
    "/lookup",
    auth=KeyWith(Scope.SUPPRESSIONS_READ),
    response=SuppressionOut,
    operation_id="findSuppression",
)
def find(request: ApiRequest, payload: AddressIn) -> Any:
    """Tell whether and why an address is never mailed; 404 if it may be."""
    if not account(request).may_see_readers:
        raise forbidden("The key’s role can’t see readers.")
    found = Suppression.objects.filter(key=_parse(payload.address).key).first()
    if found is None:
        raise not_found("suppression of this address")
    return {"reason": found.reason, "at": found.at, "from_list": found.from_list}


@router.post(
    "",
    auth=KeyWith(Scope.SUPPRESSIONS_WRITE),
    response={204: None},
    operation_id="suppressAddress",
)
def suppress(request: ApiRequest, payload: AddressIn) -> Any:
    """Never mail this address again. Its reader’s consents are withdrawn."""
    by = account(request)
    if not by.may_administer:
        raise forbidden("Only a key with the role administrator may suppress addresses.")
    key = _parse(payload.address).key
    with transaction.atomic():
        if actions.suppress([key], Suppression.Reason.DESK):
            record(by, "suppress", reason=Suppression.Reason.DESK, readers=1)
    return Status(204, None)


@router.post(
    "/lift",
    auth=KeyWith(Scope.SUPPRESSIONS_WRITE),
    response={204: None},
    operation_id="liftSuppression",
)
def lift(request: ApiRequest, payload: AddressIn) -> Any:
    """Lift a mistaken suppression. A reader who complained has to sign up again."""
    by = account(request)
    if not by.may_administer:
        raise forbidden("Only a key with the role administrator may lift suppressions.")
    key = _parse(payload.address).key
    with transaction.atomic():
        found = Suppression.objects.filter(key=key).first()
        if found is None:
            raise not_found("suppression of this address")
        reader = Reader.objects.filter(key=key).first()
        actions.lift(found, Consent.How.DESK)
        record(by, "lift suppression", reader=reader.pk if reader else None, reason=found.reason)
    return Status(204, None)
