"""Whether the service works: for monitoring that has a key, and in short for all."""

from __future__ import annotations

from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from ninja import Field, Router, Schema, Status

from morefollows.accounts.models import Editor
from morefollows.api.fields import Text
from morefollows.api.http.problems import FieldError, ProblemDetails, forbidden
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account
from morefollows.api.scopes import Scope
from morefollows.audit.actions import record
from morefollows.courier import relay_pauses
from morefollows.courier.models import SenderProcess
from morefollows.feedback.progress import relay_states
from morefollows.stories.actions import now_ms

router = Router()
relays = Router()

_SILENT_MS = 10_000  # a heartbeat is written every second


class HealthOut(Schema):
    status: Literal["ok"] = "ok"


class RelayIn(Schema):
    relay: Text = Field(max_length=500, description="Its name.")


class RelayOut(Schema):
    name: str
    paused: bool
    reason: str
    trouble: str


class SendersOut(Schema):
    """Sender processes that wrote within the last ten seconds, and the relays."""

    senders: int
    relays: list[RelayOut]


@router.get("", auth=None, response=HealthOut, operation_id="getHealth")
def get_health(request: ApiRequest) -> Any:
    """Tell that the service answers. It needs no key, and says nothing more."""
    return HealthOut()


@relays.post(
    "/pause", auth=KeyWith(Scope.RELAYS_WRITE), response={204: None}, operation_id="pauseRelay"
)
def pause_relay(request: ApiRequest, payload: RelayIn) -> Any:
    """Give a relay no more mail until it is resumed. Other relays go on."""
    by = _runs_relays(request, payload.relay)
    with transaction.atomic():
        relay_pauses.pause_relay(payload.relay, by=by.name)
        record(by, "pause relay", subject=payload.relay, relay=payload.relay)
    return Status(204, None)


@relays.post(
    "/resume", auth=KeyWith(Scope.RELAYS_WRITE), response={204: None}, operation_id="resumeRelay"
)
def resume_relay(request: ApiRequest, payload: RelayIn) -> Any:
    """Let a relay go on. What it deferred is tried at once."""
    by = _runs_relays(request, payload.relay)
    with transaction.atomic():
        relay_pauses.resume_relay(payload.relay)
        record(by, "resume relay", subject=payload.relay, relay=payload.relay)
    return Status(204, None)


def _runs_relays(request: ApiRequest, name: str) -> Editor:
    by = account(request)
    if not by.may_run_relays:
        raise forbidden("The key’s role can’t pause and resume relays.")
    if name not in {relay.name for relay in settings.MOREFOLLOWS.relays_or_inbox}:
        detail = "there is no such relay; GET /api/v1/health/sending lists them"
        raise ProblemDetails(
            404, "not-found", f"relay: {detail}", errors=[FieldError("relay", detail)]
        )
    return by


@router.get(
    "/sending",
    auth=KeyWith(Scope.HEALTH_READ),
    response=SendersOut,
    operation_id="getSendingHealth",
)
def get_sending(request: ApiRequest) -> Any:
    """Show how many senders are at work, and the state of each relay."""
    alive = SenderProcess.objects.filter(seen_at_ms__gt=now_ms() - _SILENT_MS)
    names = tuple(RelayOut.model_fields)
    relays = [{name: dict(one)[name] for name in names} for one in relay_states()]
    return {"senders": alive.count(), "relays": relays}
