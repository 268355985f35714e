"""Rules for the wire: what becomes of items by itself, and what a rule would have done."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar, cast

from django.http import HttpResponse
from ninja import Field, Path, Router, Schema, Status

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, has_right
from morefollows.api.fields import Language, Slug, SomeLine, Whole, YesNo
from morefollows.api.http.problems import FieldError, ProblemDetails, forbidden, not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account, has_scope, topic_by_slug
from morefollows.api.scopes import Scope
from morefollows.ingest.models import ItemRule, Source
from morefollows.ingest.rules import actions, alone
from morefollows.ingest.rules.conditions import Conditions
from morefollows.ingest.rules.deciding_rule import ReadyRule, active_rules
from morefollows.ingest.rules.simulation import simulate

router = Router()

Action = Literal["ignore", "draft", "tell", "update", "send"]
_Phrase = Annotated[SomeLine, Field(max_length=100)]
_Phrases = Annotated[list[_Phrase], Field(max_length=50)]
_Id = Annotated[Whole, Field(ge=1, le=2**31 - 1)]
RuleId = Annotated[int, Path(ge=1, le=2**31 - 1)]
_Row = TypeVar("_Row")


class RuleIn(Schema):
    """A rule. It is for items that fit all of what is given."""

    name: SomeLine = Field(max_length=100)
    action: Action
    active: YesNo = True
    sources: list[uuid.UUID] = Field(
        default_factory=list, max_length=100, description="Items of one of these; none: of all."
    )
    topics: _Phrases = Field(
        default_factory=list, description="One is among the item’s, as its source names them."
    )
    most_urgency: Annotated[Whole, Field(ge=1, le=9)] | None = Field(
        None, description="As urgent, or more."
    )
    words: _Phrases = Field(default_factory=list, description="One is in headline or text.")
    without: _Phrases = Field(default_factory=list, description="None is.")
    languages: list[Language] = Field(default_factory=list, max_length=50)
    topic: Slug | None = Field(None, description="Of the draft; null: the item’s or source’s.")
    tells: list[_Id] = Field(
        default_factory=list,
        max_length=100,
        description="Ids of people who are mailed, by the action `tell`.",
    )
    hold_seconds: Annotated[
        Whole, Field(ge=alone.LEAST_HOLD_SECONDS, le=alone.MOST_HOLD_SECONDS)
    ] = Field(60, description="Of the action `send`.")
    most_a_day: Annotated[Whole, Field(ge=1, le=alone.MOST_A_DAY)] = Field(
        3, description="Alerts in 24 hours, of the action `send`."
    )


class RuleOut(Schema):
    id: int
    position: int = Field(description="The first active rule that fits decides.")
    name: str
    action: Action
    active: bool
    sources: list[uuid.UUID]
    topics: list[str]
    most_urgency: int | None
    words: list[str]
    without: list[str]
    languages: list[str]
    topic: str | None
    tells: list[int]
    hold_seconds: int | None = Field(description="Of the action `send`; null for others.")
    most_a_day: int | None
    drilled: bool = Field(description="It has sent a drill, and may be let send to readers.")
    live: bool = Field(description="It sends to readers. Until then it sends drills.")


class RuleList(Schema):
    items: list[RuleOut]


class RuleOrderIn(Schema):
    rules: list[_Id] = Field(min_length=1, max_length=1000, description="Ids, of all rules.")


class SimulatedItemOut(Schema):
    item: uuid.UUID
    headline: str
    became: str


class SimulationOut(Schema):
    """What a rule would have done with the items of the last 30 days."""

    looked_at: int
    more: bool = Field(description="There were more items than are looked at.")
    fitted: int
    became: dict[str, int]
    newest: list[SimulatedItemOut]


def _out(rule: ItemRule) -> RuleOut:
    given, options = Conditions.from_json(rule.conditions), rule.options
    return RuleOut(
        id=rule.pk,
        position=rule.position,
        name=rule.name,
        action=cast(Action, rule.action),
        active=rule.active,
        sources=[one.uuid for one in rule.sources.all()],
        topics=list(given.topics),
        most_urgency=given.most_urgency,
        words=list(given.words),
        without=list(given.without),
        languages=list(given.languages),
        topic=rule.topic.slug if rule.topic else None,
        tells=[one.pk for one in rule.tells.all()],
        hold_seconds=options.get("hold"),
        most_a_day=options.get("most_a_day"),
        drilled=bool(options.get("drilled_at")),
        live=bool(options.get("live")),
    )


def _makes_rules(request: ApiRequest) -> Editor:
    by = account(request)
    if not has_right(by, Right.SEND):
        raise forbidden("The key’s role can’t see and make rules.")
    return by


def _check_alone(request: ApiRequest) -> None:
    """Raises `ProblemDetails` unless the key itself may send alone."""
    if not has_scope(request, Scope.ALERTS_SEND_ALONE):
        raise ProblemDetails(
            403,
            "scope",
            "A rule that sends alone needs a key with the scope alerts:send-alone, too.",
            scope=Scope.ALERTS_SEND_ALONE.value,
        )


def _rule(rule_id: int) -> ItemRule:
    found = ItemRule.objects.filter(pk=rule_id).first()
    if found is None:
        raise not_found(f"rule {rule_id}")
    return found


def _conditions(payload: RuleIn) -> Conditions:
    return Conditions(
        topics=tuple(payload.topics),
        most_urgency=payload.most_urgency,
        words=tuple(payload.words),
        without=tuple(payload.without),
        languages=tuple(payload.languages),
    )


def _sources(payload: RuleIn) -> list[Source]:
    found = Source.objects.filter(uuid__in=payload.sources, removed_at=None)
    return _all_of("sources", found, set(payload.sources))


def _people(payload: RuleIn) -> list[Editor]:
    found = Editor.objects.people().filter(pk__in=payload.tells, is_active=True)
    return _all_of("tells", found, set(payload.tells))


def _all_of(field: str, rows: Iterable[_Row], wanted: set[Any]) -> list[_Row]:
    """The rows, one for each that is wanted. Raises `ProblemDetails`."""
    found = list(rows)
    if len(found) != len(wanted):
        detail = "one of them is not there"
        raise ProblemDetails(
            404, "not-found", f"{field}: {detail}", errors=[FieldError(field, detail)]
        )
    return found


@router.get("", auth=KeyWith(Scope.RULES_READ), response=RuleList, operation_id="listRules")
def list_rules(request: ApiRequest) -> Any:
    """List the rules in the order in which they apply."""
    _makes_rules(request)
    rules = ItemRule.objects.select_related("topic").prefetch_related("sources", "tells")
    return {"items": [_out(one) for one in rules]}


@router.post("", auth=KeyWith(Scope.RULES_WRITE), response={201: RuleOut}, operation_id="addRule")
def add_rule(request: ApiRequest, response: HttpResponse, payload: RuleIn) -> Any:
    """Add a rule as the last. One that sends alone begins with drills."""
    made = _saved(request, ItemRule(), payload)
    response["Location"] = f"/api/v1/rules/{made.pk}"
    return Status(201, _out(made))


@router.get(
    "/{int:rule_id}", auth=KeyWith(Scope.RULES_READ), response=RuleOut, operation_id="getRule"
)
def get_rule(request: ApiRequest, rule_id: RuleId) -> Any:
    """Show a rule."""
    _makes_rules(request)
    return _out(_rule(rule_id))


@router.put(
    "/{int:rule_id}", auth=KeyWith(Scope.RULES_WRITE), response=RuleOut, operation_id="changeRule"
)
def change_rule(request: ApiRequest, rule_id: RuleId, payload: RuleIn) -> Any:
    """Change a rule as a whole. One that sends alone begins with drills again."""
    _makes_rules(request)
    return _out(_saved(request, _rule(rule_id), payload))


def _saved(request: ApiRequest, rule: ItemRule, payload: RuleIn) -> ItemRule:
    by = _makes_rules(request)
    # Nobody looks before such a rule mails, so the key has to be one that may do the same.
    if ItemRule.Action(payload.action) is ItemRule.Action.SEND_ALONE:
        _check_alone(request)
    return actions.save_rule(
        rule,
        by,
        name=payload.name,
        action=payload.action,
        conditions=_conditions(payload),
        sources=_sources(payload),
        topic=topic_by_slug(payload.topic) if payload.topic is not None else None,
        tells=_people(payload),
        options={"hold": payload.hold_seconds, "most_a_day": payload.most_a_day},
        active=payload.active,
    )


@router.delete(
    "/{int:rule_id}",
    auth=KeyWith(Scope.RULES_WRITE),
    response={204: None},
    operation_id="removeRule",
)
def remove_rule(request: ApiRequest, rule_id: RuleId) -> Any:
    """Remove a rule. Items that it decided on keep what they became."""
    by = _makes_rules(request)
    actions.remove_rule(_rule(rule_id), by)
    return Status(204, None)


@router.put("", auth=KeyWith(Scope.RULES_WRITE), response=RuleList, operation_id="orderRules")
def order_rules(request: ApiRequest, payload: RuleOrderIn) -> Any:
    """Put the rules in this order."""
    by = _makes_rules(request)
    actions.order_rules(payload.rules, by)
    return list_rules(request)


@router.post(
    "/{int:rule_id}/let-send",
    auth=KeyWith(Scope.RULES_WRITE),
    response=RuleOut,
    operation_id="letRuleSend",
)
def let_rule_send(request: ApiRequest, rule_id: RuleId) -> Any:
    """Let a rule that has sent a drill send to readers.

    Needs an administrator’s role, and the scope alerts:send-alone.
    """
    by = _makes_rules(request)
    _check_alone(request)
    actions.let_rule_send(_rule(rule_id), by)
    return _out(_rule(rule_id))


@router.post(
    "/simulation",
    auth=KeyWith(Scope.RULES_READ),
    response=SimulationOut,
    operation_id="simulateRule",
)
def simulate_rule(request: ApiRequest, payload: RuleIn) -> Any:
    """Tell what a rule would have done with the items of the last 30 days, as the last rule."""
    _makes_rules(request)
    conditions = _conditions(payload)
    topic = topic_by_slug(payload.topic) if payload.topic is not None else None
    rule = ItemRule(
        name=payload.name, action=payload.action, topic=topic, conditions=conditions.as_json()
    )
    sources = frozenset(one.pk for one in _sources(payload))
    found = simulate([*active_rules(), ReadyRule(rule, sources, conditions)], rule)
    newest = [
        SimulatedItemOut(item=row.uuid, headline=row.headline, became=became)
        for row, became in found.newest
    ]
    return SimulationOut(
        looked_at=found.looked_at,
        more=found.more,
        fitted=found.fitted,
        became=dict(found.became),
        newest=newest,
    )
