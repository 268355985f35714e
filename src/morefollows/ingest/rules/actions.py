"""Makes, changes, orders and removes rules. Each is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, has_right
from morefollows.audience.models import Topic
from morefollows.audit.actions import changes, record
from morefollows.helpers import plain_text
from morefollows.ingest.models import ItemRule, Source
from morefollows.ingest.rules import alone
from morefollows.ingest.rules.conditions import Conditions
from morefollows.stories.errors import ActionRefused

Action = ItemRule.Action


def check_may_change(by: Editor, *actions: str) -> None:
    """Raises `ActionRefused` unless `by` may make rules, and such rules."""
    if not has_right(by, Right.SEND):
        raise ActionRefused(_("Your role can’t make rules. Ask an editor."))
    if Action.SEND_ALONE in actions and not has_right(by, Right.ADMINISTER):
        raise ActionRefused(_("Only an administrator can have a rule send alone."))


def save_rule(
    rule: ItemRule,
    by: Editor,
    *,
    name: str,
    action: str,
    conditions: Conditions,
    sources: Sequence[Source] = (),
    topic: Topic | None = None,
    tells: Sequence[Editor] = (),
    options: dict[str, Any] | None = None,
    active: bool = True,
) -> ItemRule:
    """Saves a new rule as the last, or changes one. Raises `ValidationError` with errors by field.

    A rule that sends alone begins with drills; a change of it does so again.
    """
    with transaction.atomic():
        before: dict[str, str] = {}
        if rule.pk:
            kept = ItemRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
            # Both actions: only an administrator may change a rule that sends alone, or make it
            # one.
            check_may_change(by, kept.action, action)
            before, rule = _summary(kept), kept
        else:
            check_may_change(by, action)
            last = ItemRule.objects.aggregate(last=Max("position"))["last"]
            rule.position = 0 if last is None else last + 1
        rule.name, rule.action, rule.topic, rule.active = name.strip(), action, topic, active
        rule.conditions = conditions.as_json()
        # Without `drilled_at` and `live`: after a change the rule has to send a drill again.
        rule.options = dict(options or {}) if action == Action.SEND_ALONE else {}
        # A rule that sends acts for the editor who saved it last, whose rights each alert checks.
        if action == Action.SEND_ALONE or rule.created_by_id is None:
            rule.created_by = by
        _check(rule, sources, tells)
        rule.save()
        rule.sources.set(sources)
        rule.tells.set(tells if action == Action.DRAFT_AND_TELL else ())
        changed = changes(before, _summary(rule)) if before else {}
        what = "change item rule" if before else "add item rule"
        record(by, what, subject=rule.name, **({"changed": changed} if before else {"do": action}))
    return rule


def _check(rule: ItemRule, sources: Sequence[Source], tells: Sequence[Editor]) -> None:
    errors: dict[str, str] = {}
    if not rule.name:
        errors["name"] = _("Give the rule a name.")
    plain_text.check_names(name=rule.name)
    if rule.action == Action.DRAFT_AND_TELL and not tells:
        errors["tells"] = _("Choose who is told.")
    if rule.action == Action.SEND_ALONE:
        errors |= _check_alone(rule, sources)
    if errors:
        raise ValidationError({name: ValidationError(text) for name, text in errors.items()})
    rule.full_clean(exclude=["created_by", "conditions", "options", "position"])


def _check_alone(rule: ItemRule, sources: Sequence[Source]) -> dict[str, str]:
    errors = {}
    if not sources:
        errors["sources"] = _("Choose the sources: a rule for all can’t send alone.")
    elif not all(source.sends_alone for source in sources):
        errors["sources"] = _("One of them may not send alone. Set it at the source first.")
    urgency = Conditions.from_json(rule.conditions).most_urgency
    if urgency is None or urgency > alone.MOST_URGENCY_ALONE:
        errors["most_urgency"] = _("Only items of urgency 1 and 2 are sent alone.")
    hold, most = rule.options.get("hold"), rule.options.get("most_a_day")
    if not isinstance(hold, int) or not (
        alone.LEAST_HOLD_SECONDS <= hold <= alone.MOST_HOLD_SECONDS
    ):
        errors["hold"] = _("Choose from %(least)d to %(most)d seconds.") % {
            "least": alone.LEAST_HOLD_SECONDS,
            "most": alone.MOST_HOLD_SECONDS,
        }
    if not isinstance(most, int) or not 1 <= most <= alone.MOST_A_DAY:
        errors["most_a_day"] = _("Choose from 1 to %(most)d.") % {"most": alone.MOST_A_DAY}
    return errors


def _summary(rule: ItemRule) -> dict[str, str]:
    return {
        "name": rule.name,
        "do": rule.action,
        "conditions": str(rule.conditions),
        "topic": rule.topic.slug if rule.topic else "",
        "sources": ", ".join(sorted(rule.sources.values_list("name", flat=True))),
        "active": str(rule.active),
        "options": str(rule.options or ""),
    }


def let_rule_send(rule: ItemRule, by: Editor) -> None:
    """Has a rule that has sent a drill send to readers from now on. Raises `ActionRefused`."""
    with transaction.atomic():
        kept = ItemRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
        check_may_change(by, kept.action)
        if kept.action != Action.SEND_ALONE or not kept.options.get("drilled_at"):
            raise ActionRefused(_("It has not sent a drill yet."))
        kept.options = {**kept.options, "live": True}
        kept.created_by = by
        kept.save()
        record(by, "item rule live", subject=kept.name)


def switch_rule(rule: ItemRule, by: Editor, active: bool) -> None:
    """Switches a rule on or off. Idempotent. Off is allowed to everybody who may make rules."""
    with transaction.atomic():
        kept = ItemRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
        check_may_change(by, *((kept.action,) if active else ()))
        if kept.active != active:
            kept.active = active
            kept.save()
            record(by, "change item rule", subject=kept.name, active=active)


def move_rule(rule: ItemRule, by: Editor, places: int) -> None:
    """Moves a rule up (-1) or down (1). Does nothing at the ends."""
    with transaction.atomic():
        # All are locked. Else two editors who move rules at once could give two of them one
        # position.
        ordered = list(ItemRule.objects.select_for_update(of=("self",)).order_by("position", "pk"))
        at = next(at for at, one in enumerate(ordered) if one.pk == rule.pk)
        to = at + places
        if not 0 <= to < len(ordered):
            return
        # Of both, as the order decides which of the two an item gets.
        check_may_change(by, ordered[at].action, ordered[to].action)
        ordered[at], ordered[to] = ordered[to], ordered[at]
        for position, one in enumerate(ordered):
            one.position = position
        ItemRule.objects.bulk_update(ordered, ["position"])
        record(by, "move item rule", subject=rule.name, to=to + 1)


def order_rules(keys: Sequence[int], by: Editor) -> None:
    """Puts all rules in this order. Raises `ActionRefused` if one is missing or not there."""
    with transaction.atomic():
        rules = {one.pk: one for one in ItemRule.objects.select_for_update(of=("self",))}
        if sorted(keys) != sorted(rules):
            raise ActionRefused(_("Name each rule once: they have changed meanwhile."))
        before = sorted(rules, key=lambda pk: (rules[pk].position, pk))
        moved = [pk for at, pk in enumerate(keys) if before[at] != pk]
        check_may_change(by, *(rules[pk].action for pk in moved))
        if not moved:
            return
        for position, pk in enumerate(keys):
            rules[pk].position = position
        ItemRule.objects.bulk_update(rules.values(), ["position"])
        record(by, "move item rule", subject=", ".join(rules[pk].name for pk in keys)[:200])


def remove_rule(rule: ItemRule, by: Editor) -> None:
    """Removes a rule. Items that it decided on keep what they became."""
    with transaction.atomic():
        check_may_change(by, rule.action)
        name = rule.name
        rule.delete()
        record(by, "remove item rule", subject=name)
