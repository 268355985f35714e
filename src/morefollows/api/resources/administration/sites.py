"""Sites whose pages may show the sign-up box."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Field, Router, Schema, Status

from morefollows.api.fields import SomeLine
from morefollows.api.http.problems import FieldError, ProblemDetails, not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import administrator
from morefollows.api.scopes import Scope
from morefollows.audience import sites
from morefollows.audience.models import Site
from morefollows.audience.signup import site_origins

router = Router()
_MAY = "change sites"  # with the role administrator alone


class SiteIn(Schema):
    address: SomeLine = Field(max_length=2000, description="Of any of its pages.")


class SiteOut(Schema):
    origin: str
    added_at: datetime


class SiteList(Schema):
    items: list[SiteOut]


def _out(site: Site) -> SiteOut:
    return SiteOut(origin=site.origin, added_at=site.added_at)


def _origin(payload: SiteIn) -> str:
    try:
        return site_origins.origin(payload.address)
    except site_origins.BadOrigin as reason:
        detail = str(reason)
        raise ProblemDetails(
            409, "invalid", f"address: {detail}", errors=[FieldError("address", detail)]
        ) from None


@router.get("", auth=KeyWith(Scope.SETTINGS_READ), response=SiteList, operation_id="listSites")
def list_sites(request: ApiRequest) -> Any:
    """List the sites whose pages may show the sign-up box."""
    return {"items": [_out(one) for one in Site.objects.all()]}


@router.post(
    "", auth=KeyWith(Scope.SETTINGS_WRITE), response={201: SiteOut}, operation_id="addSite"
)
def add_site(request: ApiRequest, payload: SiteIn) -> Any:
    """Let the pages of a site show the sign-up box. One that may already stays so."""
    by = administrator(request, _MAY)
    return Status(201, _out(sites.add_site(_origin(payload), by)))


@router.post(
    "/remove",
    auth=KeyWith(Scope.SETTINGS_WRITE),
    response={204: None},
    operation_id="removeSite",
)
def remove_site(request: ApiRequest, payload: SiteIn) -> Any:
    """Stop the pages of a site from showing the sign-up box."""
    by = administrator(request, _MAY)
    if not sites.remove_site(_origin(payload), by):
        raise not_found("such site that may show the box")
    return Status(204, None)
