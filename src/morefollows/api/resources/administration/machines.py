"""Processes on all machines, and sending after the database was restored."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from ninja import Field, Router, Schema, Status

from morefollows.accounts.models import Editor
from morefollows.api.fields import SomeLine
from morefollows.api.http.problems import FieldError, ProblemDetails, forbidden
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account
from morefollows.api.scopes import Scope
from morefollows.courier import actions as courier
from morefollows.courier.restore import actions as restores
from morefollows.nodes import actions

router = Router()


class ProcessOut(Schema):
    """A process that is in the registry."""

    name: str
    host: str
    role: str
    version: str
    leads: str = Field(description="What it leads, with commas between.")
    trouble: str = Field(description="Why it does not work; empty: it does.")
    silent_seconds: int = Field(description="Since its last heartbeat; 0: they come in time.")
    same_keys: bool
    same_version: bool


class ProcessList(Schema):
    items: list[ProcessOut]


class ProcessIn(Schema):
    name: SomeLine = Field(max_length=200)


def _runs_relays(request: ApiRequest) -> Editor:
    by = account(request)
    if not by.may_run_relays:
        raise forbidden("The key’s role can’t do this: it needs the right to relays.")
    return by


@router.get("", auth=KeyWith(Scope.HEALTH_READ), response=ProcessList, operation_id="listProcesses")
def list_processes(request: ApiRequest) -> Any:
    """List the processes of all machines."""
    own = ("silent_seconds", "same_keys", "same_version")
    return {
        "items": [
            ProcessOut(
                **{name: getattr(line, name) for name in own},
                **{
                    name: getattr(line.process, name)
                    for name in ProcessOut.model_fields
                    if name not in own
                },
            )
            for line in actions.node_lines()
        ]
    }


@router.post(
    "/forget",
    auth=KeyWith(Scope.RELAYS_WRITE),
    response={204: None},
    operation_id="forgetProcess",
)
def forget_process(request: ApiRequest, payload: ProcessIn) -> Any:
    """Take a silent process off the list, and release what it held."""
    by = _runs_relays(request)
    try:
        with transaction.atomic():
            row = actions.forget_process(payload.name, by)
    except actions.UnknownProcess:
        detail = "that process is at work, or off the list already"
        raise ProblemDetails(
            409, "state", f"name: {detail}", errors=[FieldError("name", detail)]
        ) from None
    courier.note_deaths([row.name])
    return Status(204, None)


@router.post(
    "/go-on",
    auth=KeyWith(Scope.RELAYS_WRITE),
    response={204: None},
    operation_id="goOnAfterRestore",
)
def go_on(request: ApiRequest) -> Any:
    """Send again after the database was restored. Alerts on their way then wait for an answer."""
    by = _runs_relays(request)
    if not restores.go_on(by):
        raise ProblemDetails(409, "state", "Nothing is held because of a restore.")
    return Status(204, None)
